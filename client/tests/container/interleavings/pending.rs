//! A call that is under way, and what it may be given; credentials bear the stamp of where they come from.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use softkey_client::client_data::hash;
use softkey_client::fedcm::{Token, UserInfos};
use softkey_client::federated::{FederatedCredential, FederatedInit};
use softkey_client::password::PasswordData;
use softkey_client::{
    AbortController, Answer, Credential, CredentialType, FetchRequest, Grade, KeyId, Need,
    Operation, PasswordCredential, Question, Request, SecretText,
};

use super::keys;
use super::pages::{self, PAGES, PARTIES};
use super::provider;
use crate::world::chosen;

/// What the property says of a promise, of a mark and of a credential, where it does not hold.
pub(super) const TWICE: &str = "a promise is settled twice";
pub(super) const LEAKED: &str = "a mark leaked";
pub(super) const ASTRAY: &str = "a credential went astray";

/// A call, from when it is made until it is dropped.
pub(super) struct Pending {
    pub(super) request: Request,
    pub(super) operation: Operation,
    pub(super) page: usize,
    pub(super) types: Vec<CredentialType>,
    /// Was one of them active when it was called?
    pub(super) busy: bool,
    pub(super) nonce: u32,
    pub(super) controller: AbortController,
    /// What a provider was asked, until it answers.
    pub(super) sent: Option<FetchRequest>,
    /// The list of a relying party's that it waits for.
    pub(super) list: Option<String>,
    /// What keys were asked, until they answer.
    pub(super) keys: BTreeMap<KeyId, Option<Need>>,
    /// What the person is asked, until they answer.
    pub(super) question: Option<Question>,
    /// Was the person asked for one of several? Or about a code, and of which grade?
    pub(super) asked: bool,
    pub(super) grade: Option<Grade>,
    pub(super) settled: u32,
    /// The accounts that it may be told.
    pub(super) infos: Option<UserInfos>,
}

impl Pending {
    pub(super) fn ask(&mut self, question: Question) {
        match &question {
            Question::Choose { .. } => self.asked = true,
            Question::Code { grade, .. } => self.grade = Some(*grade),
            _ => {}
        }
        self.question = Some(question);
    }

    /// The answer that leads on.
    pub(super) fn fitting(&self) -> Answer {
        match &self.question {
            Some(Question::Choose { .. } | Question::Account(_)) => chosen(0),
            Some(Question::Continue { .. }) => {
                resolved(&provider::token(pages::origin(self.page), self.nonce))
            }
            _ => Answer::Yes,
        }
    }

    /// Is what was given this page's, and this call's?
    pub(super) fn is_due(&self, credential: &Credential) {
        let own = pages::origin(self.page);
        let due = match credential {
            Credential::Password(_) | Credential::Federated(_) => {
                let kept = stamped(credential).unwrap();
                match self.operation {
                    Operation::Create => kept == own && credential.origin() == Some(own),
                    _ => pages::may_have_kept(self.page, &kept, self.asked),
                }
            }
            Credential::Otp(given) => {
                let letter = given.code().expose().chars().next().unwrap();
                self.grade.is_some() && pages::grade(self.page, letter) == self.grade
            }
            Credential::Identity(_) => {
                credential.to_json()["token"] == provider::token(own, self.nonce)
            }
            Credential::Registration(made) => {
                let response = &made.response;
                let data = [&response.client_data_json.0, &response.authenticator_data.0];
                self.operation == Operation::Create
                    && self.is_party("webauthn.create", data, &made.raw_id.0)
            }
            Credential::Authentication(signed) => {
                let response = &signed.response;
                let data = [&response.client_data_json.0, &response.authenticator_data.0];
                self.operation == Operation::Get
                    && self.is_party("webauthn.get", data, &signed.raw_id.0)
            }
        };
        assert!(due, "{ASTRAY}: {credential:?} on the page {}", self.page);
    }

    /// Is the client data of this call, and the key's of a relying party that the page may be?
    fn is_party(&self, kind: &str, [client, key]: [&Vec<u8>; 2], id: &[u8]) -> bool {
        let client: Value = serde_json::from_slice(client).unwrap();
        let (top, own) = (PAGES[self.page][0], pages::origin(self.page));
        let foreign = PAGES[self.page].iter().any(|around| *around != own);
        let top = if foreign { json!(top) } else { Value::Null };
        let hosts = ["account.example.com", "shop.example.com", "localhost", "login.idp.example"];
        let mut parties = PARTIES.into_iter().flatten().chain(hosts);
        let party = parties.find(|party| key.starts_with(&hash(party.as_bytes()))).unwrap();
        client["type"] == kind
            && client["challenge"] == challenge(self.nonce)
            && client["origin"] == own
            && client["crossOrigin"] == foreign
            && client["topOrigin"] == top
            && pages::may_be(self.page, party)
            && id == [keys::number(party)]
    }
}

/// A provider's page gives this token.
pub(super) fn resolved(token: &str) -> Answer {
    Answer::Resolve { token: Token::new(json!(token)), account_id: None }
}

/// Three bytes in base64url that tell calls apart.
pub(super) fn challenge(nonce: u32) -> String {
    format!("{nonce:04}")
}

/// By what a credential is known again: which origin had it kept, in which call.
pub(super) fn stamp(origin: &str, nonce: u32) -> String {
    format!("{origin} {nonce}")
}

/// The origin in the stamp of a credential.
pub(super) fn stamped(credential: &Credential) -> Option<String> {
    let json = credential.to_json();
    let stamp = json.get("password").unwrap_or(&json["id"]);
    Some(stamp.as_str()?.split(' ').next()?.to_owned())
}

pub(super) fn password(id: &str, said: &str, own: &str, nonce: u32) -> Credential {
    let data = PasswordData {
        id: id.into(),
        name: String::new(),
        icon_url: String::new(),
        origin: said.into(),
        password: SecretText::new(stamp(own, nonce)),
    };
    Credential::Password(PasswordCredential::new(data).unwrap())
}

pub(super) fn federated(own: &str, nonce: u32) -> Credential {
    federated_of(own, own, nonce)
}

pub(super) fn federated_of(said: &str, own: &str, nonce: u32) -> Credential {
    let init = FederatedInit {
        id: stamp(own, nonce),
        name: String::new(),
        icon_url: String::new(),
        origin: said.into(),
        provider: "https://idp.example".into(),
        protocol: None,
    };
    Credential::Federated(FederatedCredential::new(init).unwrap())
}

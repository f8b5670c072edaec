//! The credential store: passwords and federated credentials of a profile, whom they may be given to, and the two
//! questions to the person about them (Credential Management Level 1 sections 2.5.1 step 7 and 4).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use softkey_ctap::Instant;
use url::Url;

use crate::cause::{Cause, TypeFault};
use crate::credential::Credential;
use crate::federated::{FederatedCredential, FederatedInit, FederatedRequest, provider};
use crate::origin::serialized;
use crate::page::Page;
use crate::password::{PasswordCredential, PasswordData};
use crate::profile::Profile;
use crate::question::{Answer, Choice, Question};
use crate::registry::CredentialType;
use crate::request::{Machine, Output, Progress};
use crate::suffix::registrable_domain;

/// What a profile keeps. It serializes with the passwords in clear.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passwords: Vec<PasswordData>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    federated: Vec<FederatedInit>,
    /// Origins that must not ask to have anything kept.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    never: BTreeSet<String>,
}

impl Kept {
    /// Passwords, as far as they are valid: a file can hold anything.
    pub(crate) fn passwords(&self) -> Vec<PasswordCredential> {
        self.passwords
            .iter()
            .filter_map(|data| PasswordCredential::new(data.clone()).ok())
            .collect()
    }

    /// Federated credentials, likewise.
    pub(crate) fn federated(&self) -> Vec<FederatedCredential> {
        self.federated
            .iter()
            .filter_map(|init| FederatedCredential::new(init.clone()).ok())
            .collect()
    }

    /// Adds a credential, or replaces the one of the same account.
    pub(crate) fn keep(&mut self, credential: &Credential) {
        match credential {
            Credential::Password(new) => {
                self.passwords
                    .retain(|old| !is_same((&old.id, &old.origin), (new.id(), new.origin())));
                self.passwords.push(new.data().clone());
            }
            Credential::Federated(new) => {
                let is_new = |old: &FederatedInit| !is_same_account(old, new.init());
                self.federated.retain(is_new);
                self.federated.push(new.init().clone());
            }
            Credential::Registration(_)
            | Credential::Authentication(_)
            | Credential::Identity(_)
            | Credential::Otp(_) => {}
        }
    }

    /// Removes the credentials of this type, origin and account; how many were there?
    pub(crate) fn remove(&mut self, kind: CredentialType, origin: &str, id: &str) -> usize {
        let before = self.passwords.len() + self.federated.len();
        let stays = |old: &str, old_origin: &str| !is_same((old, old_origin), (id, origin));
        match kind {
            CredentialType::Password => self.passwords.retain(|old| stays(&old.id, &old.origin)),
            CredentialType::Federated => self.federated.retain(|old| stays(&old.id, &old.origin)),
            _ => {}
        }
        before - self.passwords.len() - self.federated.len()
    }

    pub(crate) fn never(&self, origin: &str) -> bool {
        self.never.contains(origin)
    }

    pub(crate) fn never_origins(&self) -> Vec<String> {
        self.never.iter().cloned().collect()
    }

    pub(crate) fn set_never(&mut self, origin: String, never: bool) {
        if never {
            self.never.insert(origin);
        } else {
            self.never.remove(&origin);
        }
    }

    /// Writes origins as they are serialized: somebody may have written the file by hand. Credentials do it themselves.
    pub(crate) fn serialize_origins(&mut self) {
        self.never = self.never.iter().map(|origin| serialized(origin)).collect();
    }
}

/// What is collected for a page.
#[derive(Default)]
pub(crate) struct Collected {
    /// Of its very origin.
    own: Vec<Credential>,
    /// Of others that may only be offered.
    offered: Vec<Credential>,
}

/// What a call wants of the store.
pub(crate) struct Wanted {
    pub(crate) password: bool,
    pub(crate) federated: Option<FederatedRequest>,
}

impl Wanted {
    /// Step 7 (a) of get: `[[CollectFromCredentialStore]]` of both types.
    pub(crate) fn collect(&self, page: &Page) -> Result<Collected, Cause> {
        let kind = if self.password { CredentialType::Password } else { CredentialType::Federated };
        check_caller(page, kind)?;
        let mut all = Vec::new();
        if self.password {
            all.extend(page.profile().passwords().into_iter().map(Credential::Password));
        }
        if let Some(federated) = &self.federated {
            let kept = page.profile().federated().into_iter();
            all.extend(kept.filter(|kept| federated.matches(kept)).map(Credential::Federated));
        }
        let mut collected = Collected::default();
        let siblings = page.profile().settings().offer_siblings;
        for credential in all {
            let Some(origin) = credential.origin() else { continue };
            if origin == page.serialized_origin() {
                collected.own.push(credential);
            } else if siblings && may_be_offered(origin, page.serialized_origin()) {
                collected.offered.push(credential);
            }
        }
        Ok(collected)
    }
}

impl Collected {
    /// Step 7 (b): the only credential, if it may be given without the user.
    pub(crate) fn only_one(&mut self) -> Option<Credential> {
        if self.own.len() == 1 { self.own.pop() } else { None }
    }

    /// Step 7 (d).
    pub(crate) fn chooser(self, page: &Page) -> Option<Chooser> {
        let credentials: Vec<_> = self.own.into_iter().chain(self.offered).collect();
        let profile = page.profile().clone();
        let origin = page.serialized_origin().to_owned();
        let asked = false;
        (!credentials.is_empty()).then_some(Chooser { profile, origin, credentials, asked })
    }
}

/// The credential chooser.
pub(crate) struct Chooser {
    profile: Profile,
    origin: String,
    credentials: Vec<Credential>,
    asked: bool,
}

impl Machine for Chooser {
    fn next(&mut self, now: Instant, answer: Option<Answer>) -> Progress {
        match answer {
            None if self.asked => Progress::Waits,
            None => {
                self.asked = true;
                let choices = self.credentials.iter().filter_map(choice).collect();
                Progress::Wants(Output::Ask(Question::Choose {
                    origin: self.origin.clone(),
                    choices,
                }))
            }
            Some(Answer::Choice { index, .. }) if index >= self.credentials.len() => {
                Progress::Done(Ok(None))
            }
            Some(Answer::Choice { index, stay_signed_in }) => {
                let chosen = self.credentials.swap_remove(index);
                if stay_signed_in {
                    self.profile.set_prevent_silent_access(&self.origin, false);
                }
                self.profile.note_sign_in(&self.origin, now);
                Progress::Done(Ok(Some(chosen)))
            }
            Some(_) => Progress::Done(Ok(None)),
        }
    }
}

/// `[[Store]]`: what is to be asked, or nothing if there is nothing to do.
pub(crate) fn keeper(page: &Page, credential: Credential) -> Result<Option<Keeper>, Cause> {
    let kind = credential.credential_type();
    let Some(choice) = choice(&credential) else { return Err(Cause::CannotStore(kind)) };
    check_caller(page, kind)?;
    let origin = page.serialized_origin();
    if choice.origin != origin {
        return Err(Cause::Type(TypeFault::ForeignCredential));
    }
    let profile = page.profile();
    let update = match &credential {
        Credential::Password(new) => {
            let kept = profile.passwords();
            let same = kept.iter().find(|old| old.id() == new.id() && old.origin() == origin);
            if same == Some(new) {
                return Ok(None);
            }
            same.is_some()
        }
        Credential::Federated(new) => {
            let is_same = |old: &FederatedCredential| is_same_account(old.init(), new.init());
            if profile.federated().iter().any(is_same) {
                // There is no update.
                return Ok(None);
            }
            false
        }
        _ => return Err(Cause::CannotStore(kind)),
    };
    if profile.never_keeps(origin) {
        return Ok(None);
    }
    Ok(Some(Keeper { profile: profile.clone(), credential, choice, update, asked: false }))
}

/// The question whether a credential is to be kept.
pub(crate) struct Keeper {
    profile: Profile,
    credential: Credential,
    choice: Choice,
    update: bool,
    asked: bool,
}

impl Machine for Keeper {
    fn next(&mut self, _: Instant, answer: Option<Answer>) -> Progress {
        match answer {
            None if self.asked => return Progress::Waits,
            None => {
                self.asked = true;
                let (choice, update) = (self.choice.clone(), self.update);
                return Progress::Wants(Output::Ask(Question::Keep { choice, update }));
            }
            Some(Answer::Yes) => self.profile.keep(&self.credential),
            Some(Answer::Never) => self.profile.set_never_keeps(&self.choice.origin, true),
            Some(Answer::No | Answer::Choice { .. } | Answer::Resolve { .. }) => {}
        }
        // A refusal is no error.
        Progress::Done(Ok(None))
    }
}

fn choice(credential: &Credential) -> Option<Choice> {
    match credential {
        Credential::Password(password) => Some(password.choice()),
        Credential::Federated(federated) => Some(federated.choice()),
        Credential::Registration(_)
        | Credential::Authentication(_)
        | Credential::Identity(_)
        | Credential::Otp(_) => None,
    }
}

/// The caller must have an origin, and be of one with everything around it.
fn check_caller(page: &Page, kind: CredentialType) -> Result<(), Cause> {
    if !page.is_same_origin_with_ancestors() {
        return Err(Cause::Type(TypeFault::ForeignAncestors(kind)));
    }
    if page.serialized_origin() == "null" { Err(Cause::OpaqueOrigin) } else { Ok(()) }
}

fn is_same_account(one: &FederatedInit, other: &FederatedInit) -> bool {
    is_same((&one.id, &one.origin), (&other.id, &other.origin))
        && provider(&one.provider) == provider(&other.provider)
}

/// Are both the same id at the same origin, however a file says it?
fn is_same((id, origin): (&str, &str), (other, its_origin): (&str, &str)) -> bool {
    id == other && serialized(origin) == serialized(its_origin)
}

/// May what is kept for one origin be offered, in a chooser, to a page of another? Within a site, and never from
/// `https` to less.
fn may_be_offered(kept: &str, page: &str) -> bool {
    let (Ok(kept), Ok(page)) = (Url::parse(kept), Url::parse(page)) else { return false };
    let safe =
        matches!((kept.scheme(), page.scheme()), ("https" | "http", "https") | ("http", "http"));
    safe && is_same_host_or_site(&kept, &page)
}

/// Have both the same host, or the same registrable domain? Schemes are not looked at.
pub(crate) fn is_same_host_or_site(one: &Url, other: &Url) -> bool {
    let (Some(one), Some(other)) = (one.host_str(), other.host_str()) else { return false };
    let site = |host| registrable_domain(host).filter(|_| !is_address(host));
    one == other || (site(one).is_some() && site(one) == site(other))
}

fn is_address(host: &str) -> bool {
    !matches!(url::Host::parse(host), Ok(url::Host::Domain(_)))
}

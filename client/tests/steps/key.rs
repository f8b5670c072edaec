//! A page, and keys that answer by a script of bytes.

use std::collections::VecDeque;

use ciborium::Value as Cbor;
use serde_json::{Value, json};
use softkey_client::{
    Cause, Credential, CredentialCreationOptions, CredentialRequestOptions, Entropy, Input, KeyId,
    Need, Output, Page, Profile, Reach, Request,
};
use softkey_ctap::{Instant, Secret};

pub(crate) use crate::answers::{attested, auth_data, made, ok, signed, texts};

pub(crate) const NOW: Instant = Instant::from_millis(1000);
pub(crate) const ORIGIN: &str = "https://example.org";
pub(crate) const RP: &str = "example.org";
pub(crate) const KEY: KeyId = KeyId(0);

/// The name that a page sees, and why.
pub(crate) type Failure = (&'static str, Cause);

/// A key: what it is, and what it answers.
pub(crate) struct Key {
    reach: Reach,
    info: Vec<u8>,
    answers: VecDeque<Vec<u8>>,
    /// What its user types, one for each time; nothing gives up.
    pins: VecDeque<&'static str>,
    /// The answer to each request for a token by PIN.
    tokens: VecDeque<Vec<u8>>,
    /// Its key for key agreement.
    agreement: Cbor,
    /// The requests beside getInfo and clientPIN, each with its command.
    pub(crate) sent: Vec<(u8, Cbor)>,
}

impl Key {
    /// A key of CTAP2 with these options.
    pub(crate) fn new(options: &[(&str, bool)], answers: &[Vec<u8>]) -> Self {
        Self::with(&[], options, answers)
    }

    /// A key of CTAP2 with these further members of getInfo.
    pub(crate) fn with(
        members: &[(i64, Cbor)],
        options: &[(&str, bool)],
        answers: &[Vec<u8>],
    ) -> Self {
        let options: Vec<_> = options.iter().map(|(name, on)| (*name, Cbor::from(*on))).collect();
        let mut info = vec![
            (1, Cbor::Array(vec!["FIDO_2_0".into(), "FIDO_2_1".into()])),
            (3, Cbor::Bytes(vec![0xaa; 16])),
            (4, texts(&options)),
        ];
        if !members.iter().any(|(key, _)| *key == 6) {
            info.push((6, Cbor::Array(vec![1.into()])));
        }
        info.extend_from_slice(members);
        info.sort_by_key(|(key, _)| *key);
        Self {
            reach: Reach { ctap2: true, u2f: false },
            info: ok(&info),
            answers: answers.iter().cloned().collect(),
            pins: VecDeque::new(),
            tokens: VecDeque::new(),
            agreement: key_agreement(),
            sent: Vec::new(),
        }
    }

    /// A key that speaks this, and whose every answer is in the list.
    pub(crate) fn speaking(reach: Reach, answers: &[Vec<u8>]) -> Self {
        Self { reach, ..Self::new(&[], answers) }
    }

    /// A key with a PIN: what its user types, and the status with which it takes that.
    pub(crate) fn protected(pins: &[&'static str], tokens: &[u8]) -> Self {
        Self::giving(pins, tokens.iter().map(|status| vec![*status]))
    }

    /// The same, with whole answers.
    pub(crate) fn giving(pins: &[&'static str], tokens: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let key = Self::new(&[("clientPin", true), ("pinUvAuthToken", true)], &[]);
        Self { pins: pins.iter().copied().collect(), tokens: tokens.into_iter().collect(), ..key }
    }

    /// The same key with a point for key agreement that is on no curve.
    pub(crate) fn without_a_point(mut self) -> Self {
        let members = self.agreement.as_map_mut().unwrap();
        *members.last_mut().unwrap() = ((-3).into(), Cbor::Bytes(vec![1; 32]));
        self
    }

    fn answer(&mut self, need: Need) -> Input {
        match need {
            Need::Cbor(message) if message == [0x04] => Input::Response(self.info.clone()),
            Need::Cbor(message) if message[0] == 0x06 => {
                Input::Response(self.client_pin(&map(&message)))
            }
            Need::Cbor(message) => {
                self.sent.push((message[0], map(&message)));
                Input::Response(self.answers.pop_front().expect("no answer left"))
            }
            Need::Msg(_) => Input::Response(self.answers.pop_front().expect("no answer left")),
            Need::Touch(_) | Need::Seen(_) => Input::Passed,
            Need::Account(_) => Input::Account(0),
            Need::Pin(_) => match self.pins.pop_front() {
                Some(pin) => Input::Pin(String::from(pin).into()),
                None => Input::Cancel,
            },
        }
    }

    /// Retries, key agreement, and the next status for a token.
    fn client_pin(&mut self, request: &Cbor) -> Vec<u8> {
        match integer(member(request, 2)) {
            1 => ok(&[(3, 7.into())]),
            2 => ok(&[(1, self.agreement.clone())]),
            _ => self.tokens.pop_front().expect("no token left"),
        }
    }
}

/// The generator of P-256, which is as good a point as any.
fn key_agreement() -> Cbor {
    let unhex = |hex: &str| -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    };
    let x = unhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
    let y = unhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
    let members: [(i64, Cbor); 5] = [
        (1, 2.into()),
        (3, (-25).into()),
        (-1, 1.into()),
        (-2, Cbor::Bytes(x)),
        (-3, Cbor::Bytes(y)),
    ];
    Cbor::Map(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn map(message: &[u8]) -> Cbor {
    ciborium::from_reader(&message[1..]).unwrap()
}

/// A member of a request by its key, which must be there.
pub(crate) fn member(request: &Cbor, key: i64) -> &Cbor {
    find(request, key).unwrap_or_else(|| panic!("no {key} in {request:?}"))
}

pub(crate) fn find(request: &Cbor, key: i64) -> Option<&Cbor> {
    let members = request.as_map().unwrap();
    members.iter().find(|(name, _)| *name == Cbor::from(key)).map(|(_, value)| value)
}

fn integer(value: &Cbor) -> i64 {
    i64::try_from(value.as_integer().unwrap()).unwrap()
}

/// The answer to makeCredential that is as it should be.
pub(crate) fn good() -> Vec<u8> {
    made(auth_data(RP, 0x41, &attested(b"id")))
}

fn entropy() -> Entropy {
    Entropy::from_seed(&Secret::new([7; 32]))
}

pub(crate) fn page() -> Page {
    Page::new(&Profile::new(), ORIGIN)
}

fn merged(mut options: Value, extra: &Value) -> Value {
    for (member, value) in extra.as_object().unwrap() {
        options[member] = value.clone();
    }
    options
}

/// `create({publicKey})` with the least options, these over them.
pub(crate) fn create(page: &mut Page, extra: &Value) -> Request {
    let public_key = merged(
        json!({
            "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
            "challenge": "AAEC", "pubKeyCredParams": [],
            "authenticatorSelection": {"userVerification": "discouraged"},
        }),
        extra,
    );
    create_with(page, &json!({ "publicKey": public_key }))
}

/// `create()` with these options.
pub(crate) fn create_with(page: &mut Page, options: &Value) -> Request {
    let options = CredentialCreationOptions::from_json(&options.to_string()).unwrap();
    page.credentials().create(NOW, options, entropy())
}

/// `get({publicKey})` with the least options, these over them.
pub(crate) fn get(page: &mut Page, extra: &Value) -> Request {
    let public_key = merged(json!({"challenge": "AAEC", "userVerification": "discouraged"}), extra);
    let options = json!({ "publicKey": public_key }).to_string();
    let options = CredentialRequestOptions::from_json(&options).unwrap();
    page.credentials().get(NOW, options, entropy())
}

/// The list of these credentials.
pub(crate) fn list(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({"type": "public-key", "id": id})).collect()
}

/// What becomes of a request with one key, and no other to come.
pub(crate) fn settle(mut request: Request, key: &mut Key) -> Result<Credential, Failure> {
    request.add_key(NOW, KEY, key.reach);
    request.no_more_keys(NOW);
    loop {
        match request.poll_output(NOW) {
            Some(Output::Needs { need, .. }) => {
                let input = key.answer(need);
                request.handle_input(NOW, KEY, input);
            }
            Some(Output::Settled(result)) => {
                let result = result.map(|credential| credential.expect("a credential"));
                return result.map_err(|it| (it.exception.name(), it.cause));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Why a create with one key fails.
pub(crate) fn create_fails(extra: &Value, mut key: Key) -> Failure {
    settle(create(&mut page(), extra), &mut key).unwrap_err()
}

/// Why a get with one key fails.
pub(crate) fn get_fails(extra: &Value, mut key: Key) -> Failure {
    settle(get(&mut page(), extra), &mut key).unwrap_err()
}

/// How a request ended before any key came.
pub(crate) fn settled(request: &mut Request) -> Result<Option<Credential>, Failure> {
    match request.poll_output(NOW) {
        Some(Output::Settled(result)) => {
            result.map_err(|rejection| (rejection.exception.name(), rejection.cause))
        }
        other => panic!("{other:?} instead of an end"),
    }
}

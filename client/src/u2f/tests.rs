//! Create and get against a scripted key of the first generation.
#![allow(clippy::needless_pass_by_value, reason = "`json!` stands at the call")]

use serde_json::json;

use crate::cause::{Cause, DomException, NotWithU2f, Operation};
use crate::ceremony::{Input, Need};
use crate::client_data::hash;
use crate::options::{CreationOptions, RequestOptions};
use crate::origin::Origin;
use crate::response::{AuthenticationResponse, RegistrationResponse};
use crate::script::{U2F, entropy, run};
use softkey_ctap::u2f::StatusWord;

const TOUCH: [u8; 2] = [0x69, 0x85];
const WRONG: [u8; 2] = [0x6a, 0x80];

fn origin() -> Origin {
    Origin::parse("https://example.org").unwrap()
}

/// Brings the answers in order, lets time pass at will, and keeps the APDUs.
struct Script {
    answers: Vec<Vec<u8>>,
    apdus: Vec<Vec<u8>>,
    pauses: usize,
}

impl Script {
    fn new(answers: &[Vec<u8>]) -> Self {
        let answers = answers.iter().rev().cloned().collect();
        Self { answers, apdus: vec![], pauses: 0 }
    }

    fn bring(&mut self, need: Need) -> Input {
        match need {
            Need::Msg(apdu) => {
                self.apdus.push(apdu);
                Input::Response(self.answers.pop().unwrap_or(TOUCH.to_vec()))
            }
            Need::Touch(_) => {
                self.pauses += 1;
                Input::Passed
            }
            need => panic!("{need:?}"),
        }
    }

    fn create(&mut self, extra: serde_json::Value) -> Result<RegistrationResponse, Cause> {
        let mut options = json!({
            "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
            "challenge": "AAEC", "pubKeyCredParams": [], "attestation": "direct",
        });
        for (key, value) in extra.as_object().unwrap() {
            options[key] = value.clone();
        }
        let options = CreationOptions::from_json(&options.to_string()).unwrap();
        run(crate::create(options, origin(), U2F, entropy()), |need| self.bring(need))
    }

    fn get(&mut self, options: serde_json::Value) -> Result<AuthenticationResponse, Cause> {
        let options = RequestOptions::from_json(&options.to_string()).unwrap();
        run(crate::get(options, origin(), U2F, entropy()), |need| self.bring(need))
    }
}

/// Key handle `0x55 0x66`, a certificate of three bytes, a signature of two.
fn registered() -> Vec<u8> {
    let mut answer = vec![0x05, 0x04];
    answer.extend([1; 32]);
    answer.extend([2; 32]);
    answer.extend([2, 0x55, 0x66, 0x30, 0x01, 0x00, 0xcc, 0xdd, 0x90, 0x00]);
    answer
}

fn allow(ids: &[&str]) -> serde_json::Value {
    let ids: Vec<_> = ids.iter().map(|id| json!({"type": "public-key", "id": id})).collect();
    json!({"challenge": "", "allowCredentials": ids})
}

/// CTAP 2.3 section 10.1: the registration becomes authenticator data and a `fido-u2f` statement.
#[test]
fn a_registration_becomes_an_attestation_object() {
    let mut script = Script::new(&[TOUCH.to_vec(), TOUCH.to_vec(), registered()]);
    let response = script.create(json!({})).unwrap();
    assert_eq!(script.pauses, 2);
    let data_hash = hash(&response.response.client_data_json.0);
    let mut apdu = vec![0, 1, 0, 0, 0, 0, 64];
    apdu.extend(data_hash);
    apdu.extend(hash(b"example.org"));
    apdu.extend([0, 0]);
    assert_eq!(script.apdus[0], apdu);

    let mut data = hash(b"example.org").to_vec();
    data.extend([0x41, 0, 0, 0, 0]);
    data.extend([0; 16]);
    data.extend([0, 2, 0x55, 0x66, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
    data.extend([1; 32]);
    data.extend([0x22, 0x58, 32]);
    data.extend([2; 32]);
    assert_eq!(response.response.authenticator_data.0, data);
    let statement =
        b"\xa3\x63fmt\x68fido-u2f\x67attStmt\xa2\x63sig\x42\xcc\xdd\x63x5c\x81\x43\x30\x01\x00";
    assert!(response.response.attestation_object.0.starts_with(statement));
    assert_eq!(response.raw_id.0, [0x55, 0x66]);
}

#[test]
fn an_excluded_credential_is_told_only_after_a_touch() {
    let list = json!({"excludeCredentials": [
        {"type": "public-key", "id": "AQ"}, {"type": "public-key", "id": "Ag"}]});
    let answers = [WRONG.to_vec(), TOUCH.to_vec(), TOUCH.to_vec(), registered()];
    let mut script = Script::new(&answers);
    assert_eq!(script.create(list), Err(Cause::Excluded));
    assert_eq!(script.apdus.iter().map(|apdu| apdu[1]).collect::<Vec<_>>(), [2, 2, 1, 1]);
    assert_eq!(script.apdus[0][2], 0x07, "check-only");
    assert_eq!(script.apdus[2][7..39], [0; 32], "the touch signs nothing of worth");
}

#[test]
fn the_assertion_is_authenticator_data_as_signed() {
    let signed = vec![0x01, 0, 0, 1, 2, 0xee, 0xff, 0x90, 0x00];
    let mut script = Script::new(&[WRONG.to_vec(), TOUCH.to_vec(), TOUCH.to_vec(), signed]);
    let response = script.get(allow(&["AQ", "Ag"])).unwrap();
    assert_eq!(response.raw_id.0, [2]);
    assert_eq!(response.response.signature.0, [0xee, 0xff]);
    let data = [&hash(b"example.org")[..], &[1, 0, 0, 1, 2]].concat();
    assert_eq!(response.response.authenticator_data.0, data);
    assert_eq!(script.apdus[3][2], 0x03, "enforce user presence");
}

#[test]
fn an_unknown_credential_is_told_only_after_a_touch() {
    let mut script = Script::new(&[WRONG.to_vec(), TOUCH.to_vec(), registered()]);
    assert_eq!(script.get(allow(&["AQ"])), Err(Cause::NoCredentials));
    assert_eq!(script.pauses, 1);
}

#[test]
fn the_time_of_the_page_ends_the_wait() {
    let mut script = Script::new(&[]);
    assert_eq!(script.create(json!({"timeout": 1000})), Err(Cause::Timeout));
    assert_eq!(script.pauses, 4);
    let mut script = Script::new(&[vec![0x69, 0x86]]);
    assert_eq!(script.create(json!({})), Err(Cause::RefusedU2f(StatusWord::COMMAND_NOT_ALLOWED)));
}

#[test]
fn what_ctap1_cannot_do_is_refused_before_anything_is_sent() {
    let refused = |extra| {
        let mut script = Script::new(&[]);
        let cause = script.create(extra).unwrap_err();
        assert_eq!(script.apdus.len(), 0);
        (cause.clone(), cause.exception(Operation::Create))
    };
    let cause = Cause::NotWithU2f;
    assert_eq!(
        refused(json!({"pubKeyCredParams": [{"type": "public-key", "alg": -8}]})),
        (cause(NotWithU2f::Algorithm), DomException::NotSupportedError)
    );
    assert_eq!(
        refused(json!({"authenticatorSelection": {"residentKey": "required"}})),
        (cause(NotWithU2f::DiscoverableCredential), DomException::ConstraintError)
    );
    assert_eq!(
        refused(json!({"authenticatorSelection": {"userVerification": "required"}})),
        (cause(NotWithU2f::UserVerification), DomException::ConstraintError)
    );
    let get = Script::new(&[]).get(json!({"challenge": ""}));
    assert_eq!(get, Err(cause(NotWithU2f::NoAllowList)));
}

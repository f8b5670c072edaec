//! authenticatorCredentialManagement (CM).

mod authorization;
mod changes;
mod enumeration;
mod preview;
mod store_state;

use softkey_tests::cbor::{Value, map};
use softkey_tests::parts::sha256;
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::{CM, PCMR};
use softkey_tests::request::{cm, descriptor, mc};
use softkey_tests::{Key, Request};

const PIN: &str = "1234";

/// A key with a PIN that offers the command.
fn with_pin() -> Key {
    let mut key = Key::fresh();
    assert_eq!(key.info().option("credMgmt"), Some(true));
    key.set_pin(PIN);
    key
}

fn cm_token(key: &mut Key) -> Token {
    key.token(Protocol::Two, PIN, CM, None).unwrap()
}

/// A persistent token for reading.
fn pcmr_token(key: &mut Key) -> Token {
    key.token(Protocol::Two, PIN, PCMR, None).unwrap()
}

/// An account made before there is a PIN: two parties' worth of names.
fn account(key: &mut Key, rp_id: &str, id: u8) -> Made {
    let user = map([
        ("id", Value::from([id])),
        ("name", format!("name{id}").into()),
        ("displayName", format!("Name {id}").into()),
    ]);
    key.make(&Request::make_credential_for(rp_id, &[id]).discoverable().with(mc::USER, user))
}

fn metadata(token: &Token) -> Request {
    Request::credential_management(cm::GET_CREDS_METADATA).managed(token)
}

fn rps_begin(token: &Token) -> Request {
    Request::credential_management(cm::ENUMERATE_RPS_BEGIN).managed(token)
}

fn credentials_begin_unsigned(rp_id: &str) -> Request {
    let params = map([(1, sha256(rp_id.as_bytes()))]);
    Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN).with(cm::PARAMS, params)
}

fn credentials_begin(token: &Token, rp_id: &str) -> Request {
    credentials_begin_unsigned(rp_id).managed(token)
}

fn delete_unsigned(id: &[u8]) -> Request {
    Request::credential_management(cm::DELETE_CREDENTIAL)
        .with(cm::PARAMS, map([(2, descriptor(id))]))
}

fn delete(token: &Token, id: &[u8]) -> Request {
    delete_unsigned(id).managed(token)
}

fn update_unsigned(id: &[u8], user: Value) -> Request {
    let params = map([(2, descriptor(id)), (3, user)]);
    Request::credential_management(cm::UPDATE_USER_INFORMATION).with(cm::PARAMS, params)
}

fn next(sub_command: u8) -> Request {
    Request::credential_management(sub_command)
}

/// All credentials of a party, as the enumeration gives them.
#[track_caller]
fn credentials(key: &mut Key, token: &Token, rp_id: &str) -> Vec<Value> {
    let first = key.ok(&credentials_begin(token, rp_id));
    let total = first.get(9).uint();
    let mut all = vec![first];
    all.extend((1..total).map(|_| key.ok(&next(cm::ENUMERATE_CREDENTIALS_NEXT))));
    assert!(
        all[1..].iter().all(|entry| entry.at(9).is_none()),
        "the total stands in the first answer only"
    );
    all
}

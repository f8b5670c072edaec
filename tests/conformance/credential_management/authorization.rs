//! Who may manage what.

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::parts::sha256;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{CM, GA, MC};
use softkey_tests::request::{cm, descriptor};
use softkey_tests::status::{
    INVALID_LENGTH, INVALID_PARAMETER, INVALID_SUBCOMMAND, MISSING_PARAMETER, NO_CREDENTIALS,
    PIN_AUTH_INVALID, PUAT_REQUIRED, SUCCESS,
};
use softkey_tests::{Key, Request};

use super::{
    PIN, account, cm_token, credentials, credentials_begin, credentials_begin_unsigned, delete,
    delete_unsigned, metadata, pcmr_token, rps_begin, update_unsigned, with_pin,
};

/// The five subcommands that need a token, whole but for it.
fn gated(id: &[u8]) -> [Request; 5] {
    [
        Request::credential_management(cm::GET_CREDS_METADATA),
        Request::credential_management(cm::ENUMERATE_RPS_BEGIN),
        credentials_begin_unsigned("example.com"),
        delete_unsigned(id),
        update_unsigned(id, map([("id", [1])])),
    ]
}

/// CM-01: no param, with and without a PIN, on an empty key and on one with accounts.
#[test]
fn param_is_required_always() {
    let mut key = Key::fresh();
    for request in gated(&[1; 32]) {
        refused(&mut key, &request, PUAT_REQUIRED);
        refused(&mut key, &request.with(cm::PROTOCOL, 2), PUAT_REQUIRED);
    }
    let made = account(&mut key, "example.com", 1);
    key.set_pin(PIN);
    for request in gated(made.id()) {
        refused(&mut key, &request, PUAT_REQUIRED);
    }
}

/// CM-02: a param without protocol, with an unknown one, and a wrong one.
#[test]
fn protocol_and_param_are_checked() {
    let mut key = with_pin();
    let token = cm_token(&mut key);
    for request in gated(&[1; 32]) {
        let good = request.managed(&token);
        refused_and_token_kept(&mut key, &good.clone().without(cm::PROTOCOL), MISSING_PARAMETER);
        refused_and_token_kept(&mut key, &good.clone().with(cm::PROTOCOL, 3), INVALID_PARAMETER);
        let mut wrong = good.member(cm::PARAM).bytes().to_vec();
        wrong[0] ^= 1;
        for wrong in [wrong, vec![0; 32], vec![0; 16], Vec::new()] {
            refused_and_token_kept(
                &mut key,
                &good.clone().with(cm::PARAM, wrong),
                PIN_AUTH_INVALID,
            );
        }
    }
    assert_eq!(key.status(&metadata(&token)), SUCCESS);
}

/// CM-03: a token without cm; PT-03: a token of getPinToken.
/// CT-CP-legacy-cm.
#[test]
fn token_without_cm_is_refused() {
    let mut key = with_pin();
    let tokens = [
        key.token(Protocol::Two, PIN, MC | GA, Some("example.com")).unwrap(),
        key.pin_token(Protocol::One, PIN).unwrap(),
    ];
    for token in tokens {
        for request in gated(&[1; 32]) {
            refused(&mut key, &request.managed(&token), PIN_AUTH_INVALID);
        }
    }
}

/// CM-03: a subcommand nobody knows, with a param and without; the subcommand is missing.
#[test]
fn unknown_or_missing_subcommand_is_refused() {
    let mut key = with_pin();
    let token = cm_token(&mut key);
    for unknown in [0, 8, 9, 0xFF] {
        let request = Request::credential_management(unknown);
        refused_and_token_kept(&mut key, &request, INVALID_SUBCOMMAND);
        refused_and_token_kept(&mut key, &request.managed(&token), INVALID_SUBCOMMAND);
    }
    let empty = Request::with_body(cm::COMMAND, Value::Map(Vec::new()));
    refused(&mut key, &empty, MISSING_PARAMETER);
}

/// CM-04: the param is checked over the parameters' very bytes, members nobody knows included.
#[test]
fn param_covers_the_parameters_as_received() {
    let mut key = Key::fresh();
    let made = account(&mut key, "example.com", 1);
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let good = credentials_begin(&token, "example.com");
    let other = map([(1, sha256(b"other.example"))]);
    refused_and_token_kept(&mut key, &good.clone().with(cm::PARAMS, other), PIN_AUTH_INVALID);
    let more = good.member(cm::PARAMS).clone().with(0x70, "x");
    refused_and_token_kept(&mut key, &good.with(cm::PARAMS, more.clone()), PIN_AUTH_INVALID);
    let unsigned = credentials_begin_unsigned("example.com").with(cm::PARAMS, more);
    let listed = key.ok(&unsigned.managed(&token));
    assert_eq!(listed.get(7).get("id").bytes(), made.id());
    let metadata_param = token.authenticate(&[cm::GET_CREDS_METADATA]);
    let borrowed = Request::credential_management(cm::ENUMERATE_RPS_BEGIN);
    let borrowed = borrowed.with(cm::PROTOCOL, 2).with(cm::PARAM, metadata_param);
    refused_and_token_kept(&mut key, &borrowed, PIN_AUTH_INVALID);
}

/// CM-12, CM-20, CM-24, CM-02: the parameters a subcommand needs, which are missed before the protocol is judged.
#[test]
fn missing_parameters_are_refused() {
    let mut key = with_pin();
    let token = cm_token(&mut key);
    let with = |sub_command, params: Option<Value>| {
        let request = Request::credential_management(sub_command);
        params.map_or(request.clone(), |params| request.with(cm::PARAMS, params)).managed(&token)
    };
    let empty = || Some(Value::Map(Vec::new()));
    let id = || map([(2, descriptor(&[1; 32]))]);
    let cases = [
        with(cm::ENUMERATE_CREDENTIALS_BEGIN, None),
        with(cm::ENUMERATE_CREDENTIALS_BEGIN, empty()),
        with(cm::DELETE_CREDENTIAL, None),
        with(cm::DELETE_CREDENTIAL, empty()),
        with(cm::UPDATE_USER_INFORMATION, empty()),
        with(cm::UPDATE_USER_INFORMATION, Some(id())),
        with(cm::UPDATE_USER_INFORMATION, Some(map([(3, map([("id", [1])]))]))),
    ];
    for request in cases {
        refused_and_token_kept(&mut key, &request, MISSING_PARAMETER);
        refused_and_token_kept(&mut key, &request.with(cm::PROTOCOL, 3), MISSING_PARAMETER);
    }
    for length in [0, 31, 33] {
        let params = Some(map([(1, vec![1; length])]));
        refused_and_token_kept(
            &mut key,
            &with(cm::ENUMERATE_CREDENTIALS_BEGIN, params),
            INVALID_LENGTH,
        );
    }
    refused(&mut key, &credentials_begin(&token, "nobody.example"), NO_CREDENTIALS);
}

/// CM-27: a token bound to a party lists, deletes and updates that party's credentials and no other; the whole
/// key is not its affair.
#[test]
fn bound_token_manages_its_own_party_only() {
    let mut key = Key::fresh();
    let own = account(&mut key, "example.com", 1);
    let foreign = account(&mut key, "other.example", 2);
    key.set_pin(PIN);
    let token = key.token(Protocol::Two, PIN, CM, Some("example.com")).unwrap();
    refused_and_token_kept(&mut key, &metadata(&token), PIN_AUTH_INVALID);
    refused_and_token_kept(&mut key, &rps_begin(&token), PIN_AUTH_INVALID);
    refused_and_token_kept(&mut key, &credentials_begin(&token, "other.example"), PIN_AUTH_INVALID);
    refused_and_token_kept(&mut key, &delete(&token, foreign.id()), PIN_AUTH_INVALID);
    let update = update_unsigned(foreign.id(), map([("id", [2])])).managed(&token);
    refused_and_token_kept(&mut key, &update, PIN_AUTH_INVALID);
    assert_eq!(credentials(&mut key, &token, "example.com").len(), 1);
    let update = update_unsigned(own.id(), map([("id", Value::from([1])), ("name", "x".into())]));
    assert_eq!(key.status(&update.managed(&token)), SUCCESS);
    assert_eq!(key.status(&delete(&token, own.id())), SUCCESS);
    key.assertion_by(&foreign, &foreign.get());
}

/// CM-28: a persistent token reads, over power cycles, and writes nothing.
/// CT-CP-permissions-pcmr, CT-CM-rps-pcmr, CT-CM-credentials-pcmr.
#[test]
fn persistent_token_reads_only() {
    let mut key = Key::fresh();
    let made = account(&mut key, "example.com", 1);
    key.set_pin(PIN);
    let token = pcmr_token(&mut key);
    for _ in 0..2 {
        assert_eq!(key.ok(&metadata(&token)).get(1).uint(), 1);
        assert_eq!(key.ok(&rps_begin(&token)).get(5).uint(), 1);
        assert_eq!(credentials(&mut key, &token, "example.com").len(), 1);
        refused(&mut key, &delete(&token, made.id()), PIN_AUTH_INVALID);
        let update = update_unsigned(made.id(), map([("id", [1])]));
        refused(&mut key, &update.managed(&token), PIN_AUTH_INVALID);
        key.power_cycle();
    }
    refused(&mut key, &Request::make_credential().authorized(&token), PIN_AUTH_INVALID);
}

/// PT-16: asked for again it is the same; changePIN and reset kill it; other tokens come and go beside it.
#[test]
fn persistent_token_lives_until_the_pin_changes() {
    let mut key = with_pin();
    let token = pcmr_token(&mut key);
    assert_eq!(pcmr_token(&mut key).bytes(), token.bytes());
    cm_token(&mut key);
    assert_eq!(key.status(&metadata(&token)), SUCCESS);
    key.advance(std::time::Duration::from_hours(1));
    assert_eq!(key.status(&metadata(&token)), SUCCESS);
    assert_eq!(key.change_pin(PIN, "4321"), SUCCESS);
    refused(&mut key, &metadata(&token), PIN_AUTH_INVALID);
    let token =
        key.token(Protocol::Two, "4321", softkey_tests::platform::permission::PCMR, None).unwrap();
    assert_eq!(key.status(&metadata(&token)), SUCCESS);
    key.power_cycle();
    assert_eq!(key.status(&Request::bare(0x07)), SUCCESS);
    key.set_pin("4321");
    refused(&mut key, &metadata(&token), PIN_AUTH_INVALID);
}

/// CM-29: the token stays usable after each subcommand.
#[test]
fn token_is_not_spent() {
    let mut key = Key::fresh();
    let made = [1, 2].map(|id| account(&mut key, "example.com", id));
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    for _ in 0..2 {
        assert_eq!(key.status(&metadata(&token)), SUCCESS);
        assert_eq!(key.status(&rps_begin(&token)), SUCCESS);
        assert_eq!(key.status(&credentials_begin(&token, "example.com")), SUCCESS);
        let update =
            update_unsigned(made[0].id(), map([("id", Value::from([1])), ("name", "x".into())]));
        assert_eq!(key.status(&update.managed(&token)), SUCCESS);
    }
    for made in made {
        assert_eq!(key.status(&delete(&token, made.id())), SUCCESS);
    }
    assert_eq!(key.ok(&metadata(&token)).get(1).uint(), 0);
}

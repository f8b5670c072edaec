//! Every known member with every wrong type, as one table over all commands (CB-13, CB-20).

use softkey_tests::cbor::{Value, array, bytes, map};
use softkey_tests::checks::refused;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::{change_pin_request, permission, set_pin_request, token_request};
use softkey_tests::request::{be, cf, cm, cp, ga, mc};
use softkey_tests::status::CBOR_UNEXPECTED_TYPE;
use softkey_tests::{Key, Request};

/// What a member should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Uint,
    Int,
    Bytes,
    Text,
    Array,
    Map,
    Bool,
}

/// One good value of each type, `null`, and which types it serves for.
fn samples() -> Vec<(Value, &'static [Type])> {
    vec![
        (Value::from(1), &[Type::Uint, Type::Int]),
        (Value::from(-7), &[Type::Int]),
        (bytes(&[1; 32]), &[Type::Bytes]),
        (Value::from("x"), &[Type::Text]),
        (Value::Array(Vec::new()), &[Type::Array]),
        (Value::Map(Vec::new()), &[Type::Map]),
        (Value::from(true), &[Type::Bool]),
        (Value::Null, &[]),
    ]
}

/// A place in a request: what it is called, what belongs there, and the request with something else there.
type Place<'a> = (&'a str, Type, Box<dyn Fn(Value) -> Request + 'a>);

fn place<'a>(name: &'a str, kind: Type, put: impl Fn(Value) -> Request + 'a) -> Place<'a> {
    (name, kind, Box::new(put))
}

#[track_caller]
fn every_wrong_type_is_refused(key: &mut Key, places: &[Place<'_>]) {
    for (name, kind, put) in places {
        for (sample, types) in samples() {
            if !types.contains(kind) {
                println!("{name}: {sample:?} instead of {kind:?}");
                refused(key, &put(sample), CBOR_UNEXPECTED_TYPE);
            }
        }
    }
}

/// CB-13, CB-20: makeCredential's members, and MC-04, MC-07, MC-16, MC-18, MC-27, MC-28 among them.
/// CT-MC-Req-1-hash-type, CT-MC-Req-1-rp-type, CT-MC-Req-1-user-type, CT-MC-Req-1-params-type,
/// CT-MC-Req-1-exclude-type, CT-MC-Req-1-extensions-type, CT-MC-Req-1-options-type, CT-MC-Req-2-id-type,
/// CT-MC-Req-2-name-type, CT-MC-Req-3-id-type, CT-MC-Req-3-name-type, CT-MC-Req-3-display-name-type,
/// CT-MC-Req-5-entry-type, CT-MC-Req-5-type-type, CT-MC-Req-5-id-type, CT-MC-Req-5-formats-type.
#[test]
fn make_credential_members_of_wrong_type_are_refused() {
    let mut key = Key::fresh();
    let good = Request::make_credential;
    let rp = || good().member(mc::RP).clone();
    let user = || good().member(mc::USER).clone();
    let entry = |value: Value| value.items()[0].clone();
    let parameter = || entry(good().member(mc::PUB_KEY_CRED_PARAMS).clone());
    let descriptor = || entry(good().listing(&[&[9; 32]]).member(mc::EXCLUDE_LIST).clone());
    let parameters =
        |value: Value| good().with(mc::PUB_KEY_CRED_PARAMS, array([parameter(), value]));
    let excluding = |value: Value| good().with(mc::EXCLUDE_LIST, array([value]));
    let places = [
        place("clientDataHash", Type::Bytes, |v| good().with(mc::CLIENT_DATA_HASH, v)),
        place("rp", Type::Map, |v| good().with(mc::RP, v)),
        place("rp.id", Type::Text, |v| good().with(mc::RP, rp().with("id", v))),
        place("rp.name", Type::Text, |v| good().with(mc::RP, rp().with("name", v))),
        place("user", Type::Map, |v| good().with(mc::USER, v)),
        place("user.id", Type::Bytes, |v| good().with(mc::USER, user().with("id", v))),
        place("user.name", Type::Text, |v| good().with(mc::USER, user().with("name", v))),
        place("user.displayName", Type::Text, |v| {
            good().with(mc::USER, user().with("displayName", v))
        }),
        place("pubKeyCredParams", Type::Array, |v| good().with(mc::PUB_KEY_CRED_PARAMS, v)),
        place("pubKeyCredParams[]", Type::Map, parameters),
        place("pubKeyCredParams[].alg", Type::Int, |v| parameters(parameter().with("alg", v))),
        place("pubKeyCredParams[].type", Type::Text, |v| parameters(parameter().with("type", v))),
        place("excludeList", Type::Array, |v| good().with(mc::EXCLUDE_LIST, v)),
        place("excludeList[]", Type::Map, excluding),
        place("excludeList[].id", Type::Bytes, |v| excluding(descriptor().with("id", v))),
        place("excludeList[].type", Type::Text, |v| excluding(descriptor().with("type", v))),
        place("extensions", Type::Map, |v| good().with(mc::EXTENSIONS, v)),
        place("options", Type::Map, |v| good().with(mc::OPTIONS, v)),
        place("options.rk", Type::Bool, |v| good().with(mc::OPTIONS, map([("rk", v)]))),
        place("options.up", Type::Bool, |v| good().with(mc::OPTIONS, map([("up", v)]))),
        place("options.uv", Type::Bool, |v| good().with(mc::OPTIONS, map([("uv", v)]))),
        place("pinUvAuthParam", Type::Bytes, |v| good().with(mc::PARAM, v)),
        place("pinUvAuthProtocol", Type::Uint, |v| good().with(mc::PROTOCOL, v)),
        place("enterpriseAttestation", Type::Uint, |v| good().with(mc::ENTERPRISE_ATTESTATION, v)),
        place("attestationFormatsPreference", Type::Array, |v| {
            good().with(mc::ATTESTATION_FORMATS_PREFERENCE, v)
        }),
        place("attestationFormatsPreference[]", Type::Text, |v| {
            good().with(mc::ATTESTATION_FORMATS_PREFERENCE, array([v]))
        }),
    ];
    every_wrong_type_is_refused(&mut key, &places);
}

/// CB-13, XP-03, XM-04: the inputs of the extensions that getInfo lists, credProtect and hmac-secret among them.
/// CT-XH-type.
#[test]
fn extension_inputs_of_wrong_type_are_refused() {
    let mut key = Key::fresh();
    let info = key.info();
    let simple = [
        ("credProtect", Type::Uint),
        ("hmac-secret", Type::Bool),
        ("credBlob", Type::Bytes),
        ("largeBlobKey", Type::Bool),
        ("minPinLength", Type::Bool),
        ("pinComplexityPolicy", Type::Bool),
        ("thirdPartyPayment", Type::Bool),
    ];
    let offered = simple.into_iter().filter(|(name, _)| info.has_extension(name));
    let places: Vec<_> = offered
        .map(|(name, kind)| {
            place(name, kind, move |v| Request::make_credential().discoverable().extension(name, v))
        })
        .collect();
    assert!(!places.is_empty());
    every_wrong_type_is_refused(&mut key, &places);

    let good = Request::get_assertion("example.com");
    let input = map([
        (1, softkey_tests::pin::cose_key_agreement(&[1; 32], &[2; 32])),
        (2, bytes(&[0; 48])),
        (3, bytes(&[0; 32])),
        (4, Value::from(2)),
    ]);
    let with = |member: i64, value| {
        good.clone().extension("hmac-secret", input.clone().with(member, value))
    };
    let places = [
        place("hmac-secret", Type::Map, |v| good.clone().extension("hmac-secret", v)),
        place("hmac-secret.keyAgreement", Type::Map, |v| with(1, v)),
        place("hmac-secret.saltEnc", Type::Bytes, |v| with(2, v)),
        place("hmac-secret.saltAuth", Type::Bytes, |v| with(3, v)),
        place("hmac-secret.pinUvAuthProtocol", Type::Uint, |v| with(4, v)),
    ];
    every_wrong_type_is_refused(&mut key, &places);
}

/// CB-13, CB-20: getAssertion's members, and GA-04, GA-05 among them.
/// CT-GA-Req-1-rp-type, CT-GA-Req-1-hash-type, CT-GA-Req-1-allow-type, CT-GA-Req-1-entry-type,
/// CT-GA-Req-3-entry-type, CT-GA-Req-3-type-type, CT-GA-Req-3-id-type.
#[test]
fn get_assertion_members_of_wrong_type_are_refused() {
    let mut key = Key::fresh();
    let good = || Request::get_assertion("example.com");
    let descriptor = || good().listing(&[&[9; 32]]).member(ga::ALLOW_LIST).items()[0].clone();
    let listing = |value: Value| good().with(ga::ALLOW_LIST, array([descriptor(), value]));
    let places = [
        place("rpId", Type::Text, |v| good().with(ga::RP_ID, v)),
        place("clientDataHash", Type::Bytes, |v| good().with(ga::CLIENT_DATA_HASH, v)),
        place("allowList", Type::Array, |v| good().with(ga::ALLOW_LIST, v)),
        place("allowList[]", Type::Map, listing),
        place("allowList[].id", Type::Bytes, |v| listing(descriptor().with("id", v))),
        place("allowList[].type", Type::Text, |v| listing(descriptor().with("type", v))),
        place("extensions", Type::Map, |v| good().with(ga::EXTENSIONS, v)),
        place("options", Type::Map, |v| good().with(ga::OPTIONS, v)),
        place("options.up", Type::Bool, |v| good().with(ga::OPTIONS, map([("up", v)]))),
        place("options.uv", Type::Bool, |v| good().with(ga::OPTIONS, map([("uv", v)]))),
        place("pinUvAuthParam", Type::Bytes, |v| good().with(ga::PARAM, v)),
        place("pinUvAuthProtocol", Type::Uint, |v| good().with(ga::PROTOCOL, v)),
    ];
    every_wrong_type_is_refused(&mut key, &places);
}

/// CB-13, CB-20: bioEnrollment's members, on a key that has the command.
#[test]
fn bio_enrollment_members_of_wrong_type_are_refused() {
    let mut key = Key::with_profile(softkey_tests::key::Profile::FingerprintPreview);
    let good = || Request::bio_enrollment(be::SET_FRIENDLY_NAME);
    let params = |member: i64, value| good().with(be::PARAMS, map([(member, value)]));
    let places = [
        place("modality", Type::Uint, |v| good().with(be::MODALITY, v)),
        place("subCommand", Type::Uint, |v| good().with(be::SUB_COMMAND, v)),
        place("subCommandParams", Type::Map, |v| good().with(be::PARAMS, v)),
        place("templateId", Type::Bytes, |v| params(be::TEMPLATE_ID, v)),
        place("templateFriendlyName", Type::Text, |v| params(be::FRIENDLY_NAME, v)),
        place("timeoutMilliseconds", Type::Uint, |v| params(be::TIMEOUT_MILLISECONDS, v)),
        place("pinUvAuthProtocol", Type::Uint, |v| good().with(be::PROTOCOL, v)),
        place("pinUvAuthParam", Type::Bytes, |v| good().with(be::PARAM, v)),
        place("getModality", Type::Bool, |v| good().with(be::GET_MODALITY, v)),
    ];
    every_wrong_type_is_refused(&mut key, &places);
}

/// CB-13, CB-20: clientPIN's members and those of the key inside.
#[test]
fn client_pin_members_of_wrong_type_are_refused() {
    let mut key = Key::fresh();
    let shared = key.agree(Protocol::Two);
    let set = || set_pin_request(&shared, &softkey_tests::pin::padded("1234"));
    let change = || change_pin_request(&shared, "1234", &softkey_tests::pin::padded("1234"));
    let token = || token_request(&shared, "1234", permission::GA, Some("example.com"));
    let cose = |member: i64, value| {
        set().with(cp::KEY_AGREEMENT, shared.platform_key.clone().with(member, value))
    };
    let places = [
        place("pinUvAuthProtocol", Type::Uint, |v| set().with(cp::PROTOCOL, v)),
        place("subCommand", Type::Uint, |v| set().with(cp::SUB_COMMAND, v)),
        place("keyAgreement", Type::Map, |v| set().with(cp::KEY_AGREEMENT, v)),
        place("keyAgreement.kty", Type::Int, |v| cose(1, v)),
        place("keyAgreement.alg", Type::Int, |v| cose(3, v)),
        place("keyAgreement.crv", Type::Int, |v| cose(-1, v)),
        place("keyAgreement.x", Type::Bytes, |v| cose(-2, v)),
        place("keyAgreement.y", Type::Bytes, |v| cose(-3, v)),
        place("pinUvAuthParam", Type::Bytes, |v| set().with(cp::PARAM, v)),
        place("newPinEnc", Type::Bytes, |v| set().with(cp::NEW_PIN_ENC, v)),
        place("pinHashEnc", Type::Bytes, |v| change().with(cp::PIN_HASH_ENC, v)),
        place("permissions", Type::Uint, |v| token().with(cp::PERMISSIONS, v)),
        place("rpId", Type::Text, |v| token().with(cp::RP_ID, v)),
    ];
    every_wrong_type_is_refused(&mut key, &places);
}

/// CB-13, CB-20: credentialManagement's members, and CM-23's user among them.
#[test]
fn credential_management_members_of_wrong_type_are_refused() {
    let mut key = Key::fresh();
    let good = || Request::credential_management(cm::UPDATE_USER_INFORMATION);
    let credential = || softkey_tests::request::descriptor(&[9; 32]);
    let user = || map([("id", bytes(&[1]))]);
    let params = |member: i64, value: Value| {
        let params = map([(2, credential()), (3, user())]).with(member, value);
        good().with(cm::PARAMS, params)
    };
    let places = [
        place("subCommand", Type::Uint, |v| good().with(cm::SUB_COMMAND, v)),
        place("subCommandParams", Type::Map, |v| good().with(cm::PARAMS, v)),
        place("rpIDHash", Type::Bytes, |v| params(1, v)),
        place("credentialID", Type::Map, |v| params(2, v)),
        place("credentialID.id", Type::Bytes, |v| params(2, credential().with("id", v))),
        place("credentialID.type", Type::Text, |v| params(2, credential().with("type", v))),
        place("user", Type::Map, |v| params(3, v)),
        place("user.id", Type::Bytes, |v| params(3, user().with("id", v))),
        place("user.name", Type::Text, |v| params(3, user().with("name", v))),
        place("user.displayName", Type::Text, |v| params(3, user().with("displayName", v))),
        place("pinUvAuthProtocol", Type::Uint, |v| good().with(cm::PROTOCOL, v)),
        place("pinUvAuthParam", Type::Bytes, |v| good().with(cm::PARAM, v)),
    ];
    every_wrong_type_is_refused(&mut key, &places);
}

/// CB-13, CB-20: authenticatorConfig's members, on a key that has the complexity policy too.
#[test]
fn config_members_of_wrong_type_are_refused() {
    let mut key = Key::with_profile(softkey_tests::key::Profile::PinComplexity);
    let good = || Request::config(cf::SET_MIN_PIN_LENGTH);
    let params = |member: i64, value| good().with(cf::PARAMS, map([(member, value)]));
    let places = [
        place("subCommand", Type::Uint, |v| good().with(cf::SUB_COMMAND, v)),
        place("subCommandParams", Type::Map, |v| good().with(cf::PARAMS, v)),
        place("newMinPINLength", Type::Uint, |v| params(cf::NEW_MIN_PIN_LENGTH, v)),
        place("minPinLengthRPIDs", Type::Array, |v| params(cf::MIN_PIN_LENGTH_RP_IDS, v)),
        place("minPinLengthRPIDs[]", Type::Text, |v| params(cf::MIN_PIN_LENGTH_RP_IDS, array([v]))),
        place("forceChangePin", Type::Bool, |v| params(cf::FORCE_CHANGE_PIN, v)),
        place("pinComplexityPolicy", Type::Bool, |v| params(cf::PIN_COMPLEXITY_POLICY, v)),
        place("pinUvAuthProtocol", Type::Uint, |v| good().with(cf::PROTOCOL, v)),
        place("pinUvAuthParam", Type::Bytes, |v| good().with(cf::PARAM, v)),
    ];
    every_wrong_type_is_refused(&mut key, &places);
}

/// CB-20: integers and null are no booleans, whatever their value.
#[test]
fn integers_and_null_are_no_booleans() {
    let mut key = Key::fresh();
    for value in [0.into(), 1.into(), Value::Null, (-1).into(), 20.into(), 21.into()] {
        for option in ["rk", "up", "uv"] {
            let options = map([(option, value.clone())]);
            let make = Request::make_credential().with(mc::OPTIONS, options.clone());
            refused(&mut key, &make, CBOR_UNEXPECTED_TYPE);
            if option != "rk" {
                let get = Request::get_assertion("example.com").with(ga::OPTIONS, options);
                refused(&mut key, &get, CBOR_UNEXPECTED_TYPE);
            }
        }
    }
}

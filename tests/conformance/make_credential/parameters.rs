//! What the request must hold, and what it may.

use softkey_tests::cbor::{Value, array, map};
use softkey_tests::checks::{no_account, refused, succeeds, three_accounts};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission;
use softkey_tests::request::{alg, algorithms, mc};
use softkey_tests::status::{
    CBOR_UNEXPECTED_TYPE, INVALID_LENGTH, INVALID_PARAMETER, MISSING_PARAMETER,
    UNSUPPORTED_ALGORITHM,
};
use softkey_tests::{Key, Request};

const UNSUPPORTED: i64 = -65_535;

fn parameter(alg: i64, kind: &str) -> Value {
    map([("alg", Value::from(alg)), ("type", kind.into())])
}

fn with_params(params: Value) -> Request {
    Request::make_credential().with(mc::PUB_KEY_CRED_PARAMS, params)
}

/// MC-01: the least there may be.
/// CT-MC-Req-1-valid.
#[test]
fn minimal_request_makes_a_credential() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    assert_eq!(made.answer.keys(), [Value::from(1), 2.into(), 3.into()]);
    key.assertion_by(&made, &made.get());
}

/// MC-10: names may be empty, and are no less names of an account for that.
#[test]
fn empty_names_are_accepted() {
    let mut key = Key::fresh();
    let user = map([("id", Value::from([1])), ("name", "".into()), ("displayName", "".into())]);
    let made = key.make(&Request::make_credential().with(mc::USER, user).discoverable());
    key.assertion_by(&made, &made.get());
}

/// MC-02: clientDataHash is missing.
/// CT-MC-Req-1-hash-missing.
#[test]
fn missing_client_data_hash_is_refused() {
    let request = Request::make_credential().without(mc::CLIENT_DATA_HASH);
    refused(&mut Key::fresh(), &request, MISSING_PARAMETER);
}

/// MC-02: rp is missing.
/// CT-MC-Req-1-rp-missing.
#[test]
fn missing_rp_is_refused() {
    refused(&mut Key::fresh(), &Request::make_credential().without(mc::RP), MISSING_PARAMETER);
}

/// MC-02: user is missing.
/// CT-MC-Req-1-user-missing.
#[test]
fn missing_user_is_refused() {
    refused(&mut Key::fresh(), &Request::make_credential().without(mc::USER), MISSING_PARAMETER);
}

/// MC-02: pubKeyCredParams is missing.
/// CT-MC-Req-1-params-missing.
#[test]
fn missing_pub_key_cred_params_is_refused() {
    let request = Request::make_credential().without(mc::PUB_KEY_CRED_PARAMS);
    refused(&mut Key::fresh(), &request, MISSING_PARAMETER);
}

/// MC-02: an empty map lacks everything.
#[test]
fn empty_map_is_refused() {
    let request = Request::with_body(mc::COMMAND, Value::Map(Vec::new()));
    refused(&mut Key::fresh(), &request, MISSING_PARAMETER);
}

/// MC-03: clientDataHash has 32 bytes.
#[test]
fn client_data_hash_of_other_length_is_refused() {
    let mut key = Key::fresh();
    for length in [0, 1, 16, 31, 33, 64] {
        let request = Request::make_credential().with(mc::CLIENT_DATA_HASH, vec![0xCD; length]);
        refused(&mut key, &request, INVALID_LENGTH);
    }
}

/// MC-05: rp needs an id, and an id that is not empty.
#[test]
fn rp_without_id_is_refused() {
    let mut key = Key::fresh();
    let with_rp = |rp| Request::make_credential().with(mc::RP, rp);
    refused(&mut key, &with_rp(Value::Map(Vec::new())), MISSING_PARAMETER);
    refused(&mut key, &with_rp(map([("name", "Example")])), MISSING_PARAMETER);
    refused(&mut key, &with_rp(map([("id", "")])), INVALID_PARAMETER);
}

/// MC-06: rp.name may be absent; rp.icon and members nobody knows are ignored, whatever they hold.
/// CT-MC-Req-2-icon.
#[test]
fn rp_members_beside_id_are_optional_or_ignored() {
    let mut key = Key::fresh();
    let rp = || map([("id", "example.com")]);
    for icon in [Value::from("https://example.com/icon.png"), 1.into(), Value::Null, "".into()] {
        succeeds(&mut key, &Request::make_credential().with(mc::RP, rp().with("icon", icon)));
    }
    succeeds(&mut key, &Request::make_credential().with(mc::RP, rp().with("name", "")));
    succeeds(&mut key, &Request::make_credential().with(mc::RP, rp().with("x", array([1]))));
}

/// MC-08: user needs an id of 1 to 64 bytes.
/// CT-MC-Req-3-id-missing.
#[test]
fn user_id_is_missing_empty_or_too_long() {
    let mut key = Key::fresh();
    let with_user = |user| Request::make_credential().discoverable().with(mc::USER, user);
    refused(&mut key, &with_user(Value::Map(Vec::new())), MISSING_PARAMETER);
    refused(&mut key, &with_user(map([("name", "u")])), MISSING_PARAMETER);
    for length in [0, 65, 66, 255, 256, 1_000] {
        refused(&mut key, &with_user(map([("id", vec![1; length])])), INVALID_LENGTH);
    }
    no_account(&mut key, "example.com");
    for length in [1, 63, 64] {
        let made = key.make(&with_user(map([("id", vec![1; length])])));
        let assertion = key.assertion_by(&made, &made.get());
        assert_eq!(assertion.user_id(), vec![1; length]);
    }
}

/// MC-09: an id is enough; icons of any length and unknown members are ignored.
#[test]
fn user_members_beside_id_are_optional_or_ignored() {
    let mut key = Key::fresh();
    let user = || map([("id", [1])]);
    succeeds(&mut key, &Request::make_credential().with(mc::USER, user()));
    for length in [0, 127, 128, 1_000] {
        let user = user().with("icon", "i".repeat(length));
        succeeds(&mut key, &Request::make_credential().with(mc::USER, user));
    }
    let user = user().with("icon", 1).with("x", true);
    succeeds(&mut key, &Request::make_credential().with(mc::USER, user));
}

/// The names of the newest of two accounts as an assertion with UV gives them.
fn names_as_kept(name: &str) -> (String, String) {
    let mut key = Key::fresh();
    key.make(&Request::make_credential_for("example.com", &[9]).discoverable());
    let user = map([("id", Value::from([1])), ("name", name.into()), ("displayName", name.into())]);
    key.make(&Request::make_credential().discoverable().with(mc::USER, user));
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", permission::GA, Some("example.com")).unwrap();
    let assertion = key.assertion(&Request::get_assertion("example.com").authorized(&token));
    let user = assertion.answer.get(4);
    assert_eq!(user.get("id").bytes(), [1], "newest first");
    (user.get("name").text().to_owned(), user.get("displayName").text().to_owned())
}

/// MC-10: names of 64 bytes are kept whole, longer ones are accepted and cut at 64.
#[test]
fn long_names_are_accepted_and_cut() {
    for length in [1, 63, 64, 65, 128, 700] {
        let name = "abcdefgh".repeat(90)[..length].to_owned();
        let expected = name[..length.min(64)].to_owned();
        assert_eq!(names_as_kept(&name), (expected.clone(), expected));
    }
}

/// MC-11: a name is cut between characters, wherever the limit falls inside one.
#[test]
fn names_are_cut_at_a_character_boundary() {
    for (lead, kept) in [("", 63), ("a", 64), ("ab", 62)] {
        let name = format!("{lead}{}", "\u{20AC}".repeat(30));
        let expected = name[..kept].to_owned();
        assert_eq!(names_as_kept(&name), (expected.clone(), expected));
    }
    let four = format!("abc{}", "\u{1F511}".repeat(20));
    assert_eq!(names_as_kept(&four).0, four[..63]);
}

/// MC-12: an empty list of parameters.
#[test]
fn empty_pub_key_cred_params_is_refused() {
    refused(&mut Key::fresh(), &with_params(Value::Array(Vec::new())), UNSUPPORTED_ALGORITHM);
}

/// MC-13: nothing in the list is supported.
/// CT-MC-Req-4-unsupported-alg, CT-MC-Req-4-unknown-type.
#[test]
fn only_unsupported_parameters_are_refused() {
    let mut key = Key::fresh();
    for alg in [UNSUPPORTED, 0, 7, -1, -6, -25, i64::MIN, i64::MAX] {
        refused(&mut key, &with_params(algorithms(&[alg])), UNSUPPORTED_ALGORITHM);
    }
    let kind = array([parameter(alg::ES256, "passphrase"), parameter(alg::ES256, "")]);
    refused(&mut key, &with_params(kind), UNSUPPORTED_ALGORITHM);
}

/// MC-14: the first entry that the key supports wins, in either order.
/// CT-MC-Req-4-second-supported.
#[test]
fn first_supported_parameter_wins() {
    let mut key = Key::fresh();
    for order in [[alg::ES256, alg::EDDSA], [alg::EDDSA, alg::ES256]] {
        let made = key.make(&with_params(algorithms(&order)));
        assert_eq!(made.public_key().get(3).int(), order[0]);
    }
}

/// MC-15: unsupported entries before and behind a good one do no harm.
/// CT-MC-Req-4-second-supported.
#[test]
fn unsupported_parameters_beside_a_good_one_are_harmless() {
    let mut key = Key::fresh();
    for bad in
        [parameter(UNSUPPORTED, "public-key"), parameter(alg::EDDSA, "x"), parameter(i64::MIN, "x")]
    {
        let good = || parameter(alg::ES256, "public-key");
        for list in [[bad.clone(), good()], [good(), bad.clone()]] {
            let made = key.make(&with_params(Value::Array(list.into())));
            assert_eq!(made.public_key().get(3).int(), alg::ES256);
        }
    }
}

/// MC-16, MC-17: a malformed entry is refused, also behind a good one.
/// CT-MC-Req-4-entry-type, CT-MC-Req-4-type-missing, CT-MC-Req-4-type-type, CT-MC-Req-4-alg-missing,
/// CT-MC-Req-4-alg-type.
#[test]
fn malformed_parameter_is_refused_in_any_place() {
    let mut key = Key::fresh();
    let no_alg = map([("type", "public-key")]);
    let no_type = map([("alg", alg::ES256)]);
    let bad = [
        (no_alg, MISSING_PARAMETER),
        (no_type, MISSING_PARAMETER),
        (Value::Map(Vec::new()), MISSING_PARAMETER),
        (map([("alg", Value::from("ES256")), ("type", "public-key".into())]), CBOR_UNEXPECTED_TYPE),
        (map([("alg", Value::from(alg::ES256)), ("type", 1.into())]), CBOR_UNEXPECTED_TYPE),
        (Value::from(1), CBOR_UNEXPECTED_TYPE),
    ];
    for (bad, status) in bad {
        refused(&mut key, &with_params(array([bad.clone()])), status);
        let behind = [parameter(alg::ES256, "public-key"), bad];
        refused(&mut key, &with_params(Value::Array(behind.into())), status);
    }
}

/// MC-27: extensions nobody knows are ignored whatever they hold, and ED stays clear.
#[test]
fn unknown_extensions_are_ignored() {
    let mut key = Key::fresh();
    let inputs = [
        Value::from(1),
        (-1).into(),
        "x".into(),
        [1, 2].into(),
        true.into(),
        Value::Null,
        array([1]),
        map([("a", array([1]))]),
    ];
    for input in inputs {
        let made = key.make(&Request::make_credential().extension("softkey-unknown", input));
        assert_eq!(made.auth_data.extensions, None);
    }
    let empty = Request::make_credential().with(mc::EXTENSIONS, Value::Map(Vec::new()));
    assert_eq!(key.make(&empty).auth_data.extensions, None);
}

/// MC-28: options nobody knows are ignored.
/// CT-MC-Req-6-unknown.
#[test]
fn unknown_options_are_ignored() {
    let mut key = Key::fresh();
    for value in [true, false] {
        succeeds(
            &mut key,
            &Request::make_credential().option("softkeyUnknown", value).option("plat", value),
        );
    }
}

/// EA-01: without enterprise attestation, any number is refused.
#[test]
fn enterprise_attestation_that_is_not_offered_is_refused() {
    let mut key = Key::fresh();
    assert_eq!(key.info().option("ep"), None);
    for value in [0, 1, 2, 3, 255] {
        let request = Request::make_credential().with(mc::ENTERPRISE_ATTESTATION, value);
        refused(&mut key, &request, INVALID_PARAMETER);
    }
}

/// MC-56: the first of `packed` and `none` in the list wins; others are skipped; none of them: `packed`.
/// CT-MC-Req-5-formats, CT-MC-Req-5-formats-none.
#[test]
fn attestation_format_preference_is_followed() {
    let mut key = Key::fresh();
    let cases: [(&[&str], &str); 8] = [
        (&["none"], "none"),
        (&["packed"], "packed"),
        (&["none", "packed"], "none"),
        (&["packed", "none"], "packed"),
        (&["tpm", "none"], "none"),
        (&["tpm", "", "packed", "none"], "packed"),
        (&["tpm", "android-key"], "packed"),
        (&[], "packed"),
    ];
    for (wishes, format) in cases {
        let wish = array(wishes.iter().copied());
        let made =
            key.make(&Request::make_credential().with(mc::ATTESTATION_FORMATS_PREFERENCE, wish));
        assert_eq!(made.format, format, "{wishes:?}");
        assert_eq!(made.attested().aaguid, key.info().aaguid(), "MC-57: the AAGUID stays");
    }
}

/// MC-57: attestation `none` does not blank the AAGUID.
/// CT-MC-Req-5-formats-none.
#[test]
fn attestation_none_keeps_the_aaguid() {
    let mut key = Key::fresh();
    let wish = array(["none"]);
    let made = key.make(&Request::make_credential().with(mc::ATTESTATION_FORMATS_PREFERENCE, wish));
    assert_eq!(made.format, "none");
    assert_eq!(made.attested().aaguid, key.info().aaguid());
}

/// MC-01: a relying party of any script and of 255 bytes.
#[test]
fn long_and_foreign_rp_ids_work() {
    let mut key = Key::fresh();
    for rp_id in
        ["x".repeat(255), "x".repeat(300), "b\u{FC}cher.example".to_owned(), "a".to_owned()]
    {
        three_accounts(&mut key, &rp_id);
        let assertion = key.assertion(&Request::get_assertion(&rp_id));
        assert_eq!(assertion.answer.get(5).uint(), 3);
    }
}

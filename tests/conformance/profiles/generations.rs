//! Keys of an older generation answer as such keys do: what came later they do not know.

use std::time::Duration;

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{refused, succeeds};
use softkey_tests::key::Profile;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{CM, GA, MC, PCMR};
use softkey_tests::request::{command, cp, mc};
use softkey_tests::status::{
    INVALID_COMMAND, INVALID_PARAMETER, INVALID_SUBCOMMAND, NO_CREDENTIALS, PIN_NOT_SET,
    PUAT_REQUIRED, UNAUTHORIZED_PERMISSION, UNSUPPORTED_OPTION,
};
use softkey_tests::u2f::extended;
use softkey_tests::{Key, Request};

const PIN: &str = "739164";

fn with_pin(profile: Profile) -> Key {
    let mut key = Key::with_profile(profile);
    key.set_pin_by(Protocol::One, PIN);
    key
}

/// GI-02, HID-03: a key of U2F alone speaks U2F, and knows nothing of CTAP2: CTAPHID itself refuses it.
#[test]
fn u2f_key_knows_no_ctap2() {
    let mut key = Key::with_profile(Profile::U2f);
    key.post(&Request::bare(command::GET_INFO).bytes());
    assert_eq!((key.answer(), key.error()), (None, Some(0x01)));
    assert_eq!(key.u2f(&extended(3, 0, &[])), b"U2F_V2\x90\x00");
}

/// UF-01, GI-02: a key without U2F does not list it, and CTAPHID refuses its messages.
#[test]
fn key_without_u2f_does_not_list_it() {
    let mut key = Key::with_profile(Profile::NoU2f);
    assert!(!key.info().has_version("U2F_V2") && key.info().has_version("FIDO_2_3"));
    key.make(&Request::make_credential());
    assert_eq!(key.try_u2f(&extended(3, 0, &[])), Err(Some(0x01)));
}

/// GI-02: versions by generation; 2.2 never had a name of its own.
#[test]
fn versions_are_those_of_the_generation() {
    for (profile, versions) in [
        (Profile::Ctap20, &["U2F_V2", "FIDO_2_0"][..]),
        (Profile::Ctap20Previews, &["U2F_V2", "FIDO_2_0", "FIDO_2_1_PRE"]),
        (Profile::Ctap21, &["U2F_V2", "FIDO_2_0", "FIDO_2_1"]),
        (Profile::Ctap22, &["U2F_V2", "FIDO_2_0", "FIDO_2_1"]),
        (Profile::Default, &["U2F_V2", "FIDO_2_0", "FIDO_2_1", "FIDO_2_3"]),
    ] {
        assert_eq!(Key::with_profile(profile).info().texts(1), versions, "{profile:?}");
    }
}

/// CB-17: commands that came with 2.1 are unknown to a key of 2.0, before their parameters are looked at.
#[test]
fn ctap20_does_not_know_later_commands() {
    let mut key = Key::with_profile(Profile::Ctap20);
    for command in [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x40, 0x41] {
        refused(&mut key, &Request::bare(command), INVALID_COMMAND);
    }
}

/// CP-07: what is no subcommand of clientPIN in 2.0 is refused by a status that 2.0 has.
#[test]
fn ctap20_does_not_know_later_subcommands() {
    let mut key = Key::with_profile(Profile::Ctap20);
    for subcommand in [6, 7, cp::GET_TOKEN_USING_PIN, 0x7F] {
        refused(&mut key, &Request::client_pin(subcommand), INVALID_PARAMETER);
    }
    let mut key = Key::with_profile(Profile::Ctap21);
    refused(&mut key, &Request::client_pin(0x7F), INVALID_SUBCOMMAND);
}

/// GI-06: 2.0 has PIN protocol one alone.
#[test]
fn ctap20_has_one_pin_protocol() {
    let mut key = Key::with_profile(Profile::Ctap20);
    assert_eq!(key.info().0.get(6).items(), [Value::from(1)]);
    let two = Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, 2);
    refused(&mut key, &two, INVALID_PARAMETER);
    key.key_agreement(Protocol::One);
}

/// MC-38, MC-39: with a PIN set, a key of 2.0 makes no credential without it, discoverable or not; assertions it gives.
#[test]
fn ctap20_wants_the_pin_for_each_new_credential() {
    let mut key = Key::with_profile(Profile::Ctap20);
    let made = key.make(&Request::make_credential());
    key.set_pin_by(Protocol::One, PIN);
    assert_eq!(key.status(&Request::make_credential()), PUAT_REQUIRED);
    key.assertion_by(&made, &made.get());
}

/// PT-13, PT-14: the token of 2.0 is for any number of operations, relying parties and minutes; asked for again it is the
/// same one, until a power cycle.
#[test]
fn ctap20_tokens_last() {
    let mut key = with_pin(Profile::Ctap20);
    let token = key.pin_token(Protocol::One, PIN).unwrap();
    for party in ["a.example", "b.example", "a.example"] {
        key.advance(Duration::from_mins(15));
        let made = key.make(&Request::make_credential_for(party, &[1]).authorized(&token));
        key.assertion_by(&made, &made.get().authorized(&token));
    }
    let again = key.pin_token(Protocol::One, PIN).unwrap();
    assert_eq!(again.bytes(), token.bytes());
    key.power_cycle();
    let later = key.pin_token(Protocol::One, PIN).unwrap();
    assert_ne!(later.bytes(), token.bytes());
}

/// GI-07: extensions of later generations are as unknown ones: no output, and no refusal either.
#[test]
fn later_extensions_are_passed_over() {
    let request = Request::make_credential()
        .discoverable()
        .extension("credProtect", 9)
        .extension("credBlob", 1)
        .extension("largeBlobKey", false)
        .extension("minPinLength", 1)
        .extension("thirdPartyPayment", 1);
    for profile in [Profile::Ctap20, Profile::Bare] {
        let mut key = Key::with_profile(profile);
        let made = key.make(&request);
        assert_eq!((made.auth_data.extensions.as_ref(), made.answer.at(5)), (None, None));
    }
    let mut key = Key::with_profile(Profile::Ctap21);
    assert_eq!(
        key.info().texts(2),
        ["credBlob", "credProtect", "hmac-secret", "largeBlobKey", "minPinLength"]
    );
    let made = key.make(&Request::make_credential().extension("hmac-secret-mc", map([(1, 1)])));
    assert_eq!(made.auth_data.extensions, None);
}

/// MC-56, EA-01: a key before 2.2 does not know attestationFormatsPreference, nor one before 2.1 enterpriseAttestation.
#[test]
fn later_parameters_are_passed_over() {
    let wish = Value::Array(vec!["none".into()]);
    let request = Request::make_credential().with(mc::ATTESTATION_FORMATS_PREFERENCE, wish);
    assert_eq!(Key::with_profile(Profile::Ctap21).make(&request).format, "packed");
    assert_eq!(Key::with_profile(Profile::Ctap22).make(&request).format, "none");
    let request = Request::make_credential().with(mc::ENTERPRISE_ATTESTATION, 1);
    Key::with_profile(Profile::Ctap20).make(&request);
    refused(&mut Key::with_profile(Profile::Ctap21), &request, INVALID_PARAMETER);
}

/// PT-08: the permission pcmr came with 2.2, tokens with permissions with 2.1.
#[test]
fn permissions_are_those_of_the_generation() {
    let mut key = with_pin(Profile::Ctap21);
    assert_eq!(key.token(Protocol::Two, PIN, PCMR, None).unwrap_err(), UNAUTHORIZED_PERMISSION);
    key.token(Protocol::Two, PIN, CM, None).unwrap();
    key.token(Protocol::Two, PIN, MC | GA, Some("example.com")).unwrap();
    with_pin(Profile::Ctap22).token(Protocol::Two, PIN, PCMR, None).unwrap();
}

/// CF-01: enableLongTouchForReset came with 2.2, the other subcommands with 2.1.
#[test]
fn config_subcommands_are_those_of_the_generation() {
    let mut key = Key::with_profile(Profile::Ctap21);
    refused(&mut key, &Request::config(4), INVALID_SUBCOMMAND);
    succeeds(&mut key, &Request::config(2));
    succeeds(&mut Key::with_profile(Profile::Ctap22), &Request::config(4));
}

/// GI-04, CB-17: where nothing can be configured there is no command for it, and nothing says that there is.
#[test]
fn key_without_anything_to_configure_has_no_command_for_it() {
    let mut key = Key::with_profile(Profile::Ctap21NoPin);
    assert_eq!(key.info().option("authnrCfg"), None);
    for subcommand in [1, 2, 3, 4, 0xFF] {
        let answer = key.send(&Request::config(subcommand).bytes());
        assert_eq!(answer, [INVALID_COMMAND], "{subcommand}");
    }
}

/// CM-30: a key of 2.0 with the previews manages credentials by the preview alone, with a token of getPinToken.
#[test]
fn ctap20_with_previews_manages_credentials() {
    let mut key = Key::with_profile(Profile::Ctap20Previews);
    key.make(&Request::make_credential().discoverable().extension("credProtect", 2));
    key.set_pin_by(Protocol::One, PIN);
    let token = key.pin_token(Protocol::One, PIN).unwrap();
    let count = Request::credential_management(1).managed(&token);
    assert_eq!(key.ok(&count.clone().previewed()).get(1).uint(), 1);
    assert_eq!(key.status(&Request::bare(0x0A)), INVALID_COMMAND);
    assert_eq!(key.info().texts(2), ["credProtect", "hmac-secret"]);
}

/// GI-27: a vault that was used by the default key works in a key of 2.0: the same PIN, the same credentials, and a
/// setting that 2.0 has not is not in force.
#[test]
fn older_generation_serves_what_a_later_one_made() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential().discoverable());
    succeeds(&mut key, &Request::config(2));
    assert_eq!(key.info().option("alwaysUv"), Some(true));
    let setup = softkey_tests::key::Setup { profile: Profile::Ctap20, ..Default::default() };
    key.power_cycle_as(setup);
    assert!(key.info().has_version("U2F_V2"));
    key.assertion_by(&made, &made.get());
    key.power_cycle_as(softkey_tests::key::Setup::default());
    assert_eq!(key.info().option("alwaysUv"), Some(true), "nothing was lost");
}

/// MC-30, CT-GA-Req-3-presence-only: a key without discoverable credentials says so, makes others, and finds them
/// where their ids are named only.
#[test]
fn key_without_discoverable_credentials_refuses_them() {
    let mut key = Key::with_profile(Profile::NotDiscoverable);
    let info = key.info();
    assert_eq!((info.option("rk"), info.option("credMgmt")), (Some(false), None));
    assert!(info.0.at(0x14).is_none() && !info.has_extension("credBlob"));
    let discoverable = Request::make_credential().discoverable();
    refused(&mut key, &discoverable, UNSUPPORTED_OPTION);
    refused(&mut key, &discoverable.option("up", false), UNSUPPORTED_OPTION);
    refused(&mut key, &Request::bare(0x0A), INVALID_COMMAND);
    refused(&mut key, &Request::bare(0x0C), INVALID_COMMAND);
    let made = key.make(&Request::make_credential());
    refused(&mut key, &Request::get_assertion("example.com"), NO_CREDENTIALS);
    key.assertion_by(&made, &made.get());
}

/// MC-65: a param to a key of 2.0 without a PIN.
#[test]
fn ctap20_without_a_pin_says_so() {
    let mut key = Key::with_profile(Profile::Ctap20);
    refused(&mut key, &Request::make_credential().with_param(&[1; 16], 1), PIN_NOT_SET);
}

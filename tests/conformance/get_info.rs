//! authenticatorGetInfo (GI).

mod relations;

use std::collections::BTreeSet;

use softkey_tests::auth_data::UP;
use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::stable_info;
use softkey_tests::key::beyond_a_board;
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::{permission, set_pin_request};
use softkey_tests::request::{algorithms, cp, mc};
use softkey_tests::status::{PIN_POLICY_VIOLATION, SUCCESS};
use softkey_tests::{Key, Request, User};

#[track_caller]
fn unique<T: Ord + std::fmt::Debug>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    for item in items {
        let shown = format!("{item:?}");
        assert!(seen.insert(item), "{shown} twice");
    }
    seen
}

/// GI-01: the first command of all, without a touch, any number of times.
#[test]
fn succeeds_first_untouched_and_again() {
    let mut key = Key::fresh();
    key.user(User::Refuses);
    let first = key.info();
    for _ in 0..20 {
        assert_eq!(key.info(), first);
    }
    assert_eq!(key.prompts(), 0);
}

/// GI-02: versions are known, unique, and each claims only what is there.
#[test]
fn versions_are_known_and_claimed_with_reason() {
    let info = Key::fresh().info();
    let versions = unique(info.texts(1));
    let known = BTreeSet::from(["U2F_V2", "FIDO_2_0", "FIDO_2_1_PRE", "FIDO_2_1", "FIDO_2_3"]);
    assert!(versions.is_subset(&known), "{versions:?}");
    assert!(versions.contains("FIDO_2_0"));
    for version in ["FIDO_2_1", "FIDO_2_3"] {
        if versions.contains(version) {
            assert!(info.has_extension("hmac-secret") && info.has_extension("credProtect"));
            assert_eq!(info.option("credMgmt"), Some(true), "{version} with rk needs credMgmt");
            assert!(
                info.0.get(6).items().contains(&Value::from(2)),
                "{version} needs protocol two"
            );
        }
    }
    assert_eq!(info.option("credentialMgmtPreview"), None, "previews come with FIDO_2_1_PRE only");
}

/// GI-02, UF-01: `U2F_V2` is listed exactly if the key speaks it.
#[test]
fn u2f_is_listed_and_spoken() {
    let mut key = Key::fresh();
    let spoken = key.u2f(&[0, 3, 0, 0, 0, 0, 0]) == b"U2F_V2\x90\x00";
    assert_eq!(key.info().has_version("U2F_V2"), spoken);
}

/// GI-03: the AAGUID is the one in attested credential data, also of another key.
/// CT-GI-version, CT-MC-Resp-1-aaguid.
#[test]
fn aaguid_is_the_one_in_credentials() {
    for seed in [1, 2] {
        let mut key = Key::with_seed(seed);
        let made = key.make(&Request::make_credential());
        assert_eq!(key.info().aaguid(), made.attested().aaguid);
        assert_eq!(key.info().aaguid(), Key::fresh().info().aaguid(), "one model, one AAGUID");
        assert_ne!(key.info().aaguid(), [0; 16]);
    }
}

/// GI-04: options are text to boolean, all of them known, `up` true and `plat` false by value or absence.
#[test]
fn options_are_known_booleans() {
    let info = Key::fresh().info();
    let known = [
        "ep",
        "rk",
        "up",
        "uv",
        "plat",
        "uvAcfg",
        "alwaysUv",
        "credMgmt",
        "authnrCfg",
        "bioEnroll",
        "clientPin",
        "largeBlobs",
        "uvBioEnroll",
        "perCredMgmtRO",
        "pinUvAuthToken",
        "setMinPINLength",
        "makeCredUvNotRqd",
        "noMcGaPermissionsWithClientPin",
    ];
    for (name, value) in info.0.get(4).entries() {
        assert!(known.contains(&name.text()), "{name:?}");
        assert!(matches!(value, Value::Bool(_)), "{name:?}: {value:?}");
    }
    assert_ne!(info.option("up"), Some(false));
    assert_ne!(info.option("plat"), Some(true));
    assert_eq!(info.option("rk"), Some(true));
}

/// GI-05: clientPin follows the PIN.
#[test]
fn client_pin_follows_the_pin() {
    let mut key = Key::fresh();
    assert_eq!(key.info().option("clientPin"), Some(false));
    key.set_pin("1234");
    assert_eq!(key.info().option("clientPin"), Some(true));
    key.power_cycle();
    assert_eq!(key.info().option("clientPin"), Some(true));
    assert_eq!(key.status(&Request::bare(0x07)), SUCCESS);
    assert_eq!(key.info().option("clientPin"), Some(false));
}

/// GI-06: PIN/UV protocols are unique, each works, two is among them from 2.1.
#[test]
fn pin_uv_auth_protocols_are_unique_and_work() {
    let mut key = Key::fresh();
    let info = key.info();
    let numbers = unique(info.0.get(6).items().iter().map(Value::uint));
    assert_eq!(numbers, BTreeSet::from([1, 2]));
    assert_eq!(info.0.get(6).items()[0], Value::from(2), "the stronger one is preferred");
    for protocol in Protocol::BOTH {
        key.key_agreement(protocol);
    }
}

/// GI-07: extensions are unique and known; those listed work (proved in their own files), those not listed
/// give no output.
#[test]
fn extensions_not_listed_give_no_output() {
    let mut key = Key::fresh();
    let info = key.info();
    let listed = unique(info.texts(2));
    assert!(listed.contains("hmac-secret") && listed.contains("credProtect"));
    let inputs = [
        ("credBlob", Value::from([1; 8])),
        ("minPinLength", true.into()),
        ("largeBlobKey", true.into()),
        ("pinComplexityPolicy", true.into()),
        ("thirdPartyPayment", true.into()),
        ("uvm", true.into()),
        ("hmac-secret-mc", map([(1, 1)])),
        ("largeBlob", map([("support", "preferred")])),
    ];
    let known: BTreeSet<_> =
        inputs.iter().map(|(name, _)| *name).chain(["credProtect", "hmac-secret"]).collect();
    assert!(listed.is_subset(&known), "{listed:?}");
    let unlisted = inputs.into_iter().filter(|(name, _)| !listed.contains(name));
    let request = unlisted
        .fold(Request::make_credential().discoverable(), |request, (name, input)| {
            request.extension(name, input)
        });
    let made = key.make(&request);
    assert_eq!(made.auth_data.extensions, None);
    assert_eq!((made.answer.at(5), made.answer.at(6)), (None, None));
}

/// GI-10: transports are unique and known.
#[test]
fn transports_are_known() {
    let info = Key::fresh().info();
    let transports = unique(info.texts(9));
    let known = BTreeSet::from(["usb", "nfc", "ble", "smart-card", "hybrid", "internal"]);
    assert!(transports.is_subset(&known) && transports.contains("usb"), "{transports:?}");
}

/// GI-11, GA-03: every listed algorithm makes a credential that verifies, and its assertions do.
/// CT-GI-algorithms.
#[test]
fn each_listed_algorithm_works() {
    let mut key = Key::fresh();
    let info = key.info();
    let listed = info.0.get(10).items().to_vec();
    unique(listed.iter().map(Value::encode));
    for entry in &listed {
        assert_eq!(entry.keys(), [Value::from("alg"), "type".into()]);
        assert_eq!(entry.get("type").text(), "public-key");
        let only = Request::make_credential()
            .with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[entry.get("alg").int()]));
        let made = key.make(&only);
        assert_eq!(made.public_key().get(3), entry.get("alg"));
        let assertion = key.assertion_by(&made, &made.get());
        assert!(assertion.auth_data.has(UP));
    }
    assert_eq!(listed[0].get("alg").int(), -7, "ES256 first");
}

/// GI-12, GI-15: members that belong to a feature are there exactly with it.
#[test]
fn members_of_features_come_with_them() {
    let info = Key::fresh().info();
    assert_eq!(info.0.at(0x0B).is_some(), info.option("largeBlobs") == Some(true));
    assert_eq!(info.0.at(0x0F).is_some(), info.has_extension("credBlob"));
    assert_eq!(info.0.at(0x10).is_some(), info.option("setMinPINLength") == Some(true));
    assert_eq!(info.has_extension("minPinLength"), info.option("setMinPINLength") == Some(true));
    assert_eq!(info.has_extension("largeBlobKey"), info.option("largeBlobs") == Some(true));
    assert_eq!(info.0.at(0x1B).is_some(), info.has_extension("pinComplexityPolicy"));
    assert!(info.0.at(0x1F).is_none() || info.option("authnrCfg") == Some(true));
    assert!(info.0.at(0x19).is_none() && info.0.at(0x1E).is_none(), "no persistent token yet");
}

/// GI-13, GI-20: minPINLength and maxPINLength have the standard's bounds and bind setPIN.
/// CT-CP-set-max.
#[test]
fn pin_length_bounds_are_obeyed() {
    let mut key = Key::fresh();
    let info = key.info();
    let min = usize::try_from(info.0.get(0x0D).uint()).unwrap();
    let max = info.0.at(0x1D).map_or(63, |max| usize::try_from(max.uint()).unwrap());
    assert!(min >= 4 && (8..=63).contains(&max), "{min} to {max}");
    for (length, status) in
        [(min - 1, PIN_POLICY_VIOLATION), (max + 1, PIN_POLICY_VIOLATION), (max, SUCCESS)]
    {
        let shared = key.agree(Protocol::Two);
        let request = set_pin_request(&shared, &padded(&"7".repeat(length)));
        assert_eq!(key.status(&request), status, "{length} characters");
    }
    let mut key = Key::fresh();
    key.set_pin(&"7".repeat(min));
    assert_ne!(key.info().0.at(0x0C), Some(&Value::from(true)), "no change is forced");
}

/// GI-17: remainingDiscoverableCredentials falls by one per new account, and only then.
#[test]
fn remaining_discoverable_credentials_are_counted() {
    let mut key = Key::fresh();
    let before = key.info().0.get(0x14).uint();
    let remaining = |key: &mut Key| key.info().0.get(0x14).uint();
    key.make(&Request::make_credential());
    assert_eq!(remaining(&mut key), before, "not discoverable");
    key.make(&Request::make_credential().discoverable());
    assert_eq!(remaining(&mut key), before - 1);
    key.make(&Request::make_credential().discoverable());
    assert_eq!(remaining(&mut key), before - 1, "the same account again");
    key.make(&Request::make_credential_for("example.com", &[2]).discoverable());
    assert_eq!(remaining(&mut key), before - 2);
    key.power_cycle();
    assert_eq!(remaining(&mut key), before - 2);
    assert_eq!(key.status(&Request::bare(0x07)), SUCCESS);
    assert_eq!(remaining(&mut key), before);
}

/// GI-18, GI-21: the rest has the right type.
#[test]
fn remaining_members_have_the_right_type() {
    let info = Key::fresh().info();
    if let Some(version) = info.0.at(0x0E) {
        assert!(version.uint() > 0);
    }
    assert!(info.0.at(0x11).is_none_or(|attempts| attempts.uint() > 0));
    assert!(info.0.at(0x12).is_none(), "uvModality without built-in user verification");
    for (certification, level) in info.0.at(0x13).map(Value::entries).unwrap_or_default() {
        assert!(!certification.text().is_empty() && level.uint() > 0);
    }
    if let Some(transports) = info.0.at(0x1A) {
        assert_eq!(unique(transports.items().iter().map(Value::text)), BTreeSet::from(["usb"]));
    }
}

/// GI-21: longTouchForReset is off from the factory, where its maker does not say otherwise.
#[test]
fn long_touch_is_off_from_the_factory() {
    beyond_a_board("another configuration");
    assert_eq!(Key::fresh().info().0.at(0x18), Some(&Value::from(false)));
}

/// GI-19: the formats listed are those produced; `none` is not among them.
#[test]
fn attestation_formats_are_those_produced() {
    let mut key = Key::fresh();
    let info = key.info();
    let listed = info.texts(0x16);
    let listed = if listed.is_empty() { vec!["packed"] } else { listed };
    assert!(!unique(listed.iter().copied()).contains("none"));
    assert_eq!(key.make(&Request::make_credential()).format, listed[0]);
    for format in listed {
        let wish = Value::Array(vec![format.into()]);
        let made =
            key.make(&Request::make_credential().with(mc::ATTESTATION_FORMATS_PREFERENCE, wish));
        assert_eq!(made.format, format);
    }
}

/// GI-25: no member but those the standard defines.
/// CT-GI-status.
#[test]
fn members_are_those_defined() {
    let mut key = Key::fresh();
    key.set_pin("1234");
    key.token(Protocol::Two, "1234", permission::GA, Some("example.com")).unwrap();
    for member in key.info().0.keys() {
        let number = member.uint();
        assert!((1..=0x1F).contains(&number), "{number:#x}");
    }
}

/// GI-27: a power cycle changes nothing that getInfo says.
#[test]
fn power_cycle_changes_nothing() {
    let mut key = Key::fresh();
    let fresh = stable_info(&mut key);
    key.power_cycle();
    assert_eq!(stable_info(&mut key), fresh);
    key.set_pin("1234");
    key.make(&Request::make_credential());
    let used = stable_info(&mut key);
    key.power_cycle();
    assert_eq!(stable_info(&mut key), used);
    key.ok(&Request::client_pin(cp::GET_PIN_RETRIES));
}

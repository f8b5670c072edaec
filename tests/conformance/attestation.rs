//! Attestation statements of a key whose owner made a root (the formats of WebAuthn Level 3 section 8).
//! [`Key::make`] checks each statement to its last byte; these tests say which one is made, and who issued it.

mod plants;

use softkey_tests::attestation::{issued_by, leaf};
use softkey_tests::cbor::{Value, array};
use softkey_tests::key::{Profile, Setup, root_certificate};
use softkey_tests::platform::Made;
use softkey_tests::request::{alg, algorithms, cf, mc};
use softkey_tests::status::SUCCESS;
use softkey_tests::u2f::{Registration, register};
use softkey_tests::verify::extension;
use softkey_tests::{Key, Request};

const ALL: &[&str] = &["packed", "fido-u2f", "tpm", "android-key", "apple", "compound"];

fn key(formats: &'static [&'static str]) -> Key {
    let algorithms = &[alg::ES256, alg::EDDSA, alg::ES384, alg::ES512, alg::ES256K, alg::RS256];
    Key::new(Setup { formats, algorithms, ..Setup::default() })
}

fn preferring(formats: &[&str]) -> Request {
    let formats = array(formats.iter().copied());
    Request::make_credential().with(mc::ATTESTATION_FORMATS_PREFERENCE, formats)
}

/// Every statement in it, if there are several.
#[track_caller]
fn is_by_the_root(statement: &Value) {
    if let Value::Array(elements) = statement {
        return elements.iter().for_each(|element| is_by_the_root(element.get("attStmt")));
    }
    assert!(issued_by(&leaf(statement), &root_certificate()), "issued by the owner's root");
}

/// GI-19: getInfo lists what is made, in the owner's order, and the first is made for who does not mind.
#[test]
fn the_first_format_listed_is_the_one_by_default() {
    for formats in [
        &["packed"][..],
        &["tpm", "packed"],
        &["fido-u2f", "apple"],
        &["android-key"],
        &["apple", "packed-self"],
        &["compound", "tpm"],
        ALL,
    ] {
        let mut key = key(Box::leak(formats.to_vec().into_boxed_slice()));
        let listed = formats.iter().map(|name| name.trim_end_matches("-self"));
        assert_eq!(*key.info().0.get(0x16), array(listed), "attestationFormats");
        let made = key.make(&Request::make_credential());
        assert_eq!(made.format, formats[0]);
    }
}

/// MC-56: each format that is listed can be had by name, from the owner's root, discoverable or not.
#[test]
fn each_format_can_be_had_by_name() {
    let mut key = key(ALL);
    for format in ALL {
        for rk in [false, true] {
            let made = key.make(&preferring(&[format]).option("rk", rk));
            assert_eq!(made.format, *format);
            is_by_the_root(made.answer.get(3));
            let _ = key.assertion_by(&made, &made.get());
        }
    }
}

/// MC-56: what is not listed is passed over; `none` is always to be had, with the model's AAGUID (MC-57).
#[test]
fn what_is_not_listed_is_passed_over() {
    let mut key = key(&["tpm", "packed"]);
    for (wanted, given) in [
        (&["apple", "packed"][..], "packed"),
        (&["android-safetynet", "apple"], "tpm"),
        (&[], "tpm"),
        (&["apple", "none", "packed"], "none"),
    ] {
        let made = key.make(&preferring(wanted));
        assert_eq!(made.format, given, "{wanted:?}");
        assert_eq!(made.attested().aaguid, key.info().aaguid());
    }
}

/// GI-19, MC-56: an owner may have no statement made unless one is asked for; `none` is never listed, and its AAGUID is
/// the model's.
#[test]
fn none_can_be_the_default_and_is_not_listed() {
    let mut key = key(&["none", "tpm", "packed"]);
    assert_eq!(*key.info().0.get(0x16), array(["tpm", "packed"]));
    let made = key.make(&Request::make_credential());
    assert_eq!(made.format, "none");
    assert_eq!(made.attested().aaguid, key.info().aaguid());
    assert_eq!(key.make(&preferring(&["packed"])).format, "packed");
}

fn made_with(key: &mut Key, algorithm: i64, format: &str) -> Made {
    key.make(&preferring(&[format]).with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[algorithm])))
}

/// A format that has no statement for the credential's algorithm is passed over like one that is not listed.
#[test]
fn each_format_is_made_for_the_algorithms_it_knows() {
    let mut key = key(ALL);
    let nist = [alg::ES256, alg::ESP256, alg::ES384, alg::ES512];
    for algorithm in [&nist[..], &[alg::EDDSA, alg::ES256K]].concat() {
        for format in ["packed", "android-key", "apple", "compound"] {
            assert_eq!(made_with(&mut key, algorithm, format).format, format, "{algorithm}");
        }
        let tpm = if nist.contains(&algorithm) { "tpm" } else { "packed" };
        assert_eq!(made_with(&mut key, algorithm, "tpm").format, tpm, "{algorithm}");
        let u2f = if algorithm == alg::ES256 { "fido-u2f" } else { "packed" };
        assert_eq!(made_with(&mut key, algorithm, "fido-u2f").format, u2f, "{algorithm}");
    }
}

/// The identifiers of the elements of a `compound` statement over a credential of this algorithm.
fn elements(key: &mut Key, algorithm: i64) -> Vec<String> {
    let made = made_with(key, algorithm, "compound");
    let elements = made.answer.get(3).items().iter();
    elements.map(|element| element.get("fmt").text().to_owned()).collect()
}

/// WebAuthn 8.9: `compound` is two statements about one credential and one client data hash, as two formats make them:
/// the model's certificate beside what a TPM says of the key, or Android's key store where no TPM knows the algorithm.
#[test]
fn compound_is_two_statements_about_one_credential() {
    let mut key = key(&["compound"]);
    for algorithm in [alg::ES256, alg::ESP256, alg::ES384, alg::ES512] {
        assert_eq!(elements(&mut key, algorithm), ["packed", "tpm"], "{algorithm}");
    }
    for algorithm in [alg::EDDSA, alg::ES256K] {
        assert_eq!(elements(&mut key, algorithm), ["packed", "android-key"], "{algorithm}");
    }
}

/// A compound statement names the model, like the statements in it, and both lead to the owner's root.
#[test]
fn compound_is_of_the_model_and_the_root() {
    let mut key = key(&["compound"]);
    let made = key.make(&Request::make_credential());
    assert_eq!(made.attested().aaguid, key.info().aaguid());
    is_by_the_root(made.answer.get(3));
}

/// MC-56: no statement that takes a certificate of the credential for ML-DSA, which has none: `packed` stands in.
#[test]
fn ml_dsa_has_no_certificate_of_its_own() {
    let algorithms = &[alg::ML_DSA_44];
    for formats in [&["compound"], &["android-key"], &["apple"]] {
        let mut key = Key::new(Setup { formats, algorithms, ..Setup::default() });
        let made = made_with(&mut key, alg::ML_DSA_44, formats[0]);
        assert_eq!(made.format, "packed", "instead of {formats:?}");
        is_by_the_root(made.answer.get(3));
    }
}

/// The same for RSA, whose keys take long to make.
#[test]
fn an_rsa_key_is_attested_as_a_tpm_does() {
    let mut key = key(&["tpm"]);
    assert_eq!(made_with(&mut key, alg::RS256, "tpm").format, "tpm");
}

#[test]
fn an_rsa_key_is_attested_twice() {
    assert_eq!(elements(&mut key(&["compound"]), alg::RS256), ["packed", "tpm"]);
}

#[test]
fn an_rsa_key_has_a_certificate_of_its_own() {
    let mut key = key(&["android-key"]);
    assert_eq!(made_with(&mut key, alg::RS256, "android-key").format, "android-key");
}

/// GI-19, MC-56: a key whose owner names nothing for an algorithm attests by its root in the format `packed`, which suits
/// all. So that is listed, last, and can be had by name.
#[test]
fn packed_is_the_last_resort() {
    let mut key = key(&["fido-u2f"]);
    assert_eq!(*key.info().0.get(0x16), array(["fido-u2f", "packed"]));
    let request = preferring(&["packed", "none"]);
    for request in [Request::make_credential(), request] {
        let request = request.with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[alg::EDDSA]));
        let made = key.make(&request);
        assert_eq!(made.format, "packed");
        is_by_the_root(made.answer.get(3));
    }
}

/// GI-19, EA-04: enterprise attestation is `packed`, so a key that offers it lists that, and who prefers it gets it.
#[test]
fn packed_is_listed_for_enterprise_attestation() {
    let profile = Profile::Enterprise;
    let mut key = Key::new(Setup { formats: &["tpm"], profile, ..Setup::default() });
    assert_eq!(*key.info().0.get(0x16), array(["tpm", "packed"]));
    let enable = Request::config(cf::ENABLE_ENTERPRISE_ATTESTATION);
    assert_eq!(key.send(&enable.bytes()), [SUCCESS]);
    let made = key.make(&preferring(&["packed", "none"]).with(mc::ENTERPRISE_ATTESTATION, 2));
    assert_eq!((made.format.as_str(), made.answer.at(4)), ("packed", Some(&Value::from(true))));
}

/// MC-55: self attestation shows nothing of the root.
#[test]
fn self_attestation_shows_nothing_of_the_root() {
    let mut key = key(&["packed-self"]);
    let made = key.make(&Request::make_credential());
    assert_eq!((made.format.as_str(), made.answer.get(3).at("x5c")), ("packed", None));
}

/// RS-09: the certificates stay the same over a reset and a power cycle, and belong to the model.
#[test]
fn certificates_outlive_a_reset() {
    let mut key = key(&["packed"]);
    let before = leaf(key.make(&Request::make_credential()).answer.get(3));
    assert_eq!(key.send(&[softkey_tests::request::command::RESET]), [0]);
    key.power_cycle();
    let after = leaf(key.make(&Request::make_credential()).answer.get(3));
    assert_eq!(before, after);
    assert!(extension(&after, "1.3.6.1.4.1.45724.1.1.4").is_some());
    assert!(extension(&after, "1.3.6.1.4.1.45724.1.1.2").is_none(), "no serial number");
}

/// UF-24: U2F registrations are attested by the same root.
#[test]
fn u2f_registrations_are_attested_by_the_root() {
    let mut key = key(&["packed"]);
    let (application, challenge) = ([1; 32], [2; 32]);
    let answer = key.u2f_polling(&register(&application, &challenge));
    let registration = Registration::parse(&answer, &application, &challenge);
    assert!(issued_by(&registration.certificate, &root_certificate()));
}

/// The root's certificate never changes, since sites keep it: a change of the code that changes it fails here.
#[test]
fn the_roots_certificate_is_pinned() {
    let certificate = root_certificate();
    let pinned = [
        0x8a, 0x99, 0x6c, 0x4f, 0x7b, 0xdd, 0x8c, 0x54, 0x08, 0xe7, 0x3b, 0x29, 0x2e, 0x1b, 0x67,
        0xdb, 0x28, 0xb1, 0xa4, 0x2b, 0xf4, 0x22, 0x54, 0x2d, 0x17, 0x02, 0x61, 0x6c, 0xd1, 0x6f,
        0xa5, 0xa2,
    ];
    assert_eq!(softkey_tests::parts::sha256(&certificate), pinned);
}

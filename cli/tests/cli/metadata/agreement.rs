//! What a statement says is what the key does: getInfo as the running key answers it, and what attests its credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ciborium::Value as Cbor;
use serde_json::{Map, Value, json};
use softkey_client::verify::{Trust, TrustFault, TrustRoots};

use super::keys::{GONE, KEYS, rule, statement, texts};
use crate::attestation::{NOW, Owner, registered};
use crate::harness::{GET_INFO, Key, softkey};

/// The members of getInfo, from 0x01 on (CTAP 2.3 section 6.4).
const MEMBERS: [&str; 31] = [
    "versions",
    "extensions",
    "aaguid",
    "options",
    "maxMsgSize",
    "pinUvAuthProtocols",
    "maxCredentialCountInList",
    "maxCredentialIdLength",
    "transports",
    "algorithms",
    "maxSerializedLargeBlobArray",
    "forcePINChange",
    "minPINLength",
    "firmwareVersion",
    "maxCredBlobLength",
    "maxRPIDsForSetMinPINLength",
    "preferredPlatformUvAttempts",
    "uvModality",
    "certifications",
    "remainingDiscoverableCredentials",
    "vendorPrototypeConfigCommands",
    "attestationFormats",
    "uvCountSinceLastPinEntry",
    "longTouchForReset",
    "encIdentifier",
    "transportsForReset",
    "pinComplexityPolicy",
    "pinComplexityPolicyURL",
    "maxPINLength",
    "encCredStoreState",
    "authenticatorConfigCommands",
];

/// What a running key of these arguments says of itself.
fn told_by(args: &[&str]) -> Value {
    let key = Key::start(&[&["--ephemeral", "--approve", "deny"], args].concat());
    let answer = key.host().cbor(&GET_INFO);
    assert_eq!(answer[0], 0);
    let answer: Cbor = ciborium::from_reader(&answer[1..]).unwrap();
    let entries = answer.as_map().unwrap().iter().map(|(number, value)| {
        let number: usize = number.as_integer().unwrap().try_into().unwrap();
        (MEMBERS[number - 1].to_owned(), json_of(value))
    });
    Value::Object(entries.collect())
}

fn json_of(value: &Cbor) -> Value {
    match value {
        Cbor::Integer(number) => json!(i64::try_from(*number).unwrap()),
        Cbor::Bool(flag) => json!(flag),
        Cbor::Text(text) => json!(text),
        Cbor::Bytes(bytes) => {
            json!(bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")))
        }
        Cbor::Array(items) => items.iter().map(json_of).collect(),
        Cbor::Map(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, it)| (key.as_text().unwrap().to_owned(), json_of(it)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        other => panic!("{other:?}"),
    }
}

/// CT-META-get-info: the members that the key answers with, and the same values. Those that a holder of a persistent
/// token sees, and that differ from key to key, stand empty.
#[test]
fn get_info_is_what_the_running_key_says() {
    for args in KEYS {
        let (statement, told) = (statement(args), told_by(args));
        let mut declared = statement["authenticatorGetInfo"].clone();
        let members = declared.as_object_mut().unwrap();
        for encrypted in ["encIdentifier", "encCredStoreState"] {
            assert_eq!(members.remove(encrypted), Some(json!("")), "{args:?}");
        }
        assert_eq!(declared, told, "{args:?}");
    }
    // The plant: another key's statement does not pass.
    assert_ne!(statement(&["--profile", "tiny"])["authenticatorGetInfo"], told_by(&[]));
}

/// CT-META-get-info-options: options that depend on the owner are as of a new key, and booleans.
#[test]
fn options_are_those_of_a_new_key() {
    let new = |it: &Value| {
        let options = it["authenticatorGetInfo"]["options"].as_object().unwrap();
        options.values().all(Value::is_boolean) && options["clientPin"] == false
    };
    let place = "/authenticatorGetInfo/options";
    rule(new, &[(place, json!({"clientPin": true})), (place, json!({"clientPin": 0}))]);
}

/// CT-META-upv: not empty, CTAP 2.3 among them, and exactly what getInfo's versions stand for.
#[test]
fn protocol_versions_are_those_of_get_info() {
    let agree = |it: &Value| {
        let minor = |version: &str| match version {
            "FIDO_2_0" => Some(0),
            "FIDO_2_1" | "FIDO_2_1_PRE" => Some(1),
            "FIDO_2_3" => Some(3),
            _ => None,
        };
        let versions = texts(&it["authenticatorGetInfo"]["versions"]);
        let mut expected: Vec<u64> = versions.into_iter().filter_map(minor).collect();
        expected.dedup();
        let expected: Vec<_> = expected.iter().map(|it| json!({"major": 1, "minor": it})).collect();
        expected.contains(&json!({"major": 1, "minor": 3})) && it["upv"] == json!(expected)
    };
    let old = json!([{"major": 1, "minor": 0}]);
    rule(agree, &[("/upv", json!([])), ("/upv", old), ("/upv/2", json!({"major": 1}))]);
    // A key that is none of 2.3 does not claim to be.
    let old = &statement(&["--profile", "ctap2.1"])["upv"];
    assert_eq!(*old, json!([{"major": 1, "minor": 0}, {"major": 1, "minor": 1}]));
}

/// CT-META-authentication-algorithms: registered names, at least one.
#[test]
fn algorithms_are_registered() {
    let known = [
        "secp256r1_ecdsa_sha256_raw",
        "secp256k1_ecdsa_sha256_raw",
        "rsassa_pkcsv15_sha256_raw",
        "secp384r1_ecdsa_sha384_raw",
        "secp521r1_ecdsa_sha512_raw",
        "ed25519_eddsa_sha512_raw",
    ];
    let wrong = [json!([]), json!(["ES256"])];
    let plants = wrong.map(|wrong| ("/authenticationAlgorithms", wrong));
    rule(|it| super::among(&it["authenticationAlgorithms"], &known), &plants);
}

/// CT-META-algorithms-agree: those of getInfo, in the same order; the registry has no name for ML-DSA.
#[test]
fn algorithms_are_those_of_get_info() {
    let agree = |it: &Value| {
        let cose = |name: &str| match name {
            "secp256r1_ecdsa_sha256_raw" => -7,
            "ed25519_eddsa_sha512_raw" => -8,
            "secp384r1_ecdsa_sha384_raw" => -35,
            "secp521r1_ecdsa_sha512_raw" => -36,
            "secp256k1_ecdsa_sha256_raw" => -47,
            "rsassa_pkcsv15_sha256_raw" => -257,
            _ => 0,
        };
        let named: Vec<i64> =
            texts(&it["authenticationAlgorithms"]).into_iter().map(cose).collect();
        let listed = it["authenticatorGetInfo"]["algorithms"].as_array().unwrap().iter();
        let listed = listed.map(|entry| entry["alg"].as_i64().unwrap());
        named == listed.filter(|alg| !(-50..=-48).contains(alg)).collect::<Vec<_>>()
    };
    rule(agree, &[("/authenticationAlgorithms", json!(["ed25519_eddsa_sha512_raw"]))]);
}

/// Does the statement name this method, alone?
fn names(statement: &Value, method: &str) -> bool {
    let ways = statement["userVerificationDetails"].as_array().unwrap().iter();
    let mut alone = ways.filter(|way| way.as_array().unwrap().len() == 1);
    alone.any(|way| way[0]["userVerificationMethod"] == method)
}

/// CT-META-presence: `up` is told as presence.
#[test]
fn presence_is_named_where_get_info_has_it() {
    let agree = |it: &Value| {
        it["authenticatorGetInfo"]["options"]["up"] == true && names(it, "presence_internal")
    };
    rule(agree, &[("/userVerificationDetails/1", json!([{"userVerificationMethod": "none"}]))]);
}

/// CT-META-built-in-uv: `uv` and uvModality are told as that method, and nothing else is.
#[test]
fn built_in_verification_is_named_where_get_info_has_it() {
    let agree = |it: &Value| {
        let info = &it["authenticatorGetInfo"];
        let has = !info["options"]["uv"].is_null() && info["uvModality"] == 2;
        has == names(it, "fingerprint_internal") && has == info.get("uvModality").is_some()
    };
    let finger = json!([{"userVerificationMethod": "fingerprint_internal"}]);
    rule(agree, &[("/userVerificationDetails/1", finger)]);
    let sensor = statement(&["--uv", "fingerprint"]);
    assert!(names(&sensor, "fingerprint_internal"));
    assert_eq!(sensor["userVerificationDetails"][4][0]["baDesc"]["maxTemplates"], 5);
}

/// CT-META-passcode: where getInfo has pinUvAuthProtocols and clientPin, a passcode is told, as long as it must be.
#[test]
fn a_pin_is_told_as_a_passcode() {
    let agree = |it: &Value| {
        let info = &it["authenticatorGetInfo"];
        let passcode = &it["userVerificationDetails"][2][0];
        info["pinUvAuthProtocols"].is_array()
            && names(it, "passcode_external")
            && passcode["caDesc"]["minLength"] == info["minPINLength"]
    };
    let place = "/userVerificationDetails/2/0";
    let shorter = format!("{place}/caDesc/minLength");
    rule(agree, &[(&shorter, json!(1)), (place, json!({"userVerificationMethod": "none"}))]);
    assert!(!names(&statement(&["--profile", "no-pin"]), "passcode_external"));
}

/// CT-META-attestation-types: registered, and what the key's formats show.
#[test]
fn attestation_types_are_what_the_formats_show() {
    let full = |it: &Value| it["attestationTypes"] == json!(["basic_full"]);
    let wrong = [json!([]), json!(["basic_surrogate"]), json!(["packed"])];
    rule(full, &wrong.map(|wrong| ("/attestationTypes", wrong)));
    let owner = Owner::new();
    let file = owner.file();
    let root = ["--attestation", file.to_str().unwrap(), "--profile", "no-u2f"];
    for (formats, types) in [
        (&["self"][..], json!(["basic_surrogate"])),
        (&["none", "tpm"], json!(["attca"])),
        (&["apple", "packed", "android-key"], json!(["anonca", "basic_full"])),
        (&["compound"], json!(["basic_full", "attca"])),
    ] {
        owner.told(&[&["format"], formats].concat());
        assert_eq!(statement(&root)["attestationTypes"], types, "{formats:?}");
    }
    // It depends on the algorithms, too: no TPM knows these, and then an Android key stands beside `packed` in
    // `compound`, and `packed` in the place of `tpm`.
    let unknown = [&root[..], &["--algorithms", "EdDSA,ES256K"]].concat();
    let mixed = [&root[..], &["--algorithms", "EdDSA,ES256"]].concat();
    for (format, of_unknown, of_mixed) in [
        ("compound", json!(["basic_full"]), json!(["basic_full", "attca"])),
        ("tpm", json!(["basic_full"]), json!(["basic_full", "attca"])),
    ] {
        owner.told(&["format", format]);
        assert_eq!(statement(&unknown)["attestationTypes"], of_unknown, "{format}");
        assert_eq!(statement(&mixed)["attestationTypes"], of_mixed, "{format}");
    }
    // Through U2F the root attests whatever else is chosen.
    owner.told(&["format", "self"]);
    let types = &statement(&root[..2])["attestationTypes"];
    assert_eq!(*types, json!(["basic_surrogate", "basic_full"]));
}

/// The certificates of a statement, as roots to trust.
fn roots(statement: &Value) -> TrustRoots {
    let certificates = texts(&statement["attestationRootCertificates"]);
    let der: Vec<_> = certificates.iter().map(|text| STANDARD.decode(text).unwrap()).collect();
    TrustRoots::new(&der.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap()
}

/// CT-META-root-certificates: base64 of DER, and what the key makes leads to one of them.
#[test]
fn what_the_key_makes_leads_to_the_roots() {
    let certificates = |it: &Value| {
        let list = texts(&it["attestationRootCertificates"]);
        let sound = |text: &&str| STANDARD.decode(text).is_ok_and(|der| der.starts_with(&[0x30]));
        !list.is_empty() && list.iter().all(sound)
    };
    let place = "/attestationRootCertificates";
    rule(certificates, &[(place, json!([])), (place, json!(["MII*"])), (place, json!(GONE))]);
    let owner = Owner::new();
    let file = owner.file();
    let root = ["--attestation", file.to_str().unwrap()];
    let (own, batch) = (roots(&statement(&root)), roots(&statement(&[])));
    let made = registered(&owner.key(&[]), -7);
    assert_eq!(own.assess(&made, NOW), Ok(Trust::Anchored));
    assert_eq!(batch.assess(&made, NOW), Err(TrustFault::NoAnchor));
    let made = registered(&Key::forgetful("auto"), -7);
    assert_eq!(batch.assess(&made, NOW), Ok(Trust::Anchored));
}

/// CT-META-root-certificates: a profile's enterprise attestation stays where the owner's root offers none, and its root is
/// named beside the owner's; where the owner's root offers it, that replaces the profile's.
#[test]
fn the_published_root_is_named_while_it_attests() {
    let (owner, profile) = (Owner::new(), ["--profile", "enterprise"]);
    let file = owner.file();
    let attested = ["--attestation", file.to_str().unwrap()];
    let roots = |args: &[&str]| {
        let statement = statement(args);
        let roots = texts(&statement["attestationRootCertificates"]);
        roots.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let both = [&profile[..], &attested].concat();
    let (own, published) = (roots(&attested), roots(&profile));
    assert_eq!((own.len(), published.len()), (1, 2), "the batch's and the published one");
    assert_eq!(roots(&both), [own[0].clone(), published[1].clone()]);
    owner.told(&["enterprise"]);
    assert_eq!(roots(&both), own);
}

/// CT-META-attestation-types: U2F registrations of a key that attests itself are by the batch key.
#[test]
fn u2f_registrations_are_by_the_batch_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.toml");
    let batch = statement(&[])["attestationRootCertificates"].clone();
    for line in ["attestation = \"self\"", "aaguid = \"01010101-0101-0101-0101-010101010101\""] {
        for (u2f, types, roots) in [
            (true, json!(["basic_surrogate", "basic_full"]), batch.clone()),
            (false, json!(["basic_surrogate"]), json!([])),
        ] {
            std::fs::write(&file, format!("{line}\nu2f = {u2f}\n")).unwrap();
            let statement = statement(&["--profile", file.to_str().unwrap()]);
            assert_eq!(statement["attestationTypes"], types, "{line}");
            assert_eq!(statement["attestationRootCertificates"], roots, "{line}");
        }
    }
}

/// A list that would be empty is told, since a statement must name something there.
#[test]
fn what_the_registry_has_no_name_for_is_told() {
    let owner = Owner::new();
    owner.told(&["format", "none", "tpm"]);
    let file = owner.file();
    let attested = ["--attestation", file.to_str().unwrap(), "--profile", "no-u2f"];
    for (args, what) in [
        (&["--algorithms", "ML-DSA-65"][..], "The registry has no name for these algorithms"),
        (&[&attested[..], &["--algorithms", "EdDSA"]].concat(), "This key attests nothing"),
    ] {
        let output = softkey().arg("metadata").args(args).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{args:?}: {err}");
        assert!(err.contains(what) && err.contains("\n    try: "), "{err}");
    }
}

/// The URL of a policy is a text, however long it is.
#[test]
fn a_url_of_16_bytes_is_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.toml");
    let url = "https://a.invalid";
    for url in [&url[..url.len() - 1], url] {
        let lines =
            format!("pin-complexity-policy = true\npin-complexity-policy-url = \"{url}\"\n");
        std::fs::write(&file, lines).unwrap();
        let statement = statement(&["--profile", file.to_str().unwrap()]);
        assert_eq!(statement["authenticatorGetInfo"]["pinComplexityPolicyURL"], url);
    }
}

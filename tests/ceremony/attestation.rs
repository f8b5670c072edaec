//! Each attestation format that an owner's root makes, as the relying party sees it: the statement holds, and leads
//! to that root and to no other.

use std::collections::BTreeSet;

use serde_json::json;
use softkey_authenticator::{
    Algorithm, Algorithms, AttestationFormat, AttestationRoot, Config, RootError, RootName,
    RootValidity,
};
use softkey_client::verify::{Attestation, Trust, TrustFault, TrustRoots};
use softkey_ctap::Secret;
use softkey_tests::attestation::{Attested, check, issued_by, leaf};
use softkey_tests::auth_data::AuthData;
use softkey_tests::verify::extension;

use crate::world::{World, authenticated, list, registered};

/// Seconds since 1970, within the validity of the roots.
const NOW: u64 = 1_800_000_000;

pub(crate) fn new_root(
    key: u8,
    formats: &[AttestationFormat],
) -> Result<AttestationRoot, RootError> {
    let (name, validity) = (root_name(), root_validity());
    AttestationRoot::new(Secret::new([key; 32]), &name, &validity, formats)
}

fn root_name() -> RootName {
    RootName {
        country: "CH".to_owned(),
        organization: "An owner".to_owned(),
        common_name: "A test root".to_owned(),
    }
}

fn root_validity() -> RootValidity {
    RootValidity {
        not_before: "20260101000000Z".to_owned(),
        not_after: "20551231235959Z".to_owned(),
    }
}

fn holds(format: AttestationFormat, alg: i64, shown: Attestation) {
    let root = new_root(7, &[format]).unwrap();
    let trusted = TrustRoots::new(&[root.certificate()]).unwrap();
    let attestation = softkey_authenticator::Attestation::Root(root);
    let mut world = World::with(Config { attestation, ..Config::default() });
    let options = json!({
        "pubKeyCredParams": [{"type": "public-key", "alg": alg}],
        "attestationFormats": [format.identifier()],
    });
    let made = world.create(&options).unwrap();
    let registered = registered(&made, false);
    assert_eq!(registered.attestation, shown);
    let allow = json!({"allowCredentials": list(&[&made.id])});
    authenticated(&world.get(&allow).unwrap(), &registered.record, false);

    if shown == Attestation::SelfSigned {
        assert_eq!(trusted.assess(&registered, NOW), Ok(Trust::SelfSigned));
        return;
    }
    let paths: Vec<_> = registered.trust_paths.iter().map(|path| path.format.as_str()).collect();
    let expected = match (format, alg) {
        (AttestationFormat::Compound, -8 | -47) => &["packed", "android-key"][..],
        (AttestationFormat::Compound, _) => &["packed", "tpm"],
        (format, _) => &[format.identifier()],
    };
    assert_eq!(paths, expected);
    assert_eq!(trusted.assess(&registered, NOW), Ok(Trust::Anchored));
    // The same name, another key.
    let other = new_root(8, &[format]).unwrap();
    let other = TrustRoots::new(&[other.certificate()]).unwrap();
    assert_eq!(other.assess(&registered, NOW), Err(TrustFault::NoAnchor));
    assert_eq!(trusted.assess(&registered, 0), Err(TrustFault::Validity));
}

#[test]
fn packed_holds_for_every_algorithm() {
    for alg in [-7, -8, -35, -36, -47] {
        holds(AttestationFormat::Packed, alg, Attestation::Certificate);
    }
}

#[test]
fn packed_self_attestation_holds() {
    holds(AttestationFormat::PackedSelf, -7, Attestation::SelfSigned);
}

#[test]
fn fido_u2f_holds() {
    holds(AttestationFormat::FidoU2f, -7, Attestation::Certificate);
}

#[test]
fn tpm_holds_for_every_curve_of_a_tpm() {
    for alg in [-7, -35, -36] {
        holds(AttestationFormat::Tpm, alg, Attestation::Certificate);
    }
}

#[test]
fn android_key_holds_for_every_algorithm() {
    for alg in [-7, -8, -35, -36, -47] {
        holds(AttestationFormat::AndroidKey, alg, Attestation::Certificate);
    }
}

#[test]
fn apple_holds_for_every_algorithm() {
    for alg in [-7, -8, -35, -36, -47] {
        holds(AttestationFormat::Apple, alg, Attestation::Certificate);
    }
}

/// With paths of both statements to the root.
#[test]
fn compound_holds_for_every_algorithm() {
    for alg in [-7, -8, -35, -36, -47] {
        holds(AttestationFormat::Compound, alg, Attestation::Certificate);
    }
}

/// What the root says that there may be is what comes when each of its formats was wished for, algorithm by algorithm.
#[test]
fn statements_are_those_that_are_made() {
    let formats = [AttestationFormat::FidoU2f, AttestationFormat::Tpm, AttestationFormat::Apple];
    for formats in [&formats[..], &[AttestationFormat::Tpm, AttestationFormat::Compound]] {
        let root = new_root(7, formats).unwrap();
        let attestation = softkey_authenticator::Attestation::Root(root.clone());
        let config = Config { attestation, ..Config::default() };
        let algorithms = config.algorithms.listed().to_vec();
        let mut world = World::with(config);
        for algorithm in algorithms {
            let mut made = BTreeSet::new();
            for format in formats {
                let options = json!({
                    "pubKeyCredParams": [{"type": "public-key", "alg": algorithm.id()}],
                    "attestationFormats": [format.identifier()],
                });
                let registered = registered(&world.create(&options).unwrap(), false);
                made.extend(registered.trust_paths.into_iter().map(|path| path.format));
            }
            let told = root.statements(algorithm).into_iter().map(AttestationFormat::identifier);
            assert_eq!(told.map(str::to_owned).collect::<BTreeSet<_>>(), made, "{algorithm:?}");
        }
    }
}

/// A key of another model, without a certificate for that, attests itself with the longest signatures, too.
#[test]
fn the_longest_signature_attests_itself() {
    let algorithms = Algorithms::new(&[Algorithm::Es256, Algorithm::MlDsa87]).unwrap();
    let config = Config { aaguid: [1; 16], algorithms, ..Config::default() };
    let mut world = World::with(config);
    world.protect();
    world.person.pins = ["1234"].into();
    let options = json!({
        "pubKeyCredParams": [{"type": "public-key", "alg": -50}],
        "extensions": {"prf": {"eval": {"first": "AQ", "second": "Ag"}}},
    });
    let made = world.create(&options).unwrap();
    let results = serde_json::to_value(&made.client_extension_results).unwrap();
    assert!(results.pointer("/prf/results/second").is_some(), "both salts");
    assert_eq!(registered(&made, false).attestation, Attestation::SelfSigned);
}

/// A page that asks for no attestation gets none, whatever the key makes.
#[test]
fn a_page_that_wants_none_gets_none() {
    let root = new_root(7, &[AttestationFormat::Apple]).unwrap();
    let attestation = softkey_authenticator::Attestation::Root(root);
    let mut world = World::with(Config { attestation, ..Config::default() });
    let made = world.create(&json!({"attestation": "none"})).unwrap();
    assert_eq!(registered(&made, false).attestation, Attestation::None);
}

/// The serial number of an enterprise certificate is the key's; the certificate is as `packed` wants it.
#[test]
fn an_enterprise_certificate_leads_to_the_root() {
    let root = new_root(7, &[AttestationFormat::Packed]).unwrap();
    let trusted = TrustRoots::new(&[root.certificate()]).unwrap();
    let config = Config::default();
    let rp_ids = vec!["example.org".to_owned()];
    let enterprise = root.enterprise(b"serial 1", &config.aaguid, rp_ids);
    let mut world = World::with(Config { enterprise, ..config.clone() });
    // authenticatorConfig, enableEnterpriseAttestation.
    assert_eq!(world.send(&[0x0d, 0xa1, 0x01, 0x01]), [0]);
    let request = [
        &[0x01, 0xa5, 0x01, 0x58, 0x20][..],
        &[7; 32],
        b"\x02\xa1\x62id\x6bexample.org\x03\xa1\x62id\x41\x01",
        b"\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key\x0a\x01",
    ];
    let answer = world.send(&request.concat());
    assert_eq!(answer[0], 0);
    let answer = softkey_tests::cbor::walk_answer(&answer[1..]).unwrap();
    assert_eq!(answer.get(1).text(), "packed");
    assert!(answer.get(4).bool(), "epAtt");
    let (auth_data, statement) = (answer.get(2).bytes(), answer.get(3));
    let parsed = AuthData::parse(auth_data);
    let credential = parsed.attested.as_ref().unwrap();
    let attested = Attested {
        auth_data: &parsed,
        client_data_hash: &[7; 32],
        public_key: &credential.public_key,
        signed: &[auth_data, &[7; 32]].concat(),
    };
    check("packed", statement, &attested);
    let leaf = leaf(statement);
    assert!(issued_by(&leaf, root.certificate()));
    let serial_number = extension(&leaf, "1.3.6.1.4.1.45724.1.1.2");
    assert_eq!(serial_number, Some((false, b"\x04\x08serial 1".to_vec())));
    let model = [&[4, 16][..], &config.aaguid].concat();
    assert_eq!(extension(&leaf, "1.3.6.1.4.1.45724.1.1.4"), Some((false, model)));
    assert!(world.core().recognisable, "the user is told");
    let ordinary = world.create(&json!({})).unwrap();
    assert!(!world.core().recognisable);
    let registered = registered(&ordinary, false);
    assert_eq!(trusted.assess(&registered, NOW), Err(TrustFault::NoAnchor));
}

/// Each argument that cannot be one is refused by name.
#[test]
fn a_root_has_a_key_names_times_and_formats() {
    use AttestationFormat::{None, Packed, PackedSelf, Tpm};
    assert_eq!(new_root(0, &[Packed]), Err(RootError::Key));
    assert_eq!(new_root(0xff, &[Packed]), Err(RootError::Key));
    for formats in [&[][..], &[None], &[Tpm, Tpm], &[Packed, Tpm, PackedSelf]] {
        assert_eq!(new_root(7, formats), Err(RootError::Formats));
    }
    let with = |name: &RootName, validity: &RootValidity| {
        AttestationRoot::new(Secret::new([7; 32]), name, validity, &[Packed]).map(drop)
    };
    for country in ["", "ch", "CHE", "C1"] {
        let name = RootName { country: country.to_owned(), ..root_name() };
        assert_eq!(with(&name, &root_validity()), Err(RootError::Country));
    }
    for text in [String::new(), "x".repeat(65)] {
        let name = RootName { organization: text.clone(), ..root_name() };
        assert_eq!(with(&name, &root_validity()), Err(RootError::Name));
        let name = RootName { common_name: text, ..root_name() };
        assert_eq!(with(&name, &root_validity()), Err(RootError::Name));
    }
    for not_after in [
        "20250101000000Z",
        "20560001000000Z",
        "20561301000000Z",
        "20560100000000Z",
        "20560132000000Z",
        "20560431000000Z",
        "20560230000000Z",
        "20570229000000Z",
        "21000229000000Z",
        "20560101240000Z",
        "20560101006000Z",
        "20560101000060Z",
        "20560101000000",
        "2056010100000Z",
        "205601010000000Z",
        "205x0101000000Z",
        "2056-01-01T0Z",
    ] {
        let validity = RootValidity { not_after: not_after.to_owned(), ..root_validity() };
        assert_eq!(with(&root_name(), &validity), Err(RootError::Validity), "{not_after}");
    }
    for not_after in ["20560229000000Z", "24000229000000Z", "20561231000000Z"] {
        let validity = RootValidity { not_after: not_after.to_owned(), ..root_validity() };
        assert_eq!(with(&root_name(), &validity), Ok(()), "{not_after}");
    }
}

/// A serial number is there, and short: certificates go into messages.
#[test]
fn a_serial_number_has_1_to_64_bytes() {
    let root = new_root(7, &[AttestationFormat::Packed]).unwrap();
    let offers = |length: usize| root.enterprise(&vec![7; length], &[0; 16], Vec::new()).is_some();
    assert_eq!([0, 1, 64, 65, 0x1_0000].map(offers), [false, true, true, false, false]);
}

/// Of several arguments that cannot be one the first is named.
#[test]
fn a_root_names_the_first_wrong_argument() {
    let wrong = |from: usize| {
        let new =
            |number, good: &str, bad: &str| if from <= number { bad } else { good }.to_owned();
        let key = Secret::new(if from == 0 { [0; 32] } else { [7; 32] });
        let name =
            RootName { country: new(1, "CH", ""), common_name: new(2, "a", ""), ..root_name() };
        let validity =
            RootValidity { not_after: new(3, "20560101000000Z", "never"), ..root_validity() };
        AttestationRoot::new(key, &name, &validity, &[]).map(drop)
    };
    let errors = [
        RootError::Key,
        RootError::Country,
        RootError::Name,
        RootError::Validity,
        RootError::Formats,
    ];
    for (from, error) in errors.into_iter().enumerate() {
        assert_eq!(wrong(from), Err(error));
    }
}

/// Times from 2050 on have another form.
#[test]
fn a_root_may_outlive_2050() {
    let validity = RootValidity { not_after: "99991231235959Z".to_owned(), ..root_validity() };
    let formats = [AttestationFormat::Packed];
    let root = AttestationRoot::new(Secret::new([7; 32]), &root_name(), &validity, &formats);
    let root = root.unwrap();
    let holds = |text: &[u8]| root.certificate().windows(text.len()).any(|window| window == text);
    assert!(holds(b"\x17\x0d260101000000Z\x18\x0f99991231235959Z"));
}

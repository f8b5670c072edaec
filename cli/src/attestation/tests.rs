//! What a root's file makes of a key.

use softkey_authenticator::{AttestationFormat, AttestationRoot};

use super::*;

fn new_args() -> NewArgs {
    NewArgs {
        name: "A root".to_owned(),
        organization: "An owner".to_owned(),
        country: "CH".to_owned(),
        years: 1,
    }
}

fn attester(file: &RootFile) -> Attester {
    let text = serde_json::to_vec(file).unwrap();
    let file: RootFile = serde_json::from_slice(&text).unwrap();
    Attester { path: "a.json".into(), root: file.root().unwrap(), file }
}

/// Nothing is offered that the owner did not ask for, and each root has a key of its own.
#[test]
fn a_new_root_makes_packed_and_offers_no_enterprise_attestation() {
    let [one, two] = [(); 2].map(|()| attester(&RootFile::generate(&new_args()).unwrap()));
    assert_ne!(one.root.certificate(), two.root.certificate());
    let mut config = Config::default();
    one.configure(&mut config);
    assert_eq!(config.enterprise, None);
    let root: &AttestationRoot = match &config.attestation {
        softkey_authenticator::Attestation::Root(root) => root,
        other => panic!("{other:?}"),
    };
    assert_eq!(root.formats(), [AttestationFormat::Packed]);
    let file = serde_json::to_value(&one.file).unwrap();
    assert!(!format!("{one:?}").contains(file["privateKey"].as_str().unwrap()));
}

/// The serial number stays while it is offered, and goes with the offer.
#[test]
fn a_serial_number_lives_as_long_as_the_offer() {
    let mut file = RootFile::generate(&new_args()).unwrap();
    let mut serial = |rp_ids: &[String]| {
        file.offer_enterprise(rp_ids).unwrap();
        file.enterprise.as_ref().unwrap().serial_number.clone()
    };
    let first = serial(&[]);
    assert_eq!(first.0.len(), 16);
    assert_eq!(serial(&["example.org".to_owned()]), first);
    let mut config = Config::default();
    attester(&file).configure(&mut config);
    assert!(config.enterprise.is_some());
    file.enterprise = None;
    file.offer_enterprise(&[]).unwrap();
    assert_ne!(file.enterprise.unwrap().serial_number, first);
}

/// An offer that no certificate can carry is an error, not a key that offers nothing.
#[test]
fn a_serial_number_that_is_none_is_refused() {
    let mut file = RootFile::generate(&new_args()).unwrap();
    file.offer_enterprise(&[]).unwrap();
    for length in [0, 65] {
        file.enterprise.as_mut().unwrap().serial_number.0 = vec![7; length];
        let error = file.root().unwrap_err();
        assert_eq!(
            (error.exit(), error.what()),
            (Exit::BadInput, "A serial number has 1 to 64 bytes.")
        );
    }
}

/// The names on the command line are those in the file.
#[test]
fn formats_have_one_name() {
    use clap::ValueEnum as _;
    for format in FormatName::value_variants() {
        assert_eq!(serde_json::to_value(format).unwrap(), format.name());
    }
}

//! The attestation root of an owner who tests relying parties.

use softkey_authenticator::{AttestationFormat, AttestationRoot, RootName, RootValidity};
use softkey_ctap::Secret;

/// The root that makes these formats, by their identifiers.
pub(super) fn of(formats: &[&str]) -> AttestationRoot {
    let format = |name: &&str| match *name {
        "packed-self" => AttestationFormat::PackedSelf,
        name => {
            let mut all = AttestationFormat::ALL.into_iter();
            all.find(|format| format.identifier() == name).expect("a format")
        }
    };
    let formats: Vec<_> = formats.iter().map(format).collect();
    let name = RootName {
        country: "CH".to_owned(),
        organization: "An owner".to_owned(),
        common_name: "A test root".to_owned(),
    };
    let validity = RootValidity {
        not_before: "20260101000000Z".to_owned(),
        not_after: "20551231235959Z".to_owned(),
    };
    AttestationRoot::new(Secret::new([0x42; 32]), &name, &validity, &formats).expect("a root")
}

/// The root's own certificate, in DER.
#[must_use]
pub fn root_certificate() -> Vec<u8> {
    of(&["packed"]).certificate().to_vec()
}

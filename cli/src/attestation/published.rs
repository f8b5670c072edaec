//! The root whose private key is published here, for profiles with enterprise attestation: it shows testers what such an
//! attestation is like, and singles nobody out.

use std::sync::OnceLock;

use softkey_authenticator::{
    AttestationFormat, AttestationRoot, Enterprise, RootName, RootValidity,
};
use softkey_ctap::Secret;

/// No secret: whoever wants to can make what this root attests.
const PRIVATE_KEY: [u8; 32] = *b"softkey: this key is no secret..";
/// The same for every key.
const SERIAL_NUMBER: &[u8] = b"published";

/// What a profile's enterprise attestation is made with: the relying parties of mode 1 are these.
pub(crate) fn enterprise(aaguid: &[u8; 16], rp_ids: &[String]) -> Option<Enterprise> {
    root()?.enterprise(SERIAL_NUMBER, aaguid, rp_ids.to_vec())
}

/// The root; there always is one, as the tests show.
pub(crate) fn root() -> Option<&'static AttestationRoot> {
    static ROOT: OnceLock<Option<AttestationRoot>> = OnceLock::new();
    let make = || {
        let name = RootName {
            country: "ZZ".to_owned(),
            organization: "softkey".to_owned(),
            common_name: "softkey published test root".to_owned(),
        };
        let validity = RootValidity {
            not_before: "20260101000000Z".to_owned(),
            not_after: "20551231235959Z".to_owned(),
        };
        let formats = [AttestationFormat::Packed];
        AttestationRoot::new(Secret::new(PRIVATE_KEY), &name, &validity, &formats).ok()
    };
    ROOT.get_or_init(make).as_ref()
}

//! Every message of `ctap`, both ways.
//!
//! Claim: bytes that a message is read from are malformed if and only if the untyped reader says so; what was
//! read is written in canonical form, and reading that gives the same message; any message that can be made is
//! written in canonical form and read again as the same. Planted: a wire that turns `false` into `true`.

use arbitrary::{Arbitrary, Unstructured};
use softkey_ctap::auth_data::AuthenticatorData;
use softkey_ctap::cbor::{Decode, DecodeError, Encode, check, decode, encode};
use softkey_ctap::{
    attestation, bio_enrollment, client_pin, config, cose, credential_management, entities,
    extensions, get_assertion, get_info, large_blobs, make_credential,
};

use crate::{Subject, Tape};

/// The first byte picks the message; the rest is read as one, and used to make one.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let message = tape.pick(MESSAGES);
    message(tape.rest(), subject);
}

macro_rules! messages {
    ($($type:ty),* $(,)?) => {
        const MESSAGES: &[fn(&[u8], Subject)] = &[auth_data, $(|data, subject| {
            // Two names for one type: what is read and what is made borrow from different bytes.
            read::<$type>(data, subject, |bytes| {
                let again: Result<$type, DecodeError> = decode(bytes);
                again.map(|message| encode(&message))
            });
            if let Ok(made) = <$type>::arbitrary(&mut Unstructured::new(data)) {
                let bytes = wire(encode(&made), subject);
                assert_eq!(check(&bytes), Ok(()), "{made:?} is not written in canonical form");
                assert_eq!(decode::<$type>(&bytes).as_ref(), Ok(&made), "{bytes:02x?}");
            }
        }),*];
    };
}

messages! {
    entities::RelyingParty<'_>,
    entities::User<'_>,
    entities::Descriptor<'_>,
    entities::Parameters<'_>,
    cose::KeyAgreementKey<'_>,
    cose::PublicKey<'_>,
    make_credential::Request<'_>,
    make_credential::Options,
    make_credential::Response<'_>,
    get_assertion::Request<'_>,
    get_assertion::Response<'_>,
    get_info::Response<'_>,
    get_info::Options,
    client_pin::Request<'_>,
    client_pin::Response<'_>,
    credential_management::Request<'_>,
    credential_management::Params<'_>,
    credential_management::Response<'_>,
    bio_enrollment::Request<'_>,
    bio_enrollment::Params<'_>,
    bio_enrollment::Response<'_>,
    bio_enrollment::TemplateInfo<'_>,
    config::Request<'_>,
    config::SetMinPinLength<'_>,
    config::VendorPrototype,
    large_blobs::Request<'_>,
    large_blobs::Response<'_>,
    large_blobs::Entry<'_>,
    extensions::MakeCredentialInputs<'_>,
    extensions::MakeCredentialOutputs<'_>,
    extensions::GetAssertionInputs<'_>,
    extensions::GetAssertionOutputs<'_>,
    extensions::UnsignedOutputs<'_>,
    extensions::HmacSecretInput<'_>,
    extensions::LargeBlobSupport<'_>,
    extensions::LargeBlobAccess<'_>,
    extensions::LargeBlobOutput<'_>,
    attestation::AttestationObject<'_>,
    attestation::PackedStatement<'_>,
    attestation::FidoU2fStatement<'_>,
}

/// Reads a message and writes it again; `again` reads and writes what was written.
fn read<'b, T: Decode<'b> + Encode>(
    data: &'b [u8],
    subject: Subject,
    again: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
) {
    let message: Result<T, DecodeError> = decode(data);
    let malformed = matches!(message, Err(DecodeError::Malformed));
    assert_eq!(malformed, check(data).is_err(), "typed and untyped reading differ");
    if let Ok(message) = message {
        let bytes = wire(encode(&message), subject);
        assert_eq!(check(&bytes), Ok(()), "not written in canonical form");
        assert_eq!(again(&bytes), Ok(encode(&message)), "written and read again");
    }
}

/// Authenticator data have a form of their own.
fn auth_data(data: &[u8], subject: Subject) {
    if let Ok(parts) = AuthenticatorData::from_bytes(data) {
        let bytes = wire(parts.to_bytes(), subject);
        assert_eq!(AuthenticatorData::from_bytes(&bytes), Ok(parts));
    }
}

fn wire(mut bytes: Vec<u8>, subject: Subject) -> Vec<u8> {
    if subject == Subject::Planted {
        for byte in bytes.iter_mut().filter(|byte| **byte == 0xf4) {
            *byte = 0xf5;
        }
    }
    bytes
}

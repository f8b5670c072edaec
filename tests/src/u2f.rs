//! CTAP1 messages by the byte (FIDO U2F raw message formats 1.2).

use crate::status::word;
use crate::verify::{certificate_point, p256_verifies, split_certificate};

/// `U2F_REGISTER`.
pub const REGISTER: u8 = 0x01;
/// `U2F_AUTHENTICATE`.
pub const AUTHENTICATE: u8 = 0x02;
/// `U2F_VERSION`.
pub const VERSION: u8 = 0x03;

/// AUTHENTICATE: is the key handle known?
pub const CHECK_ONLY: u8 = 0x07;
/// AUTHENTICATE: sign, with a touch.
pub const ENFORCE: u8 = 0x03;
/// AUTHENTICATE: sign, touched or not.
pub const DONT_ENFORCE: u8 = 0x08;

/// An APDU in extended form, with Le.
#[must_use]
pub fn extended(ins: u8, p1: u8, data: &[u8]) -> Vec<u8> {
    let mut apdu = vec![0, ins, p1, 0, 0];
    if !data.is_empty() {
        apdu.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        apdu.extend(data);
    }
    apdu.extend([0, 0]);
    apdu
}

/// An APDU in short form, with Le.
#[must_use]
pub fn short(ins: u8, p1: u8, data: &[u8]) -> Vec<u8> {
    let mut apdu = vec![0, ins, p1, 0];
    if !data.is_empty() {
        apdu.push(u8::try_from(data.len()).unwrap());
        apdu.extend(data);
    }
    apdu.push(0);
    apdu
}

/// REGISTER for this application and challenge.
#[must_use]
pub fn register(application: &[u8; 32], challenge: &[u8; 32]) -> Vec<u8> {
    extended(REGISTER, 0, &[*challenge, *application].concat())
}

/// AUTHENTICATE with this control byte.
#[must_use]
pub fn authenticate(
    p1: u8,
    application: &[u8; 32],
    challenge: &[u8; 32],
    handle: &[u8],
) -> Vec<u8> {
    extended(AUTHENTICATE, p1, &authenticate_data(application, challenge, handle))
}

/// The data of AUTHENTICATE.
#[must_use]
pub fn authenticate_data(application: &[u8; 32], challenge: &[u8; 32], handle: &[u8]) -> Vec<u8> {
    let length = u8::try_from(handle.len()).unwrap();
    [challenge.as_slice(), application, &[length], handle].concat()
}

/// Splits an answer into data and status word.
#[must_use]
#[track_caller]
pub fn split(answer: &[u8]) -> (&[u8], u16) {
    let (data, sw) = answer.split_last_chunk::<2>().expect("an answer ends with a status word");
    (data, u16::from_be_bytes(*sw))
}

/// The status word of an answer that has no data.
#[must_use]
#[track_caller]
pub fn status_word(answer: &[u8]) -> u16 {
    let (data, sw) = split(answer);
    assert!(data.is_empty() || sw == word::NO_ERROR, "data beside {sw:#06x}");
    sw
}

/// A registration.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The uncompressed point of the new key.
    pub public_key: Vec<u8>,
    /// The key handle.
    pub handle: Vec<u8>,
    /// The attestation certificate.
    pub certificate: x509_cert::Certificate,
}

impl Registration {
    /// Takes the answer to REGISTER apart and verifies its signature.
    #[must_use]
    #[track_caller]
    pub fn parse(answer: &[u8], application: &[u8; 32], challenge: &[u8; 32]) -> Self {
        let (data, sw) = split(answer);
        assert_eq!(sw, word::NO_ERROR, "{sw:#06x}");
        assert_eq!(data[0], 0x05, "the reserved byte");
        let (public_key, rest) = data[1..].split_at(65);
        let (handle, rest) = rest[1..].split_at(usize::from(rest[0]));
        let (certificate, signature) = split_certificate(rest);
        let signed = [&[0], application.as_slice(), challenge, handle, public_key].concat();
        assert!(p256_verifies(&certificate_point(&certificate), &signed, signature), "signature");
        Self { public_key: public_key.to_vec(), handle: handle.to_vec(), certificate }
    }
}

/// Takes the answer to AUTHENTICATE apart, verifies its signature, and gives flags and counter.
#[must_use]
#[track_caller]
pub fn authentication(
    answer: &[u8],
    application: &[u8; 32],
    challenge: &[u8; 32],
    public_key: &[u8],
) -> (u8, u32) {
    let (data, sw) = split(answer);
    assert_eq!(sw, word::NO_ERROR, "{sw:#06x}");
    let (head, signature) = data.split_first_chunk::<5>().expect("flags and counter");
    let signed = [application.as_slice(), head, challenge].concat();
    assert!(p256_verifies(public_key, &signed, signature), "signature");
    (head[0], u32::from_be_bytes(head[1..].try_into().unwrap()))
}

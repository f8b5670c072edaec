//! Words for the fuzzer to build with, made from the message tables and not kept beside them.

use softkey_ctap::cbor::{Encoder, Key};
use softkey_ctap::{
    attestation, bio_enrollment, client_pin, config, cose, credential_management, entities,
    extensions, get_assertion, get_info, large_blobs, make_credential,
};
use softkey_tests::request::{command, cp};
use softkey_tests::{Request, cbor::Value};

/// For targets whose language is a tape of choices.
#[must_use]
pub fn none() -> Vec<Vec<u8>> {
    Vec::new()
}

macro_rules! keys {
    ($($type:ty),* $(,)?) => {
        [$(<$type>::KEYS),*]
    };
}

/// Every key of every message, encoded, and heads that open and end what CTAP2 has.
#[must_use]
pub fn messages() -> Vec<Vec<u8>> {
    let tables = keys![
        entities::RelyingParty<'_>,
        entities::User<'_>,
        entities::Descriptor<'_>,
        entities::Parameters<'_>,
        cose::KeyAgreementKey<'_>,
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
        config::Request<'_>,
        config::SetMinPinLength<'_>,
        large_blobs::Request<'_>,
        large_blobs::Response<'_>,
        large_blobs::Entry<'_>,
        extensions::MakeCredentialInputs<'_>,
        extensions::GetAssertionInputs<'_>,
        extensions::LargeBlobOutput<'_>,
        attestation::AttestationObject<'_>,
        attestation::PackedStatement<'_>,
    ];
    let heads = [&[0xA0][..], &[0x80], &[0xF4], &[0xF5], &[0xF6], &[0x58, 0x20], &[0x50], &[0xBF]];
    let mut words: Vec<Vec<u8>> = tables.into_iter().flatten().map(encoded).collect();
    words.extend(heads.iter().map(|head| head.to_vec()));
    words.push(Value::from("public-key").encode());
    sorted(words)
}

/// Requests that mean something, whole, and the words of their messages.
#[must_use]
pub fn requests() -> Vec<Vec<u8>> {
    let mut requests = vec![
        Request::make_credential(),
        Request::make_credential().discoverable(),
        Request::get_assertion("example.com"),
        Request::credential_management(1),
        Request::config(2),
    ];
    requests.extend([cp::GET_PIN_RETRIES, cp::GET_KEY_AGREEMENT].map(Request::client_pin));
    let bare = [command::GET_INFO, command::RESET, command::GET_NEXT_ASSERTION, command::SELECTION];
    requests.extend(bare.map(Request::bare));
    let words = requests.iter().map(|request| {
        let bytes = request.bytes();
        let length = u16::try_from(bytes.len()).unwrap();
        [&[0], &length.to_be_bytes()[..], &bytes].concat()
    });
    sorted(words.chain(messages()).collect())
}

/// What identity providers answer.
#[must_use]
pub fn provider() -> Vec<Vec<u8>> {
    let words = [
        "{\"accounts\":[{\"id\":\"1\",\"name\":\"x\"}]}",
        "{\"token\":",
        "{\"error\":{\"error\":\"access_denied\",\"url\":\"/e\"}}",
        "{\"continue_on\":\"/c\"}",
        "\"approved_clients\":[\"client\"]",
        "\"login_hints\":[\"ada\"]",
        "\"picture\":\"/p\"",
        "application/json",
        "https://login.idp.example/",
        "https://rp.example",
        "https://idp.example/",
        "http://localhost/",
        "true",
        "null",
        "[]",
        "*",
    ];
    sorted(words.iter().map(|word| word.as_bytes().to_vec()).collect())
}

/// Members and values of the options that a page gives.
#[must_use]
pub fn json() -> Vec<Vec<u8>> {
    let words = [
        "\"publicKey\":",
        "\"rp\":",
        "\"rpId\":",
        "\"id\":",
        "\"name\":",
        "\"user\":",
        "\"displayName\":",
        "\"challenge\":",
        "\"pubKeyCredParams\":",
        "\"type\":\"public-key\"",
        "\"alg\":-7",
        "\"timeout\":",
        "\"excludeCredentials\":",
        "\"allowCredentials\":",
        "\"authenticatorSelection\":",
        "\"residentKey\":\"required\"",
        "\"requireResidentKey\":true",
        "\"userVerification\":\"required\"",
        "\"attestation\":\"direct\"",
        "\"attestationFormats\":",
        "\"extensions\":",
        "\"credProps\":true",
        "\"transports\":",
        "null",
        "AQID",
        "\\u0000",
        "https://",
        "example.org",
        "localhost",
    ];
    sorted(words.iter().map(|word| word.as_bytes().to_vec()).collect())
}

/// A dictionary file of libFuzzer: one word a line, in quotes, every byte escaped that is not a plain letter.
#[must_use]
pub fn file(words: &[Vec<u8>]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for word in words {
        text.push('"');
        for byte in word {
            if byte.is_ascii_alphanumeric() {
                text.push(char::from(*byte));
            } else {
                write!(text, "\\x{byte:02X}").unwrap();
            }
        }
        text.push_str("\"\n");
    }
    text
}

fn encoded(key: &Key<'static>) -> Vec<u8> {
    let mut encoder = Encoder::new();
    match key {
        Key::Int(number) => encoder.integer(*number),
        Key::Text(text) => encoder.text(text),
    }
    encoder.into_bytes()
}

fn sorted(mut words: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    words.sort();
    words.dedup();
    // libFuzzer takes words of at most 64 bytes.
    words.retain(|word| word.len() <= 64);
    words
}

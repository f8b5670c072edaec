//! Authenticator data and public keys: every form both ways, and every way to be wrong.

use proptest::prelude::*;
use softkey_ctap::auth_data::{AttestedCredential, AuthenticatorData, Flags};
use softkey_ctap::cbor::{DecodeError, Raw, decode, encode};
use softkey_ctap::cose::{PublicKey, algorithm, key};

use crate::vectors::unhex;

const ES256: PublicKey<'_> =
    PublicKey::Ec2 { alg: algorithm::ES256, crv: key::P256, x: &[1; 32], y: &[2; 32] };

fn credential(credential_id: &[u8]) -> AttestedCredential<'_> {
    AttestedCredential { aaguid: [0xaa; 16], credential_id, public_key: ES256 }
}

fn data<'b>(
    attested: Option<AttestedCredential<'b>>,
    extensions: Option<Raw<'b>>,
) -> AuthenticatorData<'b> {
    let flags = Flags::USER_PRESENT
        .with_if(attested.is_some(), Flags::ATTESTED)
        .with_if(extensions.is_some(), Flags::EXTENSIONS);
    AuthenticatorData { rp_id_hash: [7; 32], flags, sign_count: 0x0102_0304, attested, extensions }
}

const OUTPUTS: Raw<'static> = Raw(b"\xa1\x68credBlob\xf5");

#[test]
fn fields_stand_where_the_standard_has_them() {
    let bytes = data(None, None).to_bytes();
    assert_eq!(bytes, [&[7; 32][..], &[0x01], &[1, 2, 3, 4]].concat());
    let bytes = data(None, Some(OUTPUTS)).to_bytes();
    assert_eq!(bytes, [&[7; 32][..], &[0x81], &[1, 2, 3, 4], OUTPUTS.0].concat());
    let bytes = data(Some(credential(&[5; 300])), Some(OUTPUTS)).to_bytes();
    let key = "a5010203262001215820".to_owned() + &"01".repeat(32) + "225820" + &"02".repeat(32);
    let parts: [&[u8]; 8] = [
        &[7; 32],
        &[0xc1],
        &[1, 2, 3, 4],
        &[0xaa; 16],
        &[0x01, 0x2c],
        &[5; 300],
        &unhex(&key),
        OUTPUTS.0,
    ];
    assert_eq!(bytes, parts.concat());
}

/// AT and ED say what is there, whatever the caller set.
#[test]
fn two_flags_follow_the_content() {
    let wrong = AuthenticatorData { flags: Flags(0xff), ..data(None, None) };
    assert_eq!(wrong.to_bytes()[32], 0x3f);
    let wrong =
        AuthenticatorData { flags: Flags(0), ..data(Some(credential(&[5])), Some(OUTPUTS)) };
    assert_eq!(wrong.to_bytes()[32], 0xc0);
}

#[test]
fn cut_anywhere_it_is_refused() {
    for whole in [data(None, None), data(Some(credential(&[5; 20])), None)] {
        let bytes = whole.to_bytes();
        assert_eq!(AuthenticatorData::from_bytes(&bytes), Ok(whole));
        let key_starts = bytes.len().min(37 + 18 + 20);
        for end in 0..bytes.len() {
            // Before the public key lengths are wrong; inside it is CBOR that ends too early.
            let wanted =
                if end < key_starts { DecodeError::Length } else { DecodeError::Malformed };
            assert_eq!(AuthenticatorData::from_bytes(&bytes[..end]), Err(wanted), "{end} bytes");
        }
        let longer = [&bytes[..], &[0xa0]].concat();
        assert_eq!(AuthenticatorData::from_bytes(&longer), Err(DecodeError::Length));
    }
}

#[test]
fn credential_identifiers_have_at_most_1023_bytes() {
    for len in [0, 1, 1023] {
        let id = vec![5; len];
        let whole = data(Some(credential(&id)), None);
        assert_eq!(AuthenticatorData::from_bytes(&whole.to_bytes()), Ok(whole), "{len}");
    }
    for len in [1024, 65535] {
        let bytes = data(Some(credential(&vec![5; len])), None).to_bytes();
        assert_eq!(AuthenticatorData::from_bytes(&bytes), Err(DecodeError::Length), "{len}");
    }
}

#[test]
fn extension_outputs_are_one_canonical_map() {
    let with = |outputs: &[u8]| {
        let bytes = data(Some(credential(&[5])), Some(Raw(outputs))).to_bytes();
        AuthenticatorData::from_bytes(&bytes).map(|data| data.extensions.map(|raw| raw.0.to_vec()))
    };
    assert_eq!(with(OUTPUTS.0), Ok(Some(OUTPUTS.0.to_vec())));
    // Not for authenticators to send, but nothing is wrong with it either.
    assert_eq!(with(&[0xa0]), Ok(Some(vec![0xa0])));
    let malformed: [&[u8]; 4] =
        [&[], &[0xa1], &[0xa0, 0xa0], &[0xa2, 0x61, b'b', 0x01, 0x61, b'a', 0x01]];
    for outputs in malformed {
        assert_eq!(with(outputs), Err(DecodeError::Malformed), "{outputs:02x?}");
    }
    for outputs in [&[0x01][..], &[0x20], &[0x40], &[0x60], &[0x80], &[0xf5], &[0xf6]] {
        assert_eq!(with(outputs), Err(DecodeError::UnexpectedType), "{outputs:02x?}");
    }
}

/// The encodings of the standard, head by head.
#[test]
fn public_keys_are_written_as_the_standard_has_them() {
    let ec2 = |alg, crv, len: usize| PublicKey::Ec2 { alg, crv, x: &X[..len], y: &X[..len] };
    let coordinates = |len: usize| {
        [&[0x21, 0x58, byte(len)][..], &X[..len], &[0x22, 0x58, byte(len)], &X[..len]].concat()
    };
    let table = [
        (ec2(algorithm::ES256, 1, 32), "a50102032620 01", coordinates(32)),
        (ec2(algorithm::ESP256, 1, 32), "a50102032820 01", coordinates(32)),
        (ec2(algorithm::ES384, 2, 48), "a5010203382220 02", coordinates(48)),
        (ec2(algorithm::ES512, 3, 66), "a5010203382320 03", coordinates(66)),
        (ec2(algorithm::ES256K, 8, 32), "a5010203382e20 08", coordinates(32)),
        (
            PublicKey::Okp { alg: algorithm::EDDSA, crv: key::ED25519, x: &X[..32] },
            "a401010327200621 5820",
            X[..32].to_vec(),
        ),
        (
            PublicKey::Okp { alg: algorithm::ED25519, crv: key::ED25519, x: &X[..32] },
            "a401010332200621 5820",
            X[..32].to_vec(),
        ),
        (
            PublicKey::Rsa { alg: algorithm::RS256, n: &X[..256], e: &[1, 0, 1] },
            "a40103033901002059 0100",
            [&X[..256], &[0x21, 0x43, 1, 0, 1]].concat(),
        ),
        (
            PublicKey::Akp { alg: algorithm::ML_DSA_44, public: &X[..1312] },
            "a30107 03382f 20590520",
            X[..1312].to_vec(),
        ),
        (
            PublicKey::Akp { alg: algorithm::ML_DSA_65, public: &X[..1952] },
            "a30107 033830 205907a0",
            X[..1952].to_vec(),
        ),
        (
            PublicKey::Akp { alg: algorithm::ML_DSA_87, public: &X[..2592] },
            "a30107 033831 20590a20",
            X[..2592].to_vec(),
        ),
    ];
    for (key, head, rest) in table {
        let bytes = [unhex(&head.replace(' ', "")), rest].concat();
        assert_eq!(encode(&key), bytes, "{key:?}");
        assert_eq!(decode(&bytes), Ok(key));
    }
}

const X: [u8; 2592] = [0x5a; 2592];

fn byte(len: usize) -> u8 {
    u8::try_from(len).unwrap()
}

#[test]
fn public_keys_name_what_they_lack_and_what_is_of_another_type() {
    use DecodeError::{Malformed, Missing, UnexpectedType};
    let table: [(&str, DecodeError); 16] = [
        // EC2: each member missing
        ("a4 0326 2001 214101 224101", Missing),
        ("a4 0102 2001 214101 224101", Missing),
        ("a4 0102 0326 214101 224101", Missing),
        ("a4 0102 0326 2001 224101", Missing),
        ("a4 0102 0326 2001 214101", Missing),
        // and of another type: y as the sign of a compressed point, the curve as bytes
        ("a5 0102 0326 2001 214101 22f5", UnexpectedType),
        ("a5 0102 0326 204101 214101 224101", UnexpectedType),
        ("a5 016145 0326 2001 214101 224101", UnexpectedType),
        ("a5 0102 036145 2001 214101 224101", UnexpectedType),
        // OKP, RSA and AKP
        ("a3 0101 0327 2006", Missing),
        ("a3 0103 03390100 204101", Missing),
        ("a4 0103 03390100 2001 214101", UnexpectedType),
        ("a2 0107 03382f", Missing),
        // A key type that nobody knows, no map, out of order
        ("a3 0104 0326 204101", UnexpectedType),
        ("80", UnexpectedType),
        ("a5 0326 0102 2001 214101 224101", Malformed),
    ];
    for (hex, error) in table {
        let bytes = unhex(&hex.replace(' ', ""));
        assert_eq!(decode::<PublicKey<'_>>(&bytes), Err(error), "{hex}");
    }
    // Labels that the key type has not are passed over.
    let more = unhex("a8010203260480200121410122410223410338c8f5");
    let plain = PublicKey::Ec2 { alg: -7, crv: 1, x: &[1], y: &[2] };
    assert_eq!(decode(&more), Ok(plain));
}

proptest! {
    #[test]
    fn any_authenticator_data_go_both_ways(
        rp_id_hash in any::<[u8; 32]>(),
        flags in any::<u8>(),
        sign_count in any::<u32>(),
        aaguid in any::<[u8; 16]>(),
        id in prop::option::of(prop::collection::vec(any::<u8>(), 0..1024)),
        x in prop::collection::vec(any::<u8>(), 0..70),
        extensions in any::<bool>(),
    ) {
        let public_key = PublicKey::Okp { alg: -8, crv: 6, x: &x };
        let attested = id.as_ref().map(|id| AttestedCredential { aaguid, credential_id: id, public_key });
        let extensions = extensions.then_some(OUTPUTS);
        let flags = Flags(flags & 0x3f)
            .with_if(attested.is_some(), Flags::ATTESTED)
            .with_if(extensions.is_some(), Flags::EXTENSIONS);
        let data = AuthenticatorData { rp_id_hash, flags, sign_count, attested, extensions };
        let bytes = data.to_bytes();
        prop_assert_eq!(AuthenticatorData::from_bytes(&bytes), Ok(data));
    }

    /// Whatever is taken from noise is written as it was.
    #[test]
    fn noise_is_refused_or_kept(mut bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..2_u8) {
        if let Some(flags) = bytes.get_mut(32) {
            *flags = *flags & 0x3f | at << 7;
        }
        if let Ok(data) = AuthenticatorData::from_bytes(&bytes) {
            prop_assert_eq!(data.to_bytes(), bytes);
        }
    }
}

//! Authenticator data taken apart (CTAP 2.3, section 6.1; WebAuthn, section 6.1).

use crate::cbor::{Value, walk_prefix};

/// User presence was tested.
pub const UP: u8 = 0x01;
/// The user was verified.
pub const UV: u8 = 0x04;
/// The credential may be backed up.
pub const BE: u8 = 0x08;
/// The credential is backed up.
pub const BS: u8 = 0x10;
/// Attested credential data follows.
pub const AT: u8 = 0x40;
/// A map of extension outputs follows.
pub const ED: u8 = 0x80;

/// Authenticator data.
#[derive(Clone, Debug)]
pub struct AuthData {
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    /// SHA-256 of the relying party's identifier.
    pub rp_id_hash: [u8; 32],
    /// The flag bits.
    pub flags: u8,
    /// The signature counter.
    pub sign_count: u32,
    /// Present with [`AT`].
    pub attested: Option<Attested>,
    /// Present with [`ED`]: a map that is not empty.
    pub extensions: Option<Value>,
}

/// Attested credential data.
#[derive(Clone, Debug)]
pub struct Attested {
    /// The model.
    pub aaguid: [u8; 16],
    /// The credential's id.
    pub id: Vec<u8>,
    /// The credential's public key in COSE form.
    pub public_key: Value,
}

impl AuthData {
    /// Takes authenticator data apart to its last byte.
    ///
    /// The test fails if it is too short or too long, if a flag that is reserved is set, or BS without
    /// BE, if a part is not canonical CBOR, or if the map of extension outputs is empty.
    #[must_use]
    #[track_caller]
    pub fn parse(bytes: &[u8]) -> Self {
        let (fixed, mut rest) = bytes.split_at_checked(37).expect("authData of at least 37 bytes");
        let flags = fixed[32];
        assert_eq!(flags & !(UP | UV | BE | BS | AT | ED), 0, "reserved flags in {flags:#04x}");
        assert_ne!(flags & (BE | BS), BS, "backed up though not eligible: {flags:#04x}");
        let attested = (flags & AT != 0).then(|| Attested::parse(&mut rest));
        let extensions = (flags & ED != 0).then(|| {
            let (map, after) = walk_prefix(rest).expect("extension outputs are canonical");
            assert!(!map.entries().is_empty(), "an empty map of extension outputs");
            rest = after;
            map
        });
        assert!(rest.is_empty(), "{} bytes too many in authData", rest.len());
        Self {
            bytes: bytes.to_vec(),
            rp_id_hash: fixed[..32].try_into().unwrap(),
            flags,
            sign_count: u32::from_be_bytes(fixed[33..].try_into().unwrap()),
            attested,
            extensions,
        }
    }

    /// Is every one of these flags set?
    #[must_use]
    pub fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// The output of an extension, if there is one.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&Value> {
        self.extensions.as_ref().and_then(|outputs| outputs.at(name))
    }
}

impl Attested {
    #[track_caller]
    fn parse(rest: &mut &[u8]) -> Self {
        let (aaguid, after) = rest.split_at_checked(16).expect("an AAGUID");
        let (length, after) = after.split_at_checked(2).expect("a credential id length");
        let length = usize::from(u16::from_be_bytes(length.try_into().unwrap()));
        let (id, after) = after.split_at_checked(length).expect("a credential id");
        let (public_key, after) = walk_prefix(after).expect("the public key is canonical");
        *rest = after;
        Self { aaguid: aaguid.try_into().unwrap(), id: id.to_vec(), public_key }
    }
}

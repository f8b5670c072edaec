//! Authenticator data (WebAuthn Level 3, Authenticator Data): the bytes that are signed.

use alloc::vec::Vec;

use crate::cbor::{self, DecodeError, Decoder, Encode, Encoder, Raw, RawMap};
use crate::cose::PublicKey;

/// The flags of authenticator data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Flags(pub u8);

impl Flags {
    /// UP: user presence was shown.
    pub const USER_PRESENT: Self = Self(0x01);
    /// UV: the user was verified.
    pub const USER_VERIFIED: Self = Self(0x04);
    /// BE: the credential may be backed up.
    pub const BACKUP_ELIGIBLE: Self = Self(0x08);
    /// BS: the credential is backed up.
    pub const BACKUP_STATE: Self = Self(0x10);
    /// AT: attested credential data follow.
    pub const ATTESTED: Self = Self(0x40);
    /// ED: extension outputs follow.
    pub const EXTENSIONS: Self = Self(0x80);

    /// These flags and `other`, if `condition` holds.
    #[must_use]
    pub const fn with_if(self, condition: bool, other: Self) -> Self {
        if condition { Self(self.0 | other.0) } else { self }
    }

    /// These flags and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Are all flags of `other` set?
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Authenticator data in parts. AT and ED in `flags` are decided by what follows, whatever the caller set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatorData<'b> {
    /// SHA-256 of the relying party identifier.
    pub rp_id_hash: [u8; 32],
    /// The flags.
    pub flags: Flags,
    /// The signature counter.
    pub sign_count: u32,
    /// The new credential; at creation only.
    pub attested: Option<AttestedCredential<'b>>,
    /// The extension outputs: one encoded map. Authenticators send none that is empty.
    pub extensions: Option<Raw<'b>>,
}

/// Attested credential data (WebAuthn Level 3, Attested Credential Data).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedCredential<'b> {
    /// The authenticator's model.
    pub aaguid: [u8; 16],
    /// The credential identifier, at most 1023 bytes.
    pub credential_id: &'b [u8],
    /// The public key.
    pub public_key: PublicKey<'b>,
}

impl<'b> AuthenticatorData<'b> {
    /// The bytes: 37 without credential and extensions.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let flags = Flags(self.flags.0 & !(Flags::ATTESTED.0 | Flags::EXTENSIONS.0))
            .with_if(self.attested.is_some(), Flags::ATTESTED)
            .with_if(self.extensions.is_some(), Flags::EXTENSIONS);
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&self.rp_id_hash);
        bytes.push(flags.0);
        bytes.extend_from_slice(&self.sign_count.to_be_bytes());
        let mut encoder = Encoder::behind(bytes);
        if let Some(AttestedCredential { aaguid, credential_id, public_key }) = &self.attested {
            encoder.raw(aaguid);
            let len = u16::try_from(credential_id.len()).unwrap_or(u16::MAX);
            encoder.raw(&len.to_be_bytes());
            encoder.raw(credential_id);
            public_key.encode(&mut encoder);
        }
        if let Some(extensions) = &self.extensions {
            encoder.raw(extensions.0);
        }
        encoder.into_bytes()
    }

    /// Takes the bytes apart.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Length`] if they end before the public key or the extension outputs, go on behind the
    /// public key without ED set, or hold an identifier of over 1023 bytes. Otherwise what the public key or the
    /// extension outputs have wrong: [`DecodeError::Malformed`] if they end early or are not canonical,
    /// [`DecodeError::UnexpectedType`] if the outputs are not a map, and see [`PublicKey`].
    pub fn from_bytes(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        let (rp_id_hash, rest) = bytes.split_first_chunk().ok_or(DecodeError::Length)?;
        let (&[flags, a, b, c, d], rest) = rest.split_first_chunk().ok_or(DecodeError::Length)?;
        let flags = Flags(flags);
        let (attested, rest) = if flags.contains(Flags::ATTESTED) {
            let (attested, rest) = AttestedCredential::split(rest)?;
            (Some(attested), rest)
        } else {
            (None, rest)
        };
        let extensions = if flags.contains(Flags::EXTENSIONS) {
            let RawMap(map) = cbor::decode(rest)?;
            Some(Raw(map))
        } else if rest.is_empty() {
            None
        } else {
            return Err(DecodeError::Length);
        };
        let sign_count = u32::from_be_bytes([a, b, c, d]);
        Ok(Self { rp_id_hash: *rp_id_hash, flags, sign_count, attested, extensions })
    }
}

impl<'b> AttestedCredential<'b> {
    /// The longest credential identifier, in bytes.
    pub const MAX_CREDENTIAL_ID: usize = 1023;

    fn split(bytes: &'b [u8]) -> Result<(Self, &'b [u8]), DecodeError> {
        let (aaguid, rest) = bytes.split_first_chunk().ok_or(DecodeError::Length)?;
        let (len, rest) = rest.split_first_chunk().ok_or(DecodeError::Length)?;
        let len = usize::from(u16::from_be_bytes(*len));
        if len > Self::MAX_CREDENTIAL_ID {
            return Err(DecodeError::Length);
        }
        let (credential_id, rest) = rest.split_at_checked(len).ok_or(DecodeError::Length)?;
        let mut decoder = Decoder::new(rest);
        let public_key = cbor::decode(decoder.raw()?)?;
        Ok((Self { aaguid: *aaguid, credential_id, public_key }, decoder.rest()))
    }
}

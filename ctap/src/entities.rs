//! Who and what: relying party, user, credential descriptors and parameters (`CTAP` 2.3; the dictionaries of
//! WebAuthn Level 3).

use crate::cbor::{Decode, DecodeError, Decoder, Encode, Encoder, List};
use crate::message;

/// The one defined type of credential. Entries of lists that name another type are passed over.
pub const PUBLIC_KEY: &str = "public-key";

/// A relying party identifier: a domain name, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpId<'b>(&'b str);

impl<'b> RpId<'b> {
    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &'b str {
        self.0
    }
}

/// Empty text is [`DecodeError::Value`].
impl<'b> TryFrom<&'b str> for RpId<'b> {
    type Error = DecodeError;

    fn try_from(text: &'b str) -> Result<Self, DecodeError> {
        if text.is_empty() { Err(DecodeError::Value) } else { Ok(Self(text)) }
    }
}

impl<'b> Decode<'b> for RpId<'b> {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.text()?.try_into()
    }
}

impl Encode for RpId<'_> {
    fn encode(&self, into: &mut Encoder) {
        into.text(self.0);
    }
}

/// A user handle: 1 to 64 bytes of the relying party's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserId<'b>(&'b [u8]);

impl<'b> UserId<'b> {
    /// The longest user handle, in bytes.
    pub const MAX: usize = 64;

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &'b [u8] {
        self.0
    }
}

/// No bytes, or more than [`UserId::MAX`], are [`DecodeError::Length`].
impl<'b> TryFrom<&'b [u8]> for UserId<'b> {
    type Error = DecodeError;

    fn try_from(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        if (1..=Self::MAX).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(DecodeError::Length)
        }
    }
}

impl<'b> Decode<'b> for UserId<'b> {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.bytes()?.try_into()
    }
}

impl Encode for UserId<'_> {
    fn encode(&self, into: &mut Encoder) {
        into.bytes(self.0);
    }
}

#[cfg(feature = "arbitrary")]
impl<'b> arbitrary::Arbitrary<'b> for RpId<'b> {
    fn arbitrary(from: &mut arbitrary::Unstructured<'b>) -> arbitrary::Result<Self> {
        Ok(<&str>::arbitrary(from)?.try_into().unwrap_or(Self("example.com")))
    }
}

#[cfg(feature = "arbitrary")]
impl<'b> arbitrary::Arbitrary<'b> for UserId<'b> {
    fn arbitrary(from: &mut arbitrary::Unstructured<'b>) -> arbitrary::Result<Self> {
        Ok(<&[u8]>::arbitrary(from)?.try_into().unwrap_or(Self(&[1])))
    }
}

message! {
    /// `PublicKeyCredentialRpEntity`.
    #[derive(Copy)]
    pub struct RelyingParty<'b>: Text {
        /// The relying party identifier.
        "id" => id: required RpId<'b>,
        /// A name for people.
        "name" => name: optional &'b str,
    }
}

message! {
    /// `PublicKeyCredentialUserEntity`.
    #[derive(Copy)]
    pub struct User<'b>: Text {
        /// The user handle.
        "id" => id: required UserId<'b>,
        /// The account's name.
        "name" => name: optional &'b str,
        /// The person's name.
        "displayName" => display_name: optional &'b str,
    }
}

message! {
    /// `PublicKeyCredentialDescriptor`: names one credential.
    pub struct Descriptor<'b>: Text, missing = UnexpectedType {
        /// The credential identifier. Authenticators make at most 1023 bytes; longer ones are not refused here.
        "id" => id: required &'b [u8],
        /// [`PUBLIC_KEY`], or a type that nobody has defined yet.
        "type" => kind: required &'b str,
        /// How the authenticator was reached when the credential was made. Authenticators ignore it.
        "transports" => transports: optional List<'b, &'b str>,
    }
}

impl<'b> Descriptor<'b> {
    /// Names the public-key credential with this identifier.
    #[must_use]
    pub const fn public_key(id: &'b [u8]) -> Self {
        Self { id, kind: PUBLIC_KEY, transports: None }
    }
}

message! {
    /// `PublicKeyCredentialParameters`: one algorithm the relying party takes.
    #[derive(Copy)]
    pub struct Parameters<'b>: Text {
        /// The COSE algorithm identifier.
        "alg" => alg: required i64,
        /// [`PUBLIC_KEY`], or a type that nobody has defined yet.
        "type" => kind: required &'b str,
    }
}

//! The one wrapper for secret bytes.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::cbor::{Decode, DecodeError, Decoder, Encode, Encoder};

/// `N` secret bytes: wiped when dropped, compared in constant time, never printed.
///
/// The bytes leave through [`Secret::expose`] alone, so that a search for that word finds every exit.
#[derive(Clone)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Wraps these bytes. The caller wipes other copies.
    #[must_use]
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// `N` bytes made in place, so that no copy stays behind.
    ///
    /// # Errors
    ///
    /// What `fill` gives; the half-made secret is wiped.
    pub fn try_make<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self([0; N]);
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// Wraps a copy of `bytes` if there are exactly `N`.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes themselves.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A byte string of exactly `N` bytes: secrets in stored records, which are sealed.
impl<'b, const N: usize> Decode<'b> for Secret<N> {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        Self::from_slice(from.bytes()?).ok_or(DecodeError::Length)
    }
}

impl<const N: usize> Encode for Secret<N> {
    fn encode(&self, into: &mut Encoder) {
        into.bytes(self.expose());
    }
}

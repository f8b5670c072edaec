//! ML-DSA (FIPS 204): pure, deterministic, with an empty context.

use alloc::vec::Vec;

use ml_dsa::signature::MultipartSigner;
use ml_dsa::{Keypair, MlDsaParams, SigningKey};
use softkey_ctap::Secret;
use zeroize::Zeroizing;

use super::PublicKey;
use crate::keys::expand;
use crate::refusal::Refusal;

/// A parameter set, and what its seeds are derived by name of.
pub(crate) trait Named: MlDsaParams {
    const LABEL: &'static [u8];
}

impl Named for ml_dsa::MlDsa44 {
    const LABEL: &'static [u8] = b"ML-DSA-44";
}

impl Named for ml_dsa::MlDsa65 {
    const LABEL: &'static [u8] = b"ML-DSA-65";
}

impl Named for ml_dsa::MlDsa87 {
    const LABEL: &'static [u8] = b"ML-DSA-87";
}

/// The expanded key, tens of kilobytes of it on the heap. It wipes itself.
pub(crate) struct MlDsaKey<P: Named>(SigningKey<P>);

impl<P: Named> MlDsaKey<P> {
    pub(super) fn from_seed(seed: &Secret<32>) -> Self {
        let mut xi = Zeroizing::new(ml_dsa::B32::default());
        xi.copy_from_slice(expand(seed, &[P::LABEL]).expose());
        Self(SigningKey::from_seed(&xi))
    }

    pub(super) fn public(&self) -> PublicKey {
        PublicKey::MlDsa(self.0.verifying_key().encode().to_vec())
    }

    pub(super) fn sign(&self, message: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        let signature = self.0.try_multipart_sign(message).map_err(|_| Refusal::Signature)?;
        Ok(signature.encode().to_vec())
    }
}

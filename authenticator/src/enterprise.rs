//! Enterprise attestation: what the owner gives for it, and who gets it (`CTAP` 2.3, enterprise attestation).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use p256::NonZeroScalar;
use rand_core::TryCryptoRng;
use softkey_ctap::Secret;

use crate::authenticator::Authenticator;
use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::store::Store;

/// A key and a certificate that single this authenticator out, and the relying parties that may learn it without
/// the platform's word. It is never made by itself: whoever puts it into the configuration gives up being one of
/// many.
#[derive(Clone, PartialEq, Eq)]
pub struct Enterprise {
    key: Secret<32>,
    certificate: Vec<u8>,
    rp_ids: Vec<String>,
}

impl Enterprise {
    /// A private key on P-256 (32 bytes, big-endian), its certificate in DER, and the identifiers of the relying
    /// parties for vendor-facilitated attestation. Nothing if the key is zero or not below the order of the group.
    #[must_use]
    pub fn new(key: Secret<32>, certificate: Vec<u8>, rp_ids: Vec<String>) -> Option<Self> {
        NonZeroScalar::try_from(key.expose().as_slice()).ok()?;
        Some(Self { key, certificate, rp_ids })
    }

    /// The relying parties for vendor-facilitated attestation.
    #[must_use]
    pub fn rp_ids(&self) -> &[String] {
        &self.rp_ids
    }

    pub(crate) const fn key(&self) -> &Secret<32> {
        &self.key
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }
}

/// The key stays out.
impl fmt::Debug for Enterprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enterprise").field("rp_ids", &self.rp_ids).finish_non_exhaustive()
    }
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// The option `ep`: can it be given, and is it turned on?
    pub(crate) fn enterprise_attestation(&self) -> Option<bool> {
        self.config.enterprise.as_ref().map(|_| self.settings.enterprise_attestation)
    }

    /// Is the attestation that this parameter of authenticatorMakeCredential asks for given to this relying party?
    pub(crate) fn grants_enterprise(
        &self,
        parameter: Option<u64>,
        rp_id: &str,
    ) -> Result<bool, Refusal> {
        const VENDOR_FACILITATED: u64 = 1;
        const PLATFORM_MANAGED: u64 = 2;
        // The parameter came with CTAP 2.1; before that it is one that is not known.
        let Some(parameter) = parameter.filter(|_| self.config.generation >= Generation::Ctap21)
        else {
            return Ok(false);
        };
        let enterprise = self.config.enterprise.as_ref();
        let enterprise = enterprise.filter(|_| self.settings.enterprise_attestation);
        let enterprise = enterprise.ok_or(Refusal::EnterpriseAttestation)?;
        match parameter {
            VENDOR_FACILITATED => Ok(enterprise.rp_ids.iter().any(|listed| listed == rp_id)),
            PLATFORM_MANAGED => Ok(true),
            _ => Err(Refusal::EnterpriseAttestationValue),
        }
    }
}

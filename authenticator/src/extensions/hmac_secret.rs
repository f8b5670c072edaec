//! hmac-secret: salts in, secrets of the credential out, all under the secret shared with the platform.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::extensions::HmacSecretInput;
use softkey_ctap::pin_uv::{Protocol, SharedSecret};
use zeroize::Zeroizing;

use crate::authenticator::Authenticator;
use crate::credential::Credential;
use crate::keys::prf;
use crate::refusal::Refusal;
use crate::store::Store;

/// The length of a salt and of what comes out for it, in bytes.
const SALT: usize = 32;

/// One salt or two, decrypted, with the secret to answer under.
pub(crate) struct Salts {
    shared: SharedSecret,
    salts: Zeroizing<Vec<u8>>,
}

impl Salts {
    /// The encrypted outputs for this credential: HMAC-SHA-256(CredRandom, salt) for each salt.
    pub(crate) fn outputs<R: TryCryptoRng>(
        &self,
        rng: &mut R,
        credential: &Credential,
        verified: bool,
    ) -> Result<Vec<u8>, Refusal> {
        let secret = credential.cred_random(verified);
        let mut outputs = Zeroizing::new(Vec::with_capacity(2 * SALT));
        for salt in self.salts.chunks(SALT) {
            outputs.extend_from_slice(prf(&secret, &[salt]).expose());
        }
        self.shared.encrypt(rng, &outputs).map_err(|_| Refusal::Entropy)
    }
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Steps 2 to 6 of hmac-secret: everything but its output.
    pub(crate) fn salts(
        &mut self,
        input: &HmacSecretInput<'_>,
        up: bool,
    ) -> Result<Salts, Refusal> {
        let number = input.pin_uv_auth_protocol.unwrap_or(Protocol::One.number());
        let protocol = self.config.protocol(number)?;
        if !up {
            return Err(Refusal::HmacSecretWithoutPresence);
        }
        let shared = self.shared_secret(protocol, &input.key_agreement)?;
        if !shared.verify(&[input.salt_enc], input.salt_auth) {
            return Err(Refusal::SaltAuth);
        }
        let salts = shared.decrypt(input.salt_enc).ok_or(Refusal::SaltLength)?;
        if matches!(salts.len(), SALT | 64) {
            Ok(Salts { shared, salts })
        } else {
            Err(Refusal::SaltLength)
        }
    }
}

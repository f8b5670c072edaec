//! The random numbers of ceremonies: a generator seeded by the owner, so that a ceremony can be replayed.

use core::convert::Infallible;

use chacha20::ChaCha20Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};
use softkey_ctap::Secret;

/// A `ChaCha20` generator. One seed serves one ceremony, or several one after the other; never two at once.
pub struct Entropy(ChaCha20Rng);

impl Entropy {
    /// The generator with this seed. Whoever knows the seed can read the PIN off the wire.
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        Self(ChaCha20Rng::from_seed(*seed.expose()))
    }

    /// A generator seeded by the operating system.
    ///
    /// # Errors
    ///
    /// What the operating system gives; it is not known to fail on a machine that has started.
    pub fn from_system() -> Result<Self, getrandom::Error> {
        Secret::try_make(|seed| getrandom::fill(seed)).map(|seed| Self::from_seed(&seed))
    }

    /// A generator of its own for a part of the work.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        let Ok(seed) = Secret::try_make(|seed| self.0.try_fill_bytes(seed));
        Self::from_seed(&seed)
    }
}

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(dst)
    }
}

impl TryCryptoRng for Entropy {}

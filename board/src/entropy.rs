//! From a chip's noise to bytes that keys may be made of: health tests, conditioning, and a generator that is seeded
//! again and again.
//!
//! The tests are those of NIST SP 800-90B, 4.4, over the raw bytes of the source: nothing is drawn from it that they have
//! not seen. A source that fails once is not asked again before the next start.

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _, TryCryptoRng, TryRng};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A chip's source of noise, before anybody has conditioned it.
pub trait Noise {
    /// What the source is trusted with.
    const CLAIM: Claim;

    /// Draws raw bytes, in bounded time.
    ///
    /// # Errors
    ///
    /// [`NoiseFailed`] where the source gives none.
    fn draw(&mut self, raw: &mut [u8]) -> Result<(), NoiseFailed>;
}

/// How much entropy a raw byte of a source is counted for, and what follows from that: with one false alarm in 2^20
/// samples, the cutoffs of both tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// This many equal bytes in a row are a failure (4.4.1).
    repetition: u16,
    /// The first byte of a window this often in it is a failure (4.4.2).
    proportion: u16,
    /// The raw bytes of a seed: twice the 256 bits that it must have, and never less than a start-up test takes.
    bytes: u16,
}

impl Claim {
    /// One bit in a byte: for sources that a vendor calls a generator of true random numbers.
    pub const ONE_BIT: Self = Self { repetition: 21, proportion: 311, bytes: 1024 };
    /// A quarter of a bit in a byte: for a free-running oscillator.
    pub const QUARTER_BIT: Self = Self { repetition: 81, proportion: 468, bytes: 2048 };
}

/// The bytes of a window of the adaptive proportion test, for samples that are not binary.
const WINDOW: u16 = 512;

/// The noise does not look like noise: there is no entropy, and so no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoiseFailed;

impl core::fmt::Display for NoiseFailed {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("the source of entropy fails its health test")
    }
}

impl core::error::Error for NoiseFailed {}

/// Both continuous health tests, with what they remember between samples.
#[derive(Clone, Debug)]
pub struct Health {
    claim: Claim,
    last: Option<u8>,
    repeated: u16,
    first: u8,
    seen: u16,
    equal: u16,
}

impl Health {
    /// Tests that have seen nothing yet.
    #[must_use]
    pub const fn new(claim: Claim) -> Self {
        Self { claim, last: None, repeated: 0, first: 0, seen: 0, equal: 0 }
    }

    /// Looks at the next raw byte.
    ///
    /// # Errors
    ///
    /// [`NoiseFailed`] where one of the tests fails.
    pub fn see(&mut self, sample: u8) -> Result<(), NoiseFailed> {
        self.repeated = if self.last == Some(sample) { self.repeated.saturating_add(1) } else { 1 };
        self.last = Some(sample);
        if self.seen == 0 {
            (self.first, self.equal) = (sample, 0);
        }
        self.equal += u16::from(sample == self.first);
        self.seen = (self.seen + 1) % WINDOW;
        let failed = self.repeated >= self.claim.repetition || self.equal >= self.claim.proportion;
        if failed { Err(NoiseFailed) } else { Ok(()) }
    }
}

/// A generator over `ChaCha20` that forgets what it gave: each request moves it to a key of its own (fast key erasure),
/// and after a number of requests fresh noise comes in.
///
/// Its error is [`NoiseFailed`]: a key whose source fails later makes no more keys.
#[derive(Debug)]
pub struct Drbg<N> {
    noise: N,
    health: Health,
    key: Zeroizing<[u8; 32]>,
    /// Has the source failed? It is not asked again then.
    failed: bool,
    /// Requests until fresh noise is due.
    left: u16,
}

impl<N: Noise> Drbg<N> {
    /// Requests that one seed is good for.
    const REQUESTS: u16 = 1024;

    /// Tests the source and seeds the generator. `personal` goes in beside the noise: with the device's secret in it, one
    /// who knows the state of a weak source does not know what comes out.
    ///
    /// # Errors
    ///
    /// [`NoiseFailed`].
    pub fn start(noise: N, personal: &[u8]) -> Result<Self, NoiseFailed> {
        let health = Health::new(N::CLAIM);
        let mut drbg = Self { noise, health, key: Zeroizing::new([0; 32]), failed: false, left: 0 };
        drbg.reseed(personal)?;
        Ok(drbg)
    }

    /// Brings fresh noise in, and `personal`, beside what is known already.
    ///
    /// # Errors
    ///
    /// [`NoiseFailed`]; nothing can be drawn any more then.
    pub fn reseed(&mut self, personal: &[u8]) -> Result<(), NoiseFailed> {
        if self.failed {
            return Err(NoiseFailed);
        }
        // Until all of it has been seen.
        self.failed = true;
        let mut hash = Sha256::new_with_prefix(b"softkey/1 seed");
        hash.update(self.key.as_slice());
        hash.update(personal);
        let mut raw = Zeroizing::new([0; 64]);
        for _ in 0..N::CLAIM.bytes.div_ceil(64) {
            self.noise.draw(raw.as_mut_slice())?;
            for sample in raw.iter() {
                self.health.see(*sample)?;
            }
            hash.update(raw.as_slice());
        }
        self.key.copy_from_slice(&hash.finalize());
        (self.failed, self.left) = (false, Self::REQUESTS);
        Ok(())
    }
}

impl<N: Noise> TryRng for Drbg<N> {
    type Error = NoiseFailed;

    fn try_next_u32(&mut self) -> Result<u32, NoiseFailed> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, NoiseFailed> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), NoiseFailed> {
        if self.left == 0 {
            self.reseed(&[])?;
        }
        if self.failed {
            return Err(NoiseFailed);
        }
        let mut stream = ChaCha20Rng::from_seed(*self.key);
        stream.fill_bytes(self.key.as_mut_slice());
        stream.fill_bytes(into);
        self.left = self.left.saturating_sub(1);
        Ok(())
    }
}

impl<N: Noise> TryCryptoRng for Drbg<N> {}

#[cfg(test)]
mod tests;

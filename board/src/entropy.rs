//! From a chip's noise to bytes that keys may be made of: health tests, conditioning, and a generator that is seeded
//! again and again.
//!
//! The tests are those of NIST SP 800-90B, 4.4, over the raw bytes of the source: nothing is drawn from it that they have
//! not seen. A source that fails once is not asked again before the next start.

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _, TryCryptoRng, TryRng};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

/// A chip's source of noise, before anybody has conditioned it.
pub trait Noise {
    /// What the source is trusted with.
    const CLAIM: Claim;

    /// Draws raw bytes.
    fn draw(&mut self, raw: &mut [u8]);
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
    /// Requests until fresh noise is due; none where the source has failed.
    left: Option<u16>,
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
        let mut drbg = Self { noise, health, key: Zeroizing::new([0; 32]), left: None };
        drbg.reseed(personal)?;
        Ok(drbg)
    }

    /// Brings fresh noise in, and `personal`, beside what is known already.
    ///
    /// # Errors
    ///
    /// [`NoiseFailed`]; nothing can be drawn any more then.
    pub fn reseed(&mut self, personal: &[u8]) -> Result<(), NoiseFailed> {
        self.left = None;
        let mut hash = Sha256::new_with_prefix(b"softkey/1 seed");
        hash.update(self.key.as_slice());
        hash.update(personal);
        let mut raw = Zeroizing::new([0; 64]);
        for _ in 0..N::CLAIM.bytes.div_ceil(64) {
            self.noise.draw(raw.as_mut_slice());
            for sample in raw.iter() {
                self.health.see(*sample)?;
            }
            hash.update(raw.as_slice());
        }
        self.key.copy_from_slice(&hash.finalize());
        self.left = Some(Self::REQUESTS);
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
        match self.left {
            None => return Err(NoiseFailed),
            Some(0) => self.reseed(&[])?,
            Some(_) => {}
        }
        let mut stream = ChaCha20Rng::from_seed(*self.key);
        stream.fill_bytes(self.key.as_mut_slice());
        stream.fill_bytes(into);
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok(())
    }
}

impl<N: Noise> TryCryptoRng for Drbg<N> {}

impl<N> Drop for Drbg<N> {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    /// Good noise for a number of bytes, and then always the same byte.
    struct Script {
        good: ChaCha20Rng,
        left: usize,
    }

    fn lasting(bytes: usize) -> Script {
        Script { good: ChaCha20Rng::from_seed([7; 32]), left: bytes }
    }

    impl Noise for Script {
        const CLAIM: Claim = Claim::ONE_BIT;

        fn draw(&mut self, raw: &mut [u8]) {
            let good = raw.len().min(self.left);
            self.left -= good;
            let (noise, stuck) = raw.split_at_mut(good);
            self.good.fill_bytes(noise);
            stuck.fill(0x55);
        }
    }

    fn verdict(claim: Claim, samples: impl IntoIterator<Item = u8>) -> Result<(), NoiseFailed> {
        let mut health = Health::new(claim);
        samples.into_iter().try_for_each(|sample| health.see(sample))
    }

    /// SP 800-90B, 4.4.1: 1 + ceil(20 / H). 4.4.2: one more than the number that a binomial variable passes with a
    /// probability of at most 2^-20.
    #[test]
    fn the_cutoffs_are_those_of_the_standard() {
        for (claim, bits, repetition) in
            [(Claim::ONE_BIT, 1.0_f64, 21), (Claim::QUARTER_BIT, 0.25, 81)]
        {
            assert_eq!(claim.repetition, repetition);
            let (window, likely) = (f64::from(WINDOW), 0.5_f64.powf(bits));
            // The probabilities of 512, 511, 510... equal samples, each from the one before.
            let mut probability = likely.powf(window);
            let mut all = vec![probability];
            for fewer in 0..u32::from(WINDOW) {
                let fewer = f64::from(fewer);
                probability *= (window - fewer) / (fewer + 1.0) * (1.0 - likely) / likely;
                all.push(probability);
            }
            let beyond = |from: u16| -> f64 { all[..=usize::from(WINDOW - from)].iter().sum() };
            assert!(beyond(claim.proportion) <= 2.0_f64.powi(-20));
            assert!(beyond(claim.proportion - 1) > 2.0_f64.powi(-20));
            assert!(f64::from(claim.bytes) * bits >= 512.0 && claim.bytes >= 1024);
        }
    }

    #[test]
    fn a_stuck_source_fails_at_the_cutoff_and_not_before() {
        assert_eq!(verdict(Claim::ONE_BIT, [9; 20]), Ok(()));
        assert_eq!(verdict(Claim::ONE_BIT, [9; 21]), Err(NoiseFailed));
        let interrupted = [[9; 20], [8; 20]].concat();
        assert_eq!(verdict(Claim::ONE_BIT, interrupted), Ok(()));
    }

    #[test]
    fn a_source_with_a_favourite_fails_in_its_window() {
        // Two of three samples are the same, never more than two in a row.
        let biased =
            |count: usize| (0..count).map(|i| if i % 3 == 2 { i.to_le_bytes()[0] | 1 } else { 0 });
        assert_eq!(verdict(Claim::ONE_BIT, biased(400)), Ok(()));
        assert_eq!(verdict(Claim::ONE_BIT, biased(512)), Err(NoiseFailed));
        assert_eq!(verdict(Claim::QUARTER_BIT, biased(5120)), Ok(()));
    }

    #[test]
    fn a_window_is_counted_from_its_own_first_sample() {
        // 310 equal samples at the end of one window and 310 at the beginning of the next, in pairs.
        let pairs = |from: usize, to: usize| {
            (0..512).map(move |i| {
                if (from..to).contains(&i) && i % 3 != 2 { 0 } else { i.to_le_bytes()[0] | 1 }
            })
        };
        assert_eq!(verdict(Claim::ONE_BIT, pairs(200, 512).chain(pairs(0, 300))), Ok(()));
    }

    #[test]
    fn good_noise_passes_for_long() {
        let mut noise = vec![0; 1 << 20];
        ChaCha20Rng::from_seed([1; 32]).fill_bytes(&mut noise);
        assert_eq!(verdict(Claim::ONE_BIT, noise), Ok(()));
    }

    #[test]
    fn a_source_that_is_stuck_at_the_start_gives_no_generator() {
        assert_eq!(Drbg::start(lasting(0), b"").err(), Some(NoiseFailed));
        assert_eq!(Drbg::start(lasting(900), b"").err(), Some(NoiseFailed));
        assert!(Drbg::start(lasting(1024), b"").is_ok());
    }

    #[test]
    fn a_source_that_fails_later_stops_the_generator_for_good() {
        let mut drbg = Drbg::start(lasting(1024), b"").unwrap();
        for _ in 0..Drbg::<Script>::REQUESTS {
            drbg.try_next_u64().unwrap();
        }
        assert_eq!(drbg.try_next_u64(), Err(NoiseFailed));
        assert_eq!(drbg.try_next_u32(), Err(NoiseFailed));
        assert_eq!(drbg.reseed(b""), Err(NoiseFailed));
    }

    #[test]
    fn what_comes_out_depends_on_noise_and_person_and_never_repeats() {
        let draw = |noise: Script, personal: &[u8]| {
            let mut drbg = Drbg::start(noise, personal).unwrap();
            let mut bytes = [0; 40];
            drbg.try_fill_bytes(&mut bytes).unwrap();
            let first = bytes;
            drbg.try_fill_bytes(&mut bytes).unwrap();
            assert_ne!(first, bytes);
            first
        };
        let other = Script { good: ChaCha20Rng::from_seed([8; 32]), left: 4096 };
        let all: Vec<_> =
            vec![draw(lasting(4096), b""), draw(lasting(4096), b"secret"), draw(other, b"")];
        assert_eq!(all[0], draw(lasting(4096), b""));
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    }

    /// Who reads the generator's key learns nothing of what it gave before: the key has moved on.
    #[test]
    fn the_key_is_another_one_after_each_request() {
        let mut drbg = Drbg::start(lasting(4096), b"").unwrap();
        let before = drbg.key.clone();
        let mut given = [0; 32];
        drbg.try_fill_bytes(&mut given).unwrap();
        assert_ne!(*drbg.key, *before);
        assert_ne!(*drbg.key, given);
    }
}

//! Tests of the health tests and of the generator.

extern crate std;

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

use super::*;

/// Good noise for a number of bytes, then what `then` says.
struct Script {
    good: ChaCha20Rng,
    left: usize,
    then: Then,
    /// How often it was asked.
    draws: Rc<Cell<u32>>,
}

/// What comes of a source that was good.
#[derive(Clone, Copy)]
enum Then {
    /// Always the same byte.
    Stuck,
    /// Nothing.
    Silent,
}

fn lasting(bytes: usize) -> Script {
    Script {
        good: ChaCha20Rng::from_seed([7; 32]),
        left: bytes,
        then: Then::Stuck,
        draws: Rc::default(),
    }
}

impl Noise for Script {
    const CLAIM: Claim = Claim::ONE_BIT;

    fn draw(&mut self, raw: &mut [u8]) -> Result<(), NoiseFailed> {
        self.draws.set(self.draws.get() + 1);
        let good = raw.len().min(self.left);
        self.left -= good;
        let (noise, rest) = raw.split_at_mut(good);
        self.good.fill_bytes(noise);
        match self.then {
            Then::Silent if !rest.is_empty() => Err(NoiseFailed),
            _ => {
                rest.fill(0x55);
                Ok(())
            }
        }
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
    for (claim, bits, repetition) in [(Claim::ONE_BIT, 1.0_f64, 21), (Claim::QUARTER_BIT, 0.25, 81)]
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
    let pairs =
        |from: usize, to: usize| {
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

/// A source that looks good again after it failed is not believed, not even asked: for the draw as for the test.
#[test]
fn a_source_that_failed_once_is_not_asked_again() {
    for then in [Then::Stuck, Then::Silent] {
        let noise = Script { then, ..lasting(1024) };
        let draws = Rc::clone(&noise.draws);
        let mut drbg = Drbg::start(noise, b"").unwrap();
        assert_eq!(drbg.reseed(b""), Err(NoiseFailed));
        // It is good from here on.
        drbg.noise.left = usize::MAX;
        let asked = draws.get();
        assert_eq!(drbg.reseed(b""), Err(NoiseFailed));
        assert_eq!(drbg.try_next_u64(), Err(NoiseFailed));
        assert_eq!(draws.get(), asked);
    }
}

#[test]
fn a_source_that_gives_nothing_gives_no_generator() {
    let silent = |bytes| Script { then: Then::Silent, ..lasting(bytes) };
    assert_eq!(Drbg::start(silent(1000), b"").err(), Some(NoiseFailed));
    assert!(Drbg::start(silent(1024), b"").is_ok());
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
    let other = Script { good: ChaCha20Rng::from_seed([8; 32]), ..lasting(4096) };
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

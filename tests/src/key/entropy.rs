//! Seeded entropy with a switch to make it fail.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use chacha20::ChaCha20Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};

/// A handle on the source; clones share it.
#[derive(Clone)]
pub struct Entropy(Rc<RefCell<State>>);

struct State {
    seed: u64,
    power_ups: u64,
    source: ChaCha20Rng,
    failing: bool,
}

/// The source failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no entropy")
    }
}

impl std::error::Error for NoEntropy {}

impl Entropy {
    /// A source determined by `seed`.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let state = State { seed, power_ups: 0, source: source(seed, 0), failing: false };
        Self(Rc::new(RefCell::new(state)))
    }

    /// Starts over after a power cycle, with bytes that were not given before.
    pub fn reseed(&self) {
        let mut state = self.0.borrow_mut();
        state.power_ups += 1;
        state.source = source(state.seed, state.power_ups);
    }

    /// Makes the source fail, or work again.
    pub fn fail(&self, failing: bool) {
        self.0.borrow_mut().failing = failing;
    }

    fn draw<T>(&self, from: impl FnOnce(&mut ChaCha20Rng) -> T) -> Result<T, NoEntropy> {
        let mut state = self.0.borrow_mut();
        if state.failing { Err(NoEntropy) } else { Ok(from(&mut state.source)) }
    }
}

fn source(seed: u64, power_ups: u64) -> ChaCha20Rng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    bytes[8..16].copy_from_slice(&power_ups.to_be_bytes());
    ChaCha20Rng::from_seed(bytes)
}

impl TryRng for Entropy {
    type Error = NoEntropy;

    fn try_next_u32(&mut self) -> Result<u32, NoEntropy> {
        self.draw(rand_core::Rng::next_u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, NoEntropy> {
        self.draw(rand_core::Rng::next_u64)
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), NoEntropy> {
        self.draw(|source| rand_core::Rng::fill_bytes(source, into))
    }
}

impl TryCryptoRng for Entropy {}

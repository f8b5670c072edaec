//! The light: what the key is about, for somebody who sees one lamp.

use softkey_ctap::Instant;

/// What there is to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signal {
    /// Nothing.
    #[default]
    Idle,
    /// A request is in work.
    Working,
    /// Touch the button.
    Touch,
    /// Hold the button for five seconds.
    Hold,
    /// The key does not start: its entropy, its secret or its records are not as they must be.
    Broken,
}

/// How long a wink lasts, in milliseconds.
const WINK: u64 = 2000;

/// A lamp that is set every few milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Light {
    signal: Signal,
    winks_until: Option<Instant>,
}

impl Light {
    /// A lamp that tells nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { signal: Signal::Idle, winks_until: None }
    }

    /// Tells this from now on.
    pub const fn show(&mut self, signal: Signal) {
        self.signal = signal;
    }

    /// Answers `CTAPHID_WINK`: flickers for two seconds, whatever else there is to tell.
    pub fn wink(&mut self, now: Instant) {
        self.winks_until = Some(Instant::from_millis(now.as_millis().saturating_add(WINK)));
    }

    /// Is the lamp on?
    #[must_use]
    pub fn is_on(&self, now: Instant) -> bool {
        let millis = now.as_millis();
        if self.winks_until.is_some_and(|end| now < end) {
            return millis % 100 < 50;
        }
        match self.signal {
            Signal::Idle => false,
            Signal::Working => true,
            Signal::Touch => millis % 500 < 250,
            Signal::Hold => millis % 1000 < 900,
            // Two short flashes, and a pause.
            Signal::Broken => millis % 1500 < 400 && millis % 200 < 100,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::vec::Vec;

    use super::*;

    /// How often the lamp goes on in these milliseconds, and for how long in all.
    fn flashes(light: &Light, span: core::ops::Range<u64>) -> (usize, usize) {
        let on: Vec<bool> = span.map(|millis| light.is_on(Instant::from_millis(millis))).collect();
        let rises = on.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        (rises + usize::from(on[0]), on.iter().filter(|on| **on).count())
    }

    #[test]
    fn each_signal_looks_different() {
        let mut light = Light::new();
        let look = |signal| {
            light.show(signal);
            flashes(&light, 0..3000)
        };
        let looks =
            [Signal::Idle, Signal::Working, Signal::Touch, Signal::Hold, Signal::Broken].map(look);
        assert_eq!(looks, [(0, 0), (1, 3000), (6, 1500), (3, 2700), (4, 400)]);
    }

    #[test]
    fn a_wink_lasts_two_seconds_and_covers_the_rest() {
        let mut light = Light::new();
        light.show(Signal::Working);
        light.wink(Instant::from_millis(1000));
        assert_eq!(flashes(&light, 1000..3000), (20, 1000));
        assert_eq!(flashes(&light, 3000..4000), (1, 1000));
    }
}

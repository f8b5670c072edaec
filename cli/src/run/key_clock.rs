//! The clock that the authenticator goes by: the machine's, or one that stands still until the owner moves it.
//!
//! Touches, tokens and the time for a reset end by it. What a host sees of time, packets and keepalives, goes by the
//! machine's clock in either case: that host waits by its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use softkey_ctap::Instant;
use softkey_ctap_hid::WallClock;

/// A clock of an authenticator. All clones read the same.
#[derive(Clone, Debug)]
pub enum KeyClock {
    /// The machine's.
    Wall(WallClock),
    /// One that stands at this many milliseconds.
    Virtual(Arc<AtomicU64>),
}

impl KeyClock {
    /// A clock that stands at zero.
    #[must_use]
    pub fn standing() -> Self {
        Self::Virtual(Arc::default())
    }

    /// The reading now; it never runs backwards.
    #[must_use]
    pub fn now(&self) -> Instant {
        match self {
            Self::Wall(clock) => clock.now(),
            Self::Virtual(millis) => Instant::from_millis(millis.load(Ordering::SeqCst)),
        }
    }

    /// Does it stand still?
    #[must_use]
    pub const fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    /// Moves a clock that stands still to this reading, unless it is past it.
    pub(super) fn move_to(&self, reading: Instant) {
        if let Self::Virtual(millis) = self {
            millis.fetch_max(reading.as_millis(), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_only_goes_forwards_and_only_when_moved() {
        let clock = KeyClock::standing();
        let same = clock.clone();
        assert_eq!(clock.now(), Instant::default());
        clock.move_to(Instant::from_millis(30_000));
        clock.move_to(Instant::from_millis(20_000));
        assert_eq!(same.now(), Instant::from_millis(30_000));
    }
}

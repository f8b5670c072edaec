//! The clock reading that every state machine of the project takes as an argument.

use core::ops::{Add, AddAssign};
use core::time::Duration;

/// A reading of a monotonic clock: milliseconds since a start of the owner's choice.
///
/// Nothing in the `no_std` crates reads a clock; the owner passes readings in, and they must not run
/// backwards. Arithmetic saturates at the ends of the range, some 584 million years apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The reading `millis` milliseconds after the clock's start.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the clock's start.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if `earlier` is the later one.
    #[must_use]
    pub const fn duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        let millis = u64::try_from(later.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, later: Duration) {
        *self = *self + later;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let last = Instant::from_millis(u64::MAX);
        assert_eq!(last + Duration::from_secs(1), last);
        assert_eq!(Instant::default().duration_since(last), Duration::ZERO);
        let mut now = Instant::from_millis(5);
        now += Duration::from_millis(7);
        assert_eq!(now.as_millis(), 12);
        assert_eq!(now.duration_since(Instant::from_millis(2)), Duration::from_millis(10));
    }
}

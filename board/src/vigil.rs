//! When the watchdog may be fed.

use softkey_ctap::Instant;

/// Sees to it that thread mode gets on with its work, for the interrupt that feeds the watchdog.
///
/// The interrupt alone proves nothing: it would go on feeding while the authenticator hangs. So thread mode counts its
/// turns, and the dog is fed only while the count moves, or has not stood still for longer than the longest operation
/// takes.
#[derive(Clone, Debug)]
pub struct Vigil {
    limit: u64,
    turns: u32,
    moved: Option<Instant>,
}

impl Vigil {
    /// Thread mode may need so many milliseconds for one turn.
    #[must_use]
    pub const fn new(limit: u64) -> Self {
        Self { limit, turns: 0, moved: None }
    }

    /// Thread mode has made so many turns by now. May the dog be fed?
    pub fn may_feed(&mut self, now: Instant, turns: u32) -> bool {
        if self.turns != turns || self.moved.is_none() {
            (self.turns, self.moved) = (turns, Some(now));
        }
        self.moved.is_some_and(|moved| now.as_millis() - moved.as_millis() < self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_stands_still_starves_the_dog() {
        let mut vigil = Vigil::new(100);
        let mut may = |millis, turns| vigil.may_feed(Instant::from_millis(millis), turns);
        assert!(may(1000, 0), "not before it had time to begin");
        assert!(may(1099, 0));
        assert!(!may(1100, 0));
        assert!(may(1101, 1), "it goes on");
        assert!(may(1200, 1));
        assert!(!may(1201, 1));
        assert!(may(1202, 0), "the count may wrap");
    }
}

//! Signature counters that never run backwards and are seldom written.
//!
//! Storage holds a ceiling ahead of the counter. Signing is a write only when the counter reaches its ceiling,
//! once in [`LEASE`] signatures; after a power cycle the count goes on from the ceiling.

use alloc::vec::Vec;

/// How far ahead the ceiling is set.
pub(crate) const LEASE: u32 = 32;

/// How many counters of discoverable credentials are remembered between writes. One that is forgotten goes on
/// from its ceiling, as after a power cycle.
const REMEMBERED: usize = 32;

/// What is added to the leases of a ceiling that is stored, so that CBOR takes three bytes for them from the first to the
/// 65 000th: were a record to grow as its credential is used, a full store would refuse a sign-in some day.
const WIDE: u32 = 256;

/// A ceiling as a record has it.
pub(crate) fn stored(ceiling: u32) -> u64 {
    let leases = ceiling.div_ceil(LEASE);
    if leases == 0 { 0 } else { leases.saturating_add(WIDE).into() }
}

/// The ceiling of a record. Those of former builds, which have the ceiling itself, are never read as less.
pub(crate) fn from_stored(stored: u64) -> Option<u32> {
    let stored = u32::try_from(stored).ok()?;
    match stored.checked_sub(WIDE) {
        None | Some(0) => Some(stored),
        Some(leases) => Some(leases.saturating_mul(LEASE)),
    }
}

/// A counter and its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    last: u32,
    ceiling: u32,
}

/// The next count of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) lease: Lease,
    /// The ceiling that must be stored before the count is used.
    pub(crate) store: Option<u32>,
}

impl Next {
    pub(crate) const fn count(&self) -> u32 {
        self.lease.last
    }
}

impl Lease {
    /// The lease of a counter whose ceiling is stored: what was used before is not known.
    pub(crate) const fn resumed(ceiling: u32) -> Self {
        Self { last: ceiling, ceiling }
    }

    /// The lease of a new credential: nothing used, the first ceiling stored with it.
    pub(crate) const fn fresh() -> Self {
        Self { last: 0, ceiling: LEASE }
    }

    pub(crate) const fn last(self) -> u32 {
        self.last
    }

    /// One count further. At the end of its range the counter stands still.
    pub(crate) fn next(self) -> Next {
        let last = self.last.saturating_add(1);
        if last <= self.ceiling {
            return Next { lease: Self { last, ceiling: self.ceiling }, store: None };
        }
        let ceiling = self.ceiling.saturating_add(LEASE);
        Next { lease: Self { last, ceiling }, store: Some(ceiling) }
    }
}

/// The counters in use since power-up.
pub(crate) struct Counters {
    /// The one that wrapped and U2F credentials share.
    pub(crate) shared: Lease,
    /// By sequence number, the one used last at the end.
    own: Vec<(u64, Lease)>,
}

impl Counters {
    pub(crate) const fn new(shared: Lease) -> Self {
        Self { shared, own: Vec::new() }
    }

    /// The lease of a discoverable credential.
    pub(crate) fn own(&self, sequence: u64, stored_ceiling: u32) -> Lease {
        let remembered = self.own.iter().find(|(known, _)| *known == sequence);
        remembered.map_or(Lease::resumed(stored_ceiling), |(_, lease)| *lease)
    }

    pub(crate) fn remember(&mut self, sequence: u64, lease: Lease) {
        self.own.retain(|(known, _)| *known != sequence);
        if self.own.len() >= REMEMBERED {
            self.own.remove(0);
        }
        self.own.push((sequence, lease));
    }

    pub(crate) fn forget_own(&mut self) {
        self.own.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A write at the first count, then one in 32.
    #[test]
    fn one_signature_in_thirty_two_is_written() {
        let mut lease = Lease::resumed(0);
        let writes = (1..=100_u32)
            .filter(|count| {
                let next = lease.next();
                assert_eq!(next.count(), *count);
                lease = next.lease;
                next.store.is_some()
            })
            .collect::<Vec<_>>();
        assert_eq!(writes, [1, 33, 65, 97]);
    }

    #[test]
    fn a_new_credential_needs_no_write_for_its_first_lease() {
        let mut lease = Lease::fresh();
        for _ in 0..LEASE {
            let next = lease.next();
            assert_eq!(next.store, None);
            lease = next.lease;
        }
        assert_eq!(lease.next().store, Some(2 * LEASE));
    }

    /// A record that is written again is as long as before, however often its credential was used.
    #[test]
    fn stored_ceilings_are_equally_long() {
        for leases in [1, 7, 8, 9, 1000, 65_279] {
            let ceiling = leases * LEASE;
            assert!((0x100..0x1_0000).contains(&stored(ceiling)), "{leases}");
            assert_eq!(from_stored(stored(ceiling)), Some(ceiling));
        }
        for ceiling in [0, u32::MAX] {
            assert_eq!(from_stored(stored(ceiling)), Some(ceiling));
        }
        assert_eq!(from_stored(u64::from(u32::MAX) + 1), None);
        for former in (0..100_000).step_by(32) {
            assert!(from_stored(former.into()).unwrap() >= former, "{former}");
        }
    }

    #[test]
    fn a_forgotten_counter_goes_on_from_its_ceiling() {
        let mut counters = Counters::new(Lease::resumed(0));
        counters.remember(7, Lease::fresh().next().lease);
        assert_eq!(counters.own(7, LEASE).last(), 1);
        for sequence in 100..200 {
            counters.remember(sequence, Lease::fresh());
        }
        assert_eq!(counters.own(7, LEASE).last(), LEASE);
    }

    #[test]
    fn at_the_end_of_its_range_the_counter_stands_still() {
        let next = Lease::resumed(u32::MAX).next();
        assert_eq!((next.count(), next.store), (u32::MAX, None));
    }
}

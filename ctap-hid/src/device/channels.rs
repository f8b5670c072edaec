//! The table of allocated channels: numbers handed out, and the least recently used one given up when
//! the table is full.

use alloc::vec::Vec;

use crate::wire::ChannelId;

/// Allocated channels, at most `limit` of them.
pub(super) struct Channels {
    limit: usize,
    entries: Vec<Entry>,
    /// Counts uses; the entry with the smallest stamp is the least recently used.
    clock: u64,
    /// The last candidate for a new number.
    number: u32,
}

struct Entry {
    channel: ChannelId,
    last_use: u64,
}

/// The table is full and none of its channels may be given up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Channels {
    /// A `limit` of zero counts as one.
    pub(super) fn new(limit: usize, seed: u32) -> Self {
        Self { limit: limit.max(1), entries: Vec::new(), clock: 0, number: seed }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Notes a use of the channel; false if it is not allocated.
    pub(super) fn touch(&mut self, channel: ChannelId) -> bool {
        self.clock += 1;
        let clock = self.clock;
        match self.entries.iter_mut().find(|entry| entry.channel == channel) {
            Some(entry) => {
                entry.last_use = clock;
                true
            }
            None => false,
        }
    }

    /// A number that is not in use; [`Channels::insert`] allocates it.
    pub(super) fn unused_number(&mut self) -> ChannelId {
        loop {
            // A full-period generator: all 2^32 numbers come before one is repeated, so a number given
            // up stays away as long as possible from whoever still believes in it.
            self.number = self.number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let candidate = ChannelId::from_u32(self.number);
            if candidate.is_allocatable() && !self.contains(candidate) {
                return candidate;
            }
        }
    }

    /// Allocates a channel. When the table is full the least recently used one that `may_go` is given
    /// up and returned.
    pub(super) fn insert(
        &mut self,
        channel: ChannelId,
        may_go: impl Fn(ChannelId) -> bool,
    ) -> Result<Option<ChannelId>, Full> {
        let given_up =
            if self.entries.len() < self.limit { None } else { Some(self.evict(may_go)?) };
        self.clock += 1;
        self.entries.push(Entry { channel, last_use: self.clock });
        Ok(given_up)
    }

    /// Frees every channel and yields them.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = ChannelId> {
        self.entries.drain(..).map(|entry| entry.channel)
    }

    fn contains(&self, channel: ChannelId) -> bool {
        self.entries.iter().any(|entry| entry.channel == channel)
    }

    fn evict(&mut self, may_go: impl Fn(ChannelId) -> bool) -> Result<ChannelId, Full> {
        let oldest = self.entries.iter().enumerate().filter(|(_, entry)| may_go(entry.channel));
        let (index, _) = oldest.min_by_key(|(_, entry)| entry.last_use).ok_or(Full)?;
        Ok(self.entries.swap_remove(index).channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HID-44, with the seeds whose first candidates are the two forbidden numbers.
    #[test]
    fn numbers_are_never_zero_broadcast_or_in_use() {
        // The generator's step is undone to find the seed that leads to a given number.
        let inverse = 4_276_115_653_u32;
        for target in [0, u32::MAX] {
            let seed = target.wrapping_sub(1_013_904_223).wrapping_mul(inverse);
            let number = Channels::new(8, seed).unused_number();
            assert!(number.is_allocatable() && number.as_u32() != target);
        }
        let mut first = Channels::new(8, 1);
        let taken = first.unused_number();
        let mut second = Channels::new(8, 1);
        second.insert(taken, |_| true).unwrap();
        assert_ne!(second.unused_number(), taken);
    }

    /// HID-44.
    #[test]
    fn the_least_recently_used_channel_that_may_go_goes() {
        let [a, b, c, d] = [1, 2, 3, 4].map(ChannelId::from_u32);
        let mut table = Channels::new(2, 0);
        assert_eq!(table.insert(a, |_| true), Ok(None));
        assert_eq!(table.insert(b, |_| true), Ok(None));
        assert!(table.touch(a));
        assert_eq!(table.insert(c, |_| true), Ok(Some(b)));
        assert_eq!(table.insert(d, |channel| channel != a), Ok(Some(c)));
        assert_eq!(table.insert(b, |_| false), Err(Full));
        assert!(!table.touch(b) && table.len() == 2);
    }

    /// HID-44: a channel is in use from the moment it is there, so of those that nobody has used since the oldest goes.
    #[test]
    fn a_new_channel_has_just_been_used() {
        let channels = [1, 2, 3, 4, 5, 6].map(ChannelId::from_u32);
        let mut table = Channels::new(3, 0);
        let given_up = channels.map(|channel| table.insert(channel, |_| true));
        let [first, second, third, ..] = channels.map(|channel| Ok(Some(channel)));
        assert_eq!(given_up, [Ok(None), Ok(None), Ok(None), first, second, third]);
    }
}

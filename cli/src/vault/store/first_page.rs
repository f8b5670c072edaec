//! redb's first page: what it says of the states that a database can be in.

use std::ops::Range;

/// What is used of redb's first page: a byte of flags, and two slots of which one names the current state and
/// the other the one before it (redb's design document, *Database header*).
pub(super) struct FirstPage;

impl FirstPage {
    const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";
    const FLAGS: usize = 9;
    const SECOND_SLOT_IS_CURRENT: u8 = 1;
    const REPAIR: u8 = 2;
    const TWO_PHASES: u8 = 4;
    /// Sizes, in pages: of a region's head and of its rest, of which so many are full, and of the last rest.
    const SIZES: [usize; 4] = [16, 20, 24, 28];
    const SLOTS: [usize; 2] = [64, 192];
    /// Within a slot: where the tables of the state begin, which state it is, and the sum over the slot.
    const TABLES: Range<usize> = 8..40;
    const NUMBER: Range<usize> = 104..112;
    const SUM: Range<usize> = 112..128;

    /// The flags, and where the current slot and the other one are.
    fn slots(page: &[u8]) -> (u8, [usize; 2]) {
        let flags = page.get(Self::FLAGS).copied().unwrap_or(0);
        let [first, second] = Self::SLOTS;
        (
            flags,
            if flags & Self::SECOND_SLOT_IS_CURRENT == 0 {
                [first, second]
            } else {
                [second, first]
            },
        )
    }

    fn part(page: &[u8], slot: usize, part: Range<usize>) -> &[u8] {
        page.get(slot + part.start..slot + part.end).unwrap_or(&[])
    }

    /// Is this a database of redb's at all?
    pub(super) fn is_redb(page: &[u8]) -> bool {
        page.starts_with(Self::MAGIC)
    }

    /// How long the file was, in pages, when it was closed in order.
    pub(super) fn pages(page: &[u8]) -> Option<u64> {
        let (flags, _) = Self::slots(page);
        let [head, rest, full, last] = Self::SIZES.map(|at| {
            let field = page.get(at..at + 4).and_then(|field| field.try_into().ok());
            u64::from(field.map_or(0, u32::from_le_bytes))
        });
        let last = if last > 0 { head + last } else { 0 };
        let regions = (head + rest).checked_mul(full)?.checked_add(last)?.checked_add(1);
        regions.filter(|_| flags & Self::REPAIR == 0)
    }

    /// Was the current state written in two phases, so that no loss of power explains a fault in it?
    pub(super) fn two_phases(page: &[u8]) -> bool {
        Self::slots(page).0 & Self::TWO_PHASES != 0
    }

    /// Is there a newer state than the current one, and with other records? The slot of a new state and the
    /// flag that makes it the current one are written together, except where the records stay as they are.
    pub(super) fn current_is_old(page: &[u8]) -> bool {
        let (_, slots) = Self::slots(page);
        let [current, other] = slots.map(|slot| Self::part(page, slot, Self::NUMBER).iter().rev());
        let [current_tables, other_tables] = slots.map(|slot| Self::part(page, slot, Self::TABLES));
        other.gt(current) && other_tables != current_tables
    }

    /// The page with which redb sums up all pages before it trusts any, and finds no older state.
    pub(super) fn without_retreat(mut page: Vec<u8>) -> Vec<u8> {
        let (flags, [_, other]) = Self::slots(&page);
        if let Some(byte) = page.get_mut(Self::FLAGS) {
            *byte = (flags | Self::REPAIR) & !Self::TWO_PHASES;
        }
        if let Some(sum) = page.get_mut(other + Self::SUM.start..other + Self::SUM.end) {
            sum.fill(0);
        }
        page
    }
}

//! Collecting: what lives in a page is copied to the page that is being filled, and the page erased.
//!
//! Between the two a note (`DROP`) is appended that the page is as good as erased. Without it an interrupted
//! erasing could leave an old record without the deletion behind it.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use embedded_storage::nor_flash::NorFlash;
use softkey_authenticator::Key;

use crate::entry::{Body, DROP, LAST, MARK, PART, Part, Piece, checksum, sealed};
use crate::error::Error;
use crate::medium::{Medium, Record, Slot};
use crate::page::Page;
use crate::state::{State, charge};

/// A page that holds still is moved when another was erased so many times more.
const UNEVEN: u32 = 64;
/// The same while pages are erased one soon after the other.
const VERY_UNEVEN: u32 = 96;
/// So many batches come between an erase and the moving of a page that holds still: a sign-in with a PIN is three, and is to
/// wait for one erase at most.
pub(crate) const QUIET: u32 = 3;
/// The bytes that such a moving leaves for the batches behind it, so that none of them erases a page in its turn.
const LEFT: u32 = 512;
/// The length of a note that a page is as good as erased.
const NOTE: u32 = PART + 4 + MARK;

/// Collects the page with the least that lives.
pub(crate) fn fullest_of_garbage<F: NorFlash>(
    medium: &Medium<F>,
    state: &mut State,
) -> Result<(), Error<F::Error>> {
    let used = state
        .numbered()
        .filter(|(number, page)| page.sequence.is_some() && Some(*number) != state.tail);
    let victim = used.min_by_key(|(_, page)| (page.live, page.erases)).map(|(number, _)| number);
    page(medium, state, victim.ok_or(Error::Full)?)
}

/// Moves what holds still, if the pages under it were spared for long.
pub(crate) fn level<F: NorFlash>(
    medium: &Medium<F>,
    state: &mut State,
) -> Result<(), Error<F::Error>> {
    let most = state.pages.iter().map(|page| page.erases).max().unwrap_or_default();
    let (uneven, left) = if state.quiet < QUIET { (VERY_UNEVEN, NOTE) } else { (UNEVEN, LEFT) };
    let spared = state.numbered().filter(|(number, page)| {
        let spared = page.erases.saturating_add(uneven) < most;
        page.sequence.is_some() && Some(*number) != state.tail && spared
    });
    let mut spared: Vec<(u32, Page)> = spared.map(|(number, page)| (number, *page)).collect();
    spared.sort_by_key(|(_, page)| page.erases);
    for (victim, of) in spared {
        if of.live < Page::ROOM / 2 || room_behind(medium, state, victim, of.end)? >= left {
            return page(medium, state, victim);
        }
    }
    Ok(())
}

/// The bytes that are left when all of this page is in the page that is being filled and a blank one; none if it has no
/// room there. A page full of what lives has when the former is rather empty, so its time comes too.
fn room_behind<F: NorFlash>(
    medium: &Medium<F>,
    state: &State,
    victim: u32,
    end: u32,
) -> Result<u32, Error<F::Error>> {
    let mut parts = Vec::new();
    medium.each_part(victim, end, &mut |_, part| {
        parts.push(part.total());
        Ok(())
    })?;
    let (mut room, mut opened) = (state.room(), false);
    // As `page` packs them.
    while !parts.is_empty() {
        if let Some(next) = parts.iter().position(|total| *total <= room) {
            room = room.saturating_sub(parts.swap_remove(next));
        } else if opened {
            return Ok(0);
        } else {
            (room, opened) = (Page::ROOM, true);
        }
    }
    Ok(if opened { room } else { room + Page::ROOM })
}

/// Collects this page.
pub(crate) fn page<F: NorFlash>(
    medium: &Medium<F>,
    state: &mut State,
    victim: u32,
) -> Result<(), Error<F::Error>> {
    let Page { end, erases, sequence, .. } = *state.page_mut(victim)?;
    if state.tail == Some(victim) {
        state.tail = None;
    }
    let deletions = needed_deletions(medium, state, victim)?;
    let mut parts = Vec::new();
    medium.each_part(victim, end, &mut |at, part| {
        let copy = Copy::of(medium, state, at, part, &deletions)?;
        parts.extend(copy.map(|copy| (at, copy.total())));
        Ok(())
    })?;
    // What still fits the page that is being filled goes there first.
    while !parts.is_empty() {
        let room = state.room();
        let Some(next) = parts.iter().position(|(_, total)| *total <= room) else {
            state.open_page(medium)?;
            continue;
        };
        let (at, _) = parts.swap_remove(next);
        let part = medium.part(at)?;
        if let Some(copy) = Copy::of(medium, state, at, part, &deletions)? {
            copy.write(medium, state)?;
        }
    }
    if state.room() < NOTE {
        state.open_page(medium)?;
    }
    state.append(medium, &sealed(&sequence.unwrap_or_default().to_le_bytes(), DROP, 0))?;
    *state.page_mut(victim)? = medium.erase(victim, erases.saturating_add(1))?;
    state.quiet = 0;
    Ok(())
}

/// What lives of a part, put together anew.
struct Copy {
    part: Part,
    body: Body,
    /// The place in the index of each record; none for a deletion.
    places: Vec<Option<usize>>,
}

impl Copy {
    /// None if nothing lives.
    fn of<F: NorFlash>(
        medium: &Medium<F>,
        state: &State,
        at: u32,
        part: Part,
        deletions: &[u32],
    ) -> Result<Option<Self>, Error<F::Error>> {
        let mut copy = Self { part, body: Body::default(), places: Vec::new() };
        let mut value = Vec::new();
        medium.each_record(at, &mut |slot, record| {
            let (number, more) = (record.word.piece, record.word.more);
            let found = state.find(medium, &record.key, number)?;
            let place = found.ok().filter(|place| state.index.get(*place) == Some(&slot));
            let piece = Piece { key: &record.key, number, more, value: None };
            if record.word.put && place.is_some() {
                value.clear();
                medium.piece(record, &mut value)?;
                copy.body.push(&Piece { value: Some(&value), ..piece });
                copy.places.push(place);
            } else if !record.word.put && found.is_err() && deletions.contains(&hash(&record.key)) {
                copy.body.push(&piece);
                copy.places.push(None);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        // The newest batch is known to be whole by its last part, were it the only one: without it an older one would
        // count as the newest, whose last part may be gone.
        let proves = part.flags & (LAST | DROP) == LAST
            && part.batch.checked_add(1) == Some(state.next_batch);
        Ok((proves || !copy.body.is_empty()).then_some(copy))
    }

    fn total(&self) -> u32 {
        self.body.total()
    }

    fn write<F: NorFlash>(
        self,
        medium: &Medium<F>,
        state: &mut State,
    ) -> Result<(), Error<F::Error>> {
        let at = state.append(medium, &self.body.finish(self.part.flags, self.part.batch))?;
        for (number, place) in (0..).zip(self.places) {
            let Some(place) = place else { continue };
            let slot = Slot::new(at, number);
            let word = medium.record(slot)?.word;
            if let Some(entry) = state.index.get_mut(place) {
                // It lives in one page only, also if the flash fails before the other is erased.
                let old = core::mem::replace(entry, slot);
                let page = state.page_mut(old.page())?;
                page.live = page.live.saturating_sub(charge(word));
            }
            state.enter(slot, word)?;
        }
        Ok(())
    }
}

fn hash(key: &Key) -> u32 {
    checksum(&[key.as_bytes()])
}

/// Deletions in this page behind which an older record still lies in another, as hashes of their keys.
fn needed_deletions<F: NorFlash>(
    medium: &Medium<F>,
    state: &State,
    victim: u32,
) -> Result<Vec<u32>, Error<F::Error>> {
    let mut deleted = Vec::new();
    records_of(medium, state, victim, &mut |record| {
        if !record.word.put {
            deleted.push(hash(&record.key));
        }
    })?;
    if deleted.is_empty() {
        return Ok(deleted);
    }
    let mut needed = Vec::new();
    let others =
        state.numbered().filter(|(number, page)| page.sequence.is_some() && *number != victim);
    for (number, _) in others {
        records_of(medium, state, number, &mut |record| {
            let hash = hash(&record.key);
            if record.word.put && deleted.contains(&hash) && !needed.contains(&hash) {
                needed.push(hash);
            }
        })?;
    }
    Ok(needed)
}

fn records_of<F: NorFlash>(
    medium: &Medium<F>,
    state: &State,
    page: u32,
    visit: &mut dyn FnMut(&Record),
) -> Result<(), Error<F::Error>> {
    let end = state.numbered().find(|(number, _)| *number == page).map_or(0, |(_, page)| page.end);
    medium.each_part(page, end, &mut |at, _| {
        medium.each_record(at, &mut |_, record| {
            visit(record);
            Ok(ControlFlow::Continue(()))
        })
    })
}

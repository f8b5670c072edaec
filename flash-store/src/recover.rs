//! Opening: reads the whole region and makes the index, then finishes or takes back what was interrupted.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use embedded_storage::nor_flash::NorFlash;
use softkey_authenticator::Key;

use crate::collect::{self, QUIET};
use crate::entry::{DROP, LAST, Part};
use crate::error::Error;
use crate::medium::{Medium, Record, Slot};
use crate::page::{Head, Page};
use crate::state::State;

/// The newest batch, and where a part of it lies.
#[derive(Clone, Copy, Default)]
struct Newest {
    batch: u32,
    whole: bool,
    at: u32,
}

/// What a region still needs before it is written to.
pub(crate) struct Unfinished {
    /// Pages to erase, and how often they were then.
    erase: Vec<(u32, u32)>,
    /// A batch to take back.
    torn: Option<u32>,
}

impl State {
    /// The state of the region, which is only read. If its newest batch is `failed`, that is to be taken back though it may
    /// be whole: its commit was reported to have failed.
    pub(crate) fn read<F: NorFlash>(
        medium: &Medium<F>,
        failed: Option<u32>,
    ) -> Result<(Self, Unfinished), Error<F::Error>> {
        let (mut pages, erase) = survey(medium)?;
        let mut newest = newest(medium, &pages, u32::MAX)?;
        if failed == Some(newest.batch) {
            newest.whole = false;
        }
        let torn = torn(medium, &pages, newest)?;
        let last = pages.iter().filter_map(|page| page.sequence).max();
        let tail =
            (0..).zip(&pages).find(|(_, page)| page.sequence.is_some() && page.sequence == last);
        let tail = tail.map(|(number, page)| (number, number * Page::LEN + page.end));
        let tail = match tail {
            Some((number, end)) if torn.is_none() => {
                medium.is_blank(end..(number + 1) * Page::LEN)?.then_some(number)
            }
            _ => None,
        };
        for page in &mut pages {
            page.live = 0;
        }
        // Numbers that no store reaches before its flash is worn out.
        let next = |number: u32| number.checked_add(1).ok_or(Error::Damaged(medium.address(0)));
        let mut state = Self {
            pages,
            index: Vec::new(),
            tail,
            // Nothing of a torn batch is left below, so its number is free.
            next_batch: torn.map_or_else(|| next(newest.batch), Ok)?,
            next_sequence: next(last.unwrap_or_default())?,
            quiet: QUIET,
        };
        state.index_all(medium, torn)?;
        Ok((state, Unfinished { erase, torn }))
    }

    /// Does what is left to do. If the flash fails, all records are still found, and reading anew tells the rest.
    pub(crate) fn finish<F: NorFlash>(
        &mut self,
        medium: &Medium<F>,
        rest: &Unfinished,
    ) -> Result<(), Error<F::Error>> {
        for (number, erases) in &rest.erase {
            *self.page_mut(*number)? = medium.erase(*number, *erases)?;
        }
        rest.torn.map_or(Ok(()), |torn| self.take_back(medium, torn))
    }

    /// Puts every living record into the index.
    fn index_all<F: NorFlash>(
        &mut self,
        medium: &Medium<F>,
        torn: Option<u32>,
    ) -> Result<(), Error<F::Error>> {
        let used = self.numbered().filter(|(_, page)| page.sequence.is_some());
        let used: Vec<(u32, u32)> = used.map(|(number, page)| (number, page.end)).collect();
        for (number, end) in used {
            medium.each_part(number, end, &mut |at, part| {
                if torn == Some(part.batch) {
                    return Ok(());
                }
                medium.each_record(at, &mut |slot, record| {
                    self.index_one(medium, part, slot, record)?;
                    Ok(ControlFlow::Continue(()))
                })
            })?;
        }
        self.drop_what_is_over(medium)
    }

    /// Puts a record, a piece or a deletion into the index, unless a newer one is there.
    fn index_one<F: NorFlash>(
        &mut self,
        medium: &Medium<F>,
        part: Part,
        slot: Slot,
        record: &Record,
    ) -> Result<(), Error<F::Error>> {
        match self.find(medium, &record.key, record.word.piece)? {
            Err(at) => self.index.insert(at, slot),
            Ok(at) => {
                if let Some(known) = self.index.get_mut(at)
                    && medium.part(known.part())?.batch < part.batch
                {
                    *known = slot;
                }
            }
        }
        Ok(())
    }

    /// Takes deletions out of the index, and pieces of values that were replaced by shorter ones. A value of which a piece
    /// is missing is damaged: the page that held it lost its end, which alone looks like a loss of power.
    fn drop_what_is_over<F: NorFlash>(
        &mut self,
        medium: &Medium<F>,
    ) -> Result<(), Error<F::Error>> {
        let mut current: Option<(Key, u32)> = None;
        // The newest first piece or deletion: a later piece belongs to it or is older.
        let mut first: Option<(Key, u32)> = None;
        // The piece that must come next, if the value goes on.
        let mut awaited: Option<u8> = None;
        let mut kept = 0;
        for at in 0..self.index.len() {
            let Some(slot) = self.index.get(at).copied() else { break };
            let record = medium.record(slot)?;
            let own = (record.key, medium.part(slot.part())?.batch);
            let damaged = Err(Error::Damaged(medium.place(slot.part())));
            if record.word.piece == 0 {
                if awaited.is_some() {
                    return damaged;
                }
                first = Some(own);
                current = record.word.put.then_some(own);
            }
            if current == Some(own) {
                if awaited.unwrap_or_default() != record.word.piece {
                    return damaged;
                }
                awaited = record.word.more.then(|| record.word.piece.saturating_add(1));
                self.enter(slot, record.word)?;
                if let Some(place) = self.index.get_mut(kept) {
                    *place = slot;
                }
                kept += 1;
            } else if first.is_none_or(|(key, batch)| key != own.0 || batch < own.1) {
                return damaged;
            }
        }
        self.index.truncate(kept);
        match (awaited, self.index.last()) {
            (Some(_), Some(last)) => Err(Error::Damaged(medium.place(last.part()))),
            _ => Ok(()),
        }
    }

    /// Erases what there is of a batch, its last part first, so that it is not whole at any moment in between.
    fn take_back<F: NorFlash>(
        &mut self,
        medium: &Medium<F>,
        torn: u32,
    ) -> Result<(), Error<F::Error>> {
        let mut touched = Vec::new();
        for (number, page) in self.numbered().filter(|(_, page)| page.sequence.is_some()) {
            medium.each_part(number, page.end, &mut |_, part| {
                let pair = (page.sequence, number);
                if part.flags & DROP == 0 && part.batch == torn && !touched.contains(&pair) {
                    touched.push(pair);
                }
                Ok(())
            })?;
        }
        touched.sort_unstable();
        for (_, number) in touched.into_iter().rev() {
            collect::page(medium, self, number)?;
        }
        Ok(())
    }
}

/// A region's pages, and of them those to erase: each by its number, with how often it was erased then.
type Surveyed = (Vec<Page>, Vec<(u32, u32)>);

/// The pages as they are once those that must be are erased.
fn survey<F: NorFlash>(medium: &Medium<F>) -> Result<Surveyed, Error<F::Error>> {
    let mut found = Vec::new();
    let mut dropped = Vec::new();
    for number in 0..medium.pages {
        let start = number * Page::LEN;
        found.push(match medium.head(number)? {
            Head::Unknown => Found::Useless {
                erases: None,
                foreign: !medium.is_blank(start..start + Page::LEN)?,
            },
            Head::Blank(erases) if medium.is_blank(start + Page::USE..start + Page::LEN)? => {
                Found::Page(Page::blank(erases))
            }
            Head::Blank(erases) | Head::Torn(erases) => {
                Found::Useless { erases: Some(erases), foreign: false }
            }
            Head::Used(erases, sequence) => {
                let end = walk(medium, start, &mut dropped);
                Found::Used { erases, sequence, end }
            }
        });
    }
    // One page can be in the middle of being erased, no more.
    let in_use = found.iter().any(|page| matches!(page, Found::Used { .. }));
    let foreign = |page: &Found<F::Error>| matches!(page, Found::Useless { foreign: true, .. });
    if in_use && found.iter().filter(|page| foreign(page)).count() > 1 {
        let first = found.iter().position(foreign).unwrap_or_default();
        return Err(Error::Damaged(medium.address(u32::try_from(first).unwrap_or_default())));
    }
    // Collecting alone takes the last blank page, and gives one back. If it was interrupted before, all in the page
    // that it took is a copy of what still lies where it was.
    let stays = |page: &Found<F::Error>| page.sequence().filter(|own| !dropped.contains(own));
    if found.iter().all(|page| stays(page).is_some()) {
        dropped.extend(found.iter().filter_map(Found::sequence).max());
    }
    let most = found.iter().map(Found::erases).max().unwrap_or_default();
    let mut pages = Vec::with_capacity(found.len());
    let mut erase = Vec::new();
    for (number, found) in (0..).zip(found) {
        let before = match found {
            Found::Page(page) => {
                pages.push(page);
                continue;
            }
            Found::Used { erases, sequence, end } if !dropped.contains(&sequence) => {
                pages.push(Page { erases, sequence: Some(sequence), end: end?, live: 0 });
                continue;
            }
            Found::Useless { erases, .. } => erases.unwrap_or(most),
            Found::Used { erases, .. } => erases,
        };
        let erases = before.saturating_add(1);
        pages.push(Page::blank(erases));
        erase.push((number, erases));
    }
    Ok((pages, erase))
}

/// A page as it was found.
enum Found<E> {
    /// Blank.
    Page(Page),
    /// To be erased; is there something in it that no store wrote?
    Useless { erases: Option<u32>, foreign: bool },
    /// In use, perhaps damaged.
    Used { erases: u32, sequence: u32, end: Result<u32, Error<E>> },
}

impl<E> Found<E> {
    const fn sequence(&self) -> Option<u32> {
        match self {
            Self::Used { sequence, .. } => Some(*sequence),
            Self::Page(_) | Self::Useless { .. } => None,
        }
    }

    const fn erases(&self) -> u32 {
        match self {
            Self::Page(page) => page.erases,
            Self::Useless { erases: Some(erases), .. } | Self::Used { erases, .. } => *erases,
            Self::Useless { erases: None, .. } => 0,
        }
    }
}

/// Where the entries of a page end. Notes which pages are said to be as good as erased.
fn walk<F: NorFlash>(
    medium: &Medium<F>,
    start: u32,
    dropped: &mut Vec<u32>,
) -> Result<u32, Error<F::Error>> {
    let mut at = start + Page::HEAD;
    while let Some(part) = medium.whole_part(at, start + Page::LEN)? {
        if part.flags & DROP != 0 {
            dropped.push(medium.dropped(at)?);
        }
        at += part.total();
    }
    Ok(at - start)
}

/// The newest batch up to this one, and whether its last part is there.
fn newest<F: NorFlash>(
    medium: &Medium<F>,
    pages: &[Page],
    up_to: u32,
) -> Result<Newest, Error<F::Error>> {
    let mut newest = Newest::default();
    for (number, page) in (0..).zip(pages).filter(|(_, page)| page.sequence.is_some()) {
        medium.each_part(number, page.end, &mut |at, part| {
            if part.flags & DROP == 0 && (newest.batch..=up_to).contains(&part.batch) {
                let known = newest.batch == part.batch && newest.whole;
                let whole = known || part.flags & LAST != 0;
                newest = Newest { batch: part.batch, whole, at };
            }
            Ok(())
        })?;
    }
    Ok(newest)
}

/// The batch to take back, if the newest is not whole. Then the one before it must be, as it was when this one was begun, and
/// its last part is kept until this one is whole. If it is not, bits have changed: taken back would be what was durable.
fn torn<F: NorFlash>(
    medium: &Medium<F>,
    pages: &[Page],
    newest: Newest,
) -> Result<Option<u32>, Error<F::Error>> {
    let Some(before) = newest.batch.checked_sub(1).filter(|_| !newest.whole) else {
        return Ok(None);
    };
    let found = self::newest(medium, pages, before)?;
    if found.batch != before || (before > 0 && !found.whole) {
        return Err(Error::Damaged(medium.place(newest.at)));
    }
    Ok(Some(newest.batch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ram::{Misuse, RamFlash};

    type Opened = Result<State, Error<Misuse>>;

    /// Opens a region of six pages whose first begins so.
    fn opened(first: &[u8]) -> Opened {
        let mut flash = RamFlash::new(6);
        flash.bytes_mut()[..first.len()].copy_from_slice(first);
        let medium = Medium::new(flash, 0..6 * Page::LEN).unwrap();
        let (mut state, rest) = State::read(&medium, None)?;
        state.finish(&medium, &rest)?;
        Ok(state)
    }

    /// Numbers that no store reaches are damage; those that may stay where they are do.
    #[test]
    fn numbers_at_their_end_do_not_run_over() {
        let in_use = |sequence| [&Head::erased(3)[..], &Head::in_use(sequence)].concat();
        assert_eq!(opened(&in_use(u32::MAX)).err(), Some(Error::Damaged(0)));
        assert_eq!(opened(&in_use(u32::MAX - 1)).unwrap().next_sequence, u32::MAX);
        let part = |batch| {
            let (body, mark) = crate::entry::sealed(&[], crate::entry::FIRST | LAST, batch);
            [&in_use(1)[..], &body, &mark].concat()
        };
        assert_eq!(opened(&part(u32::MAX)).err(), Some(Error::Damaged(0)));
        assert_eq!(opened(&part(u32::MAX - 1)).unwrap().next_batch, u32::MAX);
        let torn = [&Head::erased(u32::MAX)[..], &[0; 8]].concat();
        assert_eq!(opened(&torn).unwrap().pages[0].erases, u32::MAX);
    }
}

//! What is known of the region while the store is open: its pages, and where each living record lies.

use alloc::vec::Vec;
use core::cmp::Ordering;

use embedded_storage::nor_flash::NorFlash;
use softkey_authenticator::Key;

use crate::entry::{MARK, PART, Word};
use crate::error::Error;
use crate::medium::{Medium, Slot};
use crate::page::{Head, Page};

/// Pages that collecting may always count on.
pub(crate) const RESERVE: usize = 1;

/// Pages that no record may claim: collecting needs what is dead, and a batch lies beside what it replaces until it is
/// whole.
const SLACK: u32 = 2;
/// What begins and ends a part. A record may be alone in its own.
const AROUND: u32 = PART + MARK;

/// What a record counts for among what lives: as if it were alone in its part, since that may come, and then its key
/// shares nothing. Of a page with long records the end stays empty.
pub(crate) fn charge(word: Word) -> u32 {
    let len = Word { shared: 0, ..word }.total().next_multiple_of(4) + AROUND;
    len + if len > 200 { len / 16 } else { 0 }
}

/// The open store's knowledge.
pub(crate) struct State {
    pub(crate) pages: Vec<Page>,
    /// The living records by key and piece.
    pub(crate) index: Vec<Slot>,
    /// The page that is being filled.
    pub(crate) tail: Option<u32>,
    pub(crate) next_batch: u32,
    pub(crate) next_sequence: u32,
    /// How many batches came since a page was erased; none if the last one had it done.
    pub(crate) quiet: u32,
}

impl State {
    pub(crate) fn capacity(&self) -> u32 {
        let pages = u32::try_from(self.pages.len().saturating_sub(RESERVE)).unwrap_or(u32::MAX);
        pages.saturating_sub(SLACK).saturating_mul(Page::ROOM)
    }

    pub(crate) fn live(&self) -> u32 {
        self.pages.iter().map(|page| page.live).sum()
    }

    pub(crate) fn page_mut<E>(&mut self, page: u32) -> Result<&mut Page, Error<E>> {
        let index = usize::try_from(page).unwrap_or(usize::MAX);
        self.pages.get_mut(index).ok_or(Error::Region)
    }

    /// The pages by number.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u32, &Page)> {
        (0..).zip(&self.pages)
    }

    /// How many pages are blank.
    pub(crate) fn free(&self) -> usize {
        self.pages.iter().filter(|page| page.sequence.is_none()).count()
    }

    /// The bytes left in the page that is being filled.
    pub(crate) fn room(&self) -> u32 {
        let tail = self.numbered().find(|(number, _)| Some(*number) == self.tail);
        tail.map_or(0, |(_, page)| Page::LEN - page.end)
    }

    /// Where this piece of a record is in the index, or would be.
    pub(crate) fn find<F: NorFlash>(
        &self,
        medium: &Medium<F>,
        key: &Key,
        piece: u8,
    ) -> Result<Result<usize, usize>, Error<F::Error>> {
        let (mut low, mut high) = (0, self.index.len());
        while low < high {
            let middle = low.midpoint(high);
            let Some(slot) = self.index.get(middle) else { break };
            let record = medium.record(*slot)?;
            match (record.key, record.word.piece).cmp(&(*key, piece)) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Ok(Ok(middle)),
                Ordering::Greater => high = middle,
            }
        }
        Ok(Err(low))
    }

    /// Appends the value of the record at this place of the index, and gives the place of the next.
    pub(crate) fn value<F: NorFlash>(
        &self,
        medium: &Medium<F>,
        mut at: usize,
        into: &mut Vec<u8>,
    ) -> Result<usize, Error<F::Error>> {
        while let Some(slot) = self.index.get(at) {
            let record = medium.record(*slot)?;
            medium.piece(&record, into)?;
            at += 1;
            if !record.word.more {
                break;
            }
        }
        Ok(at)
    }

    /// Takes the blank page that was erased least into use, to be filled.
    pub(crate) fn open_page<F: NorFlash>(
        &mut self,
        medium: &Medium<F>,
    ) -> Result<(), Error<F::Error>> {
        let blank = self.numbered().filter(|(_, page)| page.sequence.is_none());
        let (page, _) = blank.min_by_key(|(_, page)| page.erases).ok_or(Error::Full)?;
        // From here on it is no blank page, even if the flash fails.
        let sequence = self.next_sequence;
        self.next_sequence = sequence.checked_add(1).ok_or(Error::Full)?;
        self.page_mut(page)?.sequence = Some(sequence);
        medium.write(page * Page::LEN + Page::USE, &Head::in_use(sequence))?;
        self.tail = Some(page);
        Ok(())
    }

    /// Appends a part to the page that is being filled, which must have room for it. Gives its address.
    pub(crate) fn append<F: NorFlash>(
        &mut self,
        medium: &Medium<F>,
        sealed: &(Vec<u8>, [u8; 4]),
    ) -> Result<u32, Error<F::Error>> {
        let tail = self.tail.ok_or(Error::Full)?;
        let at = tail * Page::LEN + self.page_mut(tail)?.end;
        let len = medium.append(at, sealed)?;
        self.page_mut(tail)?.end += len;
        Ok(at)
    }

    /// Counts a record among what lives in its page.
    pub(crate) fn enter<E>(&mut self, slot: Slot, word: Word) -> Result<(), Error<E>> {
        self.page_mut(slot.page())?.live += charge(word);
        Ok(())
    }

    /// Takes the record at this place out of the index.
    pub(crate) fn leave<F: NorFlash>(
        &mut self,
        medium: &Medium<F>,
        at: usize,
    ) -> Result<(), Error<F::Error>> {
        if at < self.index.len() {
            let slot = self.index.remove(at);
            let gone = charge(medium.record(slot)?.word);
            let page = self.page_mut(slot.page())?;
            page.live = page.live.saturating_sub(gone);
        }
        Ok(())
    }
}

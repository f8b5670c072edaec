//! The region: reading it as pages, parts and records, and the three ways of changing it.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::{ControlFlow, Range};

use embedded_storage::nor_flash::NorFlash;
use softkey_authenticator::Key;

use crate::entry::{self, MARK, MAX_RECORDS, PART, Part, RECORD, Word};
use crate::error::Error;
use crate::page::{Head, Page};

/// A region of a flash. Reading needs no exclusive access from outside, so the flash lies in a cell.
pub(crate) struct Medium<F> {
    flash: RefCell<F>,
    start: u32,
    pub(crate) pages: u32,
}

/// Where a record lies: the address of its part, and its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

impl Slot {
    pub(crate) const fn new(part: u32, number: u32) -> Self {
        Self(part / 4 * MAX_RECORDS + number)
    }

    pub(crate) const fn part(self) -> u32 {
        self.0 / MAX_RECORDS * 4
    }

    pub(crate) const fn page(self) -> u32 {
        self.part() / Page::LEN
    }

    const fn number(self) -> u32 {
        self.0 % MAX_RECORDS
    }
}

/// A record as it was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) word: Word,
    pub(crate) key: Key,
    /// Where the piece of the value lies.
    at: u32,
}

type Result<T, F> =
    core::result::Result<T, Error<<F as embedded_storage::nor_flash::ErrorType>::Error>>;

/// Looks at a record and says whether to go on.
type Visit<'a, F> = dyn FnMut(Slot, &Record) -> Result<ControlFlow<()>, F> + 'a;

impl<F: NorFlash> Medium<F> {
    /// Addresses from here on count from the start of the region.
    pub(crate) fn new(flash: F, region: Range<u32>) -> Result<Self, F> {
        let len = region.end.saturating_sub(region.start);
        let fits = usize::try_from(region.end).is_ok_and(|end| end <= flash.capacity());
        let usable = F::READ_SIZE == 1
            && matches!(F::WRITE_SIZE, 1 | 2 | 4)
            && (Page::LEN as usize).is_multiple_of(F::ERASE_SIZE);
        let whole = region.start.is_multiple_of(Page::LEN) && len.is_multiple_of(Page::LEN);
        let pages = len / Page::LEN;
        if !(fits && usable && whole && (6..=8192).contains(&pages)) {
            return Err(Error::Region);
        }
        Ok(Self { flash: RefCell::new(flash), start: region.start, pages })
    }

    pub(crate) fn into_flash(self) -> F {
        self.flash.into_inner()
    }

    /// Where a page lies in the flash.
    pub(crate) const fn address(&self, page: u32) -> u32 {
        self.start + page * Page::LEN
    }

    /// Where what has this address in the region lies in the flash.
    pub(crate) const fn place(&self, at: u32) -> u32 {
        self.start + at
    }

    /// The sequence of the page that the note at this address says is as good as erased.
    pub(crate) fn dropped(&self, at: u32) -> Result<u32, F> {
        Ok(u32::from_le_bytes(self.array(at + PART)?))
    }

    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), F> {
        self.flash.borrow_mut().read(self.start + at, into).map_err(Error::Flash)
    }

    fn array<const N: usize>(&self, at: u32) -> Result<[u8; N], F> {
        let mut bytes = [0; N];
        self.read(at, &mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn write(&self, at: u32, bytes: &[u8]) -> Result<(), F> {
        self.flash.borrow_mut().write(self.start + at, bytes).map_err(Error::Flash)
    }

    /// Writes a part, and its mark when all of it is there.
    pub(crate) fn append(&self, at: u32, (bytes, mark): &(Vec<u8>, [u8; 4])) -> Result<u32, F> {
        let len = u32::try_from(bytes.len()).unwrap_or(Page::LEN);
        self.write(at, bytes)?;
        self.write(at + len, mark)?;
        Ok(len + MARK)
    }

    /// Erases a page and writes how often that was done.
    pub(crate) fn erase(&self, page: u32, erases: u32) -> Result<Page, F> {
        let at = self.start + page * Page::LEN;
        self.flash.borrow_mut().erase(at, at + Page::LEN).map_err(Error::Flash)?;
        self.write(page * Page::LEN, &Head::erased(erases))?;
        Ok(Page::blank(erases))
    }

    pub(crate) fn head(&self, page: u32) -> Result<Head, F> {
        Ok(Head::parse(&self.array(page * Page::LEN)?))
    }

    /// Are all these bytes 0xFF?
    pub(crate) fn is_blank(&self, range: Range<u32>) -> Result<bool, F> {
        let mut buffer = [0; 64];
        for at in range.clone().step_by(buffer.len()) {
            let len = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(buffer.len());
            let bytes = buffer.get_mut(..len).unwrap_or_default();
            self.read(at, bytes)?;
            if bytes.iter().any(|byte| *byte != 0xff) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The head of the part at this address, which must be that of one.
    pub(crate) fn part(&self, at: u32) -> Result<Part, F> {
        Part::parse(self.array(at)?).ok_or(Error::Damaged(self.start + at))
    }

    /// The part at this address if it is whole; `page_end` ends what it may take.
    pub(crate) fn whole_part(&self, at: u32, page_end: u32) -> Result<Option<Part>, F> {
        if at + PART + MARK > page_end {
            return Ok(None);
        }
        let Some(part) = Part::parse(self.array(at)?) else { return Ok(None) };
        if at + part.total() > page_end {
            return Ok(None);
        }
        let mut digest = entry::digest();
        let mut buffer = [0; 64];
        let end = at + part.mark();
        for from in (at..end).step_by(buffer.len()) {
            let len = usize::try_from(end - from).unwrap_or(usize::MAX).min(buffer.len());
            let bytes = buffer.get_mut(..len).unwrap_or_default();
            self.read(from, bytes)?;
            digest.update(bytes);
        }
        let (whole, mark) = (digest.finalize(), u32::from_le_bytes(self.array(end)?));
        if mark == whole {
            return Ok(Some(part));
        }
        // A loss of power leaves no more than one part that is not whole, the last of its page. Its mark comes behind all
        // before it, and bits are only ever cleared: one that no writing could lead on from was right for other bytes.
        if mark & whole == whole && self.is_blank(at + part.total()..page_end)? {
            return Ok(None);
        }
        Err(Error::Damaged(self.start + at))
    }

    /// Visits the parts of a page, whose entries end at `end` from its start.
    pub(crate) fn each_part(
        &self,
        page: u32,
        end: u32,
        visit: &mut dyn FnMut(u32, Part) -> Result<(), F>,
    ) -> Result<(), F> {
        let mut at = page * Page::LEN + Page::HEAD;
        while at < page * Page::LEN + end {
            let part = self.part(at)?;
            visit(at, part)?;
            at += part.total();
        }
        Ok(())
    }

    /// Visits the records of a part.
    pub(crate) fn each_record(&self, at: u32, visit: &mut Visit<'_, F>) -> Result<(), F> {
        let part = self.part(at)?;
        if part.flags & entry::DROP != 0 {
            return Ok(());
        }
        let (mut from, end) = (at + PART, at + PART + u32::from(part.len));
        let mut base: Option<Key> = None;
        let mut number = 0;
        while from < end && number < MAX_RECORDS {
            let record = self.parse(from, base.as_ref())?;
            base.get_or_insert(record.key);
            if visit(Slot::new(at, number), &record)?.is_break() {
                break;
            }
            from += record.word.total();
            number += 1;
        }
        Ok(())
    }

    fn parse(&self, at: u32, base: Option<&Key>) -> Result<Record, F> {
        let damaged = || Error::Damaged(self.start + at);
        let word = Word::parse(self.array(at)?);
        let (len, shared) = (usize::from(word.key), usize::from(word.shared));
        let own = len.checked_sub(shared).ok_or_else(damaged)?;
        let mut stored = [0; Key::MAX];
        let stored = stored.get_mut(..own).ok_or_else(damaged)?;
        self.read(at + RECORD, stored)?;
        let base = base.map_or(&[][..], |base| base.as_bytes());
        let common = base.iter().skip(1).take(shared);
        let mut key = [0; Key::MAX];
        let bytes = stored.iter().take(1).chain(common).chain(stored.iter().skip(1));
        for (to, from) in key.iter_mut().zip(bytes) {
            *to = *from;
        }
        let key = key.get(..len).and_then(|key| Key::new(key).ok()).ok_or_else(damaged)?;
        Ok(Record { word, key, at: at + RECORD + word.key_len() })
    }

    /// The record in this slot.
    pub(crate) fn record(&self, slot: Slot) -> Result<Record, F> {
        let mut found = None;
        self.each_record(slot.part(), &mut |at, record| {
            if at != slot {
                return Ok(ControlFlow::Continue(()));
            }
            found = Some(*record);
            Ok(ControlFlow::Break(()))
        })?;
        debug_assert!(slot.number() < MAX_RECORDS);
        found.ok_or(Error::Damaged(self.start + slot.part()))
    }

    /// Appends the record's piece of a value.
    pub(crate) fn piece(&self, record: &Record, into: &mut Vec<u8>) -> Result<(), F> {
        let start = into.len();
        into.resize(start + usize::from(record.word.value), 0);
        self.read(record.at, into.get_mut(start..).unwrap_or_default())
    }
}

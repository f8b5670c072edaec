//! What redb reads from and writes to: one file, or whatever stands in for it, behind a fence.
//!
//! redb writes as soon as it opens a file, closes its file by itself, and refuses all further work after one
//! failed write. A vault must be found sound *before* its first byte changes, and must answer after a failed
//! write as it did before. So redb never holds the file: it holds a [`Direct`] handle, which can be fenced
//! off, or an [`Overlay`], whose writes stay in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// redb's page size, and so the grain in which the [`Overlay`] keeps what was written.
pub(super) const PAGE: u64 = 4096;

/// The file under the handles, and what is known of it.
#[derive(Debug)]
pub(super) struct Medium {
    file: Box<dyn StorageBackend>,
    /// Something was written since the last sync that succeeded.
    unsynced: AtomicBool,
    /// The handles given out so far may not change anything any more.
    fenced: AtomicBool,
}

impl Medium {
    pub(super) fn new(file: impl StorageBackend) -> Arc<Self> {
        Arc::new(Self {
            file: Box::new(file),
            unsynced: AtomicBool::new(false),
            fenced: AtomicBool::new(false),
        })
    }

    /// Closes or opens the way for the [`Direct`] handles' changes.
    pub(super) fn fence(&self, closed: bool) {
        self.fenced.store(closed, Ordering::SeqCst);
    }

    /// Bytes of the file.
    pub(super) fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    /// The first page, where redb keeps all that it ever overwrites in place; every other page is written
    /// only while nothing refers to it. Shorter, or empty, if the file is.
    pub(super) fn first_page(&self) -> io::Result<Vec<u8>> {
        let mut page = vec![0; buffer_len(self.file.len()?.min(PAGE))?];
        self.file.read(0, &mut page)?;
        Ok(page)
    }

    /// Is all that was written also synced?
    pub(super) fn is_synced(&self) -> bool {
        !self.unsynced.load(Ordering::SeqCst)
    }

    /// Puts a first page back that was read before a commit which then failed, and with it the state before
    /// that commit.
    pub(super) fn put_back(&self, first_page: &[u8]) -> io::Result<()> {
        if self.first_page()? != first_page {
            self.file.write(0, first_page)?;
        }
        // The disk may refuse this too. The file reads right all the same.
        if self.file.sync_data().is_ok() {
            self.unsynced.store(false, Ordering::SeqCst);
        }
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&dyn StorageBackend) -> io::Result<()>) -> io::Result<()> {
        if self.fenced.load(Ordering::SeqCst) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the database was given up",
            ));
        }
        change(self.file.as_ref())
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        // Nobody is left to hear of it, and everything that matters was synced before.
        let _ = self.file.close();
    }
}

/// redb's way to the file. Locking is the vault's business and closing the [`Medium`]'s.
///
/// redb writes the pages of a commit in no particular order. Here its header goes last, so that a process
/// killed in the middle leaves the state before, and only a loss of power can leave half a commit.
#[derive(Debug)]
pub(super) struct Direct {
    medium: Arc<Medium>,
    /// What redb wrote at offset 0 since the last sync.
    header: Mutex<Option<Vec<u8>>>,
}

impl Direct {
    pub(super) fn new(medium: Arc<Medium>) -> Self {
        Self { medium, header: Mutex::new(None) }
    }

    fn header(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.header.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_now(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.medium.change(|file| {
            self.medium.unsynced.store(true, Ordering::SeqCst);
            file.write(offset, data)
        })
    }
}

impl StorageBackend for Direct {
    fn len(&self) -> io::Result<u64> {
        self.medium.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.medium.file.read(offset, out)?;
        if let (0, Some(header)) = (offset, self.header().as_deref()) {
            for (byte, newer) in out.iter_mut().zip(header) {
                *byte = *newer;
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let grows = len > self.len()?;
        self.medium.change(|file| {
            // redb cuts off, after the sync of a commit, only what no state refers to.
            self.medium.unsynced.fetch_or(grows, Ordering::SeqCst);
            file.set_len(len)
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        if let Some(header) = self.header().take() {
            self.write_now(0, &header)?;
        }
        self.medium.change(StorageBackend::sync_data)?;
        self.medium.unsynced.store(false, Ordering::SeqCst);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset > 0 {
            return self.write_now(offset, data);
        }
        *self.header() = Some(data.to_vec());
        Ok(())
    }
}

/// The file as redb would have changed it: reads see the changes, the file does not.
#[derive(Debug)]
pub(super) struct Overlay {
    medium: Arc<Medium>,
    changed: Mutex<Changed>,
}

#[derive(Debug)]
struct Changed {
    len: u64,
    /// The bytes of the file below here are still good; above they read as zero.
    kept: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    /// The file as it is, but for its first page if one is given.
    pub(super) fn new(medium: Arc<Medium>, first_page: Option<Vec<u8>>) -> io::Result<Self> {
        let len = medium.file.len()?;
        let pages = first_page.into_iter().map(|page| (0, page)).collect();
        Ok(Self { medium, changed: Mutex::new(Changed { len, kept: len, pages }) })
    }

    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One page as it stands, zero beyond what the file holds.
    fn page(&self, changed: &Changed, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = changed.pages.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; buffer_len(PAGE)?];
        let start = number * PAGE;
        let there = buffer_len(changed.kept.saturating_sub(start).min(PAGE))?;
        if let Some(there) = page.get_mut(..there).filter(|there| !there.is_empty()) {
            self.medium.file.read(start, there)?;
        }
        Ok(page)
    }

    /// Splits `offset..offset + len` at page borders: page number, offset within it, bytes.
    fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize)> {
        let end = offset.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        let mut at = offset;
        std::iter::from_fn(move || {
            let (number, within) = (at / PAGE, at % PAGE);
            let count = (end.checked_sub(at)?).min(PAGE - within);
            at += count;
            let piece = (number, usize::try_from(within).ok()?, usize::try_from(count).ok()?);
            (count > 0).then_some(piece)
        })
    }
}

fn buffer_len(len: u64) -> io::Result<usize> {
    usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))
}

fn out_of_bounds() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changed().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changed = self.changed();
        let end = u64::try_from(out.len()).ok().and_then(|len| offset.checked_add(len));
        if end.is_none_or(|end| end > changed.len) {
            return Err(out_of_bounds());
        }
        let mut rest = out;
        for (number, within, count) in Self::pieces(offset, rest.len()) {
            let page = self.page(&changed, number)?;
            let (now, later) = rest.split_at_mut_checked(count).ok_or_else(out_of_bounds)?;
            now.copy_from_slice(page.get(within..within + count).ok_or_else(out_of_bounds)?);
            rest = later;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut changed = self.changed();
        if len < changed.len {
            // What is cut off reads as zero should the length grow again.
            let mut last = self.page(&changed, len / PAGE)?;
            last.get_mut(buffer_len(len % PAGE)?..).unwrap_or_default().fill(0);
            changed.pages.retain(|number, _| *number < len / PAGE);
            changed.pages.insert(len / PAGE, last);
            changed.kept = changed.kept.min(len);
        }
        changed.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut changed = self.changed();
        let end = u64::try_from(data.len())
            .ok()
            .and_then(|len| offset.checked_add(len))
            .ok_or_else(out_of_bounds)?;
        let mut rest = data;
        for (number, within, count) in Self::pieces(offset, data.len()) {
            let mut page = self.page(&changed, number)?;
            let (now, later) = rest.split_at_checked(count).ok_or_else(out_of_bounds)?;
            page.get_mut(within..within + count).ok_or_else(out_of_bounds)?.copy_from_slice(now);
            changed.pages.insert(number, page);
            rest = later;
        }
        changed.len = changed.len.max(end);
        Ok(())
    }
}

//! [`RedbStore`]: the authenticator's [`Store`] on a redb database.

use std::fmt;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redb::{
    Builder, Database, Durability, ReadableDatabase, ReadableTableMetadata, StorageBackend,
    TableDefinition, WriteTransaction,
};
use softkey_authenticator::{Change, Key, Store};

use super::medium::{Direct, Medium, Overlay, PAGE};

mod boot;
mod error;
mod first_page;

pub use boot::Boot;
pub use error::{OpenError, RecordsError};
use first_page::FirstPage;

/// The records.
const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
/// What the vault itself keeps, 16 bytes each.
const VAULT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("vault");
/// The database's [`Identity`].
const IDENTITY: &str = "identity";
/// The [`Boot`] in which it was last opened.
const BOOT: &str = "boot";

/// Bytes of memory that redb may fill with pages.
const CACHE: usize = 2 << 20;
/// Most changes of one commit, and most bytes of a value: the contract of [`Store`].
const MAX_CHANGES: usize = 16;
const MAX_VALUE: usize = 4096;

/// Names a database, so that a header can say which one it belongs to.
pub type Identity = [u8; 16];

/// What a database holds, as far as can be said without its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The identity that it was made with.
    pub identity: Identity,
    /// The number of records.
    pub records: u64,
}

/// A [`Store`] on a redb database: one table of byte keys to byte values.
///
/// A commit is one sync, after which the batch is durable, and one more before it where the file grows. A
/// crash in it leaves the state before or after: redb numbers the states and sums their pages, and goes back
/// from one that is not whole. That a stranger could forge such a sum is nothing here: it is no cryptographic
/// sum, but all values are sealed ones.
/// Recording the free pages with each commit (redb's quick repair) would need a second sync to save some
/// milliseconds at the first opening after a crash; closing the store records them.
///
/// Only a loss of power leaves half a commit, so a state that is not whole is *damage* as long as the system
/// has not been started anew since the store was last opened: then nothing is rolled back, and nothing
/// acknowledged disappears without a word.
///
/// After a commit that failed the store answers from the state before it, and writes again as soon as the
/// medium lets it.
pub struct RedbStore {
    medium: Arc<Medium>,
    /// None only if the medium could not even be read after a failed commit.
    database: Option<Database>,
    /// The database cannot be written; it stands on an [`Overlay`] or is closed.
    detached: bool,
    /// The first page to put back before anything is written again.
    put_back: Option<Vec<u8>>,
}

impl RedbStore {
    /// Makes a new, empty database with this identity.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotEmpty`] if the backend holds anything, [`OpenError::Records`] for what keeps it from
    /// being written.
    pub fn create(
        backend: impl StorageBackend,
        identity: &Identity,
        boot: Option<Boot>,
    ) -> Result<Self, OpenError> {
        let medium = Medium::new(backend);
        if !medium.first_page()?.is_empty() {
            return Err(OpenError::NotEmpty);
        }
        let database =
            builder().create_with_backend(Direct::new(medium.clone())).map_err(OpenError::of)?;
        let transaction = begin(&database)?;
        transaction.open_table(RECORDS).map_err(RecordsError::from)?;
        keep(&transaction, IDENTITY, identity)?;
        if let Some(Boot(boot)) = boot {
            keep(&transaction, BOOT, &boot)?;
        }
        transaction.commit().map_err(RecordsError::from)?;
        Ok(Self { medium, database: Some(database), detached: false, put_back: None })
    }

    /// Opens the database of this identity, having found every page of it sound. Nothing is written before
    /// that. `boot` is the present boot; without one, a state that is not whole always counts as half a
    /// commit.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. The backend's bytes are then as they were.
    pub fn open(
        backend: impl StorageBackend,
        identity: &Identity,
        boot: Option<Boot>,
    ) -> Result<Self, OpenError> {
        let medium = Medium::new(backend);
        if verify(&medium, boot)?.identity != *identity {
            return Err(OpenError::Stranger);
        }
        let database =
            builder().create_with_backend(Direct::new(medium.clone())).map_err(OpenError::of)?;
        let mut store = Self { medium, database: Some(database), detached: false, put_back: None };
        store.remember(boot)?;
        Ok(store)
    }

    /// Looks a database through as [`open`](Self::open) does, and writes nothing.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn examine(
        backend: impl StorageBackend,
        boot: Option<Boot>,
    ) -> Result<Findings, OpenError> {
        verify(&Medium::new(backend), boot)
    }

    /// Puts one value of any length, which the contract of [`Store`] leaves out for the sake of chips: all of it or
    /// nothing, durable on return.
    ///
    /// # Errors
    ///
    /// What keeps it from being written; the former value is there then.
    pub fn put_long(&mut self, key: &Key, value: &[u8]) -> Result<(), RecordsError> {
        self.transact(|transaction| {
            transaction.open_table(RECORDS)?.insert(key.as_bytes(), value)?;
            Ok(())
        })
    }

    /// Notes in which boot the database was last opened. A full disk does not hinder the opening.
    fn remember(&mut self, boot: Option<Boot>) -> Result<(), RecordsError> {
        let Some(Boot(boot)) = boot else { return Ok(()) };
        if recall(self.database()?, BOOT)? == Some(boot) {
            return Ok(());
        }
        match self.transact(|transaction| keep(transaction, BOOT, &boot)) {
            Err(RecordsError::Full(_)) => Ok(()),
            other => other,
        }
    }

    /// Makes the changes of one transaction, or none.
    fn transact(
        &mut self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), RecordsError>,
    ) -> Result<(), RecordsError> {
        self.attach()?;
        let before = self.medium.first_page()?;
        let made = self.database().and_then(|database| {
            let transaction = begin(database)?;
            change(&transaction)?;
            Ok(transaction.commit()?)
        });
        made.or_else(|error| if self.detach(before) { Ok(()) } else { Err(error) })
    }

    fn database(&self) -> Result<&Database, RecordsError> {
        self.database.as_ref().ok_or(RecordsError::Closed)
    }

    /// Makes the database one that writes again.
    fn attach(&mut self) -> Result<(), RecordsError> {
        if !self.detached {
            return Ok(());
        }
        if let Some(page) = &self.put_back {
            self.medium.put_back(page)?;
            self.put_back = None;
        }
        self.medium.fence(false);
        match builder().create_with_backend(Direct::new(self.medium.clone())) {
            Ok(database) => {
                self.database = Some(database);
                self.detached = false;
                Ok(())
            }
            Err(error) => {
                self.medium.fence(true);
                Err(error.into())
            }
        }
    }

    /// After a failed commit: closes the database without letting it write, goes back to the state before,
    /// and reads from there. True if the commit had become durable after all, so that it stands.
    fn detach(&mut self, before: Vec<u8>) -> bool {
        self.medium.fence(true);
        self.database = None;
        self.detached = true;
        let stands =
            self.medium.is_synced() && self.medium.first_page().is_ok_and(|now| now != before);
        if !stands {
            self.put_back = self.medium.put_back(&before).is_err().then_some(before);
        }
        self.database = Overlay::new(self.medium.clone(), self.put_back.clone())
            .ok()
            .and_then(|overlay| builder().create_with_backend(overlay).ok());
        stands
    }
}

impl Store for RedbStore {
    type Error = RecordsError;

    fn load(&self, key: &Key, into: &mut Vec<u8>) -> Result<bool, RecordsError> {
        into.clear();
        let table = self.database()?.begin_read()?.open_table(RECORDS)?;
        let found = table.get(key.as_bytes())?;
        if let Some(value) = &found {
            into.extend_from_slice(value.value());
        }
        Ok(found.is_some())
    }

    fn each(
        &self,
        keys: Range<&Key>,
        visit: &mut dyn FnMut(&Key, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), RecordsError> {
        if keys.start >= keys.end {
            return Ok(());
        }
        let table = self.database()?.begin_read()?.open_table(RECORDS)?;
        for record in table.range::<&[u8]>(keys.start.as_bytes()..keys.end.as_bytes())? {
            let (key, value) = record?;
            let key = Key::new(key.value())
                .map_err(|_| RecordsError::Damaged("a key is too long".into()))?;
            if visit(&key, value.value()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), RecordsError> {
        check_batch(changes)?;
        self.transact(|transaction| {
            let mut table = transaction.open_table(RECORDS)?;
            for change in changes {
                match *change {
                    Change::Put(ref key, value) => drop(table.insert(key.as_bytes(), value)?),
                    Change::Delete(ref key) => drop(table.remove(key.as_bytes())?),
                }
            }
            Ok(())
        })
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").field("detached", &self.detached).finish_non_exhaustive()
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

/// Looks, without writing, at every page that anything refers to, and refuses what no loss of power explains.
fn verify(medium: &Arc<Medium>, boot: Option<Boot>) -> Result<Findings, OpenError> {
    let (first_page, len) = (medium.first_page()?, medium.len()?);
    if first_page.is_empty() {
        return Err(OpenError::Empty);
    }
    if !FirstPage::is_redb(&first_page) {
        return Err(OpenError::Foreign);
    }
    if len % PAGE != 0 || FirstPage::pages(&first_page).is_some_and(|pages| len / PAGE < pages) {
        return Err(OpenError::Truncated);
    }
    if FirstPage::current_is_old(&first_page) {
        return Err(RecordsError::Damaged("its newest state is not the current one".into()).into());
    }
    let whole = FirstPage::two_phases(&first_page);
    let damage = match look_through(medium, Some(FirstPage::without_retreat(first_page))) {
        Ok((found, _)) => return Ok(found),
        Err(damage) if whole => return Err(damage),
        Err(damage) => damage,
    };
    let (found, last) = look_through(medium, None)?;
    if last.is_some() && last == boot { Err(damage) } else { Ok(found) }
}

/// Opens the database over its file, by way of its first page or another, and tells what is there and in
/// which boot it was last opened. With another first page redb may not go back to an earlier state.
///
/// redb checks some of its assumptions on a file by assertions, in builds that have them. Nothing outlives what it
/// stopped at: it only read, over an overlay of its own.
fn look_through(
    medium: &Arc<Medium>,
    first_page: Option<Vec<u8>>,
) -> Result<(Findings, Option<Boot>), OpenError> {
    let looked = catch_unwind(AssertUnwindSafe(|| read_all(medium, first_page)));
    looked.unwrap_or_else(|_| {
        Err(RecordsError::Damaged("redb cannot make sense of it".into()).into())
    })
}

fn read_all(
    medium: &Arc<Medium>,
    first_page: Option<Vec<u8>>,
) -> Result<(Findings, Option<Boot>), OpenError> {
    let mut builder = builder();
    if first_page.is_some() {
        // redb's share of work when it finds that the newest state is not whole, and only then.
        builder.set_repair_callback(|repair| {
            if repair.progress() > 0.0 && repair.progress() < 0.5 {
                repair.abort();
            }
        });
    }
    let overlay = Overlay::new(medium.clone(), first_page)?;
    let mut database = builder.create_with_backend(overlay).map_err(OpenError::of)?;
    database.check_integrity()?;
    let reading = database.begin_read().map_err(RecordsError::from)?;
    let table = reading.open_table(RECORDS).map_err(RecordsError::from)?;
    let identity: Option<Identity> = recall(&database, IDENTITY)?;
    let found = Findings {
        identity: identity.ok_or_else(|| RecordsError::Damaged("it has no identity".into()))?,
        records: table.len().map_err(RecordsError::from)?,
    };
    Ok((found, recall(&database, BOOT)?.map(Boot)))
}

fn recall(database: &Database, name: &str) -> Result<Option<[u8; 16]>, RecordsError> {
    let table = database.begin_read()?.open_table(VAULT)?;
    Ok(table.get(name)?.and_then(|value| value.value().try_into().ok()))
}

fn keep(transaction: &WriteTransaction, name: &str, value: &[u8; 16]) -> Result<(), RecordsError> {
    transaction.open_table(VAULT)?.insert(name, value.as_slice())?;
    Ok(())
}

fn begin(database: &Database) -> Result<WriteTransaction, RecordsError> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
    Ok(transaction)
}

fn check_batch(changes: &[Change<'_>]) -> Result<(), RecordsError> {
    if changes.len() > MAX_CHANGES {
        return Err(RecordsError::TooManyChanges(changes.len()));
    }
    if !changes.is_sorted_by(|one, next| one.key() < next.key()) {
        return Err(RecordsError::Unordered);
    }
    for change in changes {
        match *change {
            Change::Put(_, value) if value.len() > MAX_VALUE => {
                return Err(RecordsError::TooLong(value.len()));
            }
            Change::Put(..) | Change::Delete(_) => {}
        }
    }
    Ok(())
}

//! Why records could not be read or written, and why a database could not be opened.

use std::fmt;
use std::io;

use redb::DatabaseError;
use softkey_authenticator::StoreError;

use super::{MAX_CHANGES, MAX_VALUE};

/// What can go wrong with the records of an open vault.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordsError {
    /// The disk, or the user's share of it, is full.
    Full(io::Error),
    /// The system refused to read or write.
    Io(io::Error),
    /// The database contradicts itself; redb's own words.
    Damaged(String),
    /// After an earlier failure the database could not even be read.
    Closed,
    /// A batch of more than 16 changes: this many.
    TooManyChanges(usize),
    /// A batch whose keys do not ascend.
    Unordered,
    /// A value of more than 4096 bytes: this many.
    TooLong(usize),
}

impl StoreError for RecordsError {
    fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }
}

impl fmt::Display for RecordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(error) => write!(f, "the disk is full ({error})"),
            Self::Io(error) => write!(f, "the disk refused ({error})"),
            Self::Damaged(how) => write!(f, "the database is damaged ({how})"),
            Self::Closed => write!(f, "the database could not be read after an earlier failure"),
            Self::TooManyChanges(count) => {
                write!(f, "{count} changes at once, more than {MAX_CHANGES}")
            }
            Self::Unordered => write!(f, "changes whose keys do not ascend"),
            Self::TooLong(len) => write!(f, "a value of {len} bytes, more than {MAX_VALUE}"),
        }
    }
}

impl std::error::Error for RecordsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Full(error) | Self::Io(error) => Some(error),
            Self::Damaged(_)
            | Self::Closed
            | Self::TooManyChanges(_)
            | Self::Unordered
            | Self::TooLong(_) => None,
        }
    }
}

impl From<io::Error> for RecordsError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(error),
            // redb reads only what its own pages refer to.
            io::ErrorKind::UnexpectedEof => Self::Damaged("it ends too early".into()),
            _ => Self::Io(error),
        }
    }
}

impl From<redb::Error> for RecordsError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => error.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// One conversion for each of redb's error types; all of them go through [`redb::Error`].
macro_rules! from_redb {
    ($($error:ty),+) => {
        $(impl From<$error> for RecordsError {
            fn from(error: $error) -> Self {
                redb::Error::from(error).into()
            }
        })+
    };
}

from_redb!(
    redb::StorageError,
    redb::TransactionError,
    redb::TableError,
    redb::CommitError,
    DatabaseError
);

/// Why a database could not be opened or made.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// There is not one byte.
    Empty,
    /// It is shorter than it was when it was closed, or not of whole pages.
    Truncated,
    /// A sound database of another identity.
    Stranger,
    /// A new database was to be made, and there is something already.
    NotEmpty,
    /// This is no redb database.
    Foreign,
    /// A database in a format of redb's that this version does not read, with its number.
    Format(u8),
    /// It cannot be read, or contradicts itself.
    Records(RecordsError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the database is empty"),
            Self::Truncated => write!(f, "the database ends too early"),
            Self::Stranger => write!(f, "this is another database"),
            Self::NotEmpty => write!(f, "there is a database already"),
            Self::Foreign => write!(f, "this is no database"),
            Self::Format(number) => write!(f, "a database of the unknown format {number}"),
            Self::Records(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {}

impl OpenError {
    /// redb's word on a database that it was to open.
    pub(super) fn of(error: DatabaseError) -> Self {
        match error {
            DatabaseError::UpgradeRequired(number) => Self::Format(number),
            DatabaseError::RepairAborted => {
                Self::Records(RecordsError::Damaged("pages do not match their sums".into()))
            }
            other => Self::Records(other.into()),
        }
    }
}

impl<E: Into<RecordsError>> From<E> for OpenError {
    fn from(error: E) -> Self {
        Self::Records(error.into())
    }
}

//! What every [`Store`](softkey_authenticator::Store) must do, and the disks that show whether it does.
//!
//! - [`contract`]: one suite for all implementations;
//! - [`disk`]: a disk in memory that logs, fills up, fails, and forgets what was not synced;
//! - [`flash`]: a chip's flash in memory that counts, loses power and fails;
//! - [`committer`]: work for a process that is to be killed;
//! - [`registrar`]: a key on any store, and registrations for such a process;
//! - [`person`]: a person who keeps passwords, for such a process too;
//! - [`power`]: the check that no loss of power tears or loses a commit.

pub mod committer;
pub mod contract;
pub mod disk;
pub mod flash;
pub mod person;
pub mod power;
pub mod registrar;

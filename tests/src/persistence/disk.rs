//! A disk in memory: it logs what is written and synced, fills up or fails when told, and can be rebuilt as a
//! loss of power would leave it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// One thing done to a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The file was cut or grown to this length.
    SetLen(u64),
    /// These bytes were written at this offset.
    Write(u64, Vec<u8>),
    /// All before this is on the disk whatever happens.
    Sync,
}

/// When changes are refused, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// So many changes still go through.
    pub after: usize,
    /// Do those after the first refused one go through again?
    pub once: bool,
    /// What is refused.
    pub of: Refused,
    /// The reason given.
    pub kind: io::ErrorKind,
}

/// The kinds of change that a [`Fault`] counts and refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Writes, and lengths that grow.
    Writes,
    /// Syncs.
    Syncs,
}

/// A disk with one file. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    events: Vec<Event>,
    fault: Option<Fault>,
    faults: usize,
    /// Of so many syncs, one is done; the others only pretend.
    sync_every: Option<usize>,
    syncs: usize,
}

impl Disk {
    /// A disk whose file holds these bytes.
    #[must_use]
    pub fn holding(bytes: Vec<u8>) -> Self {
        Self { state: Arc::new(Mutex::new(State { bytes, ..State::default() })) }
    }

    /// A disk that lies: only each `nth` sync is one; with none at all, no sync is.
    #[must_use]
    pub fn lying(nth: Option<usize>) -> Self {
        let disk = Self::default();
        disk.state().sync_every = Some(nth.unwrap_or(usize::MAX));
        disk
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    /// All that was done so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    /// How much was done so far.
    #[must_use]
    pub fn event_count(&self) -> usize {
        self.state().events.len()
    }

    /// Sets a fault, or mends it.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut state = self.state();
        state.fault = fault;
        state.faults = 0;
    }

    /// How often the fault has struck.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.state().faults
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refuse(&mut self, of: Refused) -> io::Result<()> {
        let Some(fault) = self.fault.as_mut().filter(|fault| fault.of == of) else { return Ok(()) };
        if fault.after > 0 {
            fault.after -= 1;
            return Ok(());
        }
        let kind = fault.kind;
        if fault.once {
            self.fault = None;
        }
        self.faults += 1;
        Err(kind.into())
    }
}

/// Does to a file what was done to a disk.
pub fn replay(bytes: &mut Vec<u8>, event: &Event) {
    match event {
        Event::SetLen(len) => bytes.resize(usize::try_from(*len).expect("a file that fits"), 0),
        Event::Write(offset, data) => {
            let start = usize::try_from(*offset).expect("a file that fits");
            let end = start + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[start..end].copy_from_slice(data);
        }
        Event::Sync => {}
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.state().bytes.len()).expect("a file that fits"))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let start = usize::try_from(offset).expect("a file that fits");
        let there =
            state.bytes.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(there);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        if len > u64::try_from(state.bytes.len()).expect("a file that fits") {
            state.refuse(Refused::Writes)?;
        }
        let event = Event::SetLen(len);
        replay(&mut state.bytes, &event);
        state.events.push(event);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.refuse(Refused::Syncs)?;
        state.syncs += 1;
        if state.sync_every.is_none_or(|nth| state.syncs.is_multiple_of(nth)) {
            state.events.push(Event::Sync);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.refuse(Refused::Writes)?;
        let event = Event::Write(offset, data.to_vec());
        replay(&mut state.bytes, &event);
        state.events.push(event);
        Ok(())
    }
}

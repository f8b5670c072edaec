//! Losses of power: from a log of what was written and synced, every file that could be found afterwards, and
//! whether a store opens on it with what it had acknowledged.

use std::fmt::Debug;

use super::contract::Records;
use super::disk::{Event, replay};

/// A run that was recorded: what the disk saw, and how the store's content went.
#[derive(Clone, Debug)]
pub struct Recording {
    /// All that was done to the disk.
    pub events: Vec<Event>,
    /// The records after each commit, in order, with the number of events when the commit began and when it
    /// was acknowledged. The first entry is the making of the store.
    pub commits: Vec<Commit>,
}

/// One commit of a [`Recording`].
#[derive(Clone, Debug)]
pub struct Commit {
    /// The number of events when it began.
    pub began: usize,
    /// The number of events when it was acknowledged.
    pub acknowledged: usize,
    /// All records after it.
    pub records: Records,
}

/// The first file found that a loss of power could leave and that holds the wrong thing.
#[derive(Clone, Debug)]
pub struct Torn {
    /// The events before this one are on the disk.
    pub synced: usize,
    /// What became of the later ones.
    pub later: Later,
    /// What was wrong.
    pub why: String,
}

/// What becomes of the events between one sync and the next when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// The first so many reach the disk, and power goes right after them.
    Prefix(usize),
    /// All but this one reach the disk.
    Dropped(usize),
    /// All reach the disk, but of this write only the sectors before this one.
    Head(usize, usize),
    /// All reach the disk, but of this write only the sectors from this one on.
    Tail(usize, usize),
}

/// The unit that a disk writes whole.
const SECTOR: usize = 512;

/// Opens every file that a loss of power could leave, at every sync point, and compares it with what must be
/// there: the records of the last acknowledged commit or, while one was in work, those or the next; until the
/// making of the store is acknowledged, anything. Returns the number of files looked at.
///
/// # Errors
///
/// The first file that holds the wrong thing.
pub fn check<E: Debug>(
    recording: &Recording,
    mut open: impl FnMut(Vec<u8>) -> Result<Records, E>,
) -> Result<usize, Box<Torn>> {
    let mut looked_at = 0;
    let mut on_disk = Vec::new();
    let mut synced = 0;
    for epoch in recording.events.split_inclusive(|event| *event == Event::Sync) {
        let later = epoch.strip_suffix(&[Event::Sync]).unwrap_or(epoch);
        for fate in fates(later) {
            let mut file = on_disk.clone();
            let gone = synced + fate.apply(later, &mut file);
            let torn = |why| Box::new(Torn { synced, later: fate, why });
            looked_at += 1;
            match (open(file), recording.allowed(gone)) {
                (_, None) => {}
                (Ok(found), Some(allowed)) if allowed.contains(&&found) => {}
                (Ok(found), Some(_)) => {
                    return Err(torn(format!("{} records, a state that never was", found.len())));
                }
                (Err(error), Some(_)) => return Err(torn(format!("does not open: {error:?}"))),
            }
        }
        for event in later {
            replay(&mut on_disk, event);
        }
        synced += epoch.len();
    }
    Ok(looked_at)
}

impl Recording {
    /// What may be found if it all ended when so many events had happened; none if anything may.
    #[must_use]
    pub fn allowed(&self, gone: usize) -> Option<Vec<&Records>> {
        let acknowledged = self.commits.iter().rposition(|commit| commit.acknowledged <= gone)?;
        let next = self.commits.get(acknowledged + 1).filter(|commit| commit.began <= gone);
        Some(
            self.commits
                .get(acknowledged)
                .into_iter()
                .chain(next)
                .map(|commit| &commit.records)
                .collect(),
        )
    }
}

fn fates(later: &[Event]) -> impl Iterator<Item = Later> {
    let prefixes = (0..=later.len()).map(Later::Prefix);
    let dropped = (0..later.len()).map(Later::Dropped);
    let torn = later.iter().enumerate().flat_map(|(at, event)| {
        let sectors = match event {
            Event::Write(_, data) => data.len().div_ceil(SECTOR),
            Event::SetLen(_) | Event::Sync => 0,
        };
        (1..sectors).flat_map(move |cut| [Later::Head(at, cut), Later::Tail(at, cut)])
    });
    prefixes.chain(dropped).chain(torn)
}

impl Later {
    /// Does to the file what reaches the disk. Returns how many of the events had happened.
    fn apply(self, later: &[Event], file: &mut Vec<u8>) -> usize {
        let happened = if let Self::Prefix(count) = self { count } else { later.len() };
        for (at, event) in later.iter().take(happened).enumerate() {
            match (self, event) {
                (Self::Dropped(dropped), _) if dropped == at => {}
                (Self::Head(torn, cut), Event::Write(offset, data)) if torn == at => {
                    replay(file, &Event::Write(*offset, data[..cut * SECTOR].to_vec()));
                }
                (Self::Tail(torn, cut), Event::Write(offset, data)) if torn == at => {
                    let start = offset + u64::try_from(cut * SECTOR).expect("a small write");
                    replay(file, &Event::Write(start, data[cut * SECTOR..].to_vec()));
                }
                _ => replay(file, event),
            }
        }
        happened
    }
}

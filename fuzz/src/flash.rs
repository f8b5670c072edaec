//! The store in a chip's flash: batches, losses of power at any write or erase, chips that fail once, changed bits.
//!
//! Claim: the store agrees with a map. A batch that is refused or fails leaves the records as they were, also for the next
//! batch; where the power went in it, the store opens, and holds the records before it or those after it; a batch that was
//! told to be durable is. Records never take more than there is room for; a full store still deletes. After bits have
//! changed it is refused as damaged, or every record in it is one that was written under its key, and it holds the same ones
//! when it opens again. Planted: a store that forgets the last change of a batch of several.

use std::collections::{BTreeMap, BTreeSet};

use softkey_authenticator::{Store as _, StoreError};
use softkey_flash_store::{Error, FlashStore, Page};
use softkey_tests::persistence::contract::{Batch, Records, apply, changes, records};
use softkey_tests::persistence::flash::{Chip, ChipError, Done, Fault};

use crate::{Subject, Tape};

/// A tape: how many pages, then what is done.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let mut desk = Desk::new(6 + tape.below(3), subject);
    let mut steps = 0;
    while !tape.is_empty() && steps < 64 {
        steps += 1;
        match tape.below(16) {
            0..=6 => desk.commit(&mut tape, None),
            7 | 8 => desk.fill(&mut tape),
            9..=11 => {
                let fault = fault(&mut tape);
                desk.commit(&mut tape, Some(fault));
            }
            12 => desk.opens_in_parts(&mut tape),
            13 | 14 => desk.reopens(),
            _ => return desk.is_damaged(&mut tape),
        }
        desk.agrees();
    }
    desk.reopens();
    desk.agrees();
    desk.empties();
}

fn fault(tape: &mut Tape<'_>) -> Fault {
    let after = tape.below(24);
    let part = tape.byte();
    let done = tape.pick(&[Done::Nothing, Done::Part(part), Done::Tail, Done::All]);
    Fault { after, done, once: tape.flag() }
}

/// Changes of few keys, so that they meet each other's records; values short, or as long as half a page and more.
fn batch(tape: &mut Tape<'_>) -> Batch {
    let many = 1 + tape.below(16);
    let change = |tape: &mut Tape<'_>| {
        let (name, how) = (tape.byte() % 20, tape.byte());
        let key = vec![b'k'; usize::from(name % 4) * 13].into_iter().chain([name]).collect();
        let value = match how {
            0..=0x3F => None,
            0x40..=0xEF => Some(vec![how; usize::from(how - 0x40)]),
            _ => Some(vec![how; 1000 + usize::from(how - 0xF0) * 200]),
        };
        (key, value)
    };
    (0..many).map(|_| change(tape)).collect()
}

struct Desk {
    chip: Chip,
    pages: u32,
    store: FlashStore<Chip>,
    subject: Subject,
    model: Records,
    /// What the records would be after the batches that failed since the last one that did not: the first may still be
    /// whole when the power goes.
    pending: Vec<Records>,
    /// Everything that was ever written under a key.
    written: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
}

fn open(chip: &Chip, pages: u32) -> Result<FlashStore<Chip>, Error<ChipError>> {
    FlashStore::open(chip.clone(), 0..pages * Page::LEN)
}

impl Desk {
    fn new(pages: usize, subject: Subject) -> Self {
        let chip = Chip::new(pages);
        let pages = u32::try_from(pages).expect("a few pages");
        let store = open(&chip, pages).expect("an erased chip opens");
        Self {
            chip,
            pages,
            store,
            subject,
            model: Records::new(),
            pending: Vec::new(),
            written: BTreeMap::new(),
        }
    }

    fn commit(&mut self, tape: &mut Tape<'_>, fault: Option<Fault>) {
        let batch = batch(tape);
        self.commits(&batch, fault);
    }

    /// The same records again and again, so that pages are collected and levelled.
    fn fill(&mut self, tape: &mut Tape<'_>) {
        let batch = batch(tape);
        for _ in 0..=tape.below(32) {
            self.commits(&batch, None);
        }
    }

    fn commits(&mut self, batch: &Batch, fault: Option<Fault>) {
        let mut after = self.model.clone();
        apply(&mut after, &changes(batch));
        for (key, value) in batch {
            self.written.entry(key.clone()).or_default().extend(value.clone());
        }
        self.chip.set_fault(fault);
        let mut given = changes(batch);
        if self.subject == Subject::Planted && given.len() > 1 {
            given.pop();
        }
        let committed = self.store.commit(&given);
        self.chip.set_fault(None);
        match committed {
            Ok(()) => (self.model, self.pending) = (after, Vec::new()),
            Err(Error::Full) => {
                let grows = batch.values().any(Option::is_some);
                assert!(grows, "a full store refuses to delete");
            }
            Err(Error::Flash(ChipError::Fault)) => {
                let Some(fault) = fault else { panic!("a chip failed by itself") };
                if fault.once {
                    self.pending.push(after);
                } else {
                    self.comes_up(Some(after));
                }
            }
            Err(error) => panic!("a batch is refused: {error:?}"),
        }
        // The power may have gone behind the batch, in what the store does for itself.
        if fault.is_some_and(|fault| !fault.once && self.chip.operations() > fault.after) {
            self.reopens();
        }
    }

    /// Out and in again, perhaps in a batch: the store before it, or after it.
    fn comes_up(&mut self, after: Option<Records>) {
        self.store = open(&self.chip, self.pages).expect("the store opens");
        let found = records(&self.store).expect("all is read");
        let mut allowed = after.into_iter().chain(std::mem::take(&mut self.pending));
        assert!(
            found == self.model || allowed.any(|state| state == found),
            "a state that never was"
        );
        self.model = found;
    }

    fn reopens(&mut self) {
        self.comes_up(None);
    }

    /// The power comes and goes while the store opens.
    fn opens_in_parts(&mut self, tape: &mut Tape<'_>) {
        for _ in 0..=tape.below(4) {
            self.chip.set_fault(Some(Fault { once: false, ..fault(tape) }));
            drop(open(&self.chip, self.pages));
        }
        self.chip.set_fault(None);
        self.reopens();
    }

    fn agrees(&self) {
        assert!(records(&self.store).expect("all is read") == self.model, "store and map differ");
        assert!(self.store.used() <= self.store.capacity(), "more than there is room for");
    }

    /// Bits have changed while there was no power.
    fn is_damaged(&self, tape: &mut Tape<'_>) {
        let mut content = self.chip.content();
        for _ in 0..=tape.below(3) {
            let bytes = content.bytes_mut();
            let at = ((usize::from(tape.short()) << 1) | usize::from(tape.flag())) % bytes.len();
            bytes[at] ^= 1 << tape.below(8);
        }
        let chip = Chip::holding(content);
        let Some(found) = self.found(&chip) else { return };
        for (key, value) in &found {
            let known = self.written.get(key).is_some_and(|values| values.contains(value));
            assert!(known, "a record that nobody wrote");
        }
        assert!(self.found(&chip) == Some(found), "what is found changes by opening");
    }

    /// All records of a chip, if its store is not refused as damaged.
    fn found(&self, chip: &Chip) -> Option<Records> {
        match open(chip, self.pages).and_then(|store| records(&store)) {
            Ok(found) => Some(found),
            Err(Error::Damaged(_)) => None,
            Err(error) => panic!("damage is told as {error:?}"),
        }
    }

    /// In the end everything can be deleted, however full it is.
    fn empties(&mut self) {
        let keys: Vec<Vec<u8>> = self.model.keys().cloned().collect();
        for key in keys {
            let batch = Batch::from([(key, None)]);
            let deleted = self.store.commit(&changes(&batch));
            assert!(!deleted.as_ref().is_err_and(StoreError::is_full), "too full to delete");
            deleted.expect("a record is deleted");
        }
        self.model.clear();
        self.reopens();
        self.agrees();
    }
}

//! The store in flash: losses of power at every operation, failing chips, and what is full. ST-01, ST-02.

use softkey_authenticator::{Change, Store, StoreError as _};
use softkey_flash_store::ram::RamFlash;
use softkey_flash_store::{Error, FlashStore, Page};
use softkey_tests::persistence::contract::{Records, apply, changes, key, records};
use softkey_tests::persistence::flash::{Chip, ChipError, Done, Fault};

/// A small region, so that pages are collected all the time.
pub(crate) const PAGES: u32 = 6;

pub(crate) fn open(chip: &Chip, pages: u32) -> Result<FlashStore<Chip>, Error<ChipError>> {
    FlashStore::open(chip.clone(), 0..pages * Page::LEN)
}

/// What a batch puts, and what it deletes.
pub(crate) type Batch = std::collections::BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Work as that of an authenticator, and batches longer than a page: number, key, value.
pub(crate) fn batch(number: u32) -> Batch {
    let small = u8::try_from(number % 23).unwrap();
    let value = |len: usize| Some(vec![u8::try_from(number % 251).unwrap(); len]);
    let named = |kind: u8, name: u8| [&[kind][..], &[name; 24]].concat();
    let pairs = match number % 7 {
        0 | 3 => vec![
            (named(b'c', small), value(270)),
            (vec![b'n'], value(60)),
            (named(b'u', small), value(48)),
        ],
        1 => vec![(vec![b'l', 0], value(2900)), (vec![b'l', 1], value(usize::from(small) * 70))],
        2 => vec![(named(b'c', small / 2), None), (named(b'u', small / 2), None)],
        4 => (0..16).map(|name| (named(b'c', name * 2), None)).collect(),
        5 => vec![(vec![b'l', 0], value(10)), (vec![b'l', 1], None)],
        _ => vec![(b"sc".to_vec(), value(48))],
    };
    pairs.into_iter().collect()
}

/// A chip with something in it and much that is dead.
pub(crate) fn worked(batches: u32) -> (Chip, Records) {
    let chip = Chip::new(PAGES as usize);
    let mut store = open(&chip, PAGES).unwrap();
    let mut model = Records::new();
    for number in 0..batches {
        let batch = batch(number);
        store.commit(&changes(&batch)).unwrap();
        apply(&mut model, &changes(&batch));
        assert!(records(&store).unwrap() == model, "batch {number}");
    }
    assert!(records(&open(&chip, PAGES).unwrap()).unwrap() == model);
    (Chip::holding(chip.content()), model)
}

fn fates() -> impl Iterator<Item = Done> {
    [Done::Nothing, Done::Part(0), Done::Part(7), Done::Part(100), Done::Part(200), Done::Part(255)]
        .into_iter()
        .chain([Done::Tail, Done::All])
}

/// A flash on the eve of a batch.
struct Eve {
    content: RamFlash,
    before: Records,
    batch: Batch,
}

impl Eve {
    /// That of the batch with this number.
    fn of(number: u32) -> Self {
        let (chip, before) = worked(number);
        Self { content: chip.content(), before, batch: batch(number) }
    }

    fn after(&self) -> Records {
        let mut after = self.before.clone();
        apply(&mut after, &changes(&self.batch));
        after
    }
}

/// What was looked at.
#[derive(Clone, Copy, Default)]
struct Looked {
    flashes: usize,
    /// The power went when the batch had been told to be durable: where pages are levelled.
    behind: usize,
}

/// Cuts the power at every operation of a batch and then at every operation of the opening that follows.
fn cut_everywhere(eve: &Eve, opens: &dyn Fn(&Chip) -> Records) -> Looked {
    let Eve { content, before, batch } = eve;
    let after = eve.after();
    let mut looked = Looked::default();
    for done in fates() {
        for operation in 0.. {
            let chip = Chip::holding(content.clone());
            let mut store = open(&chip, PAGES).unwrap();
            chip.set_fault(Some(Fault { after: operation, done, once: false }));
            let committed = store.commit(&changes(batch)).is_ok();
            if committed && chip.operations() <= operation {
                break;
            }
            looked.behind += usize::from(committed);
            for again in 0.. {
                let cut = Chip::holding(chip.content());
                cut.set_fault(Some(Fault { after: again, done, once: false }));
                let opened = open(&cut, PAGES).is_ok();
                cut.set_fault(None);
                let found = opens(&cut);
                looked.flashes += 1;
                let allowed = found == after || (!committed && found == *before);
                assert!(allowed, "{done:?} of operation {operation}, then {again}");
                goes_on(&cut, &found);
                if opened {
                    break;
                }
            }
        }
    }
    looked
}

/// The store that was found takes more batches, so that it must collect.
fn goes_on(chip: &Chip, found: &Records) {
    let mut store = open(chip, PAGES).unwrap();
    for number in 0..3_u8 {
        store.commit(&[Change::Put(key(b"zz"), &[number; 2500])]).unwrap();
    }
    store.commit(&[Change::Delete(key(b"zz"))]).unwrap();
    assert!(records(&store).unwrap() == *found);
}

pub(crate) fn reopened(chip: &Chip) -> Records {
    records(&open(chip, PAGES).unwrap()).unwrap()
}

/// ST-01. Before, inside and after every write and erase of a batch, and of the openings after it: the records before
/// the batch or those after it.
#[test]
fn no_loss_of_power_tears_or_loses_a_batch() {
    let cut = |number| {
        println!("batch {number}");
        cut_everywhere(&Eve::of(number), &reopened).flashes
    };
    let looked_at: usize = (40..75).map(cut).sum();
    println!("{looked_at} flashes");
    assert!(looked_at > 3000, "only {looked_at} flashes");
}

/// ST-01. Of the newest batch, a deletion, nothing is needed any more when its page is collected, nor of the end of the one
/// before, which lay there too: that one is whole all the same, whenever the power goes.
#[test]
fn an_older_batch_is_not_taken_for_the_newest() {
    let chip = Chip::new(PAGES as usize);
    let mut store = open(&chip, PAGES).unwrap();
    let mut model = Records::new();
    let mut commit = |store: &mut FlashStore<Chip>, batch: &[Change<'_>]| {
        store.commit(batch).unwrap();
        apply(&mut model, batch);
    };
    // Pages with little that lives, but something.
    let pages = u8::try_from(PAGES).unwrap() - 3;
    for number in 0..pages {
        let (kept, gone) = (key(&[b'k', number]), key(&[b'g', number]));
        commit(
            &mut store,
            &[Change::Put(gone, &[number; 3400]), Change::Put(kept, &[number; 300])],
        );
    }
    for number in 0..pages {
        commit(&mut store, &[Change::Delete(key(&[b'g', number]))]);
    }
    commit(&mut store, &[Change::Put(key(b"f"), &[b'f'; 3000])]);
    // Begins in one page and ends in the next, which then has nothing that lives.
    commit(
        &mut store,
        &[Change::Put(key(b"x"), &[b'x'; 400]), Change::Put(key(b"y"), &[b'y'; 900])],
    );
    commit(&mut store, &[Change::Delete(key(b"y"))]);
    let before = model.clone();
    chip.set_fault(Some(Fault { after: 0, done: Done::Part(100), once: false }));
    store.commit(&[Change::Put(key(b"z"), &[b'z'; 200])]).unwrap_err();
    chip.set_fault(None);
    assert!(reopened(&chip) == before);
    let batch = Batch::from([(b"z".to_vec(), Some(vec![b'z'; 200]))]);
    let eve = Eve { content: chip.content(), before, batch };
    let looked = cut_everywhere(&eve, &reopened);
    assert!(looked.flashes > 8, "{}", looked.flashes);
}

/// The check above finds an opening that loses a record.
#[test]
#[should_panic(expected = "of operation")]
fn a_store_that_loses_a_record_is_found_out() {
    let looked_at = std::cell::Cell::new(0);
    cut_everywhere(&Eve::of(49), &|chip| {
        let mut found = reopened(chip);
        looked_at.set(looked_at.get() + 1);
        if looked_at.get() == 9 {
            found.pop_first();
        }
        found
    });
}

/// A flash with a page of records that are never written again, on the eve of the batch that has it moved because the
/// others are worn: so many such records of this length.
fn uneven(records: u8, len: usize) -> Eve {
    let chip = Chip::new(PAGES as usize);
    let mut store = open(&chip, PAGES).unwrap();
    let mut before = Records::new();
    let still = (0..records).map(|name| Batch::from([(vec![b's', name], Some(vec![name; len]))]));
    let hot = (0_u8..=250).cycle();
    let hot = hot.map(|number| Batch::from([(b"hot".to_vec(), Some(vec![number; 900]))]));
    let mut batches = still.chain(hot);
    loop {
        let batch = batches.next().unwrap();
        let (content, worn) = (chip.content(), store.erases().collect::<Vec<_>>());
        store.commit(&changes(&batch)).unwrap();
        if is_levelled(&worn, &store.erases().collect::<Vec<_>>()) {
            return Eve { content, before, batch };
        }
        apply(&mut before, &changes(&batch));
        assert!(chip.erases() < 1000, "nothing is levelled");
    }
}

/// Was a page erased that had been spared? Collecting does not choose it: more lives there than elsewhere.
fn is_levelled(worn: &[u32], now: &[u32]) -> bool {
    let most = *worn.iter().max().unwrap();
    worn.iter().zip(now).any(|(worn, now)| now > worn && worn + 64 < most)
}

/// Pages that hold still: one with little in it, one that is full, and one without room for the note that it is moved.
fn all_uneven() -> [Eve; 3] {
    let eves = [(2, 500), (4, 968), (4, 996)].map(|(records, len)| uneven(records, len));
    // The first page in use is that of the records that were there first.
    let spare = eves.each_ref().map(|eve| {
        let mut content = eve.content.clone();
        let first = |page: &&[u8]| page[24..].windows(9).any(|bytes| bytes == [0; 9]);
        let page = content.bytes_mut().chunks(4096).find(first).unwrap().to_vec();
        page.iter().rev().take_while(|byte| **byte == 0xff).count()
    });
    assert!((16..512).contains(&spare[1]) && spare[2] < 16, "{spare:?}");
    eves
}

/// ST-01. The same where the batch is durable and a page that holds still is moved behind it: before, inside and after
/// every write and erase of that too.
#[test]
fn no_loss_of_power_loses_what_is_levelled() {
    for eve in all_uneven() {
        let Looked { flashes, behind } = cut_everywhere(&eve, &reopened);
        println!("{flashes} flashes, {behind} of them cut in levelling");
        assert!(behind > 30, "{behind} of {flashes} flashes were cut in levelling");
    }
}

/// ST-02. A chip that fails while a page is levelled: the batch is durable by then, so it has not failed; and what was
/// left half done does no harm to the next one.
#[test]
fn a_failed_levelling_is_no_failed_batch() {
    for eve in all_uneven() {
        let after = eve.after();
        let mut failed = 0;
        for operation in 0.. {
            let mut ended = false;
            for done in fates() {
                let chip = Chip::holding(eve.content.clone());
                let mut store = open(&chip, PAGES).unwrap();
                chip.set_fault(Some(Fault { after: operation, done, once: true }));
                let committed = store.commit(&changes(&eve.batch)).is_ok();
                let found = records(&store).unwrap();
                let expected = if committed { &after } else { &eve.before };
                assert!(found == *expected, "{operation}, {done:?}: {committed}");
                if chip.operations() <= operation {
                    ended = true;
                    break;
                }
                failed += usize::from(committed);
                let mut model = found;
                let next = [Change::Put(key(b"zz"), b"next")];
                store.commit(&next).unwrap();
                apply(&mut model, &next);
                assert!(records(&store).unwrap() == model, "{operation}, {done:?}");
                assert!(reopened(&chip) == model, "{operation}, {done:?}: reopened");
            }
            if ended {
                break;
            }
        }
        assert!(failed > 10, "only {failed} faults in levelling");
    }
}

/// ST-02. A chip that fails at one operation: the error, the records as before, also after the next batch.
#[test]
fn a_failed_batch_leaves_the_records_as_before() {
    let mut failed = 0;
    for number in 40..61 {
        let (chip, before) = worked(number);
        let mut after = before.clone();
        apply(&mut after, &changes(&batch(number)));
        let content = chip.content();
        for operation in 0.. {
            let mut ended = false;
            for done in fates() {
                let chip = Chip::holding(content.clone());
                let mut store = open(&chip, PAGES).unwrap();
                chip.set_fault(Some(Fault { after: operation, done, once: true }));
                if store.commit(&changes(&batch(number))).is_ok() {
                    // A fault that strikes what is only tidied up costs nothing.
                    assert!(records(&store).unwrap() == after, "{number}, {operation}, {done:?}");
                    ended = chip.operations() <= operation;
                    continue;
                }
                failed += 1;
                assert!(records(&store).unwrap() == before, "{number}, {operation}, {done:?}");
                let mut model = before.clone();
                let next = [Change::Put(key(b"zz"), b"next")];
                store.commit(&next).unwrap();
                apply(&mut model, &next);
                assert!(records(&store).unwrap() == model, "{number}, {operation}, {done:?}");
                assert!(reopened(&chip) == model, "{number}, {operation}, {done:?}: reopened");
            }
            if ended {
                break;
            }
        }
    }
    assert!(failed > 21, "only {failed} batches failed");
}

/// ST-02. A chip that fails again while the failed batch is taken back: the records are as before all the while, and the
/// batch after that is made.
#[test]
fn a_batch_that_fails_behind_a_failed_one_leaves_the_records_as_before() {
    let next = [Change::Put(key(b"zz"), b"next")];
    let mut failed_twice = 0;
    for number in 50..56 {
        let (chip, before) = worked(number);
        let mut model = before.clone();
        apply(&mut model, &next);
        let content = chip.content();
        for (first, again) in (0..24).flat_map(|first| (0..24).map(move |again| (first, again))) {
            let chip = Chip::holding(content.clone());
            let mut store = open(&chip, PAGES).unwrap();
            chip.set_fault(Some(Fault { after: first, done: Done::All, once: true }));
            if store.commit(&changes(&batch(number))).is_ok() {
                continue;
            }
            chip.set_fault(Some(Fault { after: again, done: Done::Part(100), once: true }));
            if store.commit(&next).is_err() {
                failed_twice += 1;
                assert!(records(&store).unwrap() == before, "{number}, {first}, {again}");
                chip.set_fault(None);
                store.commit(&next).unwrap();
            }
            assert!(records(&store).unwrap() == model, "{number}, {first}, {again}");
            assert!(reopened(&chip) == model, "{number}, {first}, {again}: reopened");
        }
    }
    assert!(failed_twice > 100, "{failed_twice}");
}

/// A full store refuses what grows, says why, and still deletes.
#[test]
fn a_full_store_refuses_and_deletes() {
    let chip = Chip::new(PAGES as usize);
    let mut store = open(&chip, PAGES).unwrap();
    let name = |number: u32| key(&number.to_be_bytes());
    let mut count = 0;
    let full = loop {
        match store.commit(&[Change::Put(name(count), &[7; 400])]) {
            Ok(()) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(full.is_full() && count > 25, "{count}: {full:?}");
    assert_eq!(records(&store).unwrap().len(), count as usize);
    for round in 0..200 {
        store.commit(&[Change::Put(name(round % count), &[8; 400])]).unwrap();
    }
    store.commit(&[Change::Delete(name(0)), Change::Delete(name(1))]).unwrap();
    store.commit(&[Change::Put(name(count), &[7; 400])]).unwrap();
    assert_eq!(reopened(&chip).len(), count as usize - 1);
}

/// Keys of a batch share what they have in common, until the first of them is written again elsewhere. What a full store
/// holds does not grow by that: what was put can be put again and deleted.
#[test]
fn what_was_put_can_be_put_again_in_a_full_store() {
    let chip = Chip::new(PAGES as usize);
    let mut store = open(&chip, PAGES).unwrap();
    let named =
        |number: u32, last: u8| key(&[&number.to_be_bytes()[..], &[b'k'; 35], &[last]].concat());
    let mut count = 0;
    let full = loop {
        let both = [Change::Put(named(count, 1), &[1; 8]), Change::Put(named(count, 2), &[2; 8])];
        match store.commit(&both) {
            Ok(()) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(full.is_full() && count > 80, "{count}: {full:?}");
    for number in (0..count).cycle().take(4 * count as usize) {
        store.commit(&[Change::Put(named(number, 1), &[3; 8])]).unwrap();
        assert!(store.used() <= store.capacity(), "{number}");
    }
    assert_eq!(reopened(&chip).len(), 2 * count as usize);
    for number in 0..count {
        store.commit(&[Change::Delete(named(number, 2))]).unwrap();
    }
    assert_eq!(reopened(&chip).len(), count as usize);
}

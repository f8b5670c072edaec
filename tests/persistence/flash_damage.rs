//! The store in flash: bits that changed. ST-03.

use softkey_authenticator::{Change, Store};
use softkey_flash_store::Error;
use softkey_tests::persistence::contract::{key, records};
use softkey_tests::persistence::flash::Chip;

use crate::flash::{Batch, PAGES, batch, open, reopened, worked};

/// ST-03. A changed byte in front of later entries is damage, by name; a region without a store becomes one.
#[test]
fn damage_is_told_from_a_loss_of_power() {
    let (chip, _) = worked(60);
    let mut content = chip.content();
    let first =
        content.bytes_mut().chunks(4096).position(|page| page[24..].iter().any(|b| *b != 0xff));
    let at = first.unwrap() * 4096 + 24 + 20;
    content.bytes_mut()[at] ^= 1;
    assert!(matches!(open(&Chip::holding(content), PAGES), Err(Error::Damaged(_))));
    let mut noise = Chip::new(PAGES as usize).content();
    noise.bytes_mut().fill(0x5a);
    assert!(records(&open(&Chip::holding(noise), PAGES).unwrap()).unwrap().is_empty());
    let outside = open(&Chip::new(5), PAGES).err();
    assert_eq!(outside, Some(Error::Region));
}

/// ST-03. A bit that changed anywhere is damage, or what is found are records that were written, and the same when the store
/// opens again: damage is told at once, and not when what it left is read.
#[test]
fn a_changed_bit_is_told_at_once() {
    for batches in [1, 3, 9, 60, 61, 62, 63, 64, 65, 66] {
        let (chip, _) = worked(batches);
        let written: Vec<Batch> = (0..batches).map(batch).collect();
        let content = chip.content().bytes_mut().clone();
        let (mut opened, mut damaged) = (0, 0);
        for at in
            (0..content.len()).filter(|at| content[*at] != 0xff).step_by(1 + batches as usize / 8)
        {
            let mut changed = chip.content();
            changed.bytes_mut()[at] ^= 1 << (at % 8);
            let chip = Chip::holding(changed);
            let store = match open(&chip, PAGES) {
                Ok(store) => store,
                Err(Error::Damaged(_)) => {
                    damaged += 1;
                    continue;
                }
                Err(error) => panic!("bit {} of byte {at}: {error:?}", at % 8),
            };
            opened += 1;
            let found = records(&store).unwrap();
            for (key, value) in &found {
                let known =
                    written.iter().any(|batch| batch.get(key) == Some(&Some(value.clone())));
                assert!(known, "byte {at}: a record that nobody wrote");
            }
            assert!(reopened(&chip) == found, "byte {at}: what is found changes by opening");
        }
        assert!(damaged > opened, "{batches} batches: {damaged} damaged, {opened} opened");
    }
}

/// ST-03. Where the last part of a page is changed, its mark, which is written last, tells that from a loss of power.
#[test]
fn a_change_before_a_whole_mark_is_damage() {
    let chip = Chip::new(PAGES as usize);
    let mut store = open(&chip, PAGES).unwrap();
    store.commit(&[Change::Put(key(b"a"), &[1; 40])]).unwrap();
    store.commit(&[Change::Put(key(b"b"), &[0xa7; 40])]).unwrap();
    let content = chip.content().bytes_mut().clone();
    let value = (0..content.len()).filter(|at| content[*at..].starts_with(&[0xa7; 4]));
    let value: Vec<usize> = value.collect();
    assert!(value.len() >= 37, "{value:?}");
    for at in value {
        for bit in 0..8 {
            let mut changed = chip.content();
            changed.bytes_mut()[at] ^= 1 << bit;
            let opened = open(&Chip::holding(changed), PAGES);
            assert!(matches!(opened, Err(Error::Damaged(_))), "bit {bit} of byte {at}");
        }
    }
}

/// ST-03. A page that has lost its end looks as after a loss of power; but a value of which a piece was there is damaged,
/// never a shorter one, and never one that goes on with its neighbour's.
#[test]
fn a_value_without_its_end_is_damage() {
    let mut refused = Vec::new();
    for len in (1100..2700).step_by(100) {
        let chip = Chip::new(PAGES as usize);
        let mut store = open(&chip, PAGES).unwrap();
        let values = b"abc".map(|name| vec![name; len]);
        let batch = values.each_ref().map(|value| Change::Put(key(&value[..1]), value));
        store.commit(&batch).unwrap();
        store.commit(&[Change::Put(key(b"d"), &vec![b'd'; len])]).unwrap();
        for page in 0..PAGES as usize {
            let mut content = chip.content();
            let page = &mut content.bytes_mut()[page * 4096..][..4096];
            let Some(end) = page[24..].iter().rposition(|byte| *byte != 0xff) else { continue };
            page[24 + end] ^= 1;
            match open(&Chip::holding(content), PAGES) {
                Err(Error::Damaged(_)) => refused.push(len),
                Err(error) => panic!("{error:?}"),
                Ok(store) => {
                    for (key, value) in records(&store).unwrap() {
                        assert!(value == vec![key[0]; len], "{} bytes of {key:?}", value.len());
                    }
                }
            }
        }
    }
    // Of 1400 bytes the third value begins in the page that loses its end: its first piece is what is missing. Of 2100 it
    // is the last that is.
    assert!(refused.contains(&1400) && refused.contains(&2100), "{refused:?}");
}

//! What stays over power cycles, power cuts and resets.

use softkey_tests::checks::still_works;
use softkey_tests::key::{Cut, Profile};
use softkey_tests::request::command;
use softkey_tests::status::{INVALID_SEQ, LARGE_BLOB_STORAGE_FULL, SUCCESS};
use softkey_tests::{Key, Request};

use super::{array_of, capacity, initial, read, stored, write};

/// LB-19, GI-12: an array of exactly the announced length fits, and outlives a power cycle.
#[test]
fn array_of_the_announced_length_fits() {
    let mut key = Key::with_profile(Profile::Default);
    let array = array_of(capacity(&mut key), 5);
    write(&mut key, None, &array, 960);
    key.power_cycle();
    assert_eq!(stored(&mut key), array);
    let shorter = array_of(1000, 6);
    write(&mut key, None, &shorter, 1000);
    key.power_cycle();
    assert_eq!(stored(&mut key), shorter);
}

/// LB-14: a power cycle breaks a transfer off; the old array is there.
#[test]
fn power_cycle_breaks_a_transfer_off() {
    let mut key = Key::with_profile(Profile::Default);
    let old = array_of(70, 1);
    write(&mut key, None, &old, 70);
    let new = array_of(100, 2);
    assert_eq!(key.status(&Request::write_blobs(0, &new[..50], Some(100))), SUCCESS);
    key.power_cycle();
    assert_eq!(key.status(&Request::write_blobs(50, &new[50..], None)), INVALID_SEQ);
    assert_eq!(stored(&mut key), old);
}

/// LB-20, ST-01: the power is cut at every write while an array replaces one of another length: one of the two is
/// there afterwards, whole.
#[test]
fn power_cut_shows_the_old_or_the_new_array() {
    let (long, short) = (array_of(4000, 1), array_of(100, 2));
    for (old, new) in [(&long, &short), (&short, &long), (&initial(), &long)] {
        let mut cuts = 0;
        for cut in (0..).flat_map(|n| [Cut::Before(n), Cut::After(n)]) {
            let mut key = Key::with_profile(Profile::Default);
            write(&mut key, None, old, 4000);
            key.memory().cut_power(cut);
            key.send(&Request::write_blobs(0, new, Some(new.len())).bytes());
            if !key.memory().is_dead() {
                break;
            }
            cuts += 1;
            key.power_cycle();
            let seen = stored(&mut key);
            let expected = if matches!(cut, Cut::Before(_)) { old } else { new };
            assert_eq!(seen, *expected, "{cut:?}");
            still_works(&mut key);
        }
        assert_eq!(cuts, 2, "an array is one write");
    }
}

/// ST-02: a store without room refuses a longer array, keeps the old one, and takes the new one when there is room.
#[test]
fn full_store_keeps_the_old_array() {
    let mut key = Key::with_profile(Profile::Default);
    let (old, new) = (array_of(100, 1), array_of(3000, 2));
    write(&mut key, None, &old, 100);
    key.memory().full(true);
    assert_eq!(key.status(&Request::write_blobs(0, &new, Some(3000))), LARGE_BLOB_STORAGE_FULL);
    assert_eq!(stored(&mut key), old);
    key.memory().full(false);
    write(&mut key, None, &new, 1500);
    assert_eq!(stored(&mut key), new);
}

/// GI-12: where there is little room, credentials leave as much as the array is promised.
#[test]
fn credentials_leave_room_for_the_array() {
    let mut key = Key::with_profile(Profile::Tiny);
    let length = capacity(&mut key);
    key.ok(&Request::make_credential().discoverable());
    key.memory().full(true);
    for (length, fill) in [(17, 1), (length / 2, 2), (length, 3), (100, 4), (length, 5)] {
        let array = array_of(length, fill);
        write(&mut key, None, &array, 900);
        let found = [0, 900].map(|offset| read(&mut key, offset.min(length), 900)).concat();
        assert_eq!(found, array);
    }
}

/// RS-07: a reset brings the initial array back and ends a transfer, in one write whatever was stored; what it
/// leaves behind is swept.
#[test]
fn reset_brings_the_initial_array_back() {
    let mut key = Key::with_profile(Profile::Default);
    let records = key.memory().dump().len();
    write(&mut key, None, &array_of(4096, 3), 4096);
    let next = array_of(100, 4);
    assert_eq!(key.status(&Request::write_blobs(0, &next[..50], Some(100))), SUCCESS);
    let commits = key.commits();
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_eq!(key.commits(), commits + 1);
    assert_eq!(stored(&mut key), initial());
    assert_eq!(key.status(&Request::write_blobs(50, &next[50..], None)), INVALID_SEQ);
    key.power_cycle();
    assert_eq!(stored(&mut key), initial());
    key.advance(std::time::Duration::from_mins(1));
    key.advance(std::time::Duration::from_mins(1));
    assert_eq!(key.memory().dump().len(), records, "nothing is left of the old array");
    write(&mut key, None, &next, 100);
    assert_eq!(stored(&mut key), next);
}

/// ST-07: the array lies in the store unreadable.
#[test]
fn array_is_sealed() {
    let mut key = Key::with_profile(Profile::Default);
    let array = array_of(4096, 9);
    write(&mut key, None, &array, 4096);
    for (_, value) in key.memory().dump() {
        let shown = |bytes: &[u8]| value.windows(16).any(|window| window == bytes);
        assert!(!array.chunks_exact(16).any(shown));
    }
}

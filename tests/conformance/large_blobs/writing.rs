//! Writing the array in fragments, on a key where nothing is set up that could ask for a token.

use softkey_tests::checks::refused;
use softkey_tests::key::Profile;
use softkey_tests::request::{command, lb};
use softkey_tests::status::{
    INTEGRITY_FAILURE, INVALID_LENGTH, INVALID_PARAMETER, INVALID_SEQ, LARGE_BLOB_STORAGE_FULL,
    SUCCESS,
};
use softkey_tests::{Channel, Key, Request};

use super::{array_of, capacity, fragments, initial, max_fragment, stored, write};

/// LB-17, LB-07: without a PIN a write needs no token; it can be read back, however it was cut.
#[test]
fn unprotected_key_takes_an_array() {
    let mut key = Key::with_profile(Profile::Default);
    for (fill, length, size) in
        [(1, 17, 17), (2, 300, 1), (3, 1000, 64), (4, 3000, 2048), (5, 40, 40)]
    {
        let array = array_of(length, fill);
        write(&mut key, None, &array, size);
        assert_eq!(stored(&mut key), array);
    }
    write(&mut key, None, &initial(), 17);
    assert_eq!(stored(&mut key), initial());
    assert_eq!(key.prompts(), 0, "no touch is asked for");
}

/// LB-08: the first fragment says how long the whole will be: at least 17 bytes, at most the capacity.
#[test]
fn first_fragment_needs_a_fitting_length() {
    let mut key = Key::with_profile(Profile::Default);
    let capacity = capacity(&mut key);
    assert!(capacity >= 1024);
    refused(&mut key, &Request::write_blobs(0, &initial(), None), INVALID_PARAMETER);
    for short in [0, 1, 16] {
        refused(&mut key, &Request::write_blobs(0, &[], Some(short)), INVALID_PARAMETER);
    }
    for long in [capacity + 1, 1 << 20, usize::MAX] {
        let request = Request::write_blobs(0, &[1; 100], Some(long));
        refused(&mut key, &request, LARGE_BLOB_STORAGE_FULL);
    }
    assert_eq!(stored(&mut key), initial());
}

/// LB-04: a fragment longer than maxFragmentLength is refused, whatever else is wrong with it.
#[test]
fn fragment_limit_holds_for_writes() {
    let mut key = Key::with_profile(Profile::Default);
    let beyond = usize::try_from(max_fragment(&mut key)).unwrap() + 1;
    refused(&mut key, &Request::write_blobs(0, &vec![1; beyond], None), INVALID_LENGTH);
    refused(&mut key, &Request::write_blobs(99, &vec![1; beyond], Some(99)), INVALID_LENGTH);
}

/// LB-09: a later fragment has no length, and begins where the last one ended. What is refused so does not end the
/// transfer.
#[test]
fn later_fragments_follow_without_a_length() {
    let mut key = Key::with_profile(Profile::Default);
    let array = array_of(100, 3);
    refused(&mut key, &Request::write_blobs(10, &array[10..], None), INVALID_SEQ);
    assert_eq!(key.status(&Request::write_blobs(0, &array[..40], Some(100))), SUCCESS);
    refused(&mut key, &Request::write_blobs(40, &array[40..], Some(100)), INVALID_PARAMETER);
    refused(&mut key, &Request::write_blobs(30, &array[30..], Some(100)), INVALID_PARAMETER);
    for offset in [1, 39, 41, 100, 101] {
        let rest = array.get(offset..).unwrap_or_default();
        refused(&mut key, &Request::write_blobs(offset, rest, None), INVALID_SEQ);
    }
    assert_eq!(key.status(&Request::write_blobs(40, &array[40..], None)), SUCCESS);
    assert_eq!(stored(&mut key), array);
    refused(&mut key, &Request::write_blobs(100, &[1], None), INVALID_SEQ);
}

/// LB-10: a fragment that runs past the announced length is refused, and the right one is still taken.
#[test]
fn fragment_beyond_the_length_is_refused() {
    let mut key = Key::with_profile(Profile::Default);
    let array = array_of(50, 9);
    let long = [array.as_slice(), &[0]].concat();
    refused(&mut key, &Request::write_blobs(0, &long, Some(50)), INVALID_PARAMETER);
    assert_eq!(key.status(&Request::write_blobs(0, &array[..20], Some(50))), SUCCESS);
    refused(&mut key, &Request::write_blobs(20, &long[20..], None), INVALID_PARAMETER);
    assert_eq!(key.status(&Request::write_blobs(20, &array[20..], None)), SUCCESS);
    assert_eq!(stored(&mut key), array);
}

/// LB-11: an array whose checksum is wrong is refused at its last fragment, the old one stays, and the transfer is
/// over.
#[test]
fn wrong_checksum_leaves_the_old_array() {
    let mut key = Key::with_profile(Profile::Default);
    let old = array_of(200, 1);
    write(&mut key, None, &old, 200);
    for place in [0, 83, 84, 99] {
        let mut bad = array_of(100, 2);
        bad[place] ^= 0x40;
        refused(&mut key, &Request::write_blobs(0, &bad, Some(100)), INTEGRITY_FAILURE);
        assert_eq!(key.status(&Request::write_blobs(0, &bad[..60], Some(100))), SUCCESS);
        let last = Request::write_blobs(60, &bad[60..], None);
        refused(&mut key, &last, INTEGRITY_FAILURE);
        refused(&mut key, &last, INVALID_SEQ);
        assert_eq!(stored(&mut key), old);
    }
}

/// LB-12, LB-14: during a transfer reads and other commands see the old array and do not disturb it.
#[test]
fn transfer_goes_on_over_reads_and_other_commands() {
    let mut key = Key::with_profile(Profile::Default);
    let old = array_of(60, 1);
    write(&mut key, None, &old, 60);
    let new = array_of(400, 2);
    for request in fragments(&new, 50) {
        assert_eq!(stored(&mut key), old);
        key.info();
        key.make(&Request::make_credential().discoverable());
        assert_eq!(key.status(&Request::bare(command::SELECTION)), SUCCESS);
        let other = key.side_channel();
        let own = key.channel();
        key.switch_to(other);
        assert_eq!(stored(&mut key), old);
        key.assertion(&Request::get_assertion("example.com"));
        key.switch_to(own);
        assert_eq!(key.status(&request), SUCCESS);
    }
    assert_eq!(stored(&mut key), new);
}

/// LB-13: a new fragment at offset 0 starts anew, from the same channel and from another.
#[test]
fn new_start_takes_the_place_of_a_transfer() {
    let mut key = Key::with_profile(Profile::Default);
    let (first, second) = (array_of(100, 1), array_of(90, 2));
    let own = key.channel();
    for starter in [own, key.open_channel()] {
        key.switch_to(own);
        assert_eq!(key.status(&Request::write_blobs(0, &first[..30], Some(100))), SUCCESS);
        key.switch_to(starter);
        assert_eq!(key.status(&Request::write_blobs(0, &second[..10], Some(90))), SUCCESS);
        refused(&mut key, &Request::write_blobs(30, &first[30..], None), INVALID_SEQ);
        key.switch_to(own);
        refused(&mut key, &Request::write_blobs(30, &first[30..], None), INVALID_SEQ);
        key.switch_to(starter);
        assert_eq!(key.status(&Request::write_blobs(10, &second[10..], None)), SUCCESS);
        assert_eq!(stored(&mut key), second);
    }
}

/// A key with the beginning of a transfer of 100 bytes, the whole array, the transfer's channel and another one.
fn begun() -> (Key, Vec<u8>, [Channel; 2]) {
    let mut key = Key::with_profile(Profile::Default);
    let array = array_of(100, 1);
    assert_eq!(key.status(&Request::write_blobs(0, &array[..30], Some(100))), SUCCESS);
    let channels = [key.channel(), key.open_channel()];
    (key, array, channels)
}

/// LB-09: a transfer belongs to its channel: another one cannot go on with it, and does not disturb it.
#[test]
fn transfer_belongs_to_its_channel() {
    let (mut key, array, [own, other]) = begun();
    key.switch_to(other);
    refused(&mut key, &Request::write_blobs(30, &array[30..], None), INVALID_SEQ);
    key.switch_to(own);
    assert_eq!(key.status(&Request::write_blobs(30, &array[30..], None)), SUCCESS);
    assert_eq!(stored(&mut key), array);
}

/// LB-14: INIT on a channel ends its transfer, though the channel keeps its number; INIT on another one does not.
#[test]
fn init_breaks_a_transfer_off() {
    let (mut key, array, [own, other]) = begun();
    key.switch_to(other);
    key.init();
    key.switch_to(own);
    assert_eq!(key.status(&Request::write_blobs(30, &array[30..60], None)), SUCCESS);
    key.init();
    refused(&mut key, &Request::write_blobs(60, &array[60..], None), INVALID_SEQ);
    assert_eq!(stored(&mut key), initial());
}

/// LB-13: a new start that is refused ends nothing.
#[test]
fn refused_start_ends_nothing() {
    let (mut key, array, _) = begun();
    refused(&mut key, &Request::write_blobs(0, &array[..30], None), INVALID_PARAMETER);
    refused(&mut key, &Request::write_blobs(0, &array[..30], Some(20)), INVALID_PARAMETER);
    refused(&mut key, &Request::write_blobs(0, &array, Some(1 << 20)), LARGE_BLOB_STORAGE_FULL);
    assert_eq!(key.status(&Request::write_blobs(30, &array[30..], None)), SUCCESS);
    assert_eq!(stored(&mut key), array);
}

/// CB-13: members of a wrong type.
#[test]
fn members_of_wrong_type_are_refused() {
    use softkey_tests::Value;
    let mut key = Key::with_profile(Profile::Default);
    let (get, set) = (Request::read_blobs(0, 17), Request::write_blobs(0, &[1; 17], Some(17)));
    let places = [
        (&get, lb::GET, false),
        (&get, lb::OFFSET, false),
        (&set, lb::SET, true),
        (&set, lb::LENGTH, false),
        (&set, lb::PARAM, true),
        (&set, lb::PROTOCOL, false),
    ];
    for (request, member, is_bytes) in places {
        let wrong = if is_bytes { Value::from(1) } else { Value::from([1; 16]) };
        let others = ["x".into(), (-1).into(), true.into(), Value::Null, Value::Array(Vec::new())];
        for value in others.into_iter().chain([wrong, Value::Map(Vec::new())]) {
            let request = request.clone().with(member, value);
            refused(&mut key, &request, softkey_tests::status::CBOR_UNEXPECTED_TYPE);
        }
    }
}

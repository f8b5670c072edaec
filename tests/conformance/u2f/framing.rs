//! APDU forms and the errors that come before any command is looked at.

use softkey_tests::Key;
use softkey_tests::status::word;
use softkey_tests::u2f::{
    AUTHENTICATE, CHECK_ONLY, ENFORCE, REGISTER, VERSION, authenticate_data, extended, short,
    split, status_word,
};

use super::{CHALLENGE, application, registered};

const U2F_V2: &[u8] = b"U2F_V2";

/// UF-01, UF-22: VERSION in every form, with and without Le.
#[test]
fn version_is_told_in_every_form() {
    let mut key = Key::fresh();
    let forms: [&[u8]; 5] = [
        &[0, 3, 0, 0],
        &[0, 3, 0, 0, 0],
        &[0, 3, 0, 0, 0, 0, 0],
        &[0, 3, 0, 0, 0, 1, 0],
        &[0, 3, 0, 0, 0, 0, 0, 0, 0],
    ];
    for form in forms {
        assert_eq!(split(&key.u2f(form)), (U2F_V2, word::NO_ERROR), "{form:?}");
    }
    assert_eq!(key.prompts(), 0);
}

/// UF-02: VERSION with data.
#[test]
fn version_with_data_is_of_wrong_length() {
    let mut key = Key::fresh();
    for data in [[0].as_slice(), &[1; 64]] {
        assert_eq!(key.u2f(&extended(VERSION, 0, data)), [0x67, 0x00]);
        assert_eq!(key.u2f(&short(VERSION, 0, data)), [0x67, 0x00]);
    }
}

/// UF-03: an INS that stands for nothing, the vendor range included.
#[test]
fn unknown_instruction_is_refused() {
    let mut key = Key::fresh();
    for ins in (0x04..=0xFF).chain([0x00]) {
        assert_eq!(key.u2f(&extended(ins, 0, &[])), [0x6D, 0x00], "{ins:#04x}");
    }
    for ins in [0x04, 0x40, 0xBF] {
        assert_eq!(key.u2f(&extended(ins, 0, &[1; 64])), [0x6D, 0x00], "{ins:#04x}");
    }
}

/// UF-04, UF-05: another class, before the instruction is looked at.
#[test]
fn other_class_is_refused_first() {
    let mut key = Key::fresh();
    for class in [0x01, 0x10, 0x80, 0xFF] {
        for ins in [REGISTER, AUTHENTICATE, VERSION, 0x55] {
            let mut apdu = extended(ins, 0, &[]);
            apdu[0] = class;
            assert_eq!(key.u2f(&apdu), [0x6E, 0x00], "{class:#04x} {ins:#04x}");
        }
    }
}

/// UF-16: a length that does not match the data.
#[test]
fn length_that_does_not_match_is_refused() {
    let mut key = Key::fresh();
    let wrong = |apdu: &mut Vec<u8>, place: usize| apdu[place] = apdu[place].wrapping_add(3);
    let mut longer = extended(REGISTER, 0, &[1; 64]);
    wrong(&mut longer, 6);
    assert_eq!(key.u2f(&longer), [0x67, 0x00]);
    let mut shorter = short(REGISTER, 0, &[1; 64]);
    wrong(&mut shorter, 4);
    assert_eq!(key.u2f(&shorter), [0x67, 0x00]);
    let mut cut = extended(REGISTER, 0, &[1; 64]);
    cut.truncate(40);
    assert_eq!(key.u2f(&cut), [0x67, 0x00]);
    let handle = registered(&mut key, &application()).handle;
    for change in [-1_i8, 1, 40] {
        let mut data = authenticate_data(&application(), &CHALLENGE, &handle);
        data[64] = data[64].wrapping_add_signed(change);
        assert_eq!(key.u2f(&extended(AUTHENTICATE, CHECK_ONLY, &data)), [0x67, 0x00], "{change}");
    }
    for length in [0, 1, 64] {
        assert_eq!(
            key.u2f(&extended(AUTHENTICATE, ENFORCE, &vec![1; length])),
            [0x67, 0x00],
            "{length}"
        );
    }
}

/// UF-22: REGISTER and AUTHENTICATE are understood in both forms, with and without Le.
#[test]
fn both_forms_are_understood() {
    let mut key = Key::fresh();
    let handle = registered(&mut key, &application()).handle;
    let register = [CHALLENGE, application()].concat();
    let check = authenticate_data(&application(), &CHALLENGE, &handle);
    for (ins, p1, data) in [(REGISTER, 0, register), (AUTHENTICATE, CHECK_ONLY, check)] {
        let (long, short) = (extended(ins, p1, &data), short(ins, p1, &data));
        let without_le = [&long[..long.len() - 2], &short[..short.len() - 1]];
        for apdu in [long.as_slice(), &short, without_le[0], without_le[1]] {
            let word = status_word(&key.u2f_once(apdu));
            assert_eq!(word, word::CONDITIONS_NOT_SATISFIED, "{ins} in {} bytes", apdu.len());
        }
    }
}

/// UF-16: an APDU cut at any byte is answered with an error or a fair request for a touch, never with
/// silence or a signature.
#[test]
fn cut_apdu_gives_no_signature() {
    let mut key = Key::fresh();
    let handle = registered(&mut key, &application()).handle;
    let data = authenticate_data(&application(), &CHALLENGE, &handle);
    for apdu in [
        extended(REGISTER, 0, &[1; 64]),
        short(REGISTER, 0, &[1; 64]),
        extended(AUTHENTICATE, ENFORCE, &data),
    ] {
        for length in 1..apdu.len() - 2 {
            let answer = key.u2f_once(&apdu[..length]);
            assert_eq!(answer.len(), 2, "{length} bytes");
            let word = status_word(&answer);
            assert!(
                word == word::WRONG_LENGTH || length == apdu.len() - 1,
                "{length}: {word:#06x}"
            );
        }
    }
}

//! `U2F_AUTHENTICATE`.

use softkey_tests::request::command;
use softkey_tests::status::{SUCCESS, word};
use softkey_tests::u2f::{
    AUTHENTICATE, CHECK_ONLY, DONT_ENFORCE, ENFORCE, authenticate, authenticate_data,
    authentication, extended, status_word,
};
use softkey_tests::{Key, User};

use super::{CHALLENGE, application, registered};

/// UF-10: check-only says 6985 to an own handle, touched or not, and 6A80 to a foreign one; it never asks and
/// never signs.
#[test]
fn check_only_tells_own_from_foreign() {
    let mut key = Key::fresh();
    let handle = registered(&mut key, &application()).handle;
    let asked = key.prompts();
    for user in [User::StaysAway, User::Approves] {
        key.user(user);
        for _ in 0..3 {
            let own = key.u2f(&authenticate(CHECK_ONLY, &application(), &CHALLENGE, &handle));
            assert_eq!(own, [0x69, 0x85]);
            let foreign = key.u2f(&authenticate(
                CHECK_ONLY,
                &application(),
                &CHALLENGE,
                &vec![9; handle.len()],
            ));
            assert_eq!(foreign, [0x6A, 0x80]);
        }
    }
    assert_eq!(key.prompts(), asked);
}

/// UF-10: a touch that waits to be used is not told, nor used up, by check-only.
#[test]
fn check_only_uses_no_touch() {
    let mut key = Key::fresh();
    let handle = registered(&mut key, &application()).handle;
    let sign = authenticate(ENFORCE, &application(), &CHALLENGE, &handle);
    assert_eq!(status_word(&key.u2f(&sign)), word::CONDITIONS_NOT_SATISFIED);
    let check = authenticate(CHECK_ONLY, &application(), &CHALLENGE, &handle);
    assert_eq!(key.u2f(&check), [0x69, 0x85]);
    assert_eq!(status_word(&key.u2f(&sign)), word::NO_ERROR);
}

/// UF-11: enforce signs with a touch, flag 1, once.
#[test]
fn enforce_needs_a_touch_for_each_signature() {
    let mut key = Key::fresh();
    let registration = registered(&mut key, &application());
    for _ in 0..3 {
        let request = authenticate(ENFORCE, &application(), &CHALLENGE, &registration.handle);
        let asked = key.prompts();
        assert_eq!(key.u2f(&request), [0x69, 0x85]);
        let answer = key.u2f(&request);
        let (flags, _) =
            authentication(&answer, &application(), &CHALLENGE, &registration.public_key);
        assert_eq!((flags, key.prompts()), (1, asked + 1));
    }
    key.user(User::StaysAway);
    for _ in 0..3 {
        let request = authenticate(ENFORCE, &application(), &CHALLENGE, &registration.handle);
        assert_eq!(key.u2f(&request), [0x69, 0x85]);
    }
}

/// UF-12: do-not-enforce signs without a touch, flag 0, and uses none up.
#[test]
fn dont_enforce_signs_untouched() {
    let mut key = Key::fresh();
    let registration = registered(&mut key, &application());
    key.user(User::StaysAway);
    let asked = key.prompts();
    let request = authenticate(DONT_ENFORCE, &application(), &CHALLENGE, &registration.handle);
    let answer = key.u2f(&request);
    let (flags, _) = authentication(&answer, &application(), &CHALLENGE, &registration.public_key);
    assert_eq!((flags, key.prompts()), (0, asked));
    key.user(User::Approves);
    let enforced = authenticate(ENFORCE, &application(), &CHALLENGE, &registration.handle);
    assert_eq!(key.u2f(&enforced), [0x69, 0x85]);
    let answer = key.u2f(&request);
    assert_eq!(authentication(&answer, &application(), &CHALLENGE, &registration.public_key).0, 0);
    let answer = key.u2f(&enforced);
    assert_eq!(authentication(&answer, &application(), &CHALLENGE, &registration.public_key).0, 1);
}

/// UF-13: another control byte.
#[test]
fn other_control_byte_is_refused() {
    let mut key = Key::fresh();
    let handle = registered(&mut key, &application()).handle;
    for p1 in (0..=0xFF).filter(|p1| ![CHECK_ONLY, ENFORCE, DONT_ENFORCE].contains(p1)) {
        let request = authenticate(p1, &application(), &CHALLENGE, &handle);
        assert_eq!(key.u2f(&request), [0x6A, 0x80], "{p1:#04x}");
    }
}

/// UF-14: a handle with any bit flipped, cut, extended or empty, by every control byte, before any touch.
#[test]
fn damaged_handle_is_refused_untouched() {
    let mut key = Key::fresh();
    let handle = registered(&mut key, &application()).handle;
    let asked = key.prompts();
    let mut damaged = vec![Vec::new(), handle[..handle.len() / 2].to_vec(), handle[1..].to_vec()];
    damaged.push([handle.as_slice(), &[0]].concat());
    for bit in 0..handle.len() * 8 {
        let mut flipped = handle.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        damaged.push(flipped);
    }
    for handle in damaged.into_iter().filter(|handle| handle.len() <= 255) {
        for p1 in [CHECK_ONLY, ENFORCE, DONT_ENFORCE] {
            let data = authenticate_data(&application(), &CHALLENGE, &handle);
            assert_eq!(key.u2f(&extended(AUTHENTICATE, p1, &data)), [0x6A, 0x80], "{p1:#04x}");
        }
    }
    assert_eq!(key.prompts(), asked);
}

/// UF-15: the handle of another application.
#[test]
fn handle_of_another_application_is_refused() {
    let mut key = Key::fresh();
    let handle = registered(&mut key, &application()).handle;
    let mut other = application();
    other[31] ^= 1;
    for p1 in [CHECK_ONLY, ENFORCE, DONT_ENFORCE] {
        assert_eq!(key.u2f(&authenticate(p1, &other, &CHALLENGE, &handle)), [0x6A, 0x80]);
    }
}

/// UF-17, UF-18: handles survive power cycles, and the counter grows over registrations, signatures of all
/// kinds and power cycles.
#[test]
fn counter_grows_over_everything() {
    let mut key = Key::fresh();
    let credentials = [registered(&mut key, &application()), registered(&mut key, &application())];
    let mut last = None;
    for round in 0..50 {
        let credential = &credentials[round % 2];
        let p1 = if round % 3 == 0 { ENFORCE } else { DONT_ENFORCE };
        let answer =
            key.u2f_polling(&authenticate(p1, &application(), &CHALLENGE, &credential.handle));
        let (_, counter) =
            authentication(&answer, &application(), &CHALLENGE, &credential.public_key);
        assert!(last.is_none_or(|last| counter > last), "{counter} after {last:?}");
        last = Some(counter);
        match round % 5 {
            0 => key.power_cycle(),
            1 => drop(registered(&mut key, &application())),
            _ => {}
        }
    }
}

/// UF-18: a reset kills handles for good.
#[test]
fn handles_die_with_a_reset() {
    let mut key = Key::fresh();
    let handle = registered(&mut key, &application()).handle;
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    for _ in 0..2 {
        for p1 in [CHECK_ONLY, ENFORCE, DONT_ENFORCE] {
            let request = authenticate(p1, &application(), &CHALLENGE, &handle);
            assert_eq!(key.u2f(&request), [0x6A, 0x80]);
        }
        key.power_cycle();
    }
}

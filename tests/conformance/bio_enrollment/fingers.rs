//! Fingers that are enrolled: listed, named, removed.

use softkey_tests::User;
use softkey_tests::checks::refused_and_token_kept;
use softkey_tests::request::be;
use softkey_tests::status::{INVALID_LENGTH, INVALID_OPTION, PIN_AUTH_INVALID, SUCCESS};

use super::{be_token, enroll, enumerate, listed, remove, rename, with_pin};

/// BE-15: all are listed with their names, oldest first, over a power cycle too; an empty list is an error.
/// CT-BE-enumerate.
#[test]
fn fingers_are_listed() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    refused_and_token_kept(&mut key, &enumerate(&token), INVALID_OPTION);
    let ids = [5, 1].map(|finger| enroll(&mut key, &token, finger));
    assert_eq!(key.status(&rename(&token, &ids[1], "Zeigefinger \u{1F91A}")), SUCCESS);
    let expected =
        [(ids[0].clone(), String::new()), (ids[1].clone(), "Zeigefinger \u{1F91A}".to_owned())];
    assert_eq!(listed(&mut key, &token), expected);
    key.power_cycle();
    let token = be_token(&mut key);
    assert_eq!(listed(&mut key, &token), expected);
}

/// BE-16: a name of up to 64 bytes, and another, and none; a longer one is refused before the param is looked at.
/// CT-BE-rename.
#[test]
fn fingers_are_named() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    let id = enroll(&mut key, &token, 1);
    let longest = "\u{e4}".repeat(32);
    for name in ["thumb", longest.as_str(), "", "x"] {
        let commits = key.commits();
        assert_eq!(key.status(&rename(&token, &id, name)), SUCCESS);
        assert_eq!(key.commits(), commits + 1);
        assert_eq!(listed(&mut key, &token), [(id.clone(), name.to_owned())]);
    }
    let too_long = rename(&token, &id, &format!("{longest}x"));
    refused_and_token_kept(&mut key, &too_long, INVALID_LENGTH);
    refused_and_token_kept(&mut key, &too_long.with(be::PARAM, [0; 32]), INVALID_LENGTH);
    let wrong = rename(&token, &id, "y").with(be::PARAM, [0; 32]);
    refused_and_token_kept(&mut key, &wrong, PIN_AUTH_INVALID);
    for unknown in [vec![0; 16], Vec::new(), id[1..].to_vec()] {
        refused_and_token_kept(&mut key, &rename(&token, &unknown, "y"), INVALID_OPTION);
    }
    assert_eq!(listed(&mut key, &token), [(id, "x".to_owned())]);
}

/// BE-17, BE-02: the first, the middle and the last of three are removed; without any, bioEnroll and uv are false.
/// CT-BE-remove.
#[test]
fn fingers_are_removed() {
    for first in 0..3 {
        let mut key = with_pin();
        let token = be_token(&mut key);
        let mut ids: Vec<_> =
            [1, 2, 3].map(|finger| enroll(&mut key, &token, finger)).into_iter().collect();
        for unknown in [vec![0; 16], Vec::new()] {
            refused_and_token_kept(&mut key, &remove(&token, &unknown), INVALID_OPTION);
        }
        let gone = ids.remove(first);
        assert_eq!(key.status(&remove(&token, &gone)), SUCCESS);
        refused_and_token_kept(&mut key, &remove(&token, &gone), INVALID_OPTION);
        let rest: Vec<_> = listed(&mut key, &token).into_iter().map(|(id, _)| id).collect();
        assert_eq!(rest, ids);
        for id in ids {
            assert_eq!(key.info().option("uv"), Some(true));
            assert_eq!(key.status(&remove(&token, &id)), SUCCESS);
        }
        let info = key.info();
        assert_eq!((info.option("bioEnroll"), info.option("uv")), (Some(false), Some(false)));
        assert_eq!(key.status(&enumerate(&token)), INVALID_OPTION);
        key.power_cycle();
        assert_eq!(key.info().option("bioEnroll"), Some(false));
        key.user(User::Finger(u64::try_from(first).unwrap() + 1));
        let token = be_token(&mut key);
        enroll(&mut key, &token, 1);
    }
}

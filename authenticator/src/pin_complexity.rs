//! The PIN complexity policy: which PINs are too easy to guess, apart from their length.

use alloc::vec::Vec;

/// PINs that the rules let pass, but that people choose most.
const COMMON: [&str; 16] = [
    "112233",
    "123321",
    "123654",
    "159753",
    "147258",
    "1q2w3e",
    "1q2w3e4r",
    "abc123",
    "admin123",
    "iloveyou",
    "letmein",
    "passw0rd",
    "password",
    "password1",
    "qwerty",
    "qwerty123",
];

/// Does the PIN satisfy the policy? It must have at least three different characters, must not be a row of
/// neighbours (`1234`, `dcba`) nor a shorter piece repeated (`123123`), and must not be among the most common.
pub(crate) fn complies(pin: &str) -> bool {
    let characters: Vec<u32> = pin.chars().map(u32::from).collect();
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    different.len() >= 3
        && !is_row(&characters)
        && !is_repeated(&characters)
        && !COMMON.iter().any(|common| common.eq_ignore_ascii_case(pin))
}

/// Does each character follow on the one before, upwards or downwards?
fn is_row(characters: &[u32]) -> bool {
    let rows = |next: fn(u32) -> u32| {
        characters.windows(2).all(|two| matches!(two, [a, b] if next(*a) == *b))
    };
    rows(|character| character.wrapping_add(1)) || rows(|character| character.wrapping_sub(1))
}

/// Is it a shorter piece, two times or more?
fn is_repeated(characters: &[u32]) -> bool {
    (1..=characters.len() / 2).any(|length| {
        let mut pieces = characters.chunks(length);
        let first = pieces.next();
        pieces.all(|piece| Some(piece) == first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_pins_do_not_comply() {
        for pin in [
            "1111",
            "1212",
            "11112",
            "1234",
            "0123456789",
            "98765",
            "abcd",
            "DCBA",
            "123123",
            "abcabcabc",
            "password",
            "PassWord1",
            "112233",
            "\u{20ac}\u{20ac}\u{20ac}\u{20ac}",
        ] {
            assert!(!complies(pin), "{pin}");
        }
    }

    #[test]
    fn other_pins_comply() {
        for pin in [
            "1235",
            "1243",
            "7391",
            "12341235",
            "1231234",
            "abce",
            "correct horse",
            "\u{e4}\u{f6}\u{fc}\u{df}",
        ] {
            assert!(complies(pin), "{pin}");
        }
    }
}

//! Strictness in both directions.

use super::*;

#[test]
fn a_message_is_exactly_one_item() {
    assert_eq!(check(&[0xa0]), Ok(()));
    assert_eq!(check(&[]), Err(DecodeError::Malformed));
    assert_eq!(check(&[0xa0, 0x00]), Err(DecodeError::Malformed));
}

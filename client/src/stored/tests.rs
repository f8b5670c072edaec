//! Managers against scripted keys: older ones, and ones that answer wrongly.

use super::*;
use crate::ceremony::{Input, Need};
use crate::script::{self, CTAP2, entropy, play};

/// A key without the command is not asked for a PIN.
#[test]
fn a_key_without_the_command_is_left_alone() {
    for options in [&[][..], &[("credMgmt", false), ("clientPin", true)]] {
        let (result, sent) = play(list(None, CTAP2, entropy()), &[script::info(options)]);
        assert_eq!(result, Err(Cause::NoSuchCommand));
        assert_eq!(sent.len(), 1);
    }
}

/// A key without a PIN has nobody who may manage it.
#[test]
fn a_key_without_a_pin_is_not_managed() {
    let info = script::info(&[("credMgmt", true), ("clientPin", false)]);
    let (result, _) = play(count(CTAP2, entropy()), &[info]);
    assert_eq!(result, Err(Cause::NoUserVerification));
}

/// Keys of the preview have the command as 0x41, and are managed with their PIN.
#[test]
fn a_key_of_the_preview_is_managed_too() {
    let info = script::info(&[("clientPin", true), ("credentialMgmtPreview", true)]);
    let result = script::run(list(None, CTAP2, entropy()), |need| match need {
        Need::Cbor(request) => {
            assert_eq!(request, [0x04]);
            Input::Response(info.clone())
        }
        Need::Pin(_) => Input::Cancel,
        other => panic!("{other:?}"),
    });
    assert_eq!(result, Err(Cause::PinNotGiven));
}

//! Managers against scripted keys: older ones, and ones that answer wrongly.

use ciborium::Value;

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
    let options =
        script::texts(&[("clientPin", true.into()), ("credentialMgmtPreview", true.into())]);
    let info = script::ok(vec![
        (1, Value::Array(vec!["FIDO_2_0".into(), "FIDO_2_1_PRE".into()])),
        (3, Value::Bytes(vec![0xaa; 16])),
        (4, options),
        (6, Value::Array(vec![1.into()])),
    ]);
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

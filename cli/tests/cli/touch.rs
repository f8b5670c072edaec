//! Who answers for the user, and what is printed about it.

use std::ops::ControlFlow;
use std::thread;

use serde_json::json;
use softkey_ctap_hid::Status;

use crate::harness::{
    GET_INFO, Key, RESET, SELECTION, flags, get_assertion, make_credential, u2f_register,
};

/// Approval by nobody is announced at the start and on each line.
#[test]
fn auto_approves_at_once_and_says_so() {
    let key = Key::forgetful("auto");
    let warning = key.event("warning");
    assert!(warning["what"].as_str().unwrap().starts_with("approve auto"), "{warning}");
    let answer = key.host().cbor(&make_credential("ada", &[("rk", true)]));
    assert_eq!(answer[0], 0);
    let line = key.request();
    let about = ["command", "rp", "account", "decided", "by", "status"];
    assert!(line["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
    let about: Vec<_> = about.iter().map(|name| line[name].clone()).collect();
    assert_eq!(about, ["makeCredential", "example.com", "ada", "approved", "auto", "00"]);
    assert_eq!(line["pretended"], json!(["approve auto"]));
}

/// HID-41: that the user is needed is told even if the answer comes at once, so that a client sees that presence is
/// tested; what tests no presence tells nothing of the kind.
#[test]
fn a_touch_that_comes_at_once_is_announced_all_the_same() {
    for mode in ["auto", "deny"] {
        let key = Key::forgetful(mode);
        let mut host = key.host();
        let mut needed = |request: &[u8]| {
            let mut needed = 0;
            let answer = host.0.cbor(request, &mut |status| {
                needed += u32::from(status == Status::UserNeeded);
                ControlFlow::Continue(())
            });
            answer.unwrap();
            needed
        };
        for _ in 0..5 {
            for request in [&make_credential("ada", &[])[..], &SELECTION] {
                assert_ne!(needed(request), 0, "{mode}");
            }
            for request in [&GET_INFO[..], &get_assertion(&[("up", false)])] {
                assert_eq!(needed(request), 0, "{mode}");
            }
        }
    }
}

/// Each refusal is the user's: 0x27, and the line says who decided.
#[test]
fn deny_and_ask_without_a_terminal_refuse() {
    for (mode, by) in [("deny", "deny"), ("ask", "nobody")] {
        let key = Key::forgetful(mode);
        assert_eq!(key.host().cbor(&SELECTION), [0x27], "{mode}");
        let line = key.request();
        assert_eq!((&line["decided"], &line["by"]), (&json!("refused"), &json!(by)));
        assert_eq!(line["reason"], "UserRefused");
        assert_eq!(line["pretended"], json!([]));
    }
}

/// `hold` lets a request wait, with keepalives that say for what, until the owner touches the key.
#[test]
fn hold_waits_for_the_touch_on_the_socket() {
    let key = Key::forgetful("hold");
    let early = key.control(&["touch"]);
    assert_eq!(early.status.code(), Some(1), "a touch before the question is none");
    let mut host = key.host();
    let asking = thread::spawn(move || {
        let answer = host.cbor(&make_credential("ada", &[]));
        (host, answer)
    });
    let question = key.event("question");
    assert_eq!((&question["asks"], &question["rp"]), (&json!("presence"), &json!("example.com")));
    let status = key.status();
    assert_eq!(status["question"]["operation"], "register");
    assert_eq!(status["working"], true);
    key.told(&["touch"]);
    let (mut host, answer) = asking.join().unwrap();
    assert_eq!(answer[0], 0);
    assert_eq!(key.request()["by"], "control");
    assert_eq!(host.cancelled(&SELECTION), [0x2d], "a client may give up");
    let line = key.request();
    assert_eq!((&line["decided"], &line["status"]), (&json!("unanswered"), &json!("2d")));
    assert_eq!(key.control(&["touch"]).status.code(), Some(1));
}

/// RS-11: with enableLongTouchForReset, a short touch resets nothing; a long one does, and auto gives one.
#[test]
fn a_reset_may_want_a_long_touch() {
    let key = Key::forgetful("auto");
    let enable = [0x0d, 0xa1, 0x01, 0x04];
    assert_eq!(key.host().cbor(&enable), [0x00]);
    key.told(&["replug"]);
    assert_eq!(key.host().cbor(&RESET), [0x00]);
    assert_eq!(key.host().cbor(&enable), [0x00]);
    key.told(&["approve", "hold"]);
    key.told(&["replug"]);
    let mut host = key.host();
    let asking = thread::spawn(move || host.cbor(&RESET));
    let question = key.event("question");
    assert_eq!(
        (&question["asks"], &question["operation"]),
        (&json!("long_presence"), &json!("reset"))
    );
    let short = key.control(&["touch"]);
    assert_eq!(short.status.code(), Some(1));
    assert!(String::from_utf8(short.stderr).unwrap().contains("touch --long"));
    assert_eq!(key.status()["question"]["asks"], "long_presence");
    key.told(&["touch", "--long"]);
    assert_eq!(asking.join().unwrap(), [0x00]);
}

/// What asks for no touch is answered whatever the mode: `up` false signs in silence.
#[test]
fn a_silent_assertion_asks_nobody() {
    let key = Key::forgetful("auto");
    let mut host = key.host();
    assert_eq!(host.cbor(&make_credential("ada", &[("rk", true)]))[0], 0);
    key.request();
    key.told(&["approve", "deny"]);
    let answer = host.cbor(&get_assertion(&[("up", false)]));
    assert_eq!((answer[0], flags(&answer) & 1), (0, 0));
    assert_eq!(key.request()["decided"], "not_asked");
}

/// A U2F client polls; the polls have one line, and the touch makes the next one succeed.
#[test]
fn u2f_polls_until_the_touch() {
    let key = Key::forgetful("hold");
    let mut host = key.host();
    for _ in 0..3 {
        assert_eq!(host.msg(&u2f_register(0xaa)), [0x69, 0x85]);
    }
    assert_eq!(key.event("question")["rp"], format!("sha256:{}", "aa".repeat(32)));
    key.told(&["touch"]);
    let answer = host.msg(&u2f_register(0xaa));
    assert_eq!(answer[answer.len() - 2..], [0x90, 0x00]);
    host.cbor(&GET_INFO);
    let lines: Vec<_> = (0..3).map(|_| key.request()).collect();
    let about: Vec<_> = lines.iter().map(|line| (&line["status"], &line["decided"])).collect();
    assert_eq!(
        about,
        [
            (&json!("6985"), &json!("not_asked")),
            (&json!("9000"), &json!("approved")),
            (&json!("00"), &json!("not_asked"))
        ]
    );
}

/// The simulated sensor sets the UV bit only when it succeeds, and is announced as a pretence.
#[test]
fn the_simulated_sensor_is_announced_and_obeys() {
    let key = Key::start(&["--ephemeral", "--approve", "auto", "--uv", "simulated"]);
    for what in ["approve auto", "uv simulated"] {
        let warning = key.event("warning");
        assert!(warning["what"].as_str().unwrap().starts_with(what), "{warning}");
    }
    let mut host = key.host();
    let answer = host.cbor(&make_credential("ada", &[("uv", true)]));
    assert_eq!((answer[0], flags(&answer) & 0x05), (0, 0x05));
    assert_eq!(key.request()["pretended"], json!(["approve auto", "uv simulated"]));
    key.told(&["uv", "fail"]);
    let refused = host.cbor(&make_credential("ada", &[("uv", true)]));
    assert_eq!(refused, [0x27]);
    assert_eq!(key.status()["uv"], "fail");
}

/// A sensor that locks itself fails the request that waits for it, and no further try is made, whatever it finds,
/// over power cycles too, until the key is reset.
#[test]
fn the_simulated_sensor_can_lock_itself() {
    const UV_RETRIES: [u8; 4] = [0x06, 0xa1, 0x02, 0x07];
    let key = Key::start(&["--ephemeral", "--approve", "hold", "--uv", "simulated"]);
    let mut host = key.host();
    assert_eq!(host.cbor(&UV_RETRIES), [0x00, 0xa1, 0x05, 5]);
    let asking = thread::spawn(move || host.cbor(&make_credential("ada", &[("uv", true)])));
    assert_eq!(key.event("question")["asks"], "verification");
    key.told(&["uv", "lock"]);
    // No tries left and no PIN to serve instead.
    assert_eq!(asking.join().unwrap(), [0x32]);
    assert_eq!(key.status()["uv"], "lock");
    key.told(&["uv", "ok"]);
    for _ in 0..2 {
        let mut host = key.host();
        assert_eq!(host.cbor(&UV_RETRIES), [0x00, 0xa1, 0x05, 0]);
        assert_eq!(host.cbor(&make_credential("ada", &[("uv", true)])), [0x32]);
        key.told(&["replug"]);
    }
    key.told(&["approve", "auto"]);
    let mut host = key.host();
    assert_eq!(host.cbor(&RESET), [0x00]);
    assert_eq!(host.cbor(&UV_RETRIES), [0x00, 0xa1, 0x05, 5]);
    let answer = host.cbor(&make_credential("ada", &[("uv", true)]));
    assert_eq!((answer[0], flags(&answer) & 0x05), (0, 0x05));
}

/// Without a sensor, no approval sets the UV bit.
#[test]
fn a_click_is_no_verification() {
    let key = Key::forgetful("auto");
    let mut host = key.host();
    let answer = host.cbor(&make_credential("ada", &[]));
    assert_eq!(flags(&answer) & 0x05, 0x01);
    assert_eq!(host.cbor(&make_credential("ada", &[("uv", true)])), [0x2c]);
    assert_eq!(key.control(&["uv", "ok"]).status.code(), Some(1));
}

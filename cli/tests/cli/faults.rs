//! Faults of the running key: switched on by its owner only, told on every line, and what they do to the packets.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use softkey_ctap_hid::{ConnectionError, HidError, HostError};

use crate::harness::{GET_INFO, Key, flags, make_credential, softkey, u2f_register};

/// A key whose owner wants these faults.
fn faulty(faults: &[&str]) -> Key {
    let mut args = vec!["--ephemeral", "--approve", "auto"];
    args.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    Key::start(&args)
}

/// At the start, on the line of each request, and beside the answer that it changed: the private reason.
#[test]
fn a_fault_is_announced_and_told_where_it_acts() {
    let key = faulty(&["wrong-up@2"]);
    let warning = key.event("warning")["what"].clone();
    assert_eq!(warning, "approve auto: every request is approved and nobody is asked");
    let warning = key.event("warning")["what"].clone();
    assert_eq!(warning, "fault wrong-up@2: the UP bit is the opposite of the truth, and signed");
    let mut host = key.host();
    let told = |key: &Key| {
        let line = key.request();
        (line["status"].clone(), line["pretended"].clone(), line["faults"].clone())
    };
    let on = json!(["approve auto", "fault wrong-up@2"]);
    assert_eq!(flags(&host.cbor(&make_credential("ada", &[]))) & 1, 1);
    assert_eq!(told(&key), (json!("00"), on.clone(), json!([])));
    assert_eq!(flags(&host.cbor(&make_credential("ada", &[]))) & 1, 0);
    assert_eq!(told(&key), (json!("00"), on.clone(), json!(["wrong-up@2"])));
    assert_eq!(flags(&host.cbor(&make_credential("ada", &[]))) & 1, 1);
    assert_eq!(told(&key), (json!("00"), on, json!([])));
}

/// The owner's socket switches faults on and off while the key runs.
#[test]
fn the_owner_switches_faults_while_the_key_runs() {
    let key = Key::forgetful("auto");
    let mut host = key.host();
    key.told(&["fault", "on", "status=getInfo:2e"]);
    assert_eq!(key.event("faults")["on"], json!(["status=getInfo:2e"]));
    assert_eq!(host.cbor(&GET_INFO), [0x2e]);
    let line = key.request();
    assert_eq!((&line["faults"], &line["reason"]), (&json!(["status=getInfo:2e"]), &Value::Null));
    key.told(&["fault", "on", "silence@9"]);
    let list = key.control(&["fault", "list"]).stdout;
    assert_eq!(list, b"status=getInfo:2e\nsilence@9\n");
    assert_eq!(key.status()["faults"], json!(["status=getInfo:2e", "silence@9"]));
    key.told(&["fault", "off", "status"]);
    assert_eq!(host.cbor(&GET_INFO)[0], 0);
    let wrong = key.control(&["fault", "off", "status"]);
    assert_eq!(wrong.status.code(), Some(1));
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(told.contains("The fault status is not on.\n    try: fault list"), "{told}");
    key.told(&["fault", "off"]);
    assert_eq!(key.control(&["fault", "list"]).stdout, b"no fault is on\n");
}

/// Whatever the table names can be switched on and off while the key runs, and leaves nothing behind.
#[test]
fn every_fault_of_the_table_is_switched_while_the_key_runs() {
    let key = Key::forgetful("auto");
    let table = String::from_utf8(softkey().arg("faults").output().unwrap().stdout).unwrap();
    let told = format!("`softkey faults` lists {} ways", table.lines().count());
    assert!(include_str!("../../../README.md").contains(&told), "README: {told}");
    for form in table.lines().filter_map(|line| line.split([' ', '|']).next()) {
        let (name, argument) = form.split_once('=').unwrap_or((form, ""));
        // An argument in brackets may be left out.
        let (name, argument) = name.strip_suffix('[').map_or((name, argument), |name| (name, ""));
        let argument = match argument {
            "N" => "1",
            "HEX" | "[COMMAND:]HEX" => "7e",
            other => other,
        };
        let fault = [name, argument].join("=");
        let fault = fault.trim_end_matches('=');
        key.told(&["fault", "on", fault]);
        let list = String::from_utf8(key.control(&["fault", "list"]).stdout).unwrap();
        assert!(list.starts_with(name), "{fault}: {list}");
        key.told(&["fault", "off"]);
    }
    assert_eq!(key.status()["faults"], json!([]));
    assert_eq!(key.host().cbor(&GET_INFO)[0], 0);
}

/// A power cycle does not mend a key.
#[test]
fn faults_outlive_a_power_cycle() {
    let key = faulty(&["status=getInfo:2e"]);
    key.told(&["replug"]);
    assert_eq!(key.host().cbor(&GET_INFO), [0x2e]);
}

/// What a host sees of packets that are not as they should be.
#[test]
fn packets_are_late_or_wrong() {
    let answer = |fault: &str| {
        let key = faulty(&[fault]);
        let mut host = key.host();
        let since = Instant::now();
        let answer = host.0.cbor(&GET_INFO, &mut |_| {
            // Nobody waits for an answer that never comes.
            if since.elapsed() > Duration::from_secs(2) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(key.request()["faults"], json!([fault]));
        (answer, since.elapsed())
    };
    let (late, took) = answer("delay=300");
    // The key reads its clock in whole milliseconds.
    assert!(late.is_ok() && took > Duration::from_millis(299), "{took:?}");
    for (fault, error) in [
        ("double-packets", HostError::UnexpectedPacket),
        ("reorder-packets", HostError::UnexpectedPacket),
        ("wrong-sequence", HostError::UnexpectedPacket),
        ("wrong-command", HostError::UnexpectedPacket),
        ("hid-error=7f", HostError::Device(HidError::OTHER)),
    ] {
        match answer(fault).0 {
            Err(ConnectionError::Host(found)) => assert_eq!(found, error, "{fault}"),
            other => panic!("{fault}: {other:?}"),
        }
    }
    let key = faulty(&["keepalive-storm=50"]);
    let mut alive = 0;
    let answer = key.host().0.cbor(&GET_INFO, &mut |_| {
        alive += 1;
        ControlFlow::Continue(())
    });
    // A slow machine has keepalives of its own.
    assert!(answer.is_ok() && alive >= 50, "{alive}");
}

/// U2F has the same faults.
#[test]
fn u2f_answers_are_changed_too() {
    let key = faulty(&["empty-answer"]);
    assert_eq!(key.host().msg(&u2f_register(1)), [0_u8; 0]);
    assert_eq!(key.request()["faults"], json!(["empty-answer"]));
}

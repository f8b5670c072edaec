//! Power cycles, the vault from run to run, and the end.

use std::io::Read;
use std::net::UdpSocket;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use rustix::process::{Signal, kill_process};
use softkey_ctap_hid::{ConnectionError, HidError, HostError};

use crate::harness::{
    GET_INFO, Key, SELECTION, flags, get_assertion, make_credential, softkey, was_cut_off,
};

/// What was stored outlives the process; what was going on does not outlive a power cycle.
#[test]
fn credentials_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault");
    let args = ["--approve", "auto", "--vault", vault.to_str().unwrap()];
    let key = Key::start(&args);
    assert_eq!(key.host().cbor(&make_credential("ada", &[("rk", true)]))[0], 0);
    assert!(key.stop().success());
    let key = Key::start(&args);
    let mut host = key.host();
    let answer = host.cbor(&get_assertion(&[]));
    assert_eq!((answer[0], flags(&answer) & 1), (0, 1));
    key.told(&["replug"]);
    assert_eq!(key.event("ready")["power_cycle"], 2);
    // The channel is of the time before; the credential is not.
    let refused = host.0.cbor(&GET_INFO, &mut |_| std::ops::ControlFlow::Continue(()));
    let invalid = HostError::Device(HidError::INVALID_CHANNEL);
    assert!(matches!(&refused, Err(ConnectionError::Host(e)) if *e == invalid), "{refused:?}");
    assert_eq!(key.host().cbor(&get_assertion(&[]))[0], 0);
    assert!(key.stop().success());
}

/// A port that is free, and that nobody gets who asks for any port: those are above it.
fn quiet_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    (first..32_768).find(|port| UdpSocket::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// ST-12: twenty starts on one vault and one port, each stopped or killed, and twenty power cycles within one run:
/// the port is free again each time and no credential is lost.
#[test]
fn twenty_starts_and_power_cycles_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault");
    let listen = format!("127.0.0.1:{}", quiet_port());
    for round in 0..20_u8 {
        let args = ["--approve", "auto", "--vault", vault.to_str().unwrap(), "--listen", &listen];
        let key = Key::start(&args);
        let mut host = key.host();
        if round > 0 {
            assert_eq!(host.cbor(&get_assertion(&[]))[0], 0, "round {round}");
        }
        assert_eq!(host.cbor(&make_credential(&format!("user{round}"), &[("rk", true)]))[0], 0);
        if round % 2 == 0 {
            assert!(key.stop().success());
        }
    }
    let args = ["--approve", "auto", "--vault", vault.to_str().unwrap(), "--listen", &listen];
    let key = Key::start(&args);
    for _ in 0..20 {
        key.told(&["replug"]);
        let answer = key.host().cbor(&get_assertion(&[]));
        // numberOfCredentials is the last member of an answer that names a user by its id alone.
        assert_eq!((answer[0], &answer[answer.len() - 2..]), (0, &[0x05, 20][..]));
    }
}

/// One vault serves one process; the other is told which one has it.
#[test]
fn a_vault_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault");
    let key = Key::start(&["--vault", vault.to_str().unwrap(), "--approve", "hold"]);
    let second = softkey().args(["run", "--listen", "127.0.0.1:0", "--vault"]).arg(&vault).output();
    let second = second.unwrap();
    assert_eq!(second.status.code(), Some(7));
    let told = String::from_utf8(second.stderr).unwrap();
    let process = key.id().as_raw_nonzero().to_string();
    assert!(told.contains("is in use by process") && told.contains(&process), "{told}");
    assert_eq!(String::from_utf8(second.stdout).unwrap(), "");
}

/// A vault is made with a passphrase and opened by no other.
#[test]
fn a_passphrase_opens_its_vault_only() {
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault");
    let passphrase = folder.path().join("passphrase");
    std::fs::write(&passphrase, "correct horse\nignored\n").unwrap();
    let file =
        ["--vault", vault.to_str().unwrap(), "--passphrase-file", passphrase.to_str().unwrap()];
    assert!(Key::start(&file).stop().success());
    let run = |variable: Option<&str>| {
        let mut command = softkey();
        command.args(["run", "--listen", "127.0.0.1:0", "--vault"]).arg(&vault);
        variable.map(|text| command.env("SOFTKEY_PASSPHRASE", text));
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = run(Some("wrong horse"));
    assert_eq!(code, Some(7), "{told}");
    assert!(!told.contains("horse"), "a passphrase is never printed: {told}");
    let (code, told) = run(None);
    assert_eq!(code, Some(7));
    assert!(told.contains("--passphrase-file or SOFTKEY_PASSPHRASE"), "{told}");
    let mut command = softkey();
    command.env("SOFTKEY_PASSPHRASE", "correct horse");
    assert!(Key::spawn(command, &["--vault", vault.to_str().unwrap()]).stop().success());
}

/// A request that waits dies with the power, and the key is as new: reset is allowed again.
#[test]
fn a_power_cycle_ends_what_waits() {
    let key = Key::forgetful("hold");
    let mut host = key.host();
    let waiting = std::thread::spawn(move || {
        host.0.cbor(&SELECTION, &mut |_| std::ops::ControlFlow::Continue(()))
    });
    key.event("question");
    key.told(&["replug"]);
    assert!(key.status()["question"].is_null());
    key.told(&["approve", "auto"]);
    assert_eq!(key.host().cbor(&[0x07]), [0x00]);
    assert_eq!(key.status()["power_cycles"], 2);
    // The host hears nothing more of its request.
    was_cut_off(&waiting.join().unwrap());
}

/// SIGTERM, SIGINT, SIGHUP and `control stop` unplug the key: success, a last line, no socket left.
#[test]
fn the_end_is_clean() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let key = Key::forgetful("hold");
        let socket = key.socket();
        kill_process(key.id(), signal).unwrap();
        assert_eq!(key.event("stopped")["requests"], 0);
        assert!(!socket.exists());
        let status = key.wait();
        assert_eq!((status.code(), status.signal()), (Some(0), None), "{signal:?}");
    }
    let key = Key::forgetful("hold");
    key.told(&["stop"]);
    key.event("stopped");
    assert!(key.wait().success());
}

/// A standard input that is closed, and an output that nobody reads, stop nothing.
#[test]
fn closed_and_unread_streams_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control");
    let run =
        "exec \"$0\" run --ephemeral --approve auto --listen 127.0.0.1:0 --control \"$1\" <&-";
    let mut child = std::process::Command::new("sh")
        .args(["-c", run, env!("CARGO_BIN_EXE_softkey")])
        .arg(&socket)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = || {
        let output = softkey().arg("control").arg(&socket).args(["status", "--json"]).output();
        output.unwrap().stdout
    };
    let mut report = Vec::new();
    while report.is_empty() || report.starts_with(b"{\"devices\":[\"udp 127.0.0.1:0\"") {
        report = status();
    }
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let address = report["devices"][0].as_str().unwrap().strip_prefix("udp ").unwrap();
    let transport = softkey_ctap_hid::UdpTransport::connect(address).unwrap();
    let mut host = softkey_ctap_hid::Connection::open(transport).unwrap();
    // More lines than the pipe and the queue hold.
    for _ in 0..3000 {
        let answer = host.cbor(&GET_INFO, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
        assert_eq!(answer[0], 0);
    }
    let mut stdout = child.stdout.take().unwrap();
    let told = softkey().arg("control").arg(&socket).arg("stop").status().unwrap();
    assert!(told.success());
    let mut lines = String::new();
    stdout.read_to_string(&mut lines).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(lines.lines().count() < 3000, "the test has not filled the queue");
}

//! The memory of `softkey run` with a vault of 10 000 credentials opened by a key file: under 30 MiB, whatever it
//! is asked. `cargo test -p softkey --test memory -- --ignored --nocapture` prints the figure.
#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use softkey::vault::{Unlock, Vault, VaultPaths};
use softkey_authenticator::{
    Answer, Authenticator, Config, Decision, RootKey, Session, Step, Transport, Via,
};
use softkey_ctap::Instant;
use softkey_ctap_hid::{Connection, UdpTransport};

const CREDENTIALS: u32 = 10_000;
/// Accounts of one relying party.
const ACCOUNTS: u32 = 50;
const LIMIT_KIB: u64 = 30 * 1024;

/// The fill alone takes half a minute, so CI runs this as a step of its own.
#[test]
#[ignore = "makes 10 000 credentials; cargo xtask ci runs it"]
fn ten_thousand_credentials_fit_into_thirty_mebibytes() {
    // On a disk that syncs in memory the filling takes seconds.
    let memory_disk = Path::new("/dev/shm");
    let folder = if memory_disk.is_dir() { memory_disk.into() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(folder).unwrap();
    let vault = folder.path().join("vault");
    fill(&vault);
    let mut child = Command::new(env!("CARGO_BIN_EXE_softkey"))
        .args([
            "run",
            "--transport",
            "udp",
            "--listen",
            "127.0.0.1:0",
            "--approve",
            "auto",
            "--vault",
        ])
        .arg(&vault)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.find_map(|line| Some(line.strip_prefix("ready: udp ")?.to_owned())).unwrap();
    let address = ready.split(';').next().unwrap();
    let mut host = Connection::open(UdpTransport::connect(address).unwrap()).unwrap();
    let mut ask = |request: &[u8]| {
        host.cbor(request, &mut |_| ControlFlow::Continue(())).unwrap().first().copied()
    };
    assert_eq!(ask(&[0x04]), Some(0));
    for party in (0..CREDENTIALS / ACCOUNTS).step_by(5) {
        assert_eq!(ask(&get_assertion(party)), Some(0), "party {party}");
        for _ in 1..ACCOUNTS {
            assert_eq!(ask(&[0x08]), Some(0), "party {party}");
        }
    }
    let peak = peak_kib(&child);
    child.kill().unwrap();
    child.wait().unwrap();
    println!("{CREDENTIALS} credentials, {peak} KiB at most");
    assert!(peak < LIMIT_KIB, "{peak} KiB");
}

/// Makes a vault with a key file and fills it through the authenticator itself.
fn fill(vault: &Path) {
    let paths = VaultPaths::at(vault);
    let Vault { store, root_key } =
        Vault::create(&paths, &Unlock::KeyFile, &mut getrandom::SysRng).unwrap();
    let (key, now) = (RootKey::new(*root_key.expose()), Instant::from_millis(0));
    let opened = Authenticator::open(store, key, getrandom::SysRng, Config::default(), now);
    let mut authenticator = opened.unwrap();
    let via = Via { transport: Transport::Usb, session: Session(1) };
    for number in 0..CREDENTIALS {
        let request = make_credential(number / ACCOUNTS, number);
        let Step::Asking(ask) = authenticator.begin(now, via, &request) else {
            panic!("no question")
        };
        let yes = Decision { ask: ask.id, answer: Answer::Yes };
        let Some(Step::Reply(answer)) = authenticator.resume(now, yes) else { panic!("no answer") };
        assert_eq!(answer[0], 0);
    }
}

fn party(number: u32) -> Vec<u8> {
    let id = format!("party-{number:04}.example");
    [&[0x60 + u8::try_from(id.len()).unwrap()], id.as_bytes()].concat()
}

fn make_credential(number: u32, user: u32) -> Vec<u8> {
    let mut request = vec![0x01, 0xa5, 1, 0x58, 32];
    request.extend([0x11; 32]);
    request.extend(b"\x02\xa1\x62id");
    request.extend(party(number));
    request.extend(b"\x03\xa2\x62id\x44");
    request.extend(user.to_be_bytes());
    request.extend(b"\x64name\x70user@example.com");
    request.extend(b"\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key\x07\xa1\x62rk\xf5");
    request
}

fn get_assertion(number: u32) -> Vec<u8> {
    let mut request = vec![0x02, 0xa2, 1];
    request.extend(party(number));
    request.extend([2, 0x58, 32]);
    request.extend([0x22; 32]);
    request
}

/// The most memory the process has had in use, as the kernel counts it.
fn peak_kib(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

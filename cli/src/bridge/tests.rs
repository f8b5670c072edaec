//! The bridge between hosts and a board that is played by hand, and what it refuses.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use softkey_board::emulated::Word;

use super::*;

const CHANNEL: u32 = 0x0102_0304;

fn report(channel: u32, bytes: &[u8]) -> Report {
    let mut report = [0; 64];
    report[..4].copy_from_slice(&channel.to_be_bytes());
    report[4..4 + bytes.len()].copy_from_slice(bytes);
    report
}

fn init(nonce: u8) -> Report {
    report(u32::MAX, &[0x86, 0, 8, nonce, 0, 0, 0, 0, 0, 0, 0])
}

fn answer(nonce: u8) -> Report {
    let mut answer = init(nonce);
    answer[6] = 17;
    answer[15..19].copy_from_slice(&(CHANNEL + u32::from(nonce)).to_be_bytes());
    answer
}

fn bridge(folder: &tempfile::TempDir) -> Bridge {
    Bridge::new(Mailbox::open(&folder.path().join("memory")).unwrap()).unwrap()
}

#[test]
fn each_host_gets_the_channel_that_it_asked_for_and_what_is_said_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut bridge = bridge(&folder);
    let now = Instant::default();
    bridge.receive_from(now, Peer(1), &init(1));
    bridge.receive_from(now, Peer(2), &init(2));
    assert_eq!(bridge.addressee(&answer(2)), Some(Peer(2)));
    assert_eq!(bridge.addressee(&answer(1)), Some(Peer(1)));
    assert_eq!(bridge.addressee(&answer(1)), None, "nobody waits for it twice");
    assert_eq!(bridge.addressee(&report(CHANNEL + 2, &[0xBB])), Some(Peer(2)));
    bridge.receive_from(now, Peer(3), &report(CHANNEL + 2, &[0x90]));
    assert_eq!(bridge.addressee(&report(CHANNEL + 2, &[0xBB])), Some(Peer(3)));
    assert_eq!(bridge.addressee(&report(7, &[0xBB])), None);
}

#[test]
fn a_flood_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut bridge = bridge(&folder);
    for number in 0..10_000 {
        bridge.receive_from(Instant::default(), Peer(1), &report(number, &[0x90]));
        bridge.receive_from(Instant::default(), Peer(1), &init(1));
    }
    let sizes = [bridge.waiting.len(), bridge.channels.len(), bridge.nonces.len()];
    assert!(sizes.iter().all(|size| *size <= WAITING), "{sizes:?}");
}

/// Who asks for channels and never gets one shuts nobody else out.
#[test]
fn a_flood_of_unanswered_inits_keeps_nobody_from_a_channel() {
    let folder = tempfile::tempdir().unwrap();
    let mut bridge = bridge(&folder);
    for _ in 0..2 * WAITING {
        bridge.receive_from(Instant::default(), Peer(1), &init(1));
    }
    bridge.receive_from(Instant::default(), Peer(2), &init(2));
    assert_eq!(bridge.addressee(&answer(2)), Some(Peer(2)));
}

fn args(line: &str) -> BridgeArgs {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: BridgeArgs,
    }
    let words = ["bridge"].into_iter().chain(line.split_whitespace());
    <Line as clap::Parser>::try_parse_from(words).unwrap().args
}

/// A board that this bridge switches on for uhid hears of the limit before its first instruction; one that runs without
/// it is told of.
#[test]
fn a_board_behind_uhid_knows_what_the_kernel_carries() {
    let folder = tempfile::tempdir().unwrap();
    let mut mailbox = Mailbox::open(&folder.path().join("memory")).unwrap();
    let (uhid, udp) = (args("memory --transport uhid"), args("memory"));
    mailbox.prepare(Instant::default(), &[1; 32]).unwrap();
    assert!(note(&uhid, &mailbox).unwrap().unwrap().contains("over 1768 bytes"));
    assert_eq!(note(&udp, &mailbox).unwrap(), None);
    mailbox.limit(UHID_MAX_MSG_SIZE);
    mailbox.prepare(Instant::default(), &[1; 32]).unwrap();
    assert_eq!(note(&uhid, &mailbox).unwrap(), None);
    assert!(!mailbox.is_limited(UHID_MAX_MSG_SIZE - 1).unwrap());
}

/// The flash holds credentials and the device secret.
#[test]
fn a_memory_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory");
    drop(Mailbox::open(&path).unwrap());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = Mailbox::open(&path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    let told = no_memory(&args("memory"), &error).to_string();
    assert!(told.contains("others can read or change it (mode 640)"), "{told}");
}

/// A memory that a board runs on, and what is left of it when somebody else wants to switch one on.
#[test]
fn a_running_board_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory");
    drop(Mailbox::open(&path).unwrap());
    let memory = File::options().read(true).write(true).open(&path).unwrap();
    memory.write_all_at(&1_u32.to_le_bytes(), Word::Running.address().into()).unwrap();
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let line = |listen| format!("{} --firmware none --listen {listen}", path.display());
    let refused = |listen| run(&args(&line(listen))).unwrap_err();
    let is_whole = || Mailbox::open(&path).unwrap().is_running().unwrap();

    // By the address, which another bridge has.
    let error = refused(listen);
    assert!(error.to_string().contains("The key's place failed"), "{error}");
    assert!(is_whole());
    // By the memory, which another bridge has, though the address is free.
    memory.lock().unwrap();
    let error = refused("127.0.0.1:0".parse().unwrap());
    assert_eq!(error.exit(), Exit::BadInput);
    assert!(error.to_string().contains("another softkey bridge has it in use"), "{error}");
    assert!(is_whole());
}

/// What strangers may ask for is not approved by a button that holds itself; and an address is for udp.
#[test]
fn what_contradicts_itself_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory");
    for (line, why) in [
        ("--press --listen 0.0.0.0:0", "--press would let every machine"),
        ("--press --listen 192.0.2.1:1", "--press would let every machine"),
        ("--transport uhid --listen 127.0.0.1:1", "--listen is for udp"),
    ] {
        let error = run(&args(&format!("{} {line}", path.display()))).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{line}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(!path.exists());
    }
    for fine in ["--press", "--press --listen [::1]:1", "--listen 0.0.0.0:1", "--transport uhid"] {
        contradiction(&args(&format!("memory {fine}"))).unwrap();
    }
}

#[test]
fn a_file_that_is_no_memory_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter");
    std::fs::write(&path, "dear").unwrap();
    assert_eq!(Mailbox::open(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(std::fs::read(&path).unwrap(), b"dear");
}

#[test]
fn reports_wait_for_each_other_in_the_mailbox() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::open(&folder.path().join("memory")).unwrap();
    assert!(mailbox.send(&init(1)).unwrap());
    assert!(!mailbox.send(&init(2)).unwrap(), "the board has not taken the first");
    assert_eq!(mailbox.receive().unwrap(), None);
    assert!(!mailbox.is_running().unwrap());
}

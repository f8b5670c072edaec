//! kill -9 at any moment: the last acknowledged batch, or the one after it, whole. ST-01.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use softkey::vault::{Boot, RedbStore, Unlock, Vault, VaultPaths};
use softkey_authenticator::MemoryStore;
use softkey_ctap::Secret;
use softkey_tests::persistence::committer::Expected;
use softkey_tests::persistence::contract::records;
use softkey_tests::persistence::disk::Disk;
use softkey_tests::persistence::registrar::{Accounts, KeyOn, register_forever};
use tempfile::TempDir;

/// Kills while batches are committed, and while accounts are registered.
const KILLS: u32 = 120;
const KILLS_WHILE_REGISTERING: u32 = 240;

/// A new vault for processes that will be killed. What they leave does not depend on the disk; how long it
/// takes does.
fn new_vault() -> (TempDir, VaultPaths, Secret<32>) {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let paths = VaultPaths::at(&folder.path().join("vault"));
    let vault = Vault::create(&paths, &Unlock::KeyFile, &mut getrandom::SysRng).unwrap();
    (folder, paths, vault.root_key)
}

/// ST-01. Kills a process that commits without pause, at moments from before it opens its vault to dozens of
/// commits later, each time on what the last one left, and looks at the file as it lies there.
///
/// The moments are drawn on the wall clock, so no two runs are alike; what must hold holds for all of them.
#[test]
fn a_killed_process_leaves_whole_batches() {
    let (_folder, paths, _) = new_vault();
    let mut expected = Expected::default();
    for round in 0..KILLS {
        let lines = kill_one(&paths, &[], &Moment::drawn(round));
        let last = lines.last().map_or(0, |line| line.parse().unwrap());
        expected.advance(last.max(expected.number()));
        let found = records(&store_of(&paths)).unwrap();
        assert!(expected.meets(&found), "round {round}: not the batches up to {last} or one more");
    }
    assert!(expected.number() > KILLS, "only {} batches", expected.number());
    // And the vault is still one.
    Vault::check(&paths, &Unlock::KeyFile).unwrap();
}

/// ST-01. The same for whole registrations: accounts that are answered are there, with the credential that
/// was answered and in order; the one in work is there whole or not at all.
#[test]
fn a_killed_key_keeps_every_registration_that_it_answered() {
    let (_folder, paths, root_key) = new_vault();
    let mut accounts = Accounts::default();
    for round in 0..KILLS_WHILE_REGISTERING {
        let first = (accounts.number() + 1).to_string();
        for line in kill_one(&paths, &["register", &first], &Moment::drawn(round)) {
            let (number, id) = answered(&line);
            accounts.register(Some(id));
            assert_eq!(number, accounts.number());
        }
        let last = accounts.number();
        let mut key = KeyOn::open(store_of(&paths), &root_key, getrandom::SysRng);
        assert!(
            accounts.meets(&mut key),
            "round {round}: not the accounts up to {last} or one more"
        );
    }
    assert!(accounts.number() > KILLS_WHILE_REGISTERING, "only {} accounts", accounts.number());
    Vault::check(&paths, &Unlock::KeyFile).unwrap();
}

/// The check above finds a registration that is lost, one too many, one half there, and another's credential.
#[test]
fn a_wrong_account_is_found_out() {
    let mut accounts = Accounts::default();
    let mut key = KeyOn::open(MemoryStore::default(), &Secret::new([1; 32]), getrandom::SysRng);
    let mut lines = Lines { left: 30, text: Vec::new() };
    register_forever(&mut key, 1, &mut lines);
    let mut before = Accounts::default();
    for line in String::from_utf8(lines.text).unwrap().lines() {
        let (number, id) = answered(line);
        if number <= 28 {
            before.register(Some(id.clone()));
        }
        accounts.register(Some(id));
    }
    assert!(accounts.clone().meets(&mut key));
    assert!(!before.clone().meets(&mut key), "two more than were answered");
    accounts.register(Some(vec![0]));
    assert!(!accounts.meets(&mut key), "one fewer");
    before.register(Some(vec![0]));
    assert!(!before.meets(&mut key), "another credential");
}

/// Listens to so many registrations, and then no more.
struct Lines {
    left: usize,
    text: Vec<u8>,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.left -= 1;
        if self.left > 0 { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }
}

/// The number and the credential id in a line.
fn answered(line: &str) -> (u32, Vec<u8>) {
    let (number, id) = line.split_once(' ').unwrap();
    let byte = |at| u8::from_str_radix(&id[at..at + 2], 16).unwrap();
    (number.parse().unwrap(), (0..id.len()).step_by(2).map(byte).collect())
}

/// When to kill: after so many acknowledged commits, and then so much later.
struct Moment {
    lines: usize,
    later: Duration,
}

impl Moment {
    /// A third of the processes dies while it opens the vault or makes its first commits.
    fn drawn(round: u32) -> Self {
        let scattered = u64::from(round).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        if round.is_multiple_of(3) {
            return Self { lines: 0, later: Duration::from_micros(scattered % 6000) };
        }
        let lines = usize::try_from(scattered % 40).unwrap();
        Self { lines, later: Duration::from_micros(scattered % 700) }
    }
}

/// Starts a process, kills it, and returns what it wrote.
fn kill_one(paths: &VaultPaths, work: &[&str], moment: &Moment) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_softkey-test-committer"))
        .arg(&paths.database)
        .args(work)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut written: Vec<_> = lines.by_ref().take(moment.lines).collect();
    let since = Instant::now();
    while since.elapsed() < moment.later {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    // What it had written by then was acknowledged. A line goes out in one piece.
    written.extend(lines);
    assert_eq!(child.wait().unwrap().signal(), Some(9), "it did not end by itself");
    written
}

/// A store on the bytes of the vault's file, which is not touched.
fn store_of(paths: &VaultPaths) -> RedbStore {
    let file = fs::read(&paths.database).unwrap();
    let found = RedbStore::examine(Disk::holding(file.clone()), Boot::current()).unwrap();
    RedbStore::open(Disk::holding(file), &found.identity, Boot::current()).unwrap()
}

/// The check above finds half a batch, a lost one, and one too many.
#[test]
fn half_a_batch_is_found_out() {
    let at = |number| {
        let mut expected = Expected::default();
        expected.advance(number);
        expected
    };
    let whole = at(10);
    for (number, met) in [(8, false), (9, true), (10, true), (11, false)] {
        assert_eq!(at(number).meets(whole.records()), met, "{number}");
    }
    let of_it = |key: &&Vec<u8>| at(9).records().get(*key) != whole.records().get(*key);
    let batch: Vec<_> = whole.records().keys().filter(of_it).collect();
    assert!(batch.len() >= 2, "a batch of {}", batch.len());
    for lost in batch {
        let mut half = whole.records().clone();
        half.remove(lost);
        half.extend(at(9).records().get(lost).map(|value| (lost.clone(), value.clone())));
        assert!(!at(9).meets(&half), "{lost:?}");
    }
}

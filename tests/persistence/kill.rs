//! kill -9 at any moment: the last acknowledged batch, or the one after it, whole. ST-01.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use softkey::vault::{Boot, RedbStore, Unlock, Vault, VaultPaths};
use softkey_tests::persistence::committer::Expected;
use softkey_tests::persistence::contract::records;
use softkey_tests::persistence::disk::Disk;

const KILLS: u32 = 240;

/// ST-01. Kills a process that commits without pause, at moments from before it opens its vault to hundreds
/// of commits later, each time on what the last one left, and looks at the file as it lies there.
///
/// The moments are drawn on the wall clock, so no two runs are alike; what must hold holds for all of them.
#[test]
fn a_killed_process_leaves_whole_batches() {
    // What a killed process leaves does not depend on the disk; how long 240 of them take does.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let paths = VaultPaths::at(&folder.path().join("vault"));
    drop(Vault::create(&paths, &Unlock::KeyFile, &mut getrandom::SysRng).unwrap());

    let mut expected = Expected::default();
    let mut in_flight = 0;
    for round in 0..KILLS {
        let acknowledged = kill_one(&paths, &Moment::drawn(round)).max(expected.number());
        expected.advance(acknowledged);
        let found = records_of(&paths);
        assert!(
            expected.meets(&found),
            "round {round}: not the batches up to {acknowledged} or one more"
        );
        in_flight += expected.number() - acknowledged;
    }
    assert!(expected.number() > KILLS, "only {} batches", expected.number());
    println!(
        "{KILLS} kills, {} batches, {in_flight} durable before they were acknowledged",
        expected.number()
    );
    // And the vault is still one.
    Vault::check(&paths, &Unlock::KeyFile).unwrap();
}

/// When to kill: after so many acknowledged batches, and then so much later.
struct Moment {
    batches: u32,
    later: Duration,
}

impl Moment {
    /// A third of the processes dies while it opens the vault or makes its first commits.
    fn drawn(round: u32) -> Self {
        let scattered = u64::from(round).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        if round.is_multiple_of(3) {
            return Self { batches: 0, later: Duration::from_micros(scattered % 6000) };
        }
        let batches = u32::try_from(scattered % 40).unwrap();
        Self { batches, later: Duration::from_micros(scattered % 700) }
    }
}

/// Starts a process, kills it, and returns the last batch that it acknowledged.
fn kill_one(paths: &VaultPaths, moment: &Moment) -> u32 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_softkey-test-committer"))
        .arg(&paths.database)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = 0;
    for line in lines.by_ref().take(usize::try_from(moment.batches).unwrap()) {
        last = line.unwrap().parse().unwrap();
    }
    let since = Instant::now();
    while since.elapsed() < moment.later {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    // Whatever it had written by then was acknowledged; a line that it did not finish was not.
    for line in lines.map_while(Result::ok) {
        last = line.parse().unwrap_or(last);
    }
    assert!(!child.wait().unwrap().success(), "it did not end by itself");
    last
}

/// The records in the vault's file, which is not touched.
fn records_of(paths: &VaultPaths) -> softkey_tests::persistence::contract::Records {
    let file = fs::read(&paths.database).unwrap();
    let identity =
        RedbStore::examine(Disk::holding(file.clone()), Boot::current()).unwrap().identity;
    let store = RedbStore::open(Disk::holding(file), &identity, Boot::current()).unwrap();
    records(&store).unwrap()
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
    for lost in
        whole.records().keys().filter(|key| at(9).records().get(*key) != whole.records().get(*key))
    {
        let mut half = whole.records().clone();
        half.remove(lost);
        half.extend(at(9).records().get(lost).map(|value| (lost.clone(), value.clone())));
        assert!(!at(9).meets(&half), "{lost:?}");
    }
}

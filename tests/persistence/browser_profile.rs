//! A browser profile in a vault: what a thief, a kill, a full disk and damage make of it. ST-01 to ST-03 and ST-05 for
//! what is no key's record.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::inotify;
use rustix::io::Errno;
use softkey::browser_profile::BrowserProfile;
use softkey::error::Exit;
use softkey::unlock::Source;
use softkey::vault::{Unlock, Vault, VaultError, VaultPaths};
use softkey_authenticator::{Change, Store as _};
use softkey_client::Profile;
use softkey_tests::persistence::contract::key;
use softkey_tests::persistence::person::{account, keep, number_kept};
use tempfile::TempDir;

use crate::snapshot;

/// Kills while passwords are kept.
const KILLS: u32 = 60;

fn place() -> (TempDir, VaultPaths) {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let paths = VaultPaths::at(&folder.path().join("vault"));
    (folder, paths)
}

/// The same with so many passwords in it.
fn filled(accounts: u32, passphrase: &Source) -> (TempDir, VaultPaths) {
    let (folder, paths) = place();
    let open = BrowserProfile::open_vault(paths.clone(), passphrase).unwrap();
    (1..=accounts).for_each(|number| keep(open.profile(), number));
    open.save().unwrap();
    (folder, paths)
}

fn opened(paths: &VaultPaths) -> Result<Profile, (Exit, String)> {
    let open = BrowserProfile::open_vault(paths.clone(), &Source::Nowhere);
    open.map(|open| open.profile().clone()).map_err(|error| (error.exit(), error.to_string()))
}

/// Kept, closed and opened again; nothing is made for a profile in which nothing is kept.
#[test]
fn a_profile_opens_as_it_was_closed() {
    let (folder, paths) = place();
    BrowserProfile::open_vault(paths.clone(), &Source::Nowhere).unwrap().save().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let (_folder, paths) = filled(3, &Source::Nowhere);
    let before = snapshot(&paths);
    let open = BrowserProfile::open_vault(paths.clone(), &Source::Nowhere).unwrap();
    assert_eq!(number_kept(open.profile()), Some(3));
    open.save().unwrap();
    assert!(snapshot(&paths)[&paths.header] == before[&paths.header]);
    // It is a vault like any other.
    assert_eq!(Vault::check(&paths, &Unlock::KeyFile).unwrap(), 1);
}

/// A profile longer than any record of a key, and then one account of it.
#[test]
fn a_long_profile_is_kept_and_becomes_short() {
    let (_folder, paths) = filled(300, &Source::Nowhere);
    assert_eq!(opened(&paths).map(|profile| number_kept(&profile)), Ok(Some(300)));
    let open = BrowserProfile::open_vault(paths.clone(), &Source::Nowhere).unwrap();
    for number in 2..=300 {
        let (kind, origin, id, _) = account(number);
        assert_eq!(open.profile().remove(kind, &origin, &id), 1);
    }
    open.save().unwrap();
    assert_eq!(opened(&paths).map(|profile| number_kept(&profile)), Ok(Some(1)));
}

/// ST-05. Neither a password nor who has it where is in any file, while it is kept and after it was removed.
#[test]
fn the_files_give_nothing_away() {
    let hidden = |paths: &VaultPaths| {
        let files = [&paths.database, &paths.header, &paths.lock];
        let bytes = files.map(|path| fs::read(path).unwrap()).concat();
        // Whatever is no text there, texts stay what they are.
        let bytes = String::from_utf8_lossy(&bytes);
        let has = |text: &str| bytes.contains(text);
        (1..=40).all(|number| {
            let (_, origin, id, password) = account(number);
            !has(&origin) && !has(&id) && !has(&password)
        }) && !has("passwords")
    };
    let (_folder, paths) = filled(40, &Source::Nowhere);
    assert!(hidden(&paths));
    let open = BrowserProfile::open_vault(paths.clone(), &Source::Nowhere).unwrap();
    let (kind, origin, id, _) = account(7);
    open.profile().remove(kind, &origin, &id);
    open.save().unwrap();
    assert!(hidden(&paths));

    // The plant: the search finds what lies in the open.
    let mut vault = Vault::open(&paths, &Unlock::KeyFile).unwrap();
    vault.store.commit(&[Change::Put(key(b"x"), account(9).3.as_bytes())]).unwrap();
    drop(vault);
    assert!(!hidden(&paths));
}

/// The passphrase opens it and nothing else does; whoever is refused changes nothing.
#[test]
fn a_wrong_passphrase_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        Source::File(path)
    };
    let right = file("right", "correct horse\nbattery staple\n");
    let (_vault, paths) = filled(2, &right);
    assert!(!paths.key_file.exists());
    let before = snapshot(&paths);
    let refused = |passphrase: Source| {
        let error = BrowserProfile::open_vault(paths.clone(), &passphrase).err().unwrap();
        assert!(snapshot(&paths) == before);
        (error.exit(), error.to_string())
    };
    let (exit, told) = refused(file("wrong", "correct horses\n"));
    assert_eq!(exit, Exit::Vault);
    assert!(told.contains("is not the passphrase of the vault"), "{told}");
    assert!(!told.contains("horse"), "{told}");
    let (exit, told) = refused(file("empty", "\n"));
    assert_eq!(exit, Exit::BadInput);
    assert!(told.contains("is empty"), "{told}");
    let (exit, told) = refused(Source::File(folder.path().join("missing")));
    assert_eq!(exit, Exit::BadInput);
    assert!(told.contains("cannot be read"), "{told}");
    let open = BrowserProfile::open_vault(paths.clone(), &right).unwrap();
    assert_eq!(number_kept(open.profile()), Some(2));
}

/// ST-03. Damage anywhere in any file: an error that names the vault, or the very profile; never another one, an empty one
/// or a change.
#[test]
fn a_damaged_file_is_refused_and_left_alone() {
    let (_folder, paths) = filled(60, &Source::Nowhere);
    let mut refused = BTreeSet::new();
    for file in [&paths.header, &paths.key_file, &paths.database] {
        let original = fs::read(file).unwrap();
        let (mut found, step) = (0, original.len() / 90 + 1);
        for at in (0..original.len()).step_by(step) {
            let mut changed = original.clone();
            changed[at] ^= 0x40;
            fs::write(file, &changed).unwrap();
            let before = snapshot(&paths);
            match opened(&paths) {
                Ok(profile) => assert_eq!(number_kept(&profile), Some(60), "byte {at}"),
                Err((exit, told)) => {
                    assert_eq!(exit, Exit::Vault, "{told}");
                    assert!(told.contains("/vault"), "{told}");
                    assert!(snapshot(&paths) == before, "refused and changed");
                    found += 1;
                }
            }
            fs::write(file, &original).unwrap();
        }
        refused.extend((found > 0).then_some(file));
        for cut in [0, original.len() / 2, original.len() - 1] {
            fs::write(file, &original[..cut]).unwrap();
            assert_eq!(opened(&paths).err().map(|(exit, _)| exit), Some(Exit::Vault), "{cut}");
        }
        fs::write(file, &original).unwrap();
    }
    assert_eq!(refused.len(), 3, "no damage was found in one of the files");
    assert_eq!(opened(&paths).map(|profile| number_kept(&profile)), Ok(Some(60)));
}

/// A record of another vault, an older form and a newer one do not open.
#[test]
fn a_record_from_elsewhere_is_refused() {
    const RECORD: &[u8] = b"d browser profile";
    let record = |paths: &VaultPaths| {
        let vault = Vault::open(paths, &Unlock::KeyFile).unwrap();
        let mut record = Vec::new();
        assert!(vault.store.load(&key(RECORD), &mut record).unwrap());
        record
    };
    let (_one, paths) = filled(1, &Source::Nowhere);
    let (_other, other) = filled(1, &Source::Nowhere);
    let own = record(&paths);
    let newer = [&[2], &own[1..]].concat();
    let older = [&[0], &own[1..]].concat();
    for (wrong, told) in [
        (record(&other), "does not open with its key"),
        (older, "does not open with its key"),
        (Vec::new(), "does not open with its key"),
        (newer, "has the format 2"),
    ] {
        let mut vault = Vault::open(&paths, &Unlock::KeyFile).unwrap();
        vault.store.commit(&[Change::Put(key(RECORD), &wrong)]).unwrap();
        drop(vault);
        let (exit, error) = opened(&paths).err().unwrap();
        assert_eq!(exit, Exit::Vault);
        assert!(error.contains(told), "{error}");
    }
}

/// A key's vault is none of a browser's, and the other way round; neither touches the other.
#[test]
fn a_keys_vault_is_no_browser_profile() {
    let (_folder, paths) = crate::vault::vault(&Unlock::KeyFile);
    let before = snapshot(&paths);
    let (exit, told) = opened(&paths).err().unwrap();
    assert_eq!(exit, Exit::Vault);
    assert!(told.contains("is a security key's, and no browser profile"), "{told}");
    // Opening notes the boot at most, which is there already.
    assert!(snapshot(&paths)[&paths.header] == before[&paths.header]);
    assert_eq!(Vault::check(&paths, &Unlock::KeyFile).unwrap(), 1);

    let (_folder, paths) = filled(1, &Source::Nowhere);
    let vault = Vault::open(&paths, &Unlock::KeyFile).unwrap();
    let refused = vault.refuse_document(&paths);
    assert!(matches!(refused, Err(VaultError::HoldsProfile(path)) if path == paths.database));
}

/// Two commands at once: the second waits until the first is done, and keeps what it kept.
#[test]
fn two_commands_do_not_lose_each_others_changes() {
    let (_folder, paths) = filled(1, &Source::Nowhere);
    let first = BrowserProfile::open_vault(paths.clone(), &Source::Nowhere).unwrap();
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&watch, &paths.lock, inotify::WatchFlags::OPEN).unwrap();
    let waiting = thread::spawn({
        let paths = paths.clone();
        move || {
            let second = BrowserProfile::open_vault(paths, &Source::Nowhere).unwrap();
            keep(second.profile(), 3);
            second.save().unwrap();
        }
    });
    // Who finds the lock held opens it again.
    let end = Instant::now() + Duration::from_mins(1);
    let mut buffer = [MaybeUninit::uninit(); 512];
    let mut opened_lock = inotify::Reader::new(watch, &mut buffer);
    for _ in 0..2 {
        while let Err(error) = opened_lock.next() {
            assert_eq!(error, Errno::WOULDBLOCK);
            assert!(Instant::now() < end, "nobody waits for the lock");
            thread::sleep(Duration::from_millis(1));
        }
    }
    keep(first.profile(), 2);
    first.save().unwrap();
    waiting.join().unwrap();
    assert_eq!(opened(&paths).map(|profile| number_kept(&profile)), Ok(Some(3)));
}

/// ST-01. Kills a process that keeps one password after the other, each in an opening of its own, from the making of the
/// vault on: what it told is there, with at most the one in work more.
///
/// The moments are drawn on the wall clock, so no two runs are alike; what must hold holds for all of them.
#[test]
fn a_killed_command_loses_nothing_that_it_kept() {
    let (_folder, paths) = place();
    let mut kept = 0;
    for round in 0..KILLS {
        let told = kill_one(&paths, round);
        let last = told.last().map_or(kept, |line| line.parse().unwrap());
        let found = opened(&paths).map(|profile| number_kept(&profile)).unwrap();
        assert!(found == Some(last) || found == Some(last + 1), "round {round}: {last}, {found:?}");
        kept = found.unwrap();
    }
    assert!(kept > KILLS, "only {kept} passwords");
}

/// Starts a process, kills it after some lines, and returns what it wrote.
fn kill_one(paths: &VaultPaths, round: u32) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_softkey-test-committer"))
        .arg(&paths.database)
        .arg("passwords")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let scattered = u64::from(round).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let lines = if round.is_multiple_of(3) { 0 } else { usize::try_from(scattered % 6).unwrap() };
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut written: Vec<_> = output.by_ref().take(lines).collect();
    let later = Duration::from_micros(scattered % 20_000);
    let since = Instant::now();
    while since.elapsed() < later {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    written.extend(output);
    assert_eq!(child.wait().unwrap().signal(), Some(9), "it did not end by itself");
    written
}

//! Damaged vaults: headers and databases.
//!
//! Claim: a header that was changed in any way, its sum put right or not, never opens the vault; a database that
//! was changed opens with exactly the records that were written, or is refused for damage and left as it is.
//! Planted: a vault that begins anew where it finds damage.

use std::sync::{Once, OnceLock};
use std::{fs, panic};

use sha2::{Digest, Sha256};
use softkey::vault::{Boot, OpenError, RecordsError, RedbStore, Unlock, Vault, VaultPaths};
use softkey_authenticator::{Change, Store};
use softkey_tests::key::Entropy;
use softkey_tests::persistence::contract::{Records, key, records};
use softkey_tests::persistence::disk::Disk;

use crate::{Subject, Tape};

const IDENTITY: [u8; 16] = *b"0123456789abcdef";
const BOOT: Option<Boot> = Some(Boot([1; 16]));

/// Which file, then a tape of damages.
pub fn run(data: &[u8], subject: Subject) {
    static HOOK: Once = Once::new();
    HOOK.call_once(leave_redb_s_assertions_to_the_vault);
    let mut tape = Tape::new(data);
    if tape.flag() {
        header(&mut tape);
    } else {
        database(&mut tape, subject);
    }
}

/// The vault takes an assertion of redb's for damage; libFuzzer's hook would end the process before it can.
fn leave_redb_s_assertions_to_the_vault() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        let within_redb = |place: &panic::Location<'_>| place.file().contains("/redb-");
        if !panicked.location().is_some_and(within_redb) {
            before(panicked);
        }
    }));
}

/// A whole vault in a folder of this process, for its header's sake.
struct Home {
    _folder: tempfile::TempDir,
    paths: VaultPaths,
    header: Vec<u8>,
}

fn home() -> &'static Home {
    static HOME: OnceLock<Home> = OnceLock::new();
    HOME.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = VaultPaths::at(&folder.path().join("vault"));
        let mut rng = Entropy::from_seed(5);
        drop(Vault::create(&paths, &Unlock::KeyFile, &mut rng).expect("a vault"));
        let header = fs::read(&paths.header).expect("its header");
        Home { _folder: folder, paths, header }
    })
}

fn header(tape: &mut Tape<'_>) {
    let Home { paths, header: original, .. } = home();
    let mut header = original.clone();
    let mends_the_sum = tape.flag();
    let mut damages = 0;
    while !tape.is_empty() && damages < 8 {
        damages += 1;
        damage(&mut header, tape);
    }
    if mends_the_sum && header.len() == original.len() {
        let sum = Sha256::digest(&header[..150]);
        header[150..].copy_from_slice(&sum);
    }
    fs::write(&paths.header, &header).expect("the header is written");
    let opened = Vault::check(paths, &Unlock::KeyFile);
    assert_eq!(opened.is_ok(), header == *original, "{opened:?}");
    assert_eq!(fs::read(&paths.header).ok().as_ref(), Some(&header), "a refused file was changed");
}

/// Databases as they are left: closed in order, and by a process that was killed; and the records in both.
struct Base {
    files: [Vec<u8>; 2],
    records: Records,
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let disk = Disk::default();
        let mut store = RedbStore::create(disk.clone(), &IDENTITY, BOOT).expect("a database");
        for number in 0..12 {
            store.commit(&[Change::Put(key(&[number]), &[number; 200])]).expect("a commit");
        }
        let killed = disk.bytes();
        let records = records(&store).expect("all is read");
        drop(store);
        Base { files: [disk.bytes(), killed], records }
    })
}

fn database(tape: &mut Tape<'_>, subject: Subject) {
    let base = base();
    let original = &base.files[tape.below(2)];
    let mut file = original.clone();
    let mut damages = 0;
    while !tape.is_empty() && damages < 4 {
        damages += 1;
        damage(&mut file, tape);
    }
    let disk = Disk::holding(file.clone());
    let found = match (RedbStore::open(disk.clone(), &IDENTITY, BOOT), subject) {
        (Ok(store), _) => Some(records(&store).expect("what opened is read")),
        (Err(_), Subject::Planted) => Some(Records::new()),
        (Err(error), Subject::Real) => {
            let damage = matches!(
                error,
                OpenError::Empty
                    | OpenError::Truncated
                    | OpenError::Foreign
                    | OpenError::Format(_)
                    | OpenError::Stranger
                    | OpenError::Records(RecordsError::Damaged(_))
            );
            assert!(damage, "{error:?}");
            assert!(disk.bytes() == file, "refused, and changed");
            assert!(file != *original, "a whole database is refused: {error:?}");
            None
        }
    };
    if let Some(found) = found {
        assert!(found == base.records, "opened, with other records");
    }
}

fn damage(file: &mut Vec<u8>, tape: &mut Tape<'_>) {
    if file.is_empty() {
        return;
    }
    let at = (usize::from(tape.byte()) << 16 | usize::from(tape.short())) % file.len();
    match tape.below(6) {
        0 | 1 => file[at] ^= 1 << tape.below(8),
        2 => file.truncate(at),
        3 => {
            let with = tape.piece();
            let end = (at + with.len()).min(file.len());
            file[at..end].copy_from_slice(&with[..end - at]);
        }
        4 => {
            // A page in the place of another, as a disk or a copy may have it.
            let pages = file.len() / 4096;
            if pages > 1 {
                let (from, to) = (tape.below(pages) * 4096, at / 4096 % pages * 4096);
                file.copy_within(from..from + 4096, to);
            }
        }
        _ => file.extend(tape.piece()),
    }
}

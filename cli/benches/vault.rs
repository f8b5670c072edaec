//! What the vault costs, without and with the disk: a commit, a look-up and an opening, by the number of
//! records. `cargo bench -p softkey --bench vault`
//!
//! *memory* is a file in memory whose syncs do nothing: the time is that of the processor. *disk* is a file in
//! the folder for temporary files (`TMPDIR=/dev/shm` puts it on a tmpfs), synced once a commit.

#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "criterion's macros write undocumented items, and a benchmark that fails may stop"
)]

use std::fs::File;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use redb::backends::{FileBackend, InMemoryBackend};
use softkey::vault::{Boot, RedbStore};
use softkey_authenticator::{Change, Key, Store};

const IDENTITY: [u8; 16] = [1; 16];
const VALUE: [u8; 300] = [0x5A; 300];

/// Keys as the authenticator makes them: 33 bytes, scattered.
fn key(number: u32) -> Key {
    let mut bytes = [b'c'; 33];
    for (byte, scattered) in
        bytes.iter_mut().skip(1).zip(number.wrapping_mul(0x9E37_79B1).to_be_bytes())
    {
        *byte = scattered;
    }
    Key::new(&bytes).expect("33 bytes")
}

fn fill(store: &mut RedbStore, records: u32) {
    for first in (0..records).step_by(16) {
        let mut keys: Vec<Key> = (first..records.min(first + 16)).map(key).collect();
        keys.sort_unstable();
        let batch: Vec<_> = keys.iter().map(|key| Change::Put(*key, &VALUE)).collect();
        store.commit(&batch).expect("a batch is written");
    }
}

fn on_disk() -> FileBackend {
    FileBackend::new(tempfile::tempfile().expect("a file")).expect("a database's file")
}

fn commit(c: &mut Criterion) {
    let mut group = c.benchmark_group("commit");
    for records in [10, 1_000, 10_000] {
        for disk in [false, true] {
            let store = if disk {
                RedbStore::create(on_disk(), &IDENTITY, Boot::current())
            } else {
                RedbStore::create(InMemoryBackend::new(), &IDENTITY, Boot::current())
            };
            let mut store = store.expect("a database");
            fill(&mut store, records);
            let mut number = 0;
            let name = format!("{}/{records} records", if disk { "disk" } else { "memory" });
            // What a registration writes: the credential, its account, the relying party and the totals.
            group.bench_function(name, |b| {
                b.iter(|| {
                    number = (number + 3) % records;
                    let mut keys = [number, number + 1, number + 2, u32::MAX].map(key);
                    keys.sort_unstable();
                    let batch = keys.map(|key| Change::Put(key, &VALUE));
                    store.commit(&batch).expect("a batch is written");
                });
            });
        }
    }
    group.finish();
}

fn load(c: &mut Criterion) {
    let mut group = c.benchmark_group("load");
    for records in [10, 1_000, 10_000] {
        let mut store =
            RedbStore::create(on_disk(), &IDENTITY, Boot::current()).expect("a database");
        fill(&mut store, records);
        let (mut number, mut value) = (0, Vec::new());
        group.bench_function(format!("{records} records"), |b| {
            b.iter(|| {
                number = (number + 7) % records;
                store.load(&key(number), &mut value).expect("a record is read")
            });
        });
    }
    group.finish();
}

fn open(c: &mut Criterion) {
    let mut group = c.benchmark_group("open");
    group.sample_size(20);
    for records in [10, 10_000] {
        for killed in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("vault");
            let file = || {
                let file =
                    File::options().read(true).write(true).create(true).truncate(false).open(&path);
                FileBackend::new(file.expect("a file")).expect("a database's file")
            };
            let mut store =
                RedbStore::create(file(), &IDENTITY, Boot::current()).expect("a database");
            fill(&mut store, records);
            let as_killed = std::fs::read(&path).expect("a file");
            drop(store);
            let as_closed = std::fs::read(&path).expect("a file");
            let left = if killed { as_killed } else { as_closed };
            let name = format!("{}/{records} records", if killed { "killed" } else { "closed" });
            group.bench_function(name, |b| {
                b.iter_batched(
                    || std::fs::write(&path, &left).expect("a file"),
                    |()| {
                        black_box(
                            RedbStore::open(file(), &IDENTITY, Boot::current())
                                .expect("a database"),
                        )
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, commit, load, open);
criterion_main!(benches);

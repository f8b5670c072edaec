//! What keeping things costs: a registration and a sign-in with the store in memory, with the vault in memory
//! (processor time without the disk), and with the vault on a disk, by the number of credentials that are
//! stored. `cargo bench -p softkey-tests`; `TMPDIR=/dev/shm` puts the disk on a tmpfs.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros write undocumented items, and a benchmark that fails may stop"
)]

use std::time::Duration;

use chacha20::ChaCha20Rng;
use criterion::{Criterion, criterion_group, criterion_main};
use rand_core::SeedableRng;
use redb::backends::{FileBackend, InMemoryBackend};
use softkey::vault::{Boot, RedbStore};
use softkey_authenticator::{MemoryStore, Store};
use softkey_ctap::Secret;
use softkey_tests::persistence::registrar::KeyOn;
use softkey_tests::request::Request;

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = kept
}
criterion_main!(benches);

fn kept(c: &mut Criterion) {
    for stored in [10, 10_000] {
        on(c, &format!("memory/{stored}"), MemoryStore::default(), stored);
        let without = RedbStore::create(InMemoryBackend::new(), &[1; 16], None).unwrap();
        on(c, &format!("vault without disk/{stored}"), without, stored);
        let file = FileBackend::new(tempfile::tempfile().unwrap()).unwrap();
        on(
            c,
            &format!("vault/{stored}"),
            RedbStore::create(file, &[1; 16], Boot::current()).unwrap(),
            stored,
        );
    }
}

/// Measures with so many credentials stored, of as many other relying parties.
fn on<S: Store>(c: &mut Criterion, name: &str, store: S, stored: u32) {
    let mut key = KeyOn::open(store, &Secret::new([7; 32]), ChaCha20Rng::from_seed([1; 32]));
    for other in 0..stored {
        let rp_id = format!("party-{other}.example");
        key.ok(&Request::make_credential_for(&rp_id, &[1]).discoverable());
    }
    let register = Request::make_credential().discoverable().bytes();
    c.bench_function(&format!("registration/{name}"), |b| b.iter(|| key.send(&register)));
    let sign_in = Request::get_assertion("example.com").bytes();
    c.bench_function(&format!("sign-in/{name}"), |b| b.iter(|| key.send(&sign_in)));
}

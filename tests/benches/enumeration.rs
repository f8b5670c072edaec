//! What it costs to list what is on a key, and to reset it, by the number of credentials: with the store in memory, with the
//! vault in memory, and with the vault in a file. `cargo bench -p softkey-tests --bench enumeration`
//!
//! Processor time of this process, kernel included, so that other programs, and a disk that is waited for, are left out.
//! Each figure is the least of some tries. A list is linear if what one entry costs does not grow with their number.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot go on stops; nothing of it ships"
)]

use std::time::Duration;

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use redb::backends::{FileBackend, InMemoryBackend};
use rustix::time::{ClockId, clock_gettime};
use softkey::vault::{Boot, RedbStore};
use softkey_authenticator::{MemoryStore, Store};
use softkey_ctap::Secret;
use softkey_tests::Request;
use softkey_tests::cbor::Value;
use softkey_tests::parts::sha256;
use softkey_tests::persistence::registrar::KeyOn;
use softkey_tests::pin::Token;
use softkey_tests::platform::permission::CM;
use softkey_tests::request::{cm, command};

/// How many credentials; half of them are of one relying party, the others of a party each.
const COUNTS: [u32; 3] = [100, 1_000, 10_000];
/// The same where it is only seen whether all of this works.
const TRIAL: [u32; 3] = [2, 4, 20];
/// How often something is measured.
const TRIES: usize = 5;
/// The party with many accounts.
const ONE: &str = "one.example";

type Key<S> = KeyOn<S, ChaCha20Rng>;

/// What was measured with so many credentials: for each account of one party, for each party, for the whole reset.
struct Costs {
    account: Duration,
    party: Duration,
    reset: Duration,
}

fn main() {
    // Cargo says so where figures are wanted, and is silent in a test.
    let counts = if std::env::args().any(|word| word == "--bench") { COUNTS } else { TRIAL };
    println!("processor time; per account of one party, per party, of a reset");
    on(counts, "memory", MemoryStore::default);
    on(counts, "vault in memory", || {
        RedbStore::create(InMemoryBackend::new(), &[1; 16], None).unwrap()
    });
    on(counts, "vault in a file", || {
        let file = FileBackend::new(tempfile::tempfile().unwrap()).unwrap();
        RedbStore::create(file, &[1; 16], Boot::current()).unwrap()
    });
}

/// Measures on stores of one kind, and prints a row for each number and how much more the most cost than a tenth of them.
fn on<S: Store>(counts: [u32; 3], name: &str, new: impl Fn() -> S) {
    let costs = counts.map(|count| {
        let costs = measure(new(), count);
        let Costs { account, party, reset } = &costs;
        println!(
            "{name:16} {count:>6} credentials  {account:>10.2?}  {party:>10.2?}  {reset:>10.2?}"
        );
        costs
    });
    let [_, few, many] = costs;
    let ratio = |of: fn(&Costs) -> Duration| of(&many).as_secs_f64() / of(&few).as_secs_f64();
    let (account, party) = (ratio(|costs| costs.account), ratio(|costs| costs.party));
    println!(
        "{name:16} the last to the one before {account:>9.2}x  {party:>9.2}x  {:>9.2}x",
        ratio(|costs| costs.reset)
    );
}

fn measure<S: Store>(store: S, count: u32) -> Costs {
    let mut key = Key::open(store, &Secret::new([7; 32]), ChaCha20Rng::from_seed([1; 32]));
    for n in 0..count / 2 {
        let (user, party) = (n.to_be_bytes(), format!("party{n}.example"));
        key.ok(&Request::make_credential_for(ONE, &user).discoverable());
        key.ok(&Request::make_credential_for(&party, &user).discoverable());
    }
    let token = key.token(CM);
    let account = least(|| timed(|| list_accounts(&mut key, &token, count / 2))) / (count / 2);
    let party = least(|| timed(|| list_parties(&mut key, &token, count / 2 + 1))) / (count / 2 + 1);
    // A store can be emptied once: what a reset costs is measured with what it had before it, and one is enough, since it
    // is longer than the clock is coarse.
    let reset = timed(|| {
        key.ok(&Request::bare(command::RESET));
    });
    Costs { account, party, reset }
}

fn list_accounts<S: Store>(key: &mut Key<S>, token: &Token, expected: u32) {
    let params = softkey_tests::cbor::map([(1, Value::from(sha256(ONE.as_bytes()).as_slice()))]);
    let begin = Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN)
        .with(cm::PARAMS, params)
        .managed(token);
    list(key, &begin, 9, cm::ENUMERATE_CREDENTIALS_NEXT, expected);
}

fn list_parties<S: Store>(key: &mut Key<S>, token: &Token, expected: u32) {
    let begin = Request::credential_management(cm::ENUMERATE_RPS_BEGIN).managed(token);
    list(key, &begin, 5, cm::ENUMERATE_RPS_NEXT, expected);
}

/// The whole list; `total` is the member of the first answer that tells how many there are.
fn list<S: Store>(key: &mut Key<S>, begin: &Request, total: i64, next: u8, expected: u32) {
    let count = key.ok(begin).get(total).uint();
    assert_eq!(count, u64::from(expected));
    let next = Request::credential_management(next).bytes();
    for _ in 1..count {
        let answer = key.send(&next);
        assert_eq!(answer.first(), Some(&0));
    }
}

fn least(mut measure: impl FnMut() -> Duration) -> Duration {
    (0..TRIES).map(|_| measure()).min().unwrap_or_default()
}

/// The processor time that this takes.
fn timed(work: impl FnOnce()) -> Duration {
    let before = processor();
    work();
    processor().saturating_sub(before)
}

fn processor() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap()
}

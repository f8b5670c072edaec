//! What a registration and a sign-in cost through the whole of it, beside their bare cryptography, in one run: options as
//! JSON, a page, the client, CTAPHID in memory, the key and back to JSON.
//!
//! `bare` is what no implementation can do without: a key pair and its public key, and one signature. No attestation is
//! asked for, so the key makes none. Ratios are what counts; the machine may be busy.

#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a benchmark that cannot go on stops; nothing of it ships"
)]

use std::hint::black_box;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::Generate;
use rand_core::SeedableRng;
use softkey::browser::Browser;

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
    targets = flows
}
criterion_main!(benches);

const CREATE: &str = r#"{"rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": "Ada"},
    "challenge": "AAECAwQFBgcICQoLDA0ODw", "pubKeyCredParams": [{"type": "public-key", "alg": -7}]}"#;

fn flows(c: &mut Criterion) {
    let mut group = c.benchmark_group("flow");
    group.throughput(Throughput::Elements(1));
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    group.bench_function("one signature", |b| {
        let key = SigningKey::generate_from_rng(&mut rng);
        b.iter(|| -> Signature { key.sign(black_box(&[7; 69])) });
    });
    group.bench_function("bare", |b| {
        b.iter(|| {
            let key = SigningKey::generate_from_rng(&mut rng);
            let public = key.verifying_key().to_sec1_point(false);
            let signature: Signature = key.sign(black_box(&[7; 69]));
            (public, signature)
        });
    });
    let mut browser = Browser::open("https://example.org").expect("a browser");
    group.bench_function("register and sign in", |b| {
        b.iter(|| {
            let made = browser.create(black_box(CREATE)).expect("a credential");
            let options = format!(
                r#"{{"challenge": "AAECAwQFBgcICQoLDA0ODw", "allowCredentials": [{{"type": "public-key", "id": "{}"}}]}}"#,
                made.id
            );
            let signed = browser.get(&options).expect("a sign-in");
            let json = |value: serde_json::Result<String>| value.expect("JSON");
            (json(serde_json::to_string(&made)), json(serde_json::to_string(&signed)))
        });
    });
    group.finish();
}

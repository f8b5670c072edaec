//! What it costs to read a typical authenticatorMakeCredential, beside ciborium's untyped reading of the same
//! bytes (which proves neither order nor uniqueness nor types).
//!
//! Instructions instead of time, counted in `read_message` alone:
//!
//! ```sh
//! cargo bench -p softkey-ctap --bench decode --no-run
//! valgrind --tool=callgrind --toggle-collect='*read_message*' \
//!     target/release/deps/decode-* --test 'make_credential/ctap'
//! ```

#![allow(clippy::expect_used, reason = "a benchmark has nothing to measure without its message")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use softkey_ctap::cbor::{DecodeError, decode, encode};
use softkey_ctap::entities::{Descriptor, PUBLIC_KEY, Parameters, RelyingParty, User};
use softkey_ctap::make_credential::{Options, Request};

criterion_group!(benches, make_credential);
criterion_main!(benches);

fn make_credential(c: &mut Criterion) {
    let message = typical();
    let mut group = c.benchmark_group("make_credential");
    group.bench_function("ctap", |b| {
        b.iter(|| read_message(black_box(&message)).is_ok());
    });
    group.bench_function("ciborium", |b| {
        b.iter(|| ciborium::from_reader::<ciborium::Value, _>(black_box(&message[..])).is_ok());
    });
    group.finish();
}

/// The whole way from bytes to a request, in one function that a profiler can name.
#[inline(never)]
fn read_message(message: &[u8]) -> Result<Request<'_>, DecodeError> {
    decode(message)
}

/// A relying party, a user with names, two algorithms, one excluded credential, an option and a pinUvAuthParam.
fn typical() -> Vec<u8> {
    let parameters = |alg| Parameters { alg, kind: PUBLIC_KEY };
    let rp_id = "example.com".try_into().expect("not empty");
    let user_id = (&[3; 32][..]).try_into().expect("1 to 64 bytes");
    encode(&Request {
        client_data_hash: [1; 32],
        rp: RelyingParty { id: rp_id, name: Some("Example") },
        user: User { id: user_id, name: Some("alice@example.com"), display_name: Some("Alice") },
        pub_key_cred_params: vec![parameters(-7), parameters(-8)].into(),
        exclude_list: Some(vec![Descriptor::public_key(&[2; 64])].into()),
        extensions: None,
        options: Some(Options { rk: Some(true), ..Options::default() }),
        pin_uv_auth_param: Some(&[4; 32]),
        pin_uv_auth_protocol: Some(2),
        enterprise_attestation: None,
        attestation_formats_preference: None,
    })
}

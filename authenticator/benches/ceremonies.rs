//! What a registration and a sign-in cost beside their bare cryptography, in one run.
//!
//! The rows to compare are `bare/…` with `ctaphid/…`: the same key pair and signatures by the p256 crate alone, and
//! the whole way from the reports of a request to the reports of its answer. Ratios are what counts; the machine
//! may be busy.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on stops; nothing of it ships"
)]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use p256::NonZeroScalar;
use p256::elliptic_curve::Generate;
use p256::elliptic_curve::sec1::ToSec1Point;
use rand_core::SeedableRng;
use sha2::Sha256;
use softkey_authenticator::hid::Attendant;
use softkey_authenticator::{
    Answer, Ask, Authenticator, Config, Decision, MemoryStore, RootKey, Session, Step, Transport,
    Via,
};
use softkey_ctap::cbor::encode;
use softkey_ctap::cose::algorithm;
use softkey_ctap::entities::{Descriptor, PUBLIC_KEY, Parameters, RelyingParty, User};
use softkey_ctap::make_credential::{Options, Request};
use softkey_ctap::{Command, Instant, get_assertion};
use softkey_ctap_hid::{Connection, Device, DeviceConfig, Loopback};

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    targets = bare, ctaphid, stored
}
criterion_main!(benches);

const VIA: Via = Via { transport: Transport::Usb, session: Session(1) };
const NOW: Instant = Instant::from_millis(0);

type Key = Authenticator<MemoryStore, ChaCha20Rng>;

fn bare(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let secret = NonZeroScalar::generate_from_rng(&mut rng);
    let mut group = c.benchmark_group("bare");
    group.bench_function("key pair + signature", |b| {
        b.iter(|| {
            let secret = NonZeroScalar::generate_from_rng(&mut rng);
            let public = p256::PublicKey::from_secret_scalar(&secret).to_sec1_point(false);
            (public, sign(black_box(&secret)))
        });
    });
    group.bench_function("signature", |b| b.iter(|| sign(black_box(&secret))));
    group.finish();
}

fn sign(secret: &NonZeroScalar) -> ecdsa::Signature<p256::NistP256> {
    ecdsa::hazmat::sign_prehashed_rfc6979::<_, Sha256>(secret, &[7; 32], &[]).0
}

fn ctaphid(c: &mut Criterion) {
    let always = |_: Instant, _: &Ask| Some(Answer::Yes);
    let device = Device::new(DeviceConfig::default(), 1);
    let loopback = Loopback::new(device, Attendant::new(key(), always), NOW);
    let mut connection = Connection::open(loopback).expect("a loopback opens");
    let mut call = |request: &[u8]| {
        let answer = connection
            .cbor(request, &mut |_| ControlFlow::Continue(()))
            .expect("a loopback carries");
        assert_eq!(answer.first(), Some(&0), "the key refused");
        answer
    };
    let mut group = c.benchmark_group("ctaphid");
    let stored = registration("example.com", 0, true);
    group.bench_function("makeCredential, discoverable", |b| b.iter(|| call(black_box(&stored))));
    let wrapped = registration("example.com", 0, false);
    group.bench_function("makeCredential, wrapped", |b| b.iter(|| call(black_box(&wrapped))));
    let sign_in = assertion("example.com", None);
    group.bench_function("getAssertion, discoverable", |b| b.iter(|| call(black_box(&sign_in))));
    let id = credential_id(&call(&wrapped));
    let sign_in = assertion("example.com", Some(&id));
    group.bench_function("getAssertion, wrapped", |b| b.iter(|| call(black_box(&sign_in))));
    group.finish();
}

/// Sign-in and reset beside credentials of other relying parties.
fn stored(c: &mut Criterion) {
    let mut group = c.benchmark_group("stored");
    for others in [10, 10_000] {
        let mut key = key();
        assert_eq!(call(&mut key, &registration("example.com", 0, true))[0], 0);
        for user in 0..others {
            let rp_id = format!("site{}.example", user / 2);
            assert_eq!(call(&mut key, &registration(&rp_id, user, true))[0], 0);
        }
        let sign_in = assertion("example.com", None);
        group.bench_function(format!("getAssertion beside {others}"), |b| {
            b.iter(|| call(&mut key, black_box(&sign_in)));
        });
        let store = key.into_store();
        group.bench_function(format!("reset of {others}"), |b| {
            let open = || open(store.clone());
            b.iter_batched_ref(open, |key| call(key, &[Command::RESET.0]), BatchSize::LargeInput);
        });
    }
    group.finish();
}

fn key() -> Key {
    open(MemoryStore::default())
}

fn open(store: MemoryStore) -> Key {
    let rng = ChaCha20Rng::from_seed([5; 32]);
    Authenticator::open(store, RootKey::new([1; 32]), rng, Config::default(), NOW)
        .expect("a store in memory opens")
}

/// One request on an authenticator without a wire, with a user who says yes.
fn call(key: &mut Key, request: &[u8]) -> Vec<u8> {
    let mut step = key.begin(NOW, VIA, request);
    loop {
        match step {
            Step::Reply(answer) => return answer,
            Step::Asking(ask) => {
                let decision = Decision { ask: ask.id, answer: Answer::Yes };
                step = key.resume(NOW, decision).expect("the question is open");
            }
        }
    }
}

fn registration(rp_id: &str, user: u32, discoverable: bool) -> Vec<u8> {
    let user_id = user.to_be_bytes();
    let request = Request {
        client_data_hash: [1; 32],
        rp: RelyingParty { id: rp_id.try_into().expect("not empty"), name: Some("Example") },
        user: User {
            id: user_id.as_slice().try_into().expect("1 to 64 bytes"),
            name: Some("alice@example.com"),
            display_name: Some("Alice"),
        },
        pub_key_cred_params: vec![Parameters { alg: algorithm::ES256, kind: PUBLIC_KEY }].into(),
        exclude_list: None,
        extensions: None,
        options: Some(Options { rk: Some(discoverable), ..Options::default() }),
        pin_uv_auth_param: None,
        pin_uv_auth_protocol: None,
        enterprise_attestation: None,
        attestation_formats_preference: None,
    };
    message(Command::MAKE_CREDENTIAL, encode(&request))
}

fn assertion(rp_id: &str, id: Option<&[u8]>) -> Vec<u8> {
    let request = get_assertion::Request {
        rp_id: rp_id.try_into().expect("not empty"),
        client_data_hash: [1; 32],
        allow_list: id.map(|id| vec![Descriptor::public_key(id)].into()),
        extensions: None,
        options: None,
        pin_uv_auth_param: None,
        pin_uv_auth_protocol: None,
        enterprise_attestation: None,
        attestation_formats_preference: None,
    };
    message(Command::GET_ASSERTION, encode(&request))
}

fn message(command: Command, body: Vec<u8>) -> Vec<u8> {
    [vec![command.0], body].concat()
}

fn credential_id(answer: &[u8]) -> Vec<u8> {
    use softkey_ctap::auth_data::AuthenticatorData;
    use softkey_ctap::make_credential::Response;
    let response: Response<'_> = softkey_ctap::cbor::decode(&answer[1..]).expect("canonical");
    let auth_data = AuthenticatorData::from_bytes(response.auth_data).expect("whole");
    auth_data.attested.expect("at creation").credential_id.to_vec()
}

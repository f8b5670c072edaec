//! How much memory the core takes for a command: at most 24 KiB beyond what it held before, whatever arrives.
//!
//! Counted is all that lives at once while the authenticator works on a request, its answer and what it leaves in
//! the store included, for the store here is memory; the request's bytes are the caller's. And how much the device's side
//! of CTAPHID holds, whatever a host sends.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests speak through panics")]

mod meter;

use std::time::Duration;

use chacha20::ChaCha20Rng;
use meter::{LIMIT, Metered, taken_by};
use rand_core::{Rng as _, SeedableRng as _};
use softkey_ctap::Instant;
use softkey_ctap_hid::{Device, DeviceConfig, Report};
use softkey_tests::cbor::{Value, head, map, raw};
use softkey_tests::parts::sha256;
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::{permission, set_pin_request};
use softkey_tests::request::{RP_ID, alg, algorithms, cm, command, cp, ga, mc};
use softkey_tests::{Request, User, status, u2f};

/// The longest message that CTAPHID carries, in bytes.
const MAX_MESSAGE: usize = 7609;
/// The longest identifier that the key looks at, in bytes, and the most in a list.
const MAX_ID: usize = 255;
const MAX_LIST: u8 = 16;
/// How a report begins that asks for a channel.
const INIT: [u8; 7] = [0xFF, 0xFF, 0xFF, 0xFF, 0x86, 0, 8];

/// One test, because what is counted is the whole process's, and a test that ends makes its runner write.
#[test]
fn every_command_stays_within_the_bound() {
    what_takes_too_much_is_seen();
    registrations_and_sign_ins_stay_within_the_bound();
    management_stays_within_the_bound();
    bad_input_stays_within_the_bound();
    noise_does_not_make_the_transport_grow();
}

/// The measure measures: what takes more than the bound is seen.
fn what_takes_too_much_is_seen() {
    let taken = taken_by(|| drop(std::hint::black_box(vec![1_u8; LIMIT + 1])));
    assert!(taken > LIMIT, "{taken} bytes");
    let taken = taken_by(|| drop(std::hint::black_box(vec![1_u8; 1000])));
    assert!((1000..2000).contains(&taken), "{taken} bytes");
}

/// A registration and a sign-in with all that their requests may carry.
fn registrations_and_sign_ins_stay_within_the_bound() {
    let mut key = Metered::fresh();
    for request in registrations() {
        let bytes = filled(&request);
        within(&mut key, &bytes, status::SUCCESS, "makeCredential");
    }
    for user in 0..50 {
        let request = Request::make_credential_for(RP_ID, &[7, user]).discoverable();
        within(&mut key, &request.bytes(), status::SUCCESS, "one of many accounts");
    }
    let sign_in = Request::get_assertion(RP_ID);
    within(&mut key, &sign_in.bytes(), status::SUCCESS, "getAssertion of many accounts");
    within(&mut key, &[command::GET_NEXT_ASSERTION], status::SUCCESS, "getNextAssertion");
    let made = key.make(&Request::make_credential());
    let ids = long_ids();
    let ids: Vec<&[u8]> = ids.iter().skip(1).map(Vec::as_slice).chain([made.id()]).collect();
    let sign_in = Request::get_assertion(RP_ID).listing(&ids);
    within(&mut key, &sign_in.bytes(), status::SUCCESS, "getAssertion of a full list");
    within(&mut key, &[command::GET_INFO], status::SUCCESS, "getInfo");
    within(&mut key, &[command::SELECTION], status::SUCCESS, "selection");
    let register = u2f::register(&[1; 32], &[2; 32]);
    key.most();
    assert_eq!(u2f::status_word(&key.u2f_polling(&register)), 0x9000);
    assert!(key.most() <= LIMIT, "U2F");
}

/// All that goes through clientPIN, credentialManagement and largeBlobs, with 500 credentials stored; a reset ends it.
fn management_stays_within_the_bound() {
    let mut key = Metered::fresh();
    for number in 0..500_u16 {
        let rp_id = format!("site{number}.example");
        let request = Request::make_credential_for(&rp_id, &number.to_be_bytes()).discoverable();
        within(&mut key, &request.bytes(), status::SUCCESS, "one of many parties");
    }
    let shared = key.agree(Protocol::Two);
    let set_pin = set_pin_request(&shared, &padded(&"ü".repeat(31)));
    within(&mut key, &set_pin.bytes(), status::SUCCESS, "setPIN");
    key.most();
    let token = key.token(Protocol::Two, &"ü".repeat(31), 0x04, None).unwrap();
    assert!(key.most() <= LIMIT, "a token");
    for sub_command in [cm::GET_CREDS_METADATA, cm::ENUMERATE_RPS_BEGIN] {
        let request = Request::credential_management(sub_command).managed(&token);
        within(&mut key, &request.bytes(), status::SUCCESS, "credentialManagement");
    }
    let next = Request::credential_management(cm::ENUMERATE_RPS_NEXT).bytes();
    within(&mut key, &next, status::SUCCESS, "the next party");
    let token = key.token(Protocol::Two, &"ü".repeat(31), permission::LBW, None).unwrap();
    let array = [vec![7_u8; 4080], sha256(&[7; 4080])[..16].to_vec()].concat();
    for (offset, part) in [(0, &array[..2000]), (2000, &array[2000..])] {
        let length = (offset == 0).then_some(array.len());
        let request = Request::write_blobs(offset, part, length).blob_authorized(&token);
        within(&mut key, &request.bytes(), status::SUCCESS, "a large-blob array's half");
    }
    let read = Request::read_blobs(0, 4096).bytes();
    within(&mut key, &read, status::SUCCESS, "a whole large-blob array");
    key.power_cycle();
    within(&mut key, &[command::RESET], status::SUCCESS, "reset");
}

/// Bodies that are not what the command wants, up to the longest message, for every command byte.
fn bad_input_stays_within_the_bound() {
    let mut key = Metered::fresh();
    let mut worst = (0, 0, 0);
    for (number, body) in bad_bodies().into_iter().enumerate() {
        for command in 0..=u8::MAX {
            key.user(User::Refuses);
            let request = [&[command], body.as_slice()].concat();
            let (taken, _) = key.spend(&request[..request.len().min(MAX_MESSAGE)]);
            assert!(taken <= LIMIT, "{taken} bytes for command {command:#04x}, body {number}");
            worst = worst.max((taken, command, number));
            key.advance(Duration::from_secs(1));
        }
    }
    println!("bad input: at most {} bytes, command {:#04x}, body {}", worst.0, worst.1, worst.2);
}

/// HID-45. What the device takes for random packets is bounded, whether or not somebody takes what it sends, and four
/// times as many take no more.
fn noise_does_not_make_the_transport_grow() {
    let taken = |max_channels| {
        let config = DeviceConfig { max_channels, ..DeviceConfig::default() };
        [20_000, 80_000].map(|packets| taken_by(|| disturb(config, packets)))
    };
    let [some, more] = taken(64);
    println!("{some:>6} bytes for 20 000 random packets, {more} for 80 000");
    assert!(some <= LIMIT && more <= some + 512, "{some} bytes, {more} for four times as many");
    // What grows is seen: a table of channels without an end.
    let [some, more] = taken(100_000);
    assert!(more > some + 512, "{some} bytes, {more} for four times as many");
}

/// Sends a device so many random packets; half the time nobody looks after it.
fn disturb(config: DeviceConfig, packets: u32) {
    let mut device = Device::new(config, 1);
    let (mut noise, mut now) = (ChaCha20Rng::seed_from_u64(45), Instant::from_millis(1));
    let channel = opened(&mut device, now);
    let mut served = 0;
    for number in 0..packets {
        now += Duration::from_millis(1);
        device.receive(now, &noisy(&mut noise, channel));
        if number / 1000 % 2 == 0 {
            served += serve(&mut device, now);
        }
    }
    assert!(served > 100, "only {served} messages got through");
}

/// A channel, opened with INIT.
fn opened(device: &mut Device, now: Instant) -> [u8; 4] {
    let mut init = [0; 64];
    init[..7].copy_from_slice(&INIT);
    device.receive(now, &init);
    device.poll_report().unwrap().report[15..19].try_into().unwrap()
}

/// A report of random bytes: most often of a live channel with a likely command and length, or a request for a channel.
fn noisy(noise: &mut ChaCha20Rng, channel: [u8; 4]) -> Report {
    let mut report = [0; 64];
    noise.fill_bytes(&mut report);
    let [which, command, length, ..] = report;
    match which % 8 {
        0 => {}
        1 => report[..7].copy_from_slice(&INIT),
        _ => report[..4].copy_from_slice(&channel),
    }
    if which % 8 != 1 && command % 4 != 0 {
        let kinds = [0x00, 0x01, 0x81, 0x83, 0x84, 0x86, 0x88, 0x90];
        report[4] = kinds[usize::from(command / 4 % 8)];
        let lengths = [0, 1, 8, 57, 58, 200, 7609, 7610_u16];
        report[5..7].copy_from_slice(&lengths[usize::from(length % 8)].to_be_bytes());
    }
    report
}

/// Does what the owner of a device does: answers its requests, sends its reports, hears its events. How many requests.
fn serve(device: &mut Device, now: Instant) -> u32 {
    let mut served = 0;
    while let Some(job) = device.poll_job() {
        device.answer(now, job.id, &[0; 300]);
        served += 1;
    }
    while device.poll_report().is_some() {}
    while device.poll_event().is_some() {}
    served
}

fn within(key: &mut Metered, request: &[u8], expected: u8, what: &str) {
    let (taken, status) = key.spend(request);
    assert_eq!(status, expected, "status of {what}");
    assert!(taken <= LIMIT, "{taken} bytes for {what}");
    println!("{taken:>6} bytes for {what}");
}

/// Registrations with full lists and long names.
fn registrations() -> [Request; 3] {
    let ids = long_ids();
    let ids: Vec<&[u8]> = ids.iter().map(Vec::as_slice).collect();
    let request = Request::make_credential().discoverable().listing(&ids);
    let user = map([("id", Value::from([9_u8; 64])), ("name", "n".repeat(500).into())])
        .with("displayName", "d".repeat(500));
    let many = [vec![-65_000; 200], vec![alg::ES256]].concat();
    [
        request.clone(),
        request.with(mc::USER, user),
        Request::make_credential().with(mc::PUB_KEY_CRED_PARAMS, algorithms(&many)),
    ]
}

fn long_ids() -> Vec<Vec<u8>> {
    (0..MAX_LIST).map(|number| vec![number; MAX_ID]).collect()
}

/// The request with a relying party's name that fills the longest message.
fn filled(request: &Request) -> Vec<u8> {
    let named = |length| {
        let rp = map([("id", Value::from(RP_ID)), ("name", "x".repeat(length).into())]);
        request.clone().with(mc::RP, rp).bytes()
    };
    let room = MAX_MESSAGE - named(300).len();
    let bytes = named(300 + room);
    assert_eq!(bytes.len(), MAX_MESSAGE);
    bytes
}

fn bad_bodies() -> Vec<Vec<u8>> {
    let many = |value: Value| Value::Array(vec![value; 1500]);
    let with = |member: i64, value: Value| {
        let request = Request::make_credential().with(member, value);
        request.bytes()[1..].to_vec()
    };
    let integers = (0..3000_i64).map(|key| (key, Value::from(key)));
    let pin = |member: i64| map([(cp::PROTOCOL, 2), (cp::SUB_COMMAND, 9)]).with(member, [0; 7000]);
    let descriptors = vec![map([("id", Value::from([1_u8; 1])), ("type", "x".into())]); 400];
    vec![
        vec![],
        vec![0; MAX_MESSAGE],
        vec![0xFF; MAX_MESSAGE],
        vec![0x81; MAX_MESSAGE],
        vec![0xA1; MAX_MESSAGE],
        [head(5, 0xFFFF_FFFF_FFFF_FFFF), vec![0; 7000]].concat(),
        [head(4, 0xFFFF_FFFF), vec![0; 7000]].concat(),
        [head(2, 7600), vec![1; 7600]].concat(),
        map(integers).encode(),
        many(Value::Array(vec![])).encode(),
        with(mc::PUB_KEY_CRED_PARAMS, many(map([("alg", -7)]))),
        with(mc::PUB_KEY_CRED_PARAMS, algorithms(&vec![-65_000; 250])),
        with(mc::EXCLUDE_LIST, Value::Array(descriptors.clone())),
        with(mc::EXCLUDE_LIST, raw(&[head(4, 400), vec![0xA0; 400]].concat())),
        with(mc::EXTENSIONS, map((0..800_i64).map(|key| (format!("{key:04}"), key)))),
        with(mc::PARAM, Value::from([0_u8; 7000])),
        Request::get_assertion(&"x".repeat(7400)).bytes()[1..].to_vec(),
        Request::get_assertion(RP_ID).with(ga::ALLOW_LIST, Value::Array(descriptors)).bytes()[1..]
            .to_vec(),
        pin(cp::NEW_PIN_ENC).encode(),
        pin(cp::PIN_HASH_ENC).encode(),
        pin(cp::KEY_AGREEMENT).encode(),
        map([(cm::SUB_COMMAND, Value::from(4)), (cm::PARAMS, map([(1, [0_u8; 7000])]))]).encode(),
    ]
}

//! The longest answers there are.

use softkey_tests::cbor::{array, map};
use softkey_tests::key::{OTHER_AAGUID, Profile, Setup};
use softkey_tests::pin::Protocol;
use softkey_tests::request::cf;
use softkey_tests::status::SUCCESS;
use softkey_tests::{Key, Request};

use super::{Kind, ML_DSA_87, hmac_secret};

/// What CTAPHID can carry.
const MAX_MSG_SIZE: usize = 7609;

/// The extensions that make an answer longer, in the order of their bits in a choice.
const LONGER: [&str; 7] = [
    "largeBlobKey",
    "hmac-secret",
    "hmac-secret-mc",
    "credProtect",
    "credBlob",
    "minPinLength",
    "pinComplexityPolicy",
];
const ALL: u32 = (1 << LONGER.len()) - 1;

/// A request for a discoverable credential with the chosen extensions, of those that are offered.
fn with_extensions(key: &mut Key, kind: Kind, choice: u32) -> Request {
    let mut request = kind.request().discoverable();
    let info = key.info();
    for (bit, name) in LONGER.into_iter().enumerate() {
        if choice & (1 << bit) == 0 || !info.has_extension(name) {
            continue;
        }
        request = match name {
            "credProtect" => request.extension(name, 2),
            "credBlob" => request.extension(name, [1; 32]),
            // It takes the other.
            "hmac-secret-mc" if choice & 0b10 == 0 => request,
            "hmac-secret-mc" => {
                let shared = key.agree(Protocol::Two);
                request.extension(name, hmac_secret::input(&shared, &[1; 64]))
            }
            _ => request.extension(name, true),
        };
    }
    request
}

/// A key that tells its relying party the shortest PIN.
fn with_min_pin_length(setup: Setup) -> Key {
    let mut key = Key::new(setup);
    let learners = map([(cf::MIN_PIN_LENGTH_RP_IDS, array([ML_DSA_87.request().rp_id()]))]);
    let request = Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, learners);
    assert_eq!(key.send(&request.bytes()), [SUCCESS]);
    key
}

/// ALG-14: the longest registration fits into a message, attested by the batch key or by itself; the batch key steps in
/// where one extension too many meets the longest signature.
#[test]
fn longest_registration_fits() {
    let Setup { profile, .. } = ML_DSA_87.setup();
    for (profile, self_attestation, by_itself) in
        [(profile, false, false), (profile, true, true), (Profile::PinComplexity, true, false)]
    {
        let setup = Setup { profile, self_attestation, ..ML_DSA_87.setup() };
        let mut key = with_min_pin_length(setup);
        let plain = key.send(&ML_DSA_87.request().bytes());
        let request = with_extensions(&mut key, ML_DSA_87, ALL);
        let full = key.send(&request.bytes());
        for answer in [&plain, &full] {
            assert!(answer[0] == 0 && answer.len() <= MAX_MSG_SIZE, "{} bytes", answer.len());
        }
        let made = key.make(&request);
        assert_eq!(made.answer.get(3).at("x5c").is_none(), by_itself);
        key.assertion_by(&made, &made.get());
    }
}

/// ALG-14, MC-55: a key of another model has no certificate for itself. It attests itself unless all extensions meet, and
/// then not at all, with or without a root of its owner's.
#[test]
fn another_model_never_shows_the_batch_certificate() {
    let profile = Profile::Disguised;
    for formats in [&[][..], &["packed-self"]] {
        let mut key = with_min_pin_length(Setup { profile, formats, ..ML_DSA_87.setup() });
        for left_out in 0..=LONGER.len() {
            let choice = ALL & !(1 << left_out);
            let request = with_extensions(&mut key, ML_DSA_87, choice);
            let made = key.make(&request);
            assert_eq!(made.attested().aaguid, OTHER_AAGUID);
            let fits = LONGER.get(left_out).is_some_and(|name| *name != "largeBlobKey");
            let format = if fits { "packed" } else { "none" };
            assert_eq!(made.format, format, "without {:?}", LONGER.get(left_out));
            assert_eq!(made.answer.get(3).at("x5c"), None);
            if let Some(signature) = made.answer.get(3).at("sig") {
                let told = made.answer.get(2).bytes().len() + signature.bytes().len();
                assert_eq!(1 + made.answer.encode().len() - told, 64, "what stands around them");
            }
        }
    }
}

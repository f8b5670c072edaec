//! The longest answers there are.

use softkey_tests::cbor::{Value, array, map};
use softkey_tests::key::{OTHER_AAGUID, Profile, Setup};
use softkey_tests::pin::Protocol;
use softkey_tests::request::{cf, mc};
use softkey_tests::status::SUCCESS;
use softkey_tests::{Key, Request};

use super::{Kind, ML_DSA_65, ML_DSA_87, hmac_secret};

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

/// XL-09: a blob is written only if the answer that gives it back fits into a message, whatever the credential signs with
/// and whatever else is asked for.
#[test]
fn longest_blob_written_is_read() {
    for (kind, too_long) in [(ML_DSA_65, 3900), (ML_DSA_87, 2600)] {
        let mut key = Key::new(Setup { profile: Profile::LargeBlob, ..kind.setup() });
        let user = map([("id", Value::from([0xFF; 64])), ("name", "name".into())]);
        let request = kind.request().discoverable().with(mc::USER, user);
        let made = key.make(&request.extension("credBlob", [1; 128]));
        let written = |key: &mut Key, length: usize| {
            let input = map([
                ("write", Value::from(vec![7_u8; length])),
                ("originalSize", u64::MAX.into()),
            ]);
            let assertion = key.assertion_by(&made, &made.get().extension("largeBlob", input));
            assertion.answer.get(8).get("largeBlob").get("written").bool()
        };
        assert!(!written(&mut key, too_long), "{too_long} bytes are not read");
        let (mut fits, mut fails) = (1000, too_long);
        assert!(written(&mut key, fits));
        while fits + 1 < fails {
            let length = usize::midpoint(fits, fails);
            *(if written(&mut key, length) { &mut fits } else { &mut fails }) = length;
        }
        assert!(written(&mut key, fits));
        let shared = key.agree(Protocol::Two);
        let reading = made
            .get()
            .extension("largeBlob", map([("read", true)]))
            .extension("credBlob", true)
            .extension("thirdPartyPayment", true)
            .extension("hmac-secret", hmac_secret::input(&shared, &[1; 64]));
        let answer = key.send(&reading.bytes());
        assert!(answer[0] == 0 && answer.len() <= MAX_MSG_SIZE, "{} bytes", answer.len());
        let outputs = key.assertion_by(&made, &reading).answer.get(8).get("largeBlob").clone();
        assert_eq!(outputs.get("blob").bytes().len(), fits);
    }
}

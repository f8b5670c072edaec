//! What holds for the outputs of all extensions together, whichever are listed (XT).

use softkey_tests::auth_data::ED;
use softkey_tests::cbor::{Value, array, map};
use softkey_tests::key::Profile;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Made;
use softkey_tests::request::{cf, ga, mc};
use softkey_tests::status::SUCCESS;
use softkey_tests::{Key, Request};

use crate::hmac_secret;

const RP: &str = "example.com";

/// A key that tells the party its minimum PIN length, and the inputs of makeCredential for every extension that it
/// lists.
fn key_and_creation_inputs(profile: Profile) -> (Key, Vec<(String, Value)>) {
    let mut key = Key::with_profile(profile);
    let params = map([(cf::MIN_PIN_LENGTH_RP_IDS, array([RP]))]);
    let listing = Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, params);
    assert_eq!(key.status(&listing), SUCCESS);
    let shared = key.agree(Protocol::Two);
    let info = key.info();
    let inputs = info.texts(2).into_iter().map(|name| {
        let input = match name {
            "credBlob" => Value::from([7; 32]),
            "credProtect" => Value::from(1),
            "largeBlob" => map([("support", "preferred")]),
            "hmac-secret-mc" => hmac_secret::input(&shared, &hmac_secret::SALT_1),
            _ => Value::from(true),
        };
        (name.to_owned(), input)
    });
    let inputs = inputs.collect();
    (key, inputs)
}

/// The inputs of getAssertion for every extension that has one there and is listed.
fn assertion_inputs(key: &mut Key) -> Vec<(String, Value)> {
    let shared = key.agree(Protocol::Two);
    let hmac_secret = hmac_secret::input(&shared, &hmac_secret::SALT_1);
    let all = [
        ("uvm", Value::from(true)),
        ("credBlob", Value::from(true)),
        ("largeBlob", map([("read", true)])),
        ("hmac-secret", hmac_secret),
        ("largeBlobKey", Value::from(true)),
        ("thirdPartyPayment", Value::from(true)),
    ];
    let info = key.info();
    let listed = all.into_iter().filter(|(name, _)| info.has_extension(name));
    listed.map(|(name, input)| (name.to_owned(), input)).collect()
}

fn with_all(request: Request, inputs: &[(String, Value)]) -> Request {
    inputs.iter().fold(request, |request, (name, input)| request.extension(name, input.clone()))
}

/// The signed outputs but this one, whose bytes are encrypted anew each time.
fn without(name: &str, outputs: Option<&Value>) -> Vec<(Value, Value)> {
    let outputs = outputs.map(Value::entries).unwrap_or_default().to_vec();
    outputs.into_iter().filter(|(named, _)| *named != Value::from(name)).collect()
}

/// What stands in these members of an answer, if anything does.
fn add_members(members: &mut [Option<Value>; 2], answer: &Value, numbers: [i64; 2]) {
    for (member, number) in members.iter_mut().zip(numbers) {
        *member = member.take().or_else(|| answer.at(number).cloned());
    }
}

/// XT-05: all extensions at once give one canonical map of outputs, each as if it were alone, and so do largeBlobKey and
/// the unsigned outputs. (The map's order is checked wherever authenticator data are read.)
#[test]
fn all_at_once_give_what_each_gives_alone() {
    for profile in [Profile::of_this_run(), Profile::LargeBlob, Profile::BuiltIn("uvm-policy")] {
        let (mut key, inputs) = key_and_creation_inputs(profile);
        assert!(inputs.len() >= 7, "{inputs:?}");
        let request = || Request::make_credential().discoverable();
        let (mut alone, mut members) = (Vec::new(), [None, None]);
        // hmac-secret-mc never is alone.
        for (name, input) in inputs.iter().filter(|(name, _)| name != "hmac-secret-mc") {
            let made = key.make(&request().extension(name, input.clone()));
            alone.extend(without("", made.auth_data.extensions.as_ref()));
            add_members(&mut members, &made.answer, [5, 6]);
        }
        let made = key.make(&with_all(request(), &inputs));
        let together = made.auth_data.extensions.as_ref();
        assert_eq!(map(without("hmac-secret-mc", together)).encode(), map(alone).encode());
        assert_eq!(together.unwrap().get("hmac-secret-mc").bytes().len(), 48);
        // Each credential has a key of its own for the array.
        assert_eq!(made.answer.at(5).is_some(), members[0].is_some());
        assert_eq!(made.answer.at(6), members[1].as_ref());
        all_assertions_at_once(&mut key, &made);
    }
}

/// The same of assertions by this credential, silent ones too.
#[track_caller]
fn all_assertions_at_once(key: &mut Key, made: &Made) {
    if key.info().has_extension("largeBlob") {
        let write = map([("write", Value::from(b"blob")), ("originalSize", 9.into())]);
        key.assertion_by(made, &made.get().extension("largeBlob", write));
    }
    for up in [true, false] {
        let mut inputs = assertion_inputs(key);
        // It is not computed for who is not there.
        inputs.retain(|(name, _)| up || name != "hmac-secret");
        let request = || made.get().option("up", up);
        let (mut alone, mut members) = (Vec::new(), [None, None]);
        for (name, input) in &inputs {
            let assertion = key.assertion_by(made, &request().extension(name, input.clone()));
            alone.extend(without("hmac-secret", assertion.auth_data.extensions.as_ref()));
            add_members(&mut members, &assertion.answer, [7, 8]);
        }
        let assertion = key.assertion_by(made, &with_all(request(), &inputs));
        let outputs = assertion.auth_data.extensions.as_ref();
        assert_eq!(map(without("hmac-secret", outputs)).encode(), map(alone).encode());
        let secret = outputs.unwrap().at("hmac-secret").map(|secret| secret.bytes().len());
        assert_eq!(secret, up.then_some(48));
        assert_eq!([7, 8].map(|number| assertion.answer.at(number).cloned()), members);
        assert_eq!(members.iter().flatten().count(), 1, "the key for the array, or the blob");
        let outputs = outputs.unwrap();
        assert_eq!(outputs.get("credBlob").bytes(), [7; 32]);
        assert!(outputs.get("thirdPartyPayment").bool());
    }
}

/// XT-06: what was not asked for is not told, whatever the credential and the key have; there is no empty map.
/// XT-07: nor unsigned outputs.
/// CT-MC-Resp-1-unsigned, CT-GA-Resp-1-unsigned.
#[test]
fn nothing_is_told_unasked() {
    let (mut key, inputs) = key_and_creation_inputs(Profile::of_this_run());
    let rich = key.make(&with_all(Request::make_credential().discoverable(), &inputs));
    let (unknown, empty) = (map([("x-unknown", true)]), Value::Map(Vec::new()));
    for extensions in [None, Some(unknown), Some(empty)] {
        let with = |request: Request, member: i64| match &extensions {
            Some(extensions) => request.with(member, extensions.clone()),
            None => request,
        };
        for rk in [false, true] {
            let plain = Request::make_credential_for(RP, &[9]).option("rk", rk);
            let made = key.make(&with(plain, mc::EXTENSIONS));
            assert!(!made.auth_data.has(ED) && made.auth_data.extensions.is_none());
            assert_eq!((made.answer.at(5), made.answer.at(6)), (None, None));
        }
        for request in [rich.get(), Request::get_assertion(RP)] {
            let assertion = key.assertion(&with(request, ga::EXTENSIONS));
            assert_eq!(assertion.auth_data.bytes.len(), 37);
            assert_eq!((assertion.answer.at(7), assertion.answer.at(8)), (None, None));
        }
        let next = key.next_assertion(&Request::get_assertion(RP));
        assert_eq!((next.auth_data.bytes.len(), next.answer.at(8)), (37, None));
    }
}

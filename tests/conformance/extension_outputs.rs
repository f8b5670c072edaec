//! What holds for the outputs of all extensions together, whichever are listed (XT).

use softkey_tests::auth_data::ED;
use softkey_tests::cbor::{Value, array, map};
use softkey_tests::pin::Protocol;
use softkey_tests::request::{cf, ga, mc};
use softkey_tests::status::SUCCESS;
use softkey_tests::{Key, Request};

const RP: &str = "example.com";

/// A key that tells the party its minimum PIN length, and the inputs of makeCredential for every extension that it
/// lists.
fn key_and_creation_inputs() -> (Key, Vec<(String, Value)>) {
    let mut key = Key::fresh();
    let params = map([(cf::MIN_PIN_LENGTH_RP_IDS, array([RP]))]);
    let listing = Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, params);
    assert_eq!(key.status(&listing), SUCCESS);
    let info = key.info();
    let inputs = info.texts(2).into_iter().filter_map(|name| {
        let input = match name {
            "credBlob" => Value::from([7; 32]),
            "credProtect" => Value::from(1),
            "largeBlob" => map([("support", "preferred")]),
            "hmac-secret-mc" => return None,
            _ => Value::from(true),
        };
        Some((name.to_owned(), input))
    });
    let inputs = inputs.collect();
    (key, inputs)
}

/// The inputs of getAssertion for every extension that has one there and is listed.
fn assertion_inputs(key: &mut Key) -> Vec<(String, Value)> {
    let shared = key.agree(Protocol::Two);
    let salt_enc = shared.encrypt(&[0x11; 32]);
    let hmac_secret = map([
        (1, shared.platform_key.clone()),
        (2, Value::from(salt_enc.as_slice())),
        (3, shared.authenticate(&salt_enc).into()),
        (4, 2.into()),
    ]);
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

fn without_hmac_secret(outputs: Option<&Value>) -> Vec<(Value, Value)> {
    let outputs = outputs.map(Value::entries).unwrap_or_default().to_vec();
    outputs.into_iter().filter(|(name, _)| *name != Value::from("hmac-secret")).collect()
}

/// XT-05: all extensions at once give one canonical map of outputs, each as if it were alone. (The map's order is
/// checked wherever authenticator data are read; what hmac-secret gives is encrypted anew each time.)
#[test]
fn all_at_once_give_what_each_gives_alone() {
    let (mut key, inputs) = key_and_creation_inputs();
    assert!(inputs.len() >= 3, "{inputs:?}");
    let request = || Request::make_credential().discoverable();
    let mut alone = Vec::new();
    for (name, input) in &inputs {
        let made = key.make(&request().extension(name, input.clone()));
        alone.extend(made.auth_data.extensions.iter().flat_map(|map| map.entries().to_vec()));
    }
    let made = key.make(&with_all(request(), &inputs));
    let together = made.auth_data.extensions.as_ref().expect("outputs");
    assert_eq!(*together, map(alone));
    let inputs = assertion_inputs(&mut key);
    let mut alone = Vec::new();
    for (name, input) in &inputs {
        let assertion = key.assertion(&made.get().extension(name, input.clone()));
        alone.extend(without_hmac_secret(assertion.auth_data.extensions.as_ref()));
    }
    let assertion = key.assertion_by(&made, &with_all(made.get(), &inputs));
    let outputs = assertion.auth_data.extensions.as_ref();
    assert_eq!(map(without_hmac_secret(outputs)), map(alone));
    assert_eq!(outputs.unwrap().get("hmac-secret").bytes().len(), 48);
}

/// XT-06: what was not asked for is not told, whatever the credential and the key have; there is no empty map.
/// XT-07: nor unsigned outputs.
/// CT-MC-Resp-1-unsigned, CT-GA-Resp-1-unsigned.
#[test]
fn nothing_is_told_unasked() {
    let (mut key, inputs) = key_and_creation_inputs();
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

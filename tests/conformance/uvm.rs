//! The extension uvm (XT), of keys that offer it.

use softkey_tests::auth_data::{AuthData, UP, UV};
use softkey_tests::cbor::{Value, array};
use softkey_tests::checks::{refused, three_accounts};
use softkey_tests::key::{Profile, Sensor, Setup};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{GA, MC};
use softkey_tests::status::CBOR_UNEXPECTED_TYPE;
use softkey_tests::{Key, Request};

const RP: &str = "example.com";

/// The methods told, each with software for key and matcher protection.
#[track_caller]
fn methods(data: &AuthData) -> Vec<u64> {
    let entries = data.extension("uvm").expect("an output").items();
    assert!((1..=3).contains(&entries.len()));
    let method = |entry: &Value| {
        assert_eq!(*entry, array([entry.items()[0].clone(), 1.into(), 1.into()]));
        entry.items()[0].uint()
    };
    entries.iter().map(method).collect()
}

/// XT-04: presence alone, the PIN, and nothing, in both ceremonies, as the flags say.
/// CT-XU-uvm.
#[test]
fn method_fits_the_flags() {
    let mut key = Key::with_profile(Profile::Uvm);
    assert!(key.info().has_extension("uvm"));
    let made = key.make(&Request::make_credential().extension("uvm", true));
    assert_eq!(methods(&made.auth_data), [0x01]);
    let asking = made.get().extension("uvm", true);
    assert_eq!(methods(&key.assertion_by(&made, &asking).auth_data), [0x01]);
    let silent = key.assertion_by(&made, &asking.clone().option("up", false)).auth_data;
    assert_eq!((silent.flags & (UP | UV), methods(&silent)), (0, vec![0x200]));
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", MC, Some(RP)).unwrap();
    let request = Request::make_credential().extension("uvm", true).authorized(&token);
    assert_eq!(methods(&key.make(&request).auth_data), [0x800]);
    let token = key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap();
    let verified = key.assertion_by(&made, &asking.authorized(&token)).auth_data;
    assert!(verified.has(UV));
    assert_eq!(methods(&verified), [0x800]);
}

/// XT-04: built-in user verification, by the option and by a token, is told by its own number.
/// CT-XU-uvm.
#[test]
fn built_in_method_is_told() {
    let sensor = Some(Sensor { max_retries: 5, tries_per_request: 3, shows_presence: true });
    let mut key = Key::new(Setup { sensor, profile: Profile::Uvm, ..Setup::default() });
    let modality = key.info().0.get(0x12).uint();
    let request = Request::make_credential().extension("uvm", true).option("uv", true);
    let made = key.make(&request);
    assert!(made.auth_data.has(UV));
    assert_eq!(methods(&made.auth_data), [modality]);
    let asking = made.get().extension("uvm", true).option("uv", true);
    assert_eq!(methods(&key.assertion_by(&made, &asking).auth_data), [modality]);
}

/// XT-04, XT-06: false, nothing, and a key that does not offer it tell nothing.
#[test]
fn method_is_not_told_unasked() {
    for (profile, input) in
        [(Profile::Uvm, Some(false)), (Profile::Uvm, None), (Profile::Default, Some(true))]
    {
        let mut key = Key::with_profile(profile);
        let asking = |request: Request| match input {
            Some(input) => request.extension("uvm", input),
            None => request,
        };
        let made = key.make(&asking(Request::make_credential()));
        assert_eq!(made.auth_data.extensions, None);
        assert_eq!(key.assertion_by(&made, &asking(made.get())).auth_data.extensions, None);
    }
}

/// XT-04: each next assertion tells the method too.
/// CT-XU-uvm.
#[test]
fn each_next_assertion_tells_the_method() {
    let mut key = Key::with_profile(Profile::Uvm);
    three_accounts(&mut key, RP);
    key.set_pin("1234");
    let asking = Request::get_assertion(RP).extension("uvm", true);
    for method in [0x01, 0x800] {
        let mut request = asking.clone();
        if method == 0x800 {
            let token = key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap();
            request = request.authorized(&token);
        }
        assert_eq!(methods(&key.assertion(&request).auth_data), [method]);
        for _ in 0..2 {
            assert_eq!(methods(&key.next_assertion(&request).auth_data), [method]);
        }
    }
}

/// XT-04, CB-13: other types, in both ceremonies.
#[test]
fn other_types_are_refused() {
    let mut key = Key::with_profile(Profile::Uvm);
    for value in [1.into(), "true".into(), Value::Null, Value::from([1])] {
        let make = Request::make_credential().extension("uvm", value.clone());
        refused(&mut key, &make, CBOR_UNEXPECTED_TYPE);
        let get = Request::get_assertion(RP).extension("uvm", value);
        refused(&mut key, &get, CBOR_UNEXPECTED_TYPE);
    }
}

//! The allowList.

use softkey_tests::cbor::{Value, array, map};
use softkey_tests::checks::{refused, three_accounts};
use softkey_tests::key::Setup;
use softkey_tests::request::{descriptor, ga};
use softkey_tests::status::{CBOR_UNEXPECTED_TYPE, LIMIT_EXCEEDED, NO_CREDENTIALS, NOT_ALLOWED};
use softkey_tests::{Key, Request};

fn listing(entries: Value) -> Request {
    Request::get_assertion("example.com").with(ga::ALLOW_LIST, entries)
}

/// GA-05: a descriptor lacks `id` or `type`. (Wrong types are in the table of all commands.)
/// CT-GA-Req-3-type-missing, CT-GA-Req-3-id-missing.
#[test]
fn descriptor_without_id_or_type_is_refused() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    for bad in
        [map([("type", "public-key")]), map([("id", [1; 32])]), Value::Map(Vec::new()), "x".into()]
    {
        refused(&mut key, &listing(array([bad.clone()])), CBOR_UNEXPECTED_TYPE);
        let behind = Value::Array(vec![descriptor(made.id()), bad]);
        refused(&mut key, &listing(behind), CBOR_UNEXPECTED_TYPE);
    }
}

/// GA-06: an entry of an unknown type is skipped, and a good one beside it is used.
/// CT-GA-Req-3-unknown-type.
#[test]
fn entry_of_unknown_type_is_skipped() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    let unknown = || descriptor(made.id()).with("type", "passphrase");
    for list in [vec![unknown(), descriptor(made.id())], vec![descriptor(made.id()), unknown()]] {
        key.assertion_by(&made, &listing(Value::Array(list)));
    }
    refused(&mut key, &listing(array([unknown()])), NO_CREDENTIALS);
}

/// GA-06: a `transports` member changes nothing.
#[test]
fn transports_of_an_entry_are_ignored() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    let entry = descriptor(made.id()).with("transports", array(["ble", "unknown"]));
    key.assertion_by(&made, &listing(array([entry])));
}

/// GA-07: of several own credentials exactly one answers, without a count and without a next.
#[test]
fn one_of_several_listed_credentials_answers() {
    let mut key = Key::fresh();
    let mut made = three_accounts(&mut key, "example.com");
    made.push(key.make(&Request::make_credential_for("example.com", &[4])));
    let ids: Vec<_> = made.iter().map(softkey_tests::platform::Made::id).collect();
    let assertion = key.assertion(&Request::get_assertion("example.com").listing(&ids));
    let signer = made.iter().find(|made| made.id() == assertion.id()).expect("one of those listed");
    assertion.verify(signer);
    assert_eq!(assertion.answer.at(5), None);
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
}

/// GA-08, GI-09: an own credential in the last place of a maximal list is found.
#[test]
fn last_of_a_maximal_list_is_found() {
    let mut key = Key::fresh();
    let info = key.info();
    let (count, length) = (info.max_list(), info.max_id());
    for rk in [false, true] {
        let made = key.make(&Request::make_credential().option("rk", rk));
        let mut ids: Vec<_> = (1..count).map(|i| vec![u8::try_from(i).unwrap(); length]).collect();
        ids.push(made.id().to_vec());
        let ids: Vec<&[u8]> = ids.iter().map(Vec::as_slice).collect();
        key.assertion_by(&made, &Request::get_assertion("example.com").listing(&ids));
        refused(
            &mut key,
            &Request::get_assertion("example.com").listing(&ids[..count - 1]),
            NO_CREDENTIALS,
        );
    }
}

/// GA-08: a list longer than announced is refused, even if all it holds is own credentials.
#[test]
fn list_over_the_announced_count_is_refused() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    let count = key.info().max_list();
    let ids = vec![made.id(); count + 1];
    refused(&mut key, &Request::get_assertion("example.com").listing(&ids), LIMIT_EXCEEDED);
    key.assertion_by(&made, &Request::get_assertion("example.com").listing(&ids[1..]));
}

/// GA-09: an empty list is as none.
#[test]
fn empty_list_is_as_absent() {
    let mut key = Key::fresh();
    three_accounts(&mut key, "example.com");
    let assertion = key.assertion(&listing(Value::Array(Vec::new())));
    assert_eq!(assertion.answer.get(5).uint(), 3);
    let nobody =
        Request::get_assertion("nobody.example").with(ga::ALLOW_LIST, Value::Array(Vec::new()));
    refused(&mut key, &nobody, NO_CREDENTIALS);
}

/// GA-10, ST-07: an unknown id, one of another party, one with any bit flipped, one cut or extended.
#[test]
fn foreign_and_damaged_ids_are_not_found() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        let made = key.make(&Request::make_credential().option("rk", rk));
        let not_found = |key: &mut Key, id: &[u8]| {
            let request = Request::get_assertion("example.com").listing(&[id]);
            assert_eq!(key.send(&request.bytes()), [NO_CREDENTIALS]);
        };
        let elsewhere = Request::get_assertion("other.example").listing(&[made.id()]);
        refused(&mut key, &elsewhere, NO_CREDENTIALS);
        let before = key.prompts();
        for byte in 0..made.id().len() {
            for bit in 0..8 {
                let mut id = made.id().to_vec();
                id[byte] ^= 1 << bit;
                not_found(&mut key, &id);
            }
        }
        for length in 0..made.id().len() {
            not_found(&mut key, &made.id()[..length]);
        }
        not_found(&mut key, &[made.id(), &[0]].concat());
        not_found(&mut key, &[&[0], made.id()].concat());
        not_found(&mut key, &made.id().iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(key.prompts(), before, "no touch for nothing");
        key.assertion_by(&made, &made.get());
    }
}

/// GA-11: an id of another key of this model.
#[test]
fn id_of_another_key_is_not_found() {
    let (mut here, mut there) =
        (Key::with_seed(1), Key::new(Setup { seed: 2, root_key: [0xA5; 32], ..Setup::default() }));
    for rk in [false, true] {
        let made = there.make(&Request::make_credential().option("rk", rk));
        refused(&mut here, &made.get(), NO_CREDENTIALS);
        there.assertion_by(&made, &made.get());
    }
}

//! The test of the test: faults planted into the link, each of which the checks must find.

use std::panic::{AssertUnwindSafe, catch_unwind};

use softkey_tests::cbor::{Value, array, map_as_given, walk, walk_answer};
use softkey_tests::checks::{refused, still_works};
use softkey_tests::key::{Setup, beyond_a_board};
use softkey_tests::request::{alg, algorithms, command, cp, ga, mc};
use softkey_tests::status::MISSING_PARAMETER;
use softkey_tests::{Key, Request, u2f};

/// Runs a check on a good key, where it must pass, and on one with a fault, where it must fail with a message
/// that holds `complaint`.
#[track_caller]
pub(crate) fn caught(
    complaint: &str,
    check: fn(&mut Key),
    fault: impl FnMut(&[u8], &mut Vec<u8>) + 'static,
) {
    caught_on(Key::fresh, complaint, check, fault);
}

/// The same for a key of another making.
#[track_caller]
pub(crate) fn caught_on(
    new: fn() -> Key,
    complaint: &str,
    check: fn(&mut Key),
    fault: impl FnMut(&[u8], &mut Vec<u8>) + 'static,
) {
    beyond_a_board("a planted fault");
    check(&mut new());
    let mut key = new();
    key.plant(fault);
    let outcome = catch_unwind(AssertUnwindSafe(|| check(&mut key)));
    let payload = outcome.expect_err("the check does not see the fault");
    let message = panic_message(payload.as_ref());
    assert!(message.contains(complaint), "the check fails for another reason: {message}");
}

/// What a check says that fails.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let message = payload.downcast_ref::<String>().cloned();
    message.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap()
}

/// A fault in the successful answers of one command's body.
pub(crate) fn in_body(
    command: u8,
    change: impl Fn(&Value) -> Value,
) -> impl FnMut(&[u8], &mut Vec<u8>) {
    move |request, answer| {
        if request[0] == command && answer[0] == 0 && answer.len() > 1 {
            *answer = [vec![0], change(&walk_answer(&answer[1..]).unwrap()).encode()].concat();
        }
    }
}

/// A fault in the authenticator data of one command's answers.
fn in_auth_data(command: u8, change: impl Fn(&mut Vec<u8>)) -> impl FnMut(&[u8], &mut Vec<u8>) {
    move |request, answer| {
        let apply = |body: Value| {
            let mut bytes = body.get(2).bytes().to_vec();
            change(&mut bytes);
            body.with(2, bytes)
        };
        if request[0] == command && answer[0] == 0 {
            *answer = [vec![0], apply(walk(&answer[1..]).unwrap()).encode()].concat();
        }
    }
}

/// A fault in the COSE key at the end of authenticator data: the last of these bytes, where they stand.
fn in_key(bytes: &'static [u8], byte: u8) -> impl Fn(&mut Vec<u8>) {
    move |data| {
        let key = 37 + 18 + usize::from(u16::from_be_bytes([data[53], data[54]]));
        let at = data[key..].windows(bytes.len()).position(|window| window == bytes).unwrap();
        data[key + at + bytes.len() - 1] = byte;
    }
}

fn makes(key: &mut Key) {
    key.make(&Request::make_credential());
}

fn makes_and_asserts(key: &mut Key) {
    let made = key.make(&Request::make_credential());
    key.assertion_by(&made, &made.get());
}

fn refuses(key: &mut Key) {
    refused(key, &Request::make_credential().without(mc::USER), MISSING_PARAMETER);
}

#[test]
fn success_turned_into_an_error_is_seen() {
    caught("status 0x7f", makes, |request, answer| {
        if request[0] == mc::COMMAND {
            *answer = vec![0x7F];
        }
    });
}

/// A registration and a sign-in with ES384.
fn signs_with_es384(key: &mut Key) {
    let only = algorithms(&[alg::ES384]);
    let request = Request::make_credential().with(mc::PUB_KEY_CRED_PARAMS, only);
    // Without a statement: its signature would show every change of the key.
    let made = key.make(&request.with(mc::ATTESTATION_FORMATS_PREFERENCE, array(["none"])));
    key.assertion_by(&made, &made.get());
}

#[test]
fn another_algorithm_than_asked_for_is_seen() {
    caught(
        "alg Nint(50)",
        signs_with_es384,
        in_auth_data(mc::COMMAND, in_key(&[0x03, 0x38, 0x22], 0x32)),
    );
}

#[test]
fn curve_of_another_algorithm_is_seen() {
    caught(
        "members of an EC2 key",
        signs_with_es384,
        in_auth_data(mc::COMMAND, in_key(&[0x20, 0x02], 3)),
    );
}

#[test]
fn changed_signature_of_another_curve_is_seen() {
    caught(
        "the assertion verifies",
        signs_with_es384,
        in_body(ga::COMMAND, |body| {
            let mut signature = body.get(3).bytes().to_vec();
            *signature.last_mut().unwrap() ^= 1;
            body.clone().with(3, signature)
        }),
    );
}

/// A plant in a signature by this algorithm, on a key whose owner lists it.
fn changed_signature_is_seen(only: i64, listed: &'static [i64], at: usize) {
    let sign_in = |plant: bool| {
        let mut key = Key::new(Setup { algorithms: listed, ..Setup::default() });
        let only = algorithms(&[only]);
        let made = key.make(&Request::make_credential().with(mc::PUB_KEY_CRED_PARAMS, only));
        if plant {
            key.plant(in_body(ga::COMMAND, move |body| {
                let mut signature = body.get(3).bytes().to_vec();
                signature[at] ^= 1;
                body.clone().with(3, signature)
            }));
        }
        catch_unwind(AssertUnwindSafe(|| key.assertion_by(&made, &made.get())))
    };
    sign_in(false).unwrap();
    let complaint = panic_message(sign_in(true).unwrap_err().as_ref());
    assert!(complaint.contains("the assertion verifies"), "{complaint}");
}

#[test]
fn changed_signature_of_rs256_is_seen() {
    changed_signature_is_seen(alg::RS256, &[alg::RS256], 255);
}

#[test]
fn changed_signature_of_ml_dsa_is_seen() {
    changed_signature_is_seen(alg::ML_DSA_65, &[alg::ML_DSA_65], 1_000);
}

#[test]
fn wrong_error_is_seen() {
    caught("[2]", refuses, |_, answer| {
        if answer[..] == [MISSING_PARAMETER] {
            *answer = vec![2];
        }
    });
}

#[test]
fn error_with_a_body_is_seen() {
    caught("to ", refuses, |_, answer| {
        if answer[..] == [MISSING_PARAMETER] {
            answer.push(0xA0);
        }
    });
}

#[test]
fn retries_lost_in_a_refusal_are_seen() {
    let mut harmed = false;
    caught("getInfo or the retries changed", refuses, move |request, answer| {
        harmed |= answer[..] == [MISSING_PARAMETER];
        if harmed && request == Request::client_pin(cp::GET_PIN_RETRIES).bytes() {
            *answer = [vec![0], walk(&answer[1..]).unwrap().with(3, 7).encode()].concat();
        }
    });
}

#[test]
fn setting_changed_by_a_refusal_is_seen() {
    let mut harmed = false;
    caught("getInfo or the retries changed", refuses, move |request, answer| {
        harmed |= answer[..] == [MISSING_PARAMETER];
        if harmed && request == [command::GET_INFO] {
            let body = walk(&answer[1..]).unwrap();
            let options = body.get(4).clone().with("clientPin", true);
            *answer = [vec![0], body.with(4, options).encode()].concat();
        }
    });
}

#[test]
fn key_dead_after_a_refusal_is_seen() {
    let mut harmed = false;
    caught("status 0x7f", refuses, move |request, answer| {
        if harmed && request[0] == mc::COMMAND {
            *answer = vec![0x7F];
        }
        harmed |= answer[..] == [MISSING_PARAMETER];
    });
}

#[test]
fn missing_presence_is_seen() {
    caught("flags 0x40", makes, in_auth_data(mc::COMMAND, |data| data[32] &= !1));
}

#[test]
fn presence_claimed_later_is_seen() {
    fn silent(key: &mut Key) {
        let made = key.make(&Request::make_credential());
        key.assertion_by(&made, &made.get().option("up", false));
    }
    caught("the assertion verifies", silent, in_auth_data(ga::COMMAND, |data| data[32] |= 1));
}

#[test]
fn reserved_flag_is_seen() {
    caught("reserved flags", makes, in_auth_data(mc::COMMAND, |data| data[32] |= 2));
}

#[test]
fn hash_of_another_party_is_seen() {
    caught("rpIdHash", makes, in_auth_data(mc::COMMAND, |data| data[0] ^= 1));
    caught("rpIdHash", makes_and_asserts, in_auth_data(ga::COMMAND, |data| data[31] ^= 0x80));
}

#[test]
fn other_counter_than_the_signed_one_is_seen() {
    caught("the attestation verifies", makes, in_auth_data(mc::COMMAND, |data| data[36] ^= 1));
    caught(
        "the assertion verifies",
        makes_and_asserts,
        in_auth_data(ga::COMMAND, |data| data[36] ^= 1),
    );
}

#[test]
fn bytes_behind_the_authenticator_data_are_seen() {
    caught("bytes too many", makes, in_auth_data(mc::COMMAND, |data| data.push(0)));
}

#[test]
fn empty_map_of_extensions_is_seen() {
    let add = |data: &mut Vec<u8>| {
        data[32] |= 0x80;
        data.push(0xA0);
    };
    caught("an empty map of extension outputs", makes_and_asserts, in_auth_data(ga::COMMAND, add));
}

#[test]
fn flipped_bit_in_a_signature_is_seen() {
    fn flip(body: &Value) -> Value {
        let mut signature = body.get(3).bytes().to_vec();
        *signature.last_mut().unwrap() ^= 1;
        body.clone().with(3, signature)
    }
    caught("the assertion verifies", makes_and_asserts, in_body(ga::COMMAND, flip));
}

#[test]
fn statement_with_a_member_too_many_is_seen() {
    fn add(body: &Value) -> Value {
        let statement = body.get(3).clone().with("ecdaaKeyId", [1]);
        body.clone().with(3, statement)
    }
    caught("members", makes, in_body(mc::COMMAND, add));
}

#[test]
fn unknown_member_of_an_answer_is_seen() {
    caught("members", makes, in_body(mc::COMMAND, |body| body.clone().with(7, 1)));
    caught("members", makes_and_asserts, in_body(ga::COMMAND, |body| body.clone().with(9, 1)));
}

#[test]
fn credential_with_transports_is_seen() {
    fn add(body: &Value) -> Value {
        let credential = body.get(1).clone().with("transports", Value::Array(vec!["usb".into()]));
        body.clone().with(1, credential)
    }
    caught("id and type exactly", makes_and_asserts, in_body(ga::COMMAND, add));
}

#[test]
fn answer_out_of_order_is_seen() {
    fn disorder(body: &Value) -> Value {
        map_as_given(body.entries().iter().rev().map(|(key, value)| (key.clone(), value.clone())))
    }
    caught("Disordered", |key| drop(key.info()), in_body(command::GET_INFO, disorder));
}

#[test]
fn options_out_of_order_are_seen() {
    fn disorder(body: &Value) -> Value {
        let options =
            body.get(4).entries().iter().rev().map(|(key, value)| (key.clone(), value.clone()));
        let options = map_as_given(options);
        body.clone().with(4, options)
    }
    caught("Disordered", |key| drop(key.info()), in_body(command::GET_INFO, disorder));
}

#[test]
fn bytes_behind_an_answer_are_seen() {
    caught("Trailing", makes, |request, answer| {
        if request[0] == mc::COMMAND {
            answer.push(0);
        }
    });
}

#[test]
fn empty_map_instead_of_no_body_is_seen() {
    fn selects(key: &mut Key) {
        key.ok(&Request::bare(command::SELECTION));
    }
    caught("an empty map as body", selects, |request, answer| {
        if request == [command::SELECTION] {
            answer.push(0xA0);
        }
    });
}

#[test]
fn prompt_in_a_refusal_is_seen() {
    // The fault is in the check's expectation here: selection asks, so it is no refusal before the touch.
    fn selects(key: &mut Key) {
        key.user(softkey_tests::User::Refuses);
        refused(key, &Request::bare(command::SELECTION), 0x27);
    }
    let outcome = catch_unwind(|| selects(&mut Key::fresh()));
    let message = *outcome.expect_err("a prompt goes unseen").downcast::<String>().unwrap();
    assert!(message.contains("asks for none"), "{message}");
}

#[test]
fn write_in_a_refusal_is_seen() {
    // A wrong PIN writes its try, so it is no refusal that writes nothing.
    fn wrong_pin(key: &mut Key) {
        key.set_pin("1234");
        let shared = key.agree(softkey_tests::pin::Protocol::Two);
        refused(key, &softkey_tests::platform::pin_token_request(&shared, "9999"), 0x31);
    }
    let outcome = catch_unwind(|| wrong_pin(&mut Key::fresh()));
    let message = *outcome.expect_err("a write goes unseen").downcast::<String>().unwrap();
    assert!(message.contains("writes nothing"), "{message}");
}

#[test]
fn u2f_faults_are_seen() {
    fn registers(key: &mut Key) {
        let answer = key.u2f_polling(&u2f::register(&[1; 32], &[2; 32]));
        let _ = u2f::Registration::parse(&answer, &[1; 32], &[2; 32]);
    }
    fn authenticates(key: &mut Key) {
        let answer = key.u2f_polling(&u2f::register(&[1; 32], &[2; 32]));
        let made = u2f::Registration::parse(&answer, &[1; 32], &[2; 32]);
        let answer =
            key.u2f(&u2f::authenticate(u2f::DONT_ENFORCE, &[1; 32], &[2; 32], &made.handle));
        let _ = u2f::authentication(&answer, &[1; 32], &[2; 32], &made.public_key);
    }
    caught("signature", registers, |_, answer| {
        if let Some(byte) = answer.get_mut(67) {
            *byte ^= 1;
        }
    });
    caught("the reserved byte", registers, |_, answer| {
        if answer.len() > 2 {
            answer[0] = 4;
        }
    });
    caught("signature", authenticates, |request, answer| {
        if request[1] == u2f::AUTHENTICATE {
            answer[4] ^= 1;
        }
    });
    caught("signature", authenticates, |request, answer| {
        if request[1] == u2f::AUTHENTICATE {
            answer[0] |= 1;
        }
    });
}

/// Without a fault the helper complains of a check that does not fail.
#[test]
fn fault_that_does_nothing_is_not_caught() {
    let outcome = catch_unwind(|| caught("", still_works, |_, _| {}));
    let complaint = panic_message(outcome.unwrap_err().as_ref());
    assert!(complaint.contains("the check does not see the fault"), "{complaint}");
}

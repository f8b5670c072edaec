//! The extension hmac-secret (XH).

use softkey_tests::auth_data::UV;
use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{refused, three_accounts};
use softkey_tests::pin::{Protocol, Shared, cose_key_agreement};
use softkey_tests::platform::permission::GA;
use softkey_tests::platform::{Assertion, Made};
use softkey_tests::request::command;
use softkey_tests::status::{
    INVALID_OPTION, INVALID_PARAMETER, MISSING_PARAMETER, NO_CREDENTIALS, PIN_AUTH_INVALID,
    SUCCESS, UNSUPPORTED_OPTION,
};
use softkey_tests::{Key, Request};

pub(crate) const SALT_1: [u8; 32] = [0x11; 32];
pub(crate) const SALT_2: [u8; 32] = [0x22; 32];

/// The input for these salts.
pub(crate) fn input(shared: &Shared, salts: &[u8]) -> Value {
    input_of(shared, &shared.encrypt(salts))
}

pub(crate) fn input_of(shared: &Shared, salt_enc: &[u8]) -> Value {
    map([
        (1, shared.platform_key.clone()),
        (2, Value::from(salt_enc)),
        (3, shared.authenticate(salt_enc).into()),
        (4, shared.protocol().number().into()),
    ])
}

/// The plaintext of an assertion's output.
#[track_caller]
fn output(shared: &Shared, assertion: &Assertion) -> Vec<u8> {
    let encrypted = assertion.auth_data.extension("hmac-secret").expect("an output").bytes();
    let iv = if shared.protocol() == Protocol::Two { 16 } else { 0 };
    let plaintext = shared.decrypt(encrypted);
    assert_eq!(plaintext.len() + iv, encrypted.len());
    plaintext
}

/// What the credential gives for these salts.
#[track_caller]
pub(super) fn secret(
    key: &mut Key,
    protocol: Protocol,
    made: &Made,
    request: &Request,
    salts: &[u8],
) -> Vec<u8> {
    let shared = key.agree(protocol);
    let assertion =
        key.assertion_by(made, &request.clone().extension("hmac-secret", input(&shared, salts)));
    output(&shared, &assertion)
}

fn with_secret(rk: bool) -> (Key, Made) {
    let mut key = Key::fresh();
    let made =
        key.make(&Request::make_credential().option("rk", rk).extension("hmac-secret", true));
    assert_eq!(made.auth_data.extension("hmac-secret"), Some(&Value::from(true)));
    (key, made)
}

/// XH-01: true gives true, false gives nothing. (Other types are in the table of all commands.)
/// CT-XH-create.
#[test]
fn creation_answers_true_to_true_only() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        let request = Request::make_credential().option("rk", rk);
        let made = key.make(&request.clone().extension("hmac-secret", true));
        assert_eq!(made.auth_data.extensions, Some(map([("hmac-secret", true)])));
        let made = key.make(&request.extension("hmac-secret", false));
        assert_eq!(made.auth_data.extensions, None);
    }
}

/// XH-02, XH-03: one salt gives 32 bytes, two give 64, the first half alike; both protocols agree.
/// CT-XH-salts.
#[test]
fn one_salt_and_two_salts_agree_over_both_protocols() {
    let (mut key, made) = with_secret(false);
    let mut seen = Vec::new();
    for protocol in Protocol::BOTH {
        let one = secret(&mut key, protocol, &made, &made.get(), &SALT_1);
        let two = secret(&mut key, protocol, &made, &made.get(), &[SALT_1, SALT_2].concat());
        assert_eq!((one.len(), two.len()), (32, 64));
        assert_eq!(two[..32], one);
        assert_ne!(two[..32], two[32..]);
        let other = secret(&mut key, protocol, &made, &made.get(), &SALT_2);
        assert_eq!(two[32..], other);
        seen.push(two);
    }
    assert_eq!(seen[0], seen[1]);
}

/// XH-04: the result stays over power cycles and PIN changes.
#[test]
fn result_is_stable() {
    let (mut key, made) = with_secret(true);
    let first = secret(&mut key, Protocol::Two, &made, &made.get(), &SALT_1);
    key.power_cycle();
    assert_eq!(secret(&mut key, Protocol::One, &made, &made.get(), &SALT_1), first);
    key.set_pin("1234");
    assert_eq!(secret(&mut key, Protocol::Two, &made, &made.get(), &SALT_1), first);
    let with_uv = |key: &mut Key, pin: &str| {
        let token = key.token(Protocol::Two, pin, GA, Some("example.com")).unwrap();
        secret(key, Protocol::Two, &made, &made.get().authorized(&token), &SALT_1)
    };
    let verified = with_uv(&mut key, "1234");
    assert_eq!(key.change_pin("1234", "4321"), SUCCESS);
    assert_eq!(secret(&mut key, Protocol::Two, &made, &made.get(), &SALT_1), first);
    assert_eq!(with_uv(&mut key, "4321"), verified);
    key.power_cycle();
    assert_eq!(with_uv(&mut key, "4321"), verified);
}

/// XH-05: with and without user verification the results differ, in both halves.
/// CT-XH-uv.
#[test]
fn user_verification_makes_another_secret() {
    for rk in [false, true] {
        let (mut key, made) = with_secret(rk);
        let salts = [SALT_1, SALT_2].concat();
        let without = secret(&mut key, Protocol::Two, &made, &made.get(), &salts);
        key.set_pin("1234");
        let token = key.token(Protocol::Two, "1234", GA, Some("example.com")).unwrap();
        let request = made.get().authorized(&token);
        let with = secret(&mut key, Protocol::Two, &made, &request, &salts);
        assert_ne!(without[..32], with[..32]);
        assert_ne!(without[32..], with[32..]);
    }
}

/// XH-06: different credentials and different salts give results that have nothing in common.
#[test]
fn credentials_and_salts_give_different_results() {
    let mut key = Key::fresh();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for n in 0..8 {
        let request = Request::make_credential_for("example.com", &[n]).option("rk", n % 2 == 0);
        let made = key.make(&request.extension("hmac-secret", true));
        for salt in [[0; 32], [0xFF; 32], SALT_1] {
            seen.push(secret(&mut key, Protocol::Two, &made, &made.get(), &salt));
        }
    }
    let ones: u32 = seen.iter().flatten().map(|byte| byte.count_ones()).sum();
    let bits = u32::try_from(seen.len()).unwrap() * 256;
    assert!(ones.abs_diff(bits / 2) < bits / 16, "{ones} of {bits} bits are set");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 24);
}

/// XH-07: salts of another length than 32 or 64 bytes, rightly authenticated; a broken block.
/// CT-XH-short-first, CT-XH-short-second.
#[test]
fn salts_of_other_length_are_refused() {
    let (mut key, made) = with_secret(false);
    for protocol in Protocol::BOTH {
        let shared = key.agree(protocol);
        for length in [0, 16, 48, 80, 96] {
            let request = made.get().extension("hmac-secret", input(&shared, &vec![1; length]));
            refused(&mut key, &request, INVALID_PARAMETER);
        }
        for length in [1, 15, 31, 33, 63] {
            let broken = vec![1; length];
            let request = made.get().extension("hmac-secret", input_of(&shared, &broken));
            refused(&mut key, &request, INVALID_PARAMETER);
        }
    }
}

/// XH-08: a wrong saltAuth, and the retries stay. (`refused` compares them.)
#[test]
fn wrong_salt_auth_is_refused() {
    let (mut key, made) = with_secret(false);
    key.set_pin("1234");
    for protocol in Protocol::BOTH {
        let shared = key.agree(protocol);
        let good = input(&shared, &SALT_1);
        let auth = good.get(3).bytes().to_vec();
        let mut flipped = auth.clone();
        flipped[0] ^= 1;
        let extended = [auth.as_slice(), &[0]].concat();
        for bad in
            [flipped, auth[..auth.len() - 1].to_vec(), extended, vec![0; auth.len()], Vec::new()]
        {
            let request = made.get().extension("hmac-secret", good.clone().with(3, bad));
            refused(&mut key, &request, PIN_AUTH_INVALID);
        }
    }
}

/// XH-09: a missing member while decoding; a key that is no point after the look-up.
#[test]
fn missing_members_and_bad_keys_are_refused() {
    let (mut key, made) = with_secret(false);
    let shared = key.agree(Protocol::Two);
    let good = input(&shared, &SALT_1);
    for member in [1, 2, 3] {
        let bad = good.clone().without(member);
        refused(&mut key, &made.get().extension("hmac-secret", bad.clone()), MISSING_PARAMETER);
        let nobody = Request::get_assertion("nobody.example").extension("hmac-secret", bad);
        refused(&mut key, &nobody, MISSING_PARAMETER);
    }
    for bad in [cose_key_agreement(&[1; 32], &[2; 32]), shared.platform_key.clone().with(-1, 2)] {
        let request = made.get().extension("hmac-secret", good.clone().with(1, bad.clone()));
        refused(&mut key, &request, INVALID_PARAMETER);
        let nobody = Request::get_assertion("nobody.example")
            .extension("hmac-secret", good.clone().with(1, bad));
        refused(&mut key, &nobody, NO_CREDENTIALS);
    }
}

/// XH-10: no protocol means one; an unknown one is refused.
#[test]
fn absent_protocol_means_one() {
    let (mut key, made) = with_secret(false);
    let expected = secret(&mut key, Protocol::One, &made, &made.get(), &SALT_1);
    let shared = key.agree(Protocol::One);
    let implied = input(&shared, &SALT_1).without(4);
    let assertion = key.assertion_by(&made, &made.get().extension("hmac-secret", implied));
    assert_eq!(output(&shared, &assertion), expected);
    for unknown in [0, 3, 1_i64 << 40] {
        let bad = input(&shared, &SALT_1).with(4, unknown);
        refused(&mut key, &made.get().extension("hmac-secret", bad), INVALID_PARAMETER);
    }
    let two = key.agree(Protocol::Two);
    let implied = input(&two, &SALT_1).without(4);
    refused(&mut key, &made.get().extension("hmac-secret", implied), PIN_AUTH_INVALID);
}

/// XH-11: with up false.
#[test]
fn silent_assertion_is_refused() {
    let (mut key, made) = with_secret(false);
    let shared = key.agree(Protocol::Two);
    let request = made.get().option("up", false).extension("hmac-secret", input(&shared, &SALT_1));
    refused(&mut key, &request, UNSUPPORTED_OPTION);
}

/// XH-07 to XH-11: of two faults the earlier in the standard's steps is answered: protocol, presence, the platform's key,
/// saltAuth, the salts. largeBlobKey, whose identifier stands before, is judged before all of them.
#[test]
fn faults_are_found_in_order() {
    type Change = fn(Request, Value) -> Request;
    let (mut key, made) = with_secret(false);
    let shared = key.agree(Protocol::Two);
    let broken = input_of(&shared, &[1; 33]);
    let no_point = cose_key_agreement(&[1; 32], &[2; 32]);
    let faults: [(u8, Change); 4] = [
        (INVALID_PARAMETER, |request, input| request.extension("hmac-secret", input.with(4, 3))),
        (UNSUPPORTED_OPTION, |request, input| {
            request.option("up", false).extension("hmac-secret", input)
        }),
        (INVALID_PARAMETER, |request, input| request.extension("hmac-secret", input)),
        (PIN_AUTH_INVALID, |request, input| {
            request.extension("hmac-secret", input.with(3, [7; 32]))
        }),
    ];
    let inputs = [
        (0, broken.clone().with(3, [7; 32])),
        (0, broken.clone().with(1, no_point.clone())),
        (1, broken.clone().with(1, no_point.clone())),
        (2, broken.clone().with(1, no_point).with(3, [7; 32])),
        (3, broken.clone()),
    ];
    for (fault, input) in inputs {
        let (status, change) = faults[fault];
        refused(&mut key, &change(made.get(), input), status);
    }
    let silent = made.get().option("up", false).extension("hmac-secret", broken.with(4, 3));
    refused(&mut key, &silent, INVALID_PARAMETER);
    if key.info().has_extension("largeBlobKey") {
        let both = silent.extension("largeBlobKey", false);
        refused(&mut key, &both, INVALID_OPTION);
    }
}

/// XH-05, XH-13: each getNextAssertion computes with its own credential, its secret for a verified user if the user was.
#[test]
fn each_next_assertion_has_its_own_output() {
    let mut key = Key::fresh();
    let made = three_accounts(&mut key, "example.com");
    own_outputs(&mut key, &made, |_, request| request);
    key.set_pin("1234");
    own_outputs(&mut key, &made, |key, request| {
        let token = key.token(Protocol::Two, "1234", GA, Some("example.com")).unwrap();
        request.authorized(&token)
    });
}

/// Of these accounts each gives by getNextAssertion what it gives alone, with requests that are verified so.
#[track_caller]
fn own_outputs(key: &mut Key, made: &[Made], verified: fn(&mut Key, Request) -> Request) {
    let shared = key.agree(Protocol::Two);
    let request =
        Request::get_assertion("example.com").extension("hmac-secret", input(&shared, &SALT_1));
    let request = verified(key, request);
    let mut outputs = vec![key.assertion_by(&made[2], &request)];
    outputs.extend((0..2).map(|_| key.next_assertion(&request)));
    outputs[2].verify(&made[0]);
    let ivs: Vec<_> = outputs
        .iter()
        .map(|a| a.auth_data.extension("hmac-secret").unwrap().bytes()[..16].to_vec())
        .collect();
    assert!(ivs[0] != ivs[1] && ivs[1] != ivs[2] && ivs[0] != ivs[2], "an IV came twice");
    for (assertion, made) in outputs.iter().zip(made.iter().rev()) {
        let request = verified(key, made.get());
        assert_eq!(output(&shared, assertion), secret(key, Protocol::One, made, &request, &SALT_1));
    }
}

/// XH-13: a credential made without asking for the extension has a secret too.
#[test]
fn credentials_have_a_secret_unasked() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        let made = key.make(&Request::make_credential().option("rk", rk));
        let one = secret(&mut key, Protocol::Two, &made, &made.get(), &SALT_1);
        assert_eq!(secret(&mut key, Protocol::Two, &made, &made.get(), &SALT_1), one);
    }
}

/// XH-14: neither errors nor successes of the extension leave anything in the store but the counter.
#[test]
fn errors_leave_nothing_in_the_store() {
    let (mut key, made) = with_secret(true);
    let records = key.memory().dump();
    let shared = key.agree(Protocol::Two);
    let bad = input(&shared, &SALT_1).with(3, [0; 32]);
    for _ in 0..10 {
        assert_eq!(key.status(&made.get().extension("hmac-secret", bad.clone())), PIN_AUTH_INVALID);
    }
    assert_eq!(key.memory().dump(), records);
    for _ in 0..10 {
        secret(&mut key, Protocol::Two, &made, &made.get(), &SALT_1);
    }
    let changed = key.memory().dump();
    assert_eq!(changed.len(), records.len());
    let names = |records: Vec<(Vec<u8>, Vec<u8>)>| -> Vec<_> {
        records.into_iter().map(|(name, value)| (name, value.len())).collect()
    };
    assert_eq!(names(changed), names(records));
}

/// RS-10: the same account made again, or after a reset, has another secret.
#[test]
fn remade_credential_has_another_secret() {
    let (mut key, made) = with_secret(true);
    let first = secret(&mut key, Protocol::Two, &made, &made.get(), &SALT_1);
    let again = key.make(&Request::make_credential().discoverable().extension("hmac-secret", true));
    let second = secret(&mut key, Protocol::Two, &again, &again.get(), &SALT_1);
    assert_ne!(first, second);
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    let after = key.make(&Request::make_credential().discoverable().extension("hmac-secret", true));
    let third = secret(&mut key, Protocol::Two, &after, &after.get(), &SALT_1);
    assert!(third != first && third != second);
}

/// XH-05, XH-12: works without a PIN, UV clear; with one, UV set, output beside the flag.
#[test]
fn output_stands_beside_the_flags() {
    let (mut key, made) = with_secret(false);
    let shared = key.agree(Protocol::Two);
    let request = made.get().extension("hmac-secret", input(&shared, &SALT_1));
    assert!(!key.assertion_by(&made, &request).auth_data.has(UV));
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", GA, Some("example.com")).unwrap();
    let assertion = key.assertion_by(&made, &request.authorized(&token));
    assert!(assertion.auth_data.has(UV));
    assert_eq!(assertion.auth_data.extensions.as_ref().unwrap().entries().len(), 1);
}

//! What a registration gives, and what it leaves on the key.

use std::collections::BTreeSet;

use softkey_tests::auth_data::{AT, UP};
use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::succeeds;
use softkey_tests::key::{Cut, times};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission;
use softkey_tests::request::{alg, algorithms, mc};
use softkey_tests::status::{KEY_STORE_FULL, NO_CREDENTIALS, SUCCESS};
use softkey_tests::{Key, Request};

/// MC-51: the flags are UP and AT, the hash is the party's, and there is nothing behind the key. (`make` takes
/// authenticator data apart to its last byte.)
/// CT-MC-Resp-1-flags.
#[test]
fn authenticator_data_holds_what_it_must() {
    let mut key = Key::fresh();
    for rp_id in ["example.com", "a", "sub.example.co.uk"] {
        let made = key.make(&Request::make_credential_for(rp_id, &[1]));
        assert_eq!(made.auth_data.flags, UP | AT);
        assert_eq!(made.auth_data.rp_id_hash, softkey_tests::parts::sha256(rp_id.as_bytes()));
    }
}

/// MC-52: ids never repeat and are not longer than announced.
/// CT-MC-Resp-1-flags.
#[test]
fn credential_ids_are_unique_and_of_announced_length() {
    let mut key = Key::fresh();
    let longest = key.info().max_id();
    let mut seen = BTreeSet::new();
    for i in 0..40 {
        let request = Request::make_credential().option("rk", i % 2 == 0);
        let made = key.make(&request);
        assert!((16..=longest.min(1_023)).contains(&made.id().len()));
        assert!(seen.insert(made.id().to_vec()), "the id of registration {i} was there before");
    }
}

/// MC-53: keys are canonical with exactly their members and full coordinates, often enough to meet leading
/// zeros; the algorithm is the one asked for, twins under the number asked for. (`make` checks each.)
/// CT-MC-Resp-1-flags.
#[test]
fn public_keys_have_exactly_their_members() {
    let mut key = Key::fresh();
    for algorithm in [alg::ES256, alg::EDDSA, alg::ESP256, alg::ED25519] {
        let request =
            Request::make_credential().with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[algorithm]));
        let made = key.make(&request);
        assert_eq!(made.public_key().get(3).int(), algorithm);
        key.assertion_by(&made, &made.get());
    }
    let mut leading_zero = 0;
    let keys = times(1_000, 20);
    for _ in 0..keys {
        let made = key.make(&Request::make_credential());
        let key = made.public_key();
        leading_zero += u32::from(key.get(-2).bytes()[0] == 0 || key.get(-3).bytes()[0] == 0);
        assert_eq!(key.encode().len(), 77);
    }
    assert!(leading_zero > 0 || keys < 1_000, "no coordinate began with zero in 1,000 keys");
}

/// MC-54, MC-55: the statement of `packed` holds exactly its members, its signature verifies, and the
/// certificate follows the rules. (`make` checks them; here: that there is a certificate.)
/// CT-MC-Resp-1-format, CT-MC-Resp-1-statement.
#[test]
fn default_attestation_is_packed_with_a_certificate() {
    let mut key = Key::fresh();
    for algorithm in [alg::ES256, alg::EDDSA] {
        let request =
            Request::make_credential().with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[algorithm]));
        let made = key.make(&request);
        assert_eq!(made.format, "packed");
        assert_eq!(
            made.answer.get(3).get("x5c").items().len(),
            1,
            "the batch certificate, no root"
        );
    }
}

/// MC-55: the certificate is the same on every key: it identifies the model, not the key.
#[test]
fn attestation_certificate_is_the_batch_one() {
    let certificate = |seed| {
        let mut key = Key::with_seed(seed);
        let made = key.make(&Request::make_credential());
        made.answer.get(3).get("x5c").items()[0].clone()
    };
    assert_eq!(certificate(1), certificate(2));
}

/// MC-58: the same account again replaces the credential.
/// CT-RK-again.
#[test]
fn same_account_is_replaced() {
    let mut key = Key::fresh();
    let request = Request::make_credential().discoverable();
    let old = key.make(&request);
    let new = key.make(&request);
    assert_ne!(old.id(), new.id());
    assert_ne!(old.public_key(), new.public_key());
    assert_eq!(key.status(&old.get()), NO_CREDENTIALS);
    let assertion = key.assertion_by(&new, &Request::get_assertion("example.com"));
    assert_eq!(assertion.answer.at(5), None, "one account");
    key.power_cycle();
    assert_eq!(key.status(&old.get()), NO_CREDENTIALS);
    key.assertion_by(&new, &new.get());
}

/// MC-58: a non-discoverable credential of the same account replaces nothing and is not replaced.
#[test]
fn non_discoverable_credential_replaces_nothing() {
    let mut key = Key::fresh();
    let discoverable = key.make(&Request::make_credential().discoverable());
    let other = key.make(&Request::make_credential());
    key.make(&Request::make_credential_for("example.com", &[2]).discoverable());
    key.assertion_by(&discoverable, &discoverable.get());
    key.assertion_by(&other, &other.get());
}

/// MC-59: a user id that begins another one is another account.
#[test]
fn user_id_that_is_a_prefix_is_another_account() {
    let mut key = Key::fresh();
    let ids: [&[u8]; 4] = [&[1], &[1, 0], &[1; 63], &[1; 64]];
    let made: Vec<_> = ids
        .iter()
        .map(|id| key.make(&Request::make_credential_for("example.com", id).discoverable()))
        .collect();
    let first = key.assertion(&Request::get_assertion("example.com"));
    assert_eq!(first.answer.get(5).uint(), 4);
    for made in &made {
        key.assertion_by(made, &made.get());
    }
}

/// MC-60: the same user id under two parties is two accounts.
#[test]
fn same_user_under_two_parties_is_two_accounts() {
    let mut key = Key::fresh();
    for rp_id in ["example.com", "example.org"] {
        key.make(&Request::make_credential_for(rp_id, &[1]).discoverable());
    }
    for rp_id in ["example.com", "example.org"] {
        let assertion = key.assertion(&Request::get_assertion(rp_id));
        assert_eq!((assertion.answer.at(5), assertion.user_id()), (None, [1].as_slice()));
    }
}

/// MC-61, MC-62: without room there is no new account, but nothing is lost, an account there is can be
/// replaced, and non-discoverable credentials are made.
#[test]
fn full_store_refuses_new_accounts_only() {
    let mut key = Key::fresh();
    let other = key.make(&Request::make_credential());
    let old = key.make(&Request::make_credential().discoverable());
    for made in [&other, &old] {
        key.assertion_by(made, &made.get());
    }
    key.memory().full(true);
    for _ in 0..3 {
        let new = Request::make_credential_for("example.com", &[2]).discoverable();
        assert_eq!(key.status(&new), KEY_STORE_FULL);
        key.assertion_by(&old, &Request::get_assertion("example.com"));
    }
    key.assertion_by(&other, &other.get());
    let made = key.make(&Request::make_credential());
    key.assertion_by(&made, &made.get());
    let new = key.make(&Request::make_credential().discoverable());
    key.assertion_by(&new, &Request::get_assertion("example.com"));
    key.memory().full(false);
    succeeds(&mut key, &Request::make_credential_for("example.com", &[2]).discoverable());
}

/// MC-63: credentials survive a power cycle, both kinds, and those made just before a cut are whole or absent.
#[test]
fn credentials_survive_a_power_cycle() {
    let mut key = Key::fresh();
    let discoverable = key.make(&Request::make_credential().discoverable());
    let other = key.make(&Request::make_credential_for("example.com", &[2]));
    key.power_cycle();
    for made in [&discoverable, &other] {
        key.assertion_by(made, &made.get());
    }
    for (cut, present) in [(Cut::Before(0), false), (Cut::After(0), true)] {
        let rp_id = format!("{present}.example");
        key.memory().cut_power(cut);
        key.send(&Request::make_credential_for(&rp_id, &[1]).discoverable().bytes());
        assert!(key.memory().is_dead(), "a registration writes");
        key.power_cycle();
        let status = key.status(&Request::get_assertion(&rp_id));
        assert_eq!(status, if present { SUCCESS } else { NO_CREDENTIALS });
        key.assertion_by(&discoverable, &discoverable.get());
    }
}

/// MC-64: no assertion's counter is below that of the registration.
#[test]
fn counter_never_runs_backwards_from_registration() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        for _ in 0..5 {
            let made = key.make(&Request::make_credential().option("rk", rk));
            let mut last = made.auth_data.sign_count;
            for _ in 0..3 {
                let count = key.assertion_by(&made, &made.get()).auth_data.sign_count;
                assert!(count > last || (count, last) == (0, 0), "{count} after {last}");
                last = count;
            }
        }
    }
}

/// MC-10, GA-27: what is stored of an account with all its members comes back with UV.
#[test]
fn account_with_all_members_is_stored_whole() {
    let mut key = Key::fresh();
    key.make(&Request::make_credential_for("example.com", &[9; 64]).discoverable());
    let user = map([
        ("id", Value::from([8; 64])),
        ("name", "z\u{F6}e@example.com".into()),
        ("displayName", "Zo\u{EB} \u{1F511}".into()),
    ]);
    key.make(&Request::make_credential().discoverable().with(mc::USER, user.clone()));
    key.set_pin("1234");
    key.power_cycle();
    let token = key.token(Protocol::One, "1234", permission::GA, Some("example.com")).unwrap();
    let assertion = key.assertion(&Request::get_assertion("example.com").authorized(&token));
    assert_eq!(assertion.answer.get(4).encode(), user.encode());
}

//! Which algorithm a request gets, and what the owner's list changes.

use softkey_tests::key::{Setup, beyond_a_board};
use softkey_tests::request::{alg, algorithms, mc};
use softkey_tests::status::UNSUPPORTED_ALGORITHM;
use softkey_tests::{Key, Request};

use super::OTHER_ALGORITHM;

fn with_list(listed: &'static [i64]) -> Setup {
    Setup { algorithms: listed, ..Setup::default() }
}

fn naming(ids: &[i64]) -> Request {
    Request::make_credential().with(mc::PUB_KEY_CRED_PARAMS, algorithms(ids))
}

#[track_caller]
fn listed(key: &mut Key) -> Vec<i64> {
    key.info().0.get(10).items().iter().map(|entry| entry.get("alg").int()).collect()
}

/// The algorithm of the credential that this request makes.
#[track_caller]
fn made(key: &mut Key, ids: &[i64]) -> i64 {
    key.make(&naming(ids)).public_key().get(3).int()
}

/// ALG-01: the default list, in its order.
#[test]
fn default_list_is_the_one_promised() {
    beyond_a_board(OTHER_ALGORITHM);
    assert_eq!(listed(&mut Key::fresh()), [-7, -8, -35, -36, -47]);
}

/// ALG-07: a fully specified identifier is taken though it is not listed, wherever it stands, and the key carries
/// it.
#[test]
fn twins_are_accepted_though_not_listed() {
    beyond_a_board(OTHER_ALGORITHM);
    let mut key = Key::fresh();
    let twins = [alg::ESP256, alg::ED25519, alg::ESP384, alg::ESP512];
    assert!(listed(&mut key).iter().all(|id| !twins.contains(id)));
    for twin in twins {
        assert_eq!(made(&mut key, &[twin]), twin);
        assert_eq!(made(&mut key, &[twin, alg::ES256]), twin, "the order is the request's");
        assert_eq!(made(&mut key, &[alg::ES256, twin]), alg::ES256);
    }
}

/// ALG-08, MC-14: the first that is accepted, whatever the key would prefer.
#[test]
fn order_of_preference_is_the_callers() {
    beyond_a_board(OTHER_ALGORITHM);
    let mut key = Key::fresh();
    let mut order = [alg::ES256, alg::EDDSA, alg::ES384, alg::ES512, alg::ES256K];
    for _ in 0..order.len() {
        order.rotate_left(1);
        assert_eq!(made(&mut key, &order), order[0]);
    }
}

/// ALG-09: ML-DSA and RS256 are for those who ask for them at the key: a request that names one first gets what it
/// names next, and one that names nothing else is refused.
#[test]
fn what_is_not_switched_on_is_passed_over() {
    let mut key = Key::fresh();
    for id in [alg::ML_DSA_44, alg::ML_DSA_65, alg::ML_DSA_87, alg::RS256] {
        assert_eq!(made(&mut key, &[id, alg::ES256]), alg::ES256);
        assert_eq!(key.status(&naming(&[id])), UNSUPPORTED_ALGORITHM);
    }
}

/// ALG-09: where they are switched on they are taken in the request's order as others are.
#[test]
fn what_is_switched_on_is_taken() {
    let mut key = Key::new(with_list(&[alg::ES256, alg::ML_DSA_44, alg::RS256]));
    assert_eq!(made(&mut key, &[alg::ML_DSA_65, alg::ML_DSA_44, alg::ES256]), alg::ML_DSA_44);
    assert_eq!(made(&mut key, &[alg::RS256, alg::ES256]), alg::RS256);
    assert_eq!(made(&mut key, &[alg::ES256, alg::ML_DSA_44]), alg::ES256);
}

/// ALG-10: the owner's list is what getInfo shows, in its order, and nothing but it and its twins is taken.
#[test]
fn owners_list_decides() {
    let mut key = Key::new(with_list(&[alg::ES384, alg::EDDSA]));
    assert_eq!(listed(&mut key), [alg::ES384, alg::EDDSA]);
    for id in [alg::ES384, alg::ESP384, alg::EDDSA, alg::ED25519] {
        assert_eq!(made(&mut key, &[alg::ES256, id]), id);
    }
    for id in [alg::ES256, alg::ESP256, alg::ES512, alg::ES256K] {
        assert_eq!(key.status(&naming(&[id])), UNSUPPORTED_ALGORITHM);
    }
    let mut key = Key::new(with_list(&[alg::ESP256]));
    assert_eq!(listed(&mut key), [alg::ESP256]);
    assert_eq!(key.status(&naming(&[alg::ES256])), UNSUPPORTED_ALGORITHM);
}

/// ALG-11: a credential signs on when its algorithm is on the list no more.
#[test]
fn credentials_outlive_the_list() {
    for rk in [false, true] {
        let mut key = Key::new(with_list(&[alg::ES512]));
        let old = key.make(&naming(&[alg::ES512]).option("rk", rk));
        key.power_cycle_as(with_list(&[alg::ES256]));
        key.assertion_by(&old, &old.get());
        assert_eq!(key.status(&naming(&[alg::ES512])), UNSUPPORTED_ALGORITHM);
    }
}

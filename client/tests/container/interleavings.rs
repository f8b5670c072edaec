//! No interleaving of calls on one page settles a promise twice, leaks an active mark, or hands a credential to a wrong
//! origin; nor is another page than the provider's told of accounts, or heard about a relying party that is not its own. Get,
//! create and store of all types, `disconnect`, `getUserInfo` and signals, on a page, on its frames and on other pages of the
//! profile; answers of keys, of a provider and of a person that come at any time or when nobody asked; aborts, navigation and
//! the clock. A model foretells the marks and says what each page may be given; plants show that each part of the property can
//! fail.

mod keys;
mod pages;
mod pending;
mod play;
mod provider;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use softkey_client::CredentialType;

use self::keys::Touch;
use self::pending::{ASTRAY, LEAKED, TWICE};
use self::play::World;
use self::provider::Manner;

/// What happens next. A call that something happens to is told by its distance from the newest.
#[derive(Clone, Debug)]
enum Order {
    /// Passwords, federated credentials, codes, accounts at the provider: is it asked for?
    Get {
        types: [bool; 4],
        mediation: u8,
        page: usize,
    },
    /// For an account at the provider alone, where the others would not mix with it.
    Identity {
        active: bool,
        mediation: u8,
        page: usize,
    },
    /// For a public key.
    Key {
        create: bool,
        party: usize,
        mediation: u8,
        page: usize,
    },
    Create {
        federated: bool,
        page: usize,
    },
    /// Of what says that it is of this page's origin.
    Store {
        federated: bool,
        of: usize,
        page: usize,
    },
    Disconnect {
        page: usize,
    },
    /// The accounts of the person, for a frame of the provider's.
    UserInfo {
        page: usize,
    },
    /// Of a credential that nobody knows; the list of the relying party comes, if it is asked for, or does not.
    Signal {
        party: usize,
        page: usize,
        listed: bool,
    },
    Message(Option<usize>),
    Poll(usize),
    Answer(usize, u8),
    /// The provider answers, whether it was asked or not.
    Respond(usize, Manner),
    AtKey(usize, AtKey),
    List(usize, bool),
    GiveUp(usize),
    Abort(usize),
    Drop(usize),
    Navigate {
        page: usize,
        away: bool,
    },
    Click(usize),
    Login(bool),
    Pass(u16),
    PreventSilentAccess(usize),
}

/// What happens at the keys of a call.
#[derive(Clone, Copy, Debug)]
enum AtKey {
    Comes,
    Goes,
    NoMore,
    Answers(Touch),
    Unasked,
}

const MEDIATIONS: [&str; 4] = ["silent", "optional", "required", "conditional"];

fn page() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![6 => Just(0_usize), 3 => Just(pages::FRAME), 3 => 0..pages::PAGES.len()]
}

fn call() -> impl Strategy<Value = Order> {
    let mediation = || prop_oneof![1 => Just(0_u8), 4 => Just(1), 2 => Just(2), 1 => Just(3)];
    let alone = |at: usize| Just(core::array::from_fn(|other| other == at));
    let types = prop_oneof![
        2 => alone(0),
        2 => alone(1),
        6 => alone(2),
        2 => Just([true, true, false, false]),
        2 => any::<[bool; 4]>(),
    ];
    let party = prop_oneof![3 => Just(0_usize), 3 => 0..pages::PARTIES.len()];
    let provider = prop_oneof![4 => Just(pages::PROVIDER), 1 => page()];
    let of = prop_oneof![2 => Just(None), 1 => page().prop_map(Some)];
    prop_oneof![
        6 => (types, mediation(), page())
            .prop_map(|(types, mediation, page)| Order::Get { types, mediation, page }),
        6 => (prop::bool::weighted(0.3), mediation(), page())
            .prop_map(|(active, mediation, page)| Order::Identity { active, mediation, page }),
        6 => (any::<bool>(), party.clone(), mediation(), page()).prop_map(|(create, party, mediation, page)| {
            Order::Key { create, party, mediation, page }
        }),
        1 => (any::<bool>(), page()).prop_map(|(federated, page)| Order::Create { federated, page }),
        3 => (any::<bool>(), of, page()).prop_map(|(federated, of, page)| {
            Order::Store { federated, of: of.unwrap_or(page), page }
        }),
        1 => page().prop_map(|page| Order::Disconnect { page }),
        3 => provider.prop_map(|page| Order::UserInfo { page }),
        1 => (party, page(), any::<bool>()).prop_map(|(party, page, listed)| {
            Order::Signal { party, page, listed }
        }),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    let at = || prop_oneof![4 => Just(0_usize), 2 => Just(1), 1 => 2..8_usize];
    let answer = prop_oneof![5 => Just(0_u8), 3 => 1..7_u8];
    let manner = prop_oneof![
        8 => Just(Manner::Well),
        4 => Just(Manner::Once),
        2 => Just(Manner::GoOn),
        1 => Just(Manner::Refusing),
        1 => Just(Manner::Status(401)),
        1 => Just(Manner::Unreachable),
    ];
    let message = prop::option::weighted(0.4, 0..pages::MESSAGES.len());
    let status = prop::sample::select(vec![0x19_u8, 0x27, 0x2d, 0x2e]);
    let touch = prop_oneof![
        6 => Just(Touch::Well),
        3 => Just(Touch::Once),
        1 => Just(Touch::Astray),
        1 => status.prop_map(Touch::Status),
    ];
    let at_key = prop_oneof![
        5 => Just(AtKey::Comes),
        1 => Just(AtKey::Goes),
        1 => Just(AtKey::NoMore),
        8 => touch.prop_map(AtKey::Answers),
        1 => Just(AtKey::Unasked),
    ];
    prop_oneof![
        14 => call(),
        3 => message.prop_map(Order::Message),
        3 => at().prop_map(Order::Poll),
        9 => (at(), answer).prop_map(|(at, answer)| Order::Answer(at, answer)),
        10 => (at(), manner).prop_map(|(at, manner)| Order::Respond(at, manner)),
        12 => (at(), at_key).prop_map(|(at, what)| Order::AtKey(at, what)),
        2 => (at(), prop::bool::weighted(0.8)).prop_map(|(at, there)| Order::List(at, there)),
        1 => at().prop_map(Order::GiveUp),
        1 => at().prop_map(Order::Abort),
        1 => at().prop_map(Order::Drop),
        1 => (page(), prop::bool::weighted(0.4)).prop_map(|(page, away)| Order::Navigate { page, away }),
        2 => page().prop_map(Order::Click),
        1 => any::<bool>().prop_map(Order::Login),
        1 => (0..400_u16).prop_map(Order::Pass),
        1 => page().prop_map(Order::PreventSilentAccess),
    ]
}

fn orders() -> impl Strategy<Value = Vec<Order>> {
    proptest::collection::vec(order(), 0..100)
}

/// What is planted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plant {
    Nothing,
    /// A password whose kept origin is not where it came from.
    ForeignPassword,
    /// A token for another page, as if answers were brought to the wrong one.
    ForeignToken,
    /// What a page stores is kept for whatever origin it says.
    ForeignStore,
    /// Accounts that another page than the provider's hears of.
    ForeignInfo,
    /// A signal that counts as another page's.
    ForeignSignal,
    /// A frame's call for this type is taken for one of the page around it.
    TopForFrame(CredentialType),
    /// A call of this number in the list of those at the end that is never let go.
    Forgotten(usize),
    /// A promise for this type whose settlement is brought twice.
    SettledTwice(CredentialType),
}

/// The world at the end, with what was given on the way.
fn check(orders: &[Order], plant: Plant) -> World {
    let mut world = World::new(plant);
    for order in orders {
        world.play(order);
    }
    world.end();
    world
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_interleaving_is_safe(orders in orders()) {
        check(&orders, Plant::Nothing);
    }
}

fn runner() -> TestRunner {
    let config = Config { failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Is it found, and as a breach of this part of the property?
fn is_found(plant: Plant, part: &str) -> bool {
    let result = runner().run(&orders(), |orders| {
        let played = catch_unwind(AssertUnwindSafe(|| check(&orders, plant)));
        let said = played.err().and_then(|said| said.downcast::<String>().ok());
        prop_assert!(!said.is_some_and(|said| said.contains(part)));
        Ok(())
    });
    result.is_err()
}

/// Planted: a promise that is settled twice, of each type.
#[test]
fn a_promise_that_is_settled_twice_is_found() {
    for kind in CredentialType::ALL {
        assert!(is_found(Plant::SettledTwice(kind), TWICE), "{kind:?}");
    }
}

/// Planted: a call that keeps its mark, of each type and of store.
#[test]
fn a_mark_that_leaks_is_found() {
    for which in 0..play::calls().len() {
        assert!(is_found(Plant::Forgotten(which), LEAKED), "{which}");
    }
}

/// Planted: what a page must not have, by each way to it.
#[test]
fn a_credential_that_goes_astray_is_found() {
    for plant in [
        Plant::ForeignPassword,
        Plant::ForeignToken,
        Plant::ForeignStore,
        Plant::ForeignInfo,
        Plant::ForeignSignal,
        Plant::TopForFrame(CredentialType::Password),
        Plant::TopForFrame(CredentialType::Federated),
        Plant::TopForFrame(CredentialType::Identity),
        Plant::TopForFrame(CredentialType::Otp),
        Plant::TopForFrame(CredentialType::PublicKey),
    ] {
        assert!(is_found(plant, ASTRAY), "{plant:?}");
    }
}

/// Enough of the interleavings give a credential of each type for the property to say something about it, to frames too where
/// these may have it; and accounts are told, and signals heard.
#[test]
fn interleavings_come_to_their_end() {
    let all = RefCell::new(BTreeMap::<_, u32>::new());
    let heard = RefCell::new(BTreeMap::<_, u32>::new());
    runner()
        .run(&orders(), |orders| {
            let world = check(&orders, Plant::Nothing);
            for (what, count) in world.given {
                *all.borrow_mut().entry(what).or_default() += count;
            }
            for (what, count) in world.heard {
                *heard.borrow_mut().entry(what).or_default() += count;
            }
            Ok(())
        })
        .unwrap();
    let all = all.into_inner();
    for kind in CredentialType::ALL {
        for framed in [false, true] {
            let count = all.get(&(kind, framed)).copied().unwrap_or_default();
            assert!(count >= 5, "{kind:?}, {framed}: {count} of {all:?}");
        }
    }
    let heard = heard.into_inner();
    assert!(heard.len() == 2 && heard.values().all(|count| *count >= 5), "{heard:?}");
}

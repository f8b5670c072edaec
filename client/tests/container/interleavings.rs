//! No interleaving of calls on one page settles a promise twice, leaks an active mark, or hands a credential to a wrong
//! origin. A model foretells the marks; two plants show that the property can fail.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use softkey_client::{
    AbortController, Answer, Cause, Credential, CredentialRequestOptions, CredentialType, Output,
    Page, Profile, Request,
};

use crate::world::*;

#[derive(Clone, Debug)]
enum Order {
    Get { password: bool, federated: bool, otp: bool, mediation: u8 },
    Store { federated: bool },
    Message { own: bool },
    Poll(usize),
    Answer(usize, u8),
    Abort(usize),
    Drop(usize),
    PreventSilentAccess,
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        3 => (any::<[bool; 3]>(), 0..4_u8).prop_map(|([password, federated, otp], mediation)| {
            Order::Get { password, federated, otp, mediation }
        }),
        2 => any::<bool>().prop_map(|federated| Order::Store { federated }),
        2 => any::<bool>().prop_map(|own| Order::Message { own }),
        4 => (0..8_usize).prop_map(Order::Poll),
        4 => (0..8_usize, 0..4_u8).prop_map(|(at, answer)| Order::Answer(at, answer)),
        1 => (0..8_usize).prop_map(Order::Abort),
        1 => (0..8_usize).prop_map(Order::Drop),
        1 => Just(Order::PreventSilentAccess),
    ]
}

struct Pending {
    request: Request,
    types: Vec<CredentialType>,
    controller: AbortController,
    settled: u32,
}

struct World {
    page: Page,
    pending: Vec<Pending>,
}

/// What is planted: a credential whose kept origin is not where it came from.
#[derive(Clone, Copy, PartialEq)]
enum Plant {
    Nothing,
    ForeignPassword,
    ForgottenMark,
}

impl World {
    fn new(plant: Plant) -> Self {
        let profile = Profile::new();
        for (id, origin) in [("ada", ORIGIN), ("eve", "https://evil.example")] {
            let planted = plant == Plant::ForeignPassword && id == "eve";
            profile.keep(&password(id, if planted { ORIGIN } else { origin }, "x"));
        }
        profile.keep(&federated("ada", "https://idp.example", None));
        profile.set_prevent_silent_access(ORIGIN, false);
        Self { page: Page::new(&profile, ORIGIN), pending: Vec::new() }
    }

    /// The types that must be marked: those of calls that are not settled.
    fn marked(&self) -> BTreeSet<CredentialType> {
        let open = self.pending.iter().filter(|pending| !pending.request.is_settled());
        open.flat_map(|pending| pending.types.clone()).collect()
    }

    fn call(
        &mut self,
        types: Vec<CredentialType>,
        controller: AbortController,
        make: impl FnOnce(&mut Page) -> Request,
    ) {
        let busy = types.iter().any(|kind| self.marked().contains(kind));
        let request = make(&mut self.page);
        let mut pending = Pending { request, types, controller, settled: 0 };
        if busy {
            let Some(Output::Settled(Err(rejection))) = pending.request.poll_output(NOW) else {
                panic!("a type is active twice")
            };
            let names = [DOES_NOT_MIX, ACTIVE, OTHERWISE];
            assert!(names.iter().any(|fits| fits(&rejection.cause)), "{rejection:?}");
            pending.settled += 1;
        }
        self.pending.push(pending);
    }

    fn take(&mut self, at: usize) {
        let Some(pending) = self.pending.get_mut(at) else { return };
        while let Some(output) = pending.request.poll_output(NOW) {
            let Output::Settled(result) = output else { continue };
            pending.settled += 1;
            assert_eq!(pending.settled, 1, "a promise is settled once");
            match result {
                Ok(Some(Credential::Password(given))) => assert_eq!(given.id(), "ada"),
                Ok(Some(Credential::Otp(given))) => assert_eq!(given.code().expose(), "1"),
                _ => {}
            }
        }
    }

    fn play(&mut self, order: &Order) {
        match *order {
            Order::Get { password, federated, otp, mediation } => {
                self.get(password, federated, otp, mediation);
            }
            Order::Store { federated: true } => {
                let credential = federated_new();
                self.call(vec![CredentialType::Federated], AbortController::new(), |page| {
                    store(page, credential)
                });
            }
            Order::Store { federated: false } => {
                let credential = password("ada", ORIGIN, "y");
                self.call(vec![CredentialType::Password], AbortController::new(), |page| {
                    store(page, credential)
                });
            }
            Order::Message { own } => {
                let host = if own { "@account.example.com #1" } else { "@evil.example #2" };
                self.page.profile().inbox().push(host);
            }
            Order::Poll(at) => self.take(at),
            Order::Answer(at, answer) => {
                let Some(pending) = self.pending.get_mut(at) else { return };
                let answer =
                    [chosen(0), Answer::Yes, Answer::No, chosen(1)][usize::from(answer)].clone();
                pending.request.handle_answer(NOW, answer);
                self.take(at);
            }
            Order::Abort(at) => {
                let Some(pending) = self.pending.get_mut(at) else { return };
                pending.controller.abort();
                self.take(at);
            }
            Order::Drop(at) => {
                if at < self.pending.len() {
                    self.pending.remove(at);
                }
            }
            Order::PreventSilentAccess => self.page.credentials().prevent_silent_access().unwrap(),
        }
    }

    fn get(&mut self, password: bool, federated: bool, otp: bool, mediation: u8) {
        let mediation = ["silent", "optional", "required", "conditional"][usize::from(mediation)];
        let mut options = json!({"password": password, "mediation": mediation});
        if federated {
            options["federated"] = json!({});
        }
        if otp {
            options["otp"] = json!({"transport": ["sms"]});
        }
        let kinds = [
            (password, CredentialType::Password),
            (federated, CredentialType::Federated),
            (otp, CredentialType::Otp),
        ];
        let types = kinds.into_iter().filter(|(there, _)| *there).map(|(_, kind)| kind).collect();
        let controller = AbortController::new();
        let mut options = CredentialRequestOptions::from_json(&options.to_string()).unwrap();
        options.signal = Some(controller.signal());
        self.call(types, controller, |page| page.credentials().get(NOW, options, entropy()));
    }

    /// When all is over, every type can be asked for again.
    fn end(&mut self, plant: Plant) {
        let kept = (plant == Plant::ForgottenMark)
            .then(|| get(&mut self.page, &json!({"otp": {"transport": ["sms"]}})));
        self.pending.clear();
        for asked in
            [json!({"password": true, "federated": {}}), json!({"otp": {"transport": ["sms"]}})]
        {
            let mut request = get(&mut self.page, &asked);
            let output = request.poll_output(NOW);
            assert!(!matches!(output, Some(Output::Settled(Err(_)))), "a mark leaked: {output:?}");
        }
        drop(kept);
    }
}

const DOES_NOT_MIX: fn(&Cause) -> bool = |cause| matches!(cause, Cause::TypesDoNotMix(..));
const ACTIVE: fn(&Cause) -> bool = |cause| matches!(cause, Cause::TypeActive(_));
const OTHERWISE: fn(&Cause) -> bool = |cause| matches!(cause, Cause::NotConditional(_));

fn federated_new() -> Credential {
    federated("bob", "https://idp.example", None)
}

fn check(orders: &[Order], plant: Plant) {
    let mut world = World::new(plant);
    for order in orders {
        world.play(order);
    }
    for at in 0..world.pending.len() {
        world.take(at);
    }
    world.end(plant);
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_interleaving_is_safe(orders in proptest::collection::vec(order(), 0..40)) {
        check(&orders, Plant::Nothing);
    }
}

fn is_found(plant: Plant) -> bool {
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let orders = proptest::collection::vec(order(), 0..40);
    let result = runner.run(&orders, |orders| {
        let played = std::panic::catch_unwind(|| check(&orders, plant));
        prop_assert!(played.is_ok());
        Ok(())
    });
    result.is_err()
}

/// Planted faults are found.
#[test]
fn a_foreign_password_and_a_forgotten_mark_are_found() {
    assert!(is_found(Plant::ForeignPassword));
    assert!(is_found(Plant::ForgottenMark));
}

//! The sans-IO side: the time limit, withdrawals, late and unasked answers, aborts, and the asynchronous driver.

use std::time::Duration;

use serde_json::json;
use softkey_client::fedcm::{Endpoint, Failure, Unoffered};
use softkey_client::{
    AbortController, AbortReason, Answer, Cause, DomException, FetchFault, FetchRequest, Output,
    Request,
};
use softkey_ctap::Instant;

use crate::world::*;

fn sent(request: &mut Request, now: Instant) -> FetchRequest {
    match request.poll_output(now) {
        Some(Output::Send(sent)) => sent,
        other => panic!("{other:?} instead of a request"),
    }
}

fn settled(request: &mut Request, now: Instant) -> Outcome {
    match request.poll_output(now) {
        Some(Output::Settled(result)) => {
            assert!(request.is_finished());
            assert_eq!(request.poll_output(now), None, "settled once");
            result
                .map(|credential| credential.map(|credential| credential.to_json()))
                .map_err(|rejection| (rejection.exception, rejection.cause))
        }
        other => panic!("{other:?} instead of a settled promise"),
    }
}

/// Section 4.2: the machine itself gives up after 60 seconds, withdraws what it sent, and passes on.
#[test]
fn the_clock_ends_a_wait() {
    let mut world = World::new();
    let now = world.now;
    let mut request = world.begin(&identity());
    assert_eq!(sent(&mut request, now).url, WELL_KNOWN);
    let end = now + Duration::from_mins(1);
    assert_eq!((request.poll_timeout(), request.is_stalled()), (Some(end), false));
    request.handle_timeout(now + Duration::from_secs(59));
    assert_eq!(request.poll_output(now + Duration::from_secs(59)), None);
    request.handle_timeout(end);
    assert_eq!(request.poll_output(end), Some(Output::Withdraw));
    assert_eq!(sent(&mut request, end).url, CONFIG, "the config file is asked for all the same");
    request.handle_response(end, Err(FetchFault::TimedOut));
    let late = Unoffered::Late(Endpoint::Config, Duration::from_mins(1));
    let expected = network(Failure::NothingToOffer(vec![(CONFIG.into(), late)]));
    assert_eq!(settled(&mut request, end), expected);
}

/// An answer that arrives when the time is over has not arrived.
#[test]
fn an_answer_after_the_limit_is_none() {
    let mut world = World::new();
    world.page.profile().set(|settings| settings.fed_cm.time_limit = 5_000);
    let mut request = world.begin(&identity());
    let end = world.now + Duration::from_secs(5);
    for expected in [WELL_KNOWN, CONFIG] {
        assert_eq!(sent(&mut request, world.now).time_limit, Duration::from_secs(5), "{expected}");
        let response = world.servers.routes_for(expected);
        request.handle_response(world.now, response);
    }
    assert_eq!(sent(&mut request, world.now).url, ACCOUNTS);
    let response = world.servers.routes_for(ACCOUNTS);
    request.handle_response(end, response);
    let late = Unoffered::Late(Endpoint::Accounts, Duration::from_secs(5));
    let expected = network(Failure::NothingToOffer(vec![(CONFIG.into(), late)]));
    assert_eq!(settled(&mut request, end), expected);
}

/// What nobody asked for is nothing: answers for responses, responses for answers, twice, afterwards.
#[test]
fn unasked_answers_are_ignored() {
    let mut world = World::new();
    let now = world.now;
    let mut request = world.begin(&identity());
    let reply = |world: &World, request: &mut Request, url: &str| {
        request.handle_response(now, world.servers.routes_for(url));
    };
    reply(&world, &mut request, CONFIG);
    assert_eq!(sent(&mut request, now).url, WELL_KNOWN);
    request.handle_answer(now, choice(0));
    assert_eq!(request.poll_output(now), None);
    reply(&world, &mut request, WELL_KNOWN);
    assert_eq!(sent(&mut request, now).url, CONFIG);
    reply(&world, &mut request, CONFIG);
    assert_eq!(sent(&mut request, now).url, ACCOUNTS);
    reply(&world, &mut request, ACCOUNTS);
    let _metadata = sent(&mut request, now);
    reply(&world, &mut request, METADATA);
    assert!(matches!(request.poll_output(now), Some(Output::Ask(_))));
    reply(&world, &mut request, METADATA);
    assert_eq!(request.poll_output(now), None, "still asked");
    request.handle_answer(now, choice(0));
    assert_eq!(sent(&mut request, now).url, ASSERT);
    request.handle_answer(now, Answer::No);
    reply(&world, &mut request, ASSERT);
    assert_eq!(token(settled(&mut request, now)), "a token");
    reply(&world, &mut request, ASSERT);
    assert_eq!(request.poll_output(now), None);
}

/// Section 4: an abort withdraws what is under way and rejects with its reason; afterwards the page may call again.
#[test]
fn an_abort_withdraws() {
    let controller = AbortController::new();
    let mut world = World::new();
    let now = world.now;
    let begin = |world: &mut World| {
        let text = identity().to_string();
        let mut options = softkey_client::CredentialRequestOptions::from_json(&text).unwrap();
        options.signal = Some(controller.signal());
        let entropy = softkey_client::Entropy::from_seed(&softkey_ctap::Secret::new([7; 32]));
        world.page.credentials().get(now, options, entropy)
    };
    let mut request = begin(&mut world);
    sent(&mut request, now);
    controller.abort_with(AbortReason::Value(json!("enough")));
    assert_eq!(request.poll_output(now), Some(Output::Withdraw));
    let aborted = Cause::Aborted(AbortReason::Value(json!("enough")));
    assert_eq!(settled(&mut request, now), Err((DomException::AbortError, aborted)));
    assert_eq!(token(world.get(&identity())), "a token");
}

/// The person gives the call up.
#[test]
fn a_call_is_given_up() {
    let mut world = World::new();
    let now = world.now;
    let mut request = world.begin(&identity());
    sent(&mut request, now);
    request.give_up(now);
    assert_eq!(request.poll_output(now), Some(Output::Withdraw));
    let expected = Err((DomException::NotAllowedError, Cause::Cancelled));
    assert_eq!(settled(&mut request, now), expected);
}

mod with_futures {
    use std::future::{Future, ready};
    use std::pin::pin;
    use std::sync::Mutex;
    use std::task::{Context, Poll, Waker};

    use softkey_client::asynchronous::{Message, Surroundings, Work, settle};
    use softkey_client::{Account, FetchResponse, KeyId, PinNeed, Question, Reach};
    use zeroize::Zeroizing;

    use super::*;

    /// A world behind futures; its clock goes on when somebody sleeps.
    struct Futures {
        world: Mutex<World>,
        /// A server that never answers.
        hangs: Option<&'static str>,
    }

    impl Surroundings for Futures {
        fn now(&self) -> Instant {
            self.world.lock().unwrap().now
        }

        fn sleep_until(&self, at: Instant) -> Work<()> {
            let mut world = self.world.lock().unwrap();
            world.now = world.now.max(at);
            Box::pin(ready(()))
        }

        fn exchange(&self, _: KeyId, _: Message) -> Work<Option<Vec<u8>>> {
            panic!("there is no key")
        }

        fn cancel(&self, _: KeyId) {}

        fn pin(&self, _: PinNeed) -> Work<Option<Zeroizing<String>>> {
            panic!("there is no key")
        }

        fn account(&self, _: Vec<Account>) -> Work<Option<usize>> {
            panic!("there is no key")
        }

        fn answer(&self, _: Question) -> Work<Answer> {
            Box::pin(ready(choice(0)))
        }

        fn send(&self, request: FetchRequest) -> Work<Result<FetchResponse, FetchFault>> {
            if self.hangs.is_some_and(|url| request.url.starts_with(url)) {
                return Box::pin(std::future::pending());
            }
            let url = request.url.split('?').next().unwrap();
            Box::pin(ready(self.world.lock().unwrap().servers.routes_for(url)))
        }
    }

    fn run(hangs: Option<&'static str>) -> Outcome {
        let mut world = World::new();
        let request = world.begin(&identity());
        let futures = Futures { world: Mutex::new(world), hangs };
        let keys: [(KeyId, Reach); 0] = [];
        let mut future = pin!(settle(request, keys, &futures));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..10_000 {
            if let Poll::Ready(settlement) = future.as_mut().poll(&mut context) {
                let credential = settlement.into_result();
                return credential
                    .map(|credential| credential.map(|credential| credential.to_json()))
                    .map_err(|rejection| (rejection.exception, rejection.cause));
            }
        }
        panic!("it never ends")
    }

    #[test]
    fn the_asynchronous_driver_carries_it_too() {
        assert_eq!(token(run(None)), "a token");
    }

    /// A server that never answers is given up by the clock, and its future dropped.
    #[test]
    fn a_future_that_never_completes_is_dropped() {
        let late = Unoffered::Late(Endpoint::Accounts, Duration::from_mins(1));
        let expected = network(Failure::NothingToOffer(vec![(CONFIG.into(), late)]));
        assert_eq!(run(Some(ACCOUNTS)), expected);
    }
}

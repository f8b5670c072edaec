//! The asynchronous driver of a [`Request`]: any number of keys and one person, with the futures of the standard library
//! and no runtime. What wakes them is the owner's, as are the clock and the way to the keys.

#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use softkey_ctap::Instant;
use zeroize::Zeroizing;

use crate::ceremony::{Account, Input, Need, PinNeed, Progress};
use crate::fetch::{FetchFault, FetchRequest, FetchResponse};
use crate::question::{Answer, Question};
use crate::related::Fetched;
use crate::request::{KeyId, Output, Request};
use crate::session::Reach;
use crate::settlement::Settlement;

/// A future of the owner's. It borrows nothing, so that several can be under way.
pub type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is sent to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A CTAP2 request: the command byte and its parameters.
    Cbor(Vec<u8>),
    /// An APDU in extended form.
    Msg(Vec<u8>),
}

/// What the driver stands on.
pub trait Surroundings {
    /// The clock.
    fn now(&self) -> Instant;

    /// Completes when the clock stands so.
    fn sleep_until(&self, at: Instant) -> Work<()>;

    /// Completes with the key's answer, or with nothing once the key is gone.
    fn exchange(&self, key: KeyId, message: Message) -> Work<Option<Vec<u8>>>;

    /// Has the key give up the CTAP2 request that it has in work; its answer still comes from [`Self::exchange`].
    fn cancel(&self, key: KeyId);

    /// Asks the person for the PIN; nothing gives up.
    fn pin(&self, need: PinNeed) -> Work<Option<Zeroizing<String>>>;

    /// Asks the person for one of the accounts, as an index of the list; nothing gives up.
    fn account(&self, accounts: Vec<Account>) -> Work<Option<usize>>;

    /// Puts a question to the person that no key asks, such as which password the page is to get.
    fn answer(&self, question: Question) -> Work<Answer> {
        let _ = question;
        Box::pin(std::future::ready(Answer::No))
    }

    /// Tells the person how far a long ceremony is.
    fn sees(&self, progress: Progress) {
        let _ = progress;
    }

    /// Answers a GET of a URL, without cookies and referrer and without following redirects; nothing if that fails.
    fn fetch(&self, url: String) -> Work<Option<Fetched>> {
        let _ = url;
        Box::pin(std::future::ready(None))
    }

    /// Sends a request, without adding or following anything; without it servers are as if the network were down.
    fn send(&self, request: FetchRequest) -> Work<Result<FetchResponse, FetchFault>> {
        let _ = request;
        Box::pin(std::future::ready(Err(FetchFault::Unreachable)))
    }

    /// Has the person given the whole call up? Asked whenever something happens, and each 100 ms.
    fn gave_up(&self) -> bool {
        false
    }
}

/// How long nothing may happen before signals and the person are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Carries a request to its end: until the promise is settled and every key that was cancelled has answered.
///
/// Dropping the future leaves what keys have in work to their owner.
pub async fn settle(
    mut request: Request,
    keys: impl IntoIterator<Item = (KeyId, Reach)>,
    surroundings: &impl Surroundings,
) -> Settlement {
    let mut settlement = Settlement::default();
    let mut under_way = UnderWay::default();
    let now = surroundings.now();
    for (key, reach) in keys {
        request.add_key(now, key, reach);
    }
    request.no_more_keys(now);
    loop {
        while let Some(output) = request.poll_output(surroundings.now()) {
            match output {
                Output::Needs { key, need } => under_way.begin(surroundings, key, need),
                Output::Cancel { key } => under_way.cancel(surroundings, key),
                Output::Fetch { url } => under_way.fetch(surroundings.fetch(url)),
                Output::Send(sent) => under_way.send(surroundings.send(sent)),
                Output::Ask(question) => under_way.ask(surroundings.answer(question)),
                Output::Withdraw => under_way.withdraw(),
                Output::Settled(result) => settlement.promise = Some(result),
                Output::Late { key, credential } => settlement.late.push((key, credential)),
            }
        }
        if request.is_finished() || request.is_stalled() {
            return settlement;
        }
        let tick = surroundings.now() + TICK;
        let due = request.poll_timeout().map_or(tick, |due| due.min(tick));
        let event = under_way.next(surroundings.sleep_until(due)).await;
        let now = surroundings.now();
        match event {
            Event::Brought(key, input) => request.handle_input(now, key, input),
            Event::Gone(key) => request.remove_key(now, key),
            Event::Fetched(fetched) => request.handle_fetched(now, fetched.as_ref()),
            Event::Responded(response) => request.handle_response(now, response),
            Event::Answered(answer) => request.handle_answer(now, answer),
            Event::Time => request.handle_timeout(now),
        }
        if surroundings.gave_up() {
            request.give_up(now);
        }
    }
}

enum Event {
    Brought(KeyId, Input),
    Gone(KeyId),
    Fetched(Option<Fetched>),
    Responded(Result<FetchResponse, FetchFault>),
    Answered(Answer),
    Time,
}

/// What the owner was asked for and has not brought yet.
#[derive(Default)]
struct UnderWay(Vec<Job>);

struct Job {
    whose: Whose,
    work: Work<Event>,
}

/// Who waits for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The ceremony of this key, for an answer of the key's, which comes though it was cancelled.
    Key,
    /// The ceremony of this key, for something of the person's.
    Person(KeyId),
    /// The call itself, for what it fetches.
    Fetch,
    /// The call itself, for an answer of the person's or a server's, which can be withdrawn.
    Question,
}

impl UnderWay {
    fn begin(&mut self, surroundings: &impl Surroundings, key: KeyId, need: Need) {
        let or_cancel = |input: Option<Input>| input.unwrap_or(Input::Cancel);
        let (whose, work): (Whose, Work<Event>) = match need {
            Need::Cbor(message) => {
                (Whose::Key, answered(key, surroundings.exchange(key, Message::Cbor(message))))
            }
            Need::Msg(apdu) => {
                (Whose::Key, answered(key, surroundings.exchange(key, Message::Msg(apdu))))
            }
            Need::Touch(time) => {
                let pause = surroundings.sleep_until(surroundings.now() + time);
                (
                    Whose::Person(key),
                    Box::pin(async move {
                        pause.await;
                        Event::Brought(key, Input::Passed)
                    }),
                )
            }
            Need::Pin(need) => {
                let pin = surroundings.pin(need);
                (
                    Whose::Person(key),
                    Box::pin(
                        async move { Event::Brought(key, or_cancel(pin.await.map(Input::Pin))) },
                    ),
                )
            }
            Need::Seen(progress) => {
                surroundings.sees(progress);
                (
                    Whose::Person(key),
                    Box::pin(std::future::ready(Event::Brought(key, Input::Passed))),
                )
            }
            Need::Account(accounts) => {
                let account = surroundings.account(accounts);
                (
                    Whose::Person(key),
                    Box::pin(async move {
                        Event::Brought(key, or_cancel(account.await.map(Input::Account)))
                    }),
                )
            }
        };
        self.0.push(Job { whose, work });
    }

    /// What a person would have brought for this key is no longer wanted.
    fn cancel(&mut self, surroundings: &impl Surroundings, key: KeyId) {
        self.0.retain(|job| job.whose != Whose::Person(key));
        surroundings.cancel(key);
    }

    fn fetch(&mut self, fetched: Work<Option<Fetched>>) {
        let work = Box::pin(async move { Event::Fetched(fetched.await) });
        self.0.push(Job { whose: Whose::Fetch, work });
    }

    fn ask(&mut self, answer: Work<Answer>) {
        let work = Box::pin(async move { Event::Answered(answer.await) });
        self.0.push(Job { whose: Whose::Question, work });
    }

    fn send(&mut self, response: Work<Result<FetchResponse, FetchFault>>) {
        let work = Box::pin(async move { Event::Responded(response.await) });
        self.0.push(Job { whose: Whose::Question, work });
    }

    /// What the person or a server would have answered is no longer wanted.
    fn withdraw(&mut self) {
        self.0.retain(|job| job.whose != Whose::Question);
    }

    /// The first thing that is brought, or the time.
    async fn next(&mut self, mut time: Work<()>) -> Event {
        poll_fn(|context| {
            let mut ready = None;
            for (index, job) in self.0.iter_mut().enumerate() {
                if let Poll::Ready(event) = job.work.as_mut().poll(context) {
                    ready = Some((index, event));
                    break;
                }
            }
            if let Some((index, event)) = ready {
                drop(self.0.remove(index));
                return Poll::Ready(event);
            }
            time.as_mut().poll(context).map(|()| Event::Time)
        })
        .await
    }
}

fn answered(key: KeyId, exchange: Work<Option<Vec<u8>>>) -> Work<Event> {
    Box::pin(async move {
        match exchange.await {
            Some(answer) => Event::Brought(key, Input::Response(answer)),
            None => Event::Gone(key),
        }
    })
}

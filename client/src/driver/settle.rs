//! The blocking driver of a [`Request`]: any number of keys, each at the end of an open CTAPHID connection, and
//! one person.

use std::time::Duration;

use softkey_ctap::Instant;
use softkey_ctap_hid::{Command, Connection, ConnectionError, HostError, HostEvent, Transport};

use super::{User, reach, waits};
use crate::ceremony::{Input, Need};
use crate::driver::Waits;
use crate::fetch::FetchFault;
use crate::related::Fetched;
use crate::request::{KeyId, Output, Request};
use crate::session::Reach;
use crate::settlement::Settlement;

/// How long one key may keep the driver from looking at the others.
const TURN: Duration = Duration::from_millis(10);

/// Several keys and the clock that they share: the time since they were put together, as their wires have it.
/// Wires in memory, each with a clock of its own, are kept within 10 ms of each other.
pub struct Keys<W: Transport> {
    ports: Vec<Port<W>>,
    fetch: Option<Box<Fetch>>,
    http: Option<Box<dyn crate::Fetch + Send>>,
    now: Instant,
}

/// Answers a GET of a URL, without cookies and referrer and without following redirects; nothing if that fails.
pub type Fetch = dyn FnMut(&str) -> Option<Fetched> + Send;

struct Port<W: Transport> {
    connection: Connection<W>,
    /// What its clock said when the common one said `offset`.
    began: Instant,
    offset: Instant,
    reach: Reach,
    waiting: Waiting,
    gone: Option<ConnectionError<W::Error>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Nothing,
    Answer,
    Until(Instant),
}

impl<W: Transport> Keys<W> {
    /// The keys that are there. The first is [`KeyId`] 0, and so on.
    pub fn new(connections: impl IntoIterator<Item = Connection<W>>) -> Self {
        let mut keys = Self { ports: Vec::new(), fetch: None, http: None, now: Instant::default() };
        for connection in connections {
            keys.add(connection);
        }
        keys
    }

    /// One more key.
    pub fn add(&mut self, mut connection: Connection<W>) -> KeyId {
        let began = connection.transport_mut().now();
        let (reach, offset) = (reach(&connection), self.now);
        let (waiting, gone) = (Waiting::Nothing, None);
        self.ports.push(Port { connection, began, offset, reach, waiting, gone });
        KeyId(u32::try_from(self.ports.len() - 1).unwrap_or(u32::MAX))
    }

    /// A key's connection.
    pub fn connection_mut(&mut self, key: KeyId) -> Option<&mut Connection<W>> {
        self.port(key).map(|port| &mut port.connection)
    }

    /// The protocols that are used with a key.
    #[must_use]
    pub fn reach(&self, key: KeyId) -> Option<Reach> {
        self.ports.get(usize::try_from(key.0).ok()?).map(|port| port.reach)
    }

    /// Uses only these protocols with a key, as if it spoke no others.
    pub fn set_reach(&mut self, key: KeyId, reach: Reach) {
        if let Some(port) = self.port(key) {
            port.reach = reach;
        }
    }

    /// Lets lists of related origins be fetched; without it they are as if the network were down.
    pub fn set_fetch(&mut self, fetch: impl FnMut(&str) -> Option<Fetched> + Send + 'static) {
        self.fetch = Some(Box::new(fetch));
    }

    /// Fetches a list of related origins, or where it leads on; nothing if that fails, or if nobody was named who fetches.
    pub fn fetch(&mut self, url: &str) -> Option<Fetched> {
        self.fetch.as_mut().and_then(|fetch| fetch(url))
    }

    /// Lets identity providers be asked; without it they are as if the network were down.
    pub fn set_http(&mut self, http: impl crate::Fetch + Send + 'static) {
        self.http = Some(Box::new(http));
    }

    /// The common clock.
    pub fn now(&mut self) -> Instant {
        let clocks = self.ports.iter_mut().map(Port::now);
        self.now = clocks.max().unwrap_or(self.now).max(self.now);
        self.now
    }

    /// What broke the way to a key during the last request, if something did.
    pub fn take_failure(&mut self, key: KeyId) -> Option<ConnectionError<W::Error>> {
        self.port(key)?.gone.take()
    }

    /// Carries a request to its end: until the promise is settled and every key that was cancelled has
    /// answered.
    pub fn settle(&mut self, mut request: Request, user: &mut dyn User) -> Settlement {
        let mut settlement = Settlement::default();
        let now = self.now();
        for (key, port) in (0..).map(KeyId).zip(&mut self.ports) {
            port.gone = None;
            port.waiting = Waiting::Nothing;
            request.add_key(now, key, port.reach);
        }
        request.no_more_keys(now);
        loop {
            while let Some(output) = request.poll_output(self.now()) {
                match output {
                    Output::Needs { key, need } => self.bring(&mut request, user, key, need),
                    Output::Cancel { key } => self.cancel(&mut request, key),
                    Output::Fetch { url } => {
                        let fetched = self.fetch(&url);
                        request.handle_fetched(self.now(), fetched.as_ref());
                    }
                    Output::Send(sent) => {
                        let unreachable = Err(FetchFault::Unreachable);
                        let response =
                            self.http.as_mut().map_or(unreachable, |http| http.fetch(&sent));
                        request.handle_response(self.now(), response);
                    }
                    Output::Ask(question) => {
                        let answer = user.answer(&question);
                        request.handle_answer(self.now(), answer);
                    }
                    // What was asked was answered before anything else could happen.
                    Output::Withdraw => {}
                    Output::Settled(result) => settlement.promise = Some(result),
                    Output::Late { key, credential } => settlement.late.push((key, credential)),
                }
            }
            if request.is_finished() || request.is_stalled() {
                return settlement;
            }
            self.wait(&mut request, user);
        }
    }

    fn bring(&mut self, request: &mut Request, user: &mut dyn User, key: KeyId, need: Need) {
        let now = self.now();
        let input = match need {
            Need::Cbor(message) => return self.send(request, key, Command::CBOR, &message),
            Need::Msg(apdu) => return self.send(request, key, Command::MSG, &apdu),
            Need::Touch(time) => {
                if let Some(port) = self.port(key) {
                    port.waiting = Waiting::Until(now + time);
                }
                if user.waits(Waits::Touch).is_break() {
                    request.give_up(now);
                }
                return;
            }
            Need::Pin(ask) => user.pin(ask).map(Input::Pin),
            Need::Account(accounts) => user.account(&accounts).map(Input::Account),
            Need::Seen(progress) => {
                user.sees(progress);
                Some(Input::Passed)
            }
        };
        request.handle_input(self.now(), key, input.unwrap_or(Input::Cancel));
    }

    fn send(&mut self, request: &mut Request, key: KeyId, command: Command, message: &[u8]) {
        let Some(port) = self.port(key) else { return };
        port.waiting = Waiting::Answer;
        let sent = port.connection.begin(command, message);
        self.unless_gone(request, key, sent);
    }

    fn cancel(&mut self, request: &mut Request, key: KeyId) {
        let Some(port) = self.port(key) else { return };
        if let Waiting::Until(_) = port.waiting {
            port.waiting = Waiting::Nothing;
        }
        let sent = port.connection.cancel();
        self.unless_gone(request, key, sent);
    }

    /// Gives every key its turn, and then does what is due.
    fn wait(&mut self, request: &mut Request, user: &mut dyn User) {
        let end = self.now() + TURN;
        for key in (0..self.ports.len()).filter_map(|key| u32::try_from(key).ok()).map(KeyId) {
            self.turn(request, user, key, end);
        }
        let now = self.now();
        request.handle_timeout(now);
        for key in (0..self.ports.len()).filter_map(|key| u32::try_from(key).ok()).map(KeyId) {
            let Some(port) = self.port(key) else { continue };
            if matches!(port.waiting, Waiting::Until(end) if end <= now) {
                port.waiting = Waiting::Nothing;
                request.handle_input(now, key, Input::Passed);
            }
        }
    }

    /// Listens to one key until `end`, or until it answers.
    fn turn(&mut self, request: &mut Request, user: &mut dyn User, key: KeyId, end: Instant) {
        loop {
            let Some(port) = self.port(key).filter(|port| port.gone.is_none()) else { return };
            let left = end.duration_since(port.now());
            let event = match port.connection.poll(left) {
                Ok(event) => event,
                Err(error) => return self.unless_gone(request, key, Err(error)),
            };
            match event {
                Some(HostEvent::Keepalive(status)) => {
                    if user.waits(waits(status)).is_break() {
                        request.give_up(self.now());
                    }
                }
                Some(HostEvent::Answer(answer)) => {
                    port.waiting = Waiting::Nothing;
                    let now = self.now();
                    return request.handle_input(now, key, Input::Response(answer));
                }
                Some(HostEvent::Failed(HostError::Cancelled)) => {
                    port.waiting = Waiting::Nothing;
                    let now = self.now();
                    return request.handle_input(now, key, Input::Cancel);
                }
                Some(HostEvent::Failed(error)) => {
                    return self.unless_gone(request, key, Err(error.into()));
                }
                Some(HostEvent::Opened(_)) | None => {}
            }
            if left.is_zero() {
                return;
            }
        }
    }

    fn unless_gone(
        &mut self,
        request: &mut Request,
        key: KeyId,
        done: Result<(), ConnectionError<W::Error>>,
    ) {
        let now = self.now();
        if let (Err(error), Some(port)) = (done, self.port(key)) {
            port.waiting = Waiting::Nothing;
            port.gone = Some(error);
            request.remove_key(now, key);
        }
    }

    fn port(&mut self, key: KeyId) -> Option<&mut Port<W>> {
        self.ports.get_mut(usize::try_from(key.0).ok()?)
    }
}

impl<W: Transport> Port<W> {
    fn now(&mut self) -> Instant {
        self.offset + self.connection.transport_mut().now().duration_since(self.began)
    }
}

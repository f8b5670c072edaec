//! A device and an authenticator in one thread: for tests, demonstrations and small chips.

use softkey_ctap::Instant;
use softkey_ctap_hid::{Application, ChannelId, Device, Event, Job, JobId, JobKind, Status};

use rand_core::TryCryptoRng;

use crate::authenticator::Authenticator;
use crate::step::{Answer, Ask, Decision, Session, Step, Transport, Via};
use crate::store::Store;

/// Whoever can answer a question: a button, a script.
pub trait User {
    /// The answer, if there is one by now. Asked again whenever something has happened; an answer that does not fit the
    /// question counts for nothing.
    fn answer(&mut self, now: Instant, ask: &Ask) -> Option<Answer>;
}

impl<F: FnMut(Instant, &Ask) -> Option<Answer>> User for F {
    fn answer(&mut self, now: Instant, ask: &Ask) -> Option<Answer> {
        self(now, ask)
    }
}

/// An authenticator behind a [`Device`], with its user beside it. A session is a channel.
///
/// Key operations run inside [`Application::attend`]; an owner that must send keepalives meanwhile runs the
/// authenticator in a thread of its own instead.
pub struct Attendant<S: Store, R, U> {
    authenticator: Authenticator<S, R>,
    user: U,
    waiting: Option<(JobId, Via)>,
}

impl<S: Store, R: TryCryptoRng, U: User> Attendant<S, R, U> {
    /// Puts a user beside an authenticator.
    pub const fn new(authenticator: Authenticator<S, R>, user: U) -> Self {
        Self { authenticator, user, waiting: None }
    }

    /// The user.
    pub const fn user_mut(&mut self) -> &mut U {
        &mut self.user
    }

    /// The authenticator, to look at.
    pub const fn authenticator(&self) -> &Authenticator<S, R> {
        &self.authenticator
    }

    /// The authenticator without its user.
    pub fn into_authenticator(self) -> Authenticator<S, R> {
        self.authenticator
    }

    fn event(&mut self, now: Instant, device: &mut Device, event: Event) {
        match event {
            Event::Cancelled(job, channel) => {
                if let Some(Step::Reply(reply)) = self.authenticator.cancel(via(channel)) {
                    self.waiting = None;
                    device.answer(now, job, &reply);
                }
            }
            Event::Aborted(job, channel) => {
                self.waiting.take_if(|(waiting, _)| *waiting == job);
                self.authenticator.session_ended(session(channel));
            }
            Event::SessionEnded(channel) => self.authenticator.session_ended(session(channel)),
            Event::Wink => {}
        }
    }

    fn job(&mut self, now: Instant, device: &mut Device, job: &Job) {
        let via = via(job.channel);
        match job.kind {
            JobKind::Msg => {
                let reply = self.authenticator.begin_u2f(now, via, &job.bytes);
                device.answer(now, job.id, &reply);
            }
            JobKind::Cbor => {
                self.waiting = Some((job.id, via));
                let step = self.authenticator.begin(now, via, &job.bytes);
                self.step(now, device, step);
            }
        }
    }

    fn step(&mut self, now: Instant, device: &mut Device, step: Step) {
        match step {
            Step::Asking(_) => device.status(now, Status::UserNeeded),
            Step::Reply(reply) => {
                if let Some((job, _)) = self.waiting.take() {
                    device.answer(now, job, &reply);
                }
            }
        }
    }

    fn answer(&mut self, now: Instant) -> Option<Decision> {
        let ask = self.authenticator.asking()?;
        let answer = self.user.answer(now, ask)?;
        Some(Decision { ask: ask.id, answer })
    }
}

impl<S: Store, R: TryCryptoRng, U: User> Application for Attendant<S, R, U> {
    fn attend(&mut self, now: Instant, device: &mut Device) {
        while let Some(event) = device.poll_event() {
            self.event(now, device, event);
        }
        if let Some(job) = device.poll_job() {
            self.job(now, device, &job);
        }
        if self.poll_timeout().is_some_and(|due| due <= now)
            && let Some(step) = self.authenticator.handle_timeout(now)
        {
            self.step(now, device, step);
        }
        while let Some(decision) = self.answer(now) {
            let step = self.authenticator.resume(now, decision);
            let open = self.authenticator.asking().map(|ask| ask.id);
            match step {
                Some(step) => self.step(now, device, step),
                // It did not fit, and at this instant nothing else will come of the question.
                None if open == Some(decision.ask) => break,
                None => {}
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.authenticator.poll_timeout()
    }
}

const fn session(channel: ChannelId) -> Session {
    Session(channel.as_u32() as u64)
}

const fn via(channel: ChannelId) -> Via {
    Via { transport: Transport::Usb, session: session(channel) }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;
    use core::ops::ControlFlow;

    use rand_core::TryRng;
    use softkey_ctap::{Command, StatusCode};
    use softkey_ctap_hid::{Connection, DeviceConfig, Loopback};

    use super::*;
    use crate::{Config, MemoryStore, RootKey};

    const START: Instant = Instant::from_millis(0);

    /// What it gives is of no use; the key that the tests make needs none.
    #[derive(Clone)]
    struct Sevens;

    impl TryRng for Sevens {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(7)
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(7)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(7);
            Ok(())
        }
    }

    impl TryCryptoRng for Sevens {}

    /// A user who insists on the wrong answer is waited for like one who does nothing.
    #[test]
    fn an_answer_that_does_not_fit_is_none() {
        let mut asked = 0;
        let user = move |_: Instant, _: &Ask| {
            asked += 1;
            assert!(asked < 2000, "the same question again and again, and no time passes");
            Some(Answer::NotVerified)
        };
        let root_key = RootKey::new([7; 32]);
        let (store, config) = (MemoryStore::default(), Config::default());
        let key = Authenticator::open(store, root_key, Sevens, config, START).unwrap();
        let device = Device::new(DeviceConfig::default(), 7);
        let loopback = Loopback::new(device, Attendant::new(key, user), START);
        let mut connection = Connection::open(loopback).unwrap();
        let answer = connection.cbor(&[Command::SELECTION.0], &mut |_| ControlFlow::Continue(()));
        assert_eq!(answer, Ok(alloc::vec![StatusCode::USER_ACTION_TIMEOUT.0]));
    }
}

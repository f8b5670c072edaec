//! The machine under every ceremony: `next(input)` gives what is needed next, or the result.
//!
//! A ceremony is written as a straight-line `async` function in the order of the standard's steps, which may
//! await one thing only: its owner. Nothing in it reads a clock, blocks, sleeps or talks to a device, and no
//! runtime is involved: [`Ceremony::next`] hands an input in and runs the function to its next need. So the
//! blocking driver, an asynchronous one and one in a browser share one implementation of each algorithm.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use softkey_ctap::bio_enrollment::SampleStatus;
use softkey_ctap::{Command, StatusCode, cbor, cbor::Encode, u2f};
use zeroize::Zeroizing;

use crate::cause::Cause;

/// A ceremony that waits: to be started with [`Ceremony::start`], then to be carried on with
/// [`Ceremony::next`] as long as it needs something. Dropping it ends it; a request that the key has in work
/// is then for the owner to cancel.
pub struct Ceremony<T> {
    work: Pin<Box<dyn Future<Output = Result<T, Cause>> + Send>>,
    desk: Desk,
}

/// Where a ceremony stands.
pub enum Step<T> {
    /// It needs something; bring it by [`Ceremony::next`].
    Needs(Need, Ceremony<T>),
    /// It is over.
    Done(Result<T, Cause>),
}

/// What a ceremony needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The key's response to a CTAP2 request: the command byte and its parameters. Bring [`Input::Response`],
    /// the status byte and what follows it.
    Cbor(Vec<u8>),
    /// The key's response to an APDU in extended form. Bring [`Input::Response`], data and status word.
    Msg(Vec<u8>),
    /// Time to pass because the key waits for a touch. Bring [`Input::Passed`].
    Touch(Duration),
    /// The user's PIN. Bring [`Input::Pin`].
    Pin(PinNeed),
    /// The user's choice among accounts; there are at least two. Bring [`Input::Account`].
    Account(Vec<Account>),
    /// Nothing: the user may want to see how far it is. Bring [`Input::Passed`].
    Seen(Progress),
}

/// How far a long ceremony is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A sample of a finger was taken.
    Sample {
        /// How it was.
        status: SampleStatus,
        /// How many good ones are still needed.
        remaining: u64,
    },
    /// Relying parties are read from a key.
    RelyingParties {
        /// So far.
        read: u64,
        /// In all.
        total: u64,
    },
    /// Credentials are read from a key, one relying party after the other.
    Credentials {
        /// So far.
        read: u64,
        /// Relying parties whose credentials are read whole.
        parties: u64,
        /// Relying parties in all.
        total: u64,
    },
}

/// What to tell a user who is asked for a PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinNeed {
    /// Was the PIN given before wrong?
    pub wrong: bool,
    /// How many wrong PINs are left until only a reset helps, if the key was asked.
    pub tries_left: Option<u64>,
}

/// One of several accounts that the key has for a relying party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user handle, 1 to 64 bytes.
    pub user_id: Vec<u8>,
    /// The account's name; keys withhold it unless the user was verified.
    pub name: Option<String>,
    /// The person's name; likewise.
    pub display_name: Option<String>,
}

/// What an owner brings. One that does not fit the need is passed over and the need stays.
pub enum Input {
    /// The key's response.
    Response(Vec<u8>),
    /// The time has passed.
    Passed,
    /// The PIN as the user typed it.
    Pin(Zeroizing<String>),
    /// The account chosen, as an index of the list; one beyond its end does not fit.
    Account(usize),
    /// The user gave up.
    Cancel,
}

impl<T> Ceremony<T> {
    pub(crate) fn new<F>(work: impl FnOnce(Desk) -> F) -> Self
    where
        F: Future<Output = Result<T, Cause>> + Send + 'static,
    {
        let desk = Desk::default();
        Self { work: Box::pin(work(desk.clone())), desk }
    }

    /// Runs to the first need.
    #[must_use]
    pub fn start(mut self) -> Step<T> {
        let polled = self.work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let need = self.desk.lock().need.take();
        match (polled, need) {
            (Poll::Ready(result), _) => Step::Done(result),
            (Poll::Pending, Some(need)) => Step::Needs(need, self),
            // Nothing in this crate awaits anything but the desk; whatever else it were, nobody could bring it.
            (Poll::Pending, None) => Step::Done(Err(Cause::Cancelled)),
        }
    }

    /// Brings what was needed and runs to the next need.
    #[must_use]
    pub fn next(self, input: Input) -> Step<T> {
        self.desk.lock().input = Some(input);
        self.start()
    }
}

/// The inside of the machine: needs go out here and inputs come in.
#[derive(Clone, Default)]
pub(crate) struct Desk(Arc<Mutex<Papers>>);

#[derive(Default)]
struct Papers {
    need: Option<Need>,
    input: Option<Input>,
}

impl Desk {
    /// Sends a CTAP2 request without parameters; gives what follows the status byte of a success.
    pub(crate) async fn command(&self, command: Command) -> Result<Vec<u8>, Cause> {
        self.cbor(vec![command.0]).await
    }

    /// Sends a CTAP2 request; gives what follows the status byte of a success.
    pub(crate) async fn request<R: Encode>(
        &self,
        command: Command,
        request: &R,
    ) -> Result<Vec<u8>, Cause> {
        self.cbor(encoded(command, request)).await
    }

    async fn cbor(&self, request: Vec<u8>) -> Result<Vec<u8>, Cause> {
        let mut response = self.response(Need::Cbor(request)).await?;
        match response.first().copied().map(StatusCode) {
            Some(StatusCode::OK) => Ok(response.split_off(1)),
            Some(status) => Err(Cause::Refused(status)),
            None => Err(Cause::EmptyResponse),
        }
    }

    /// Sends an APDU; gives the data and the status word.
    pub(crate) async fn apdu(
        &self,
        apdu: &u2f::Apdu<'_>,
    ) -> Result<(Vec<u8>, u2f::StatusWord), Cause> {
        let response = self.response(Need::Msg(apdu.to_bytes())).await?;
        let (data, word) = u2f::StatusWord::split(&response).ok_or(Cause::EmptyResponse)?;
        Ok((data.to_vec(), word))
    }

    async fn response(&self, need: Need) -> Result<Vec<u8>, Cause> {
        loop {
            match self.need(need.clone()).await {
                Input::Response(response) => return Ok(response),
                Input::Cancel => return Err(Cause::Cancelled),
                _ => {}
            }
        }
    }

    /// Lets time pass while the key waits for a touch.
    pub(crate) async fn touch(&self, time: Duration) -> Result<(), Cause> {
        loop {
            match self.need(Need::Touch(time)).await {
                Input::Passed => return Ok(()),
                Input::Cancel => return Err(Cause::Cancelled),
                _ => {}
            }
        }
    }

    /// Asks for the PIN.
    pub(crate) async fn pin(&self, ask: PinNeed) -> Result<Zeroizing<String>, Cause> {
        loop {
            match self.need(Need::Pin(ask)).await {
                Input::Pin(pin) => return Ok(pin),
                Input::Cancel if ask.wrong => return Err(Cause::PinWrong(ask.tries_left)),
                Input::Cancel => return Err(Cause::PinNotGiven),
                _ => {}
            }
        }
    }

    /// Asks for one of the accounts; the index given is one of the list.
    pub(crate) async fn account(&self, accounts: &[Account]) -> Result<usize, Cause> {
        loop {
            match self.need(Need::Account(accounts.to_vec())).await {
                Input::Account(index) if index < accounts.len() => return Ok(index),
                Input::Cancel => return Err(Cause::Cancelled),
                _ => {}
            }
        }
    }

    /// Shows the user how far it is.
    pub(crate) async fn seen(&self, progress: Progress) -> Result<(), Cause> {
        loop {
            match self.need(Need::Seen(progress)).await {
                Input::Passed => return Ok(()),
                Input::Cancel => return Err(Cause::Cancelled),
                _ => {}
            }
        }
    }

    async fn need(&self, need: Need) -> Input {
        let mut need = Some(need);
        poll_fn(|_| {
            let mut papers = self.lock();
            if let Some(need) = need.take() {
                papers.need = Some(need);
                return Poll::Pending;
            }
            papers.input.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Papers> {
        // A panic elsewhere leaves these two options as good as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A whole request: the command byte and the encoded parameters.
pub(crate) fn encoded<R: Encode>(command: Command, request: &R) -> Vec<u8> {
    let mut encoder = cbor::Encoder::behind(vec![command.0]);
    request.encode(&mut encoder);
    encoder.into_bytes()
}

#[cfg(test)]
mod tests;

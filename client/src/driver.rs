//! The blocking drivers: [`drive`] runs a ceremony over one open CTAPHID connection, [`Keys::settle`] a page's
//! request over any number of them, with a person on the other side.

mod script;
mod settle;

use std::fmt;
use std::ops::ControlFlow;

use softkey_ctap_hid::{Connection, ConnectionError, DeviceInfo, HostError, Status, Transport};
use zeroize::Zeroizing;

use crate::cause::Cause;
use crate::ceremony::{Account, Ceremony, Input, Need, PinNeed, Progress, Step};
use crate::question::{Answer, Question};
use crate::session::Reach;

pub use self::script::{Act, Asked, Script};
pub use self::settle::{Fetch, Keys};
pub use crate::settlement::Settlement;

/// The person, or what stands for one. An answer of nothing gives up.
pub trait User {
    /// The key has the request in work, or waits for a touch. Called again every 100 ms or so, so an
    /// implementation that watches a clock can end a wait: `Break` cancels the request.
    fn waits(&mut self, on: Waits) -> ControlFlow<()>;

    /// The PIN, as it is typed.
    fn pin(&mut self, need: PinNeed) -> Option<Zeroizing<String>>;

    /// The account to use, as an index of the list, which has at least two.
    fn account(&mut self, accounts: &[Account]) -> Option<usize>;

    /// What the person says to a question of a type that needs no key; nobody is there to say yes by default.
    fn answer(&mut self, _: &Question) -> Answer {
        Answer::No
    }

    /// How far a long ceremony is, for those who want to see it.
    fn sees(&mut self, _: Progress) {}
}

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// For the key, which works.
    Key,
    /// For the person: a touch, a fingerprint, whatever the key wants.
    Touch,
}

/// Why a driven ceremony failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriveError<E> {
    /// The ceremony itself.
    Cause(Cause),
    /// The way to the key.
    Connection(ConnectionError<E>),
}

impl<E: fmt::Display> fmt::Display for DriveError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cause(cause) => cause.fmt(f),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for DriveError<E> {}

/// What a key at the end of an open CTAPHID channel speaks.
#[must_use]
pub fn reach<W: Transport>(connection: &Connection<W>) -> Reach {
    let capabilities = connection.device().map(|device: &DeviceInfo| device.capabilities);
    Reach {
        ctap2: capabilities.is_some_and(softkey_ctap_hid::Capabilities::cbor),
        u2f: capabilities.is_some_and(softkey_ctap_hid::Capabilities::msg),
    }
}

/// Runs a ceremony to its end.
///
/// # Errors
///
/// The ceremony's cause, or what ails the connection.
pub fn drive<T, W: Transport>(
    ceremony: Ceremony<T>,
    connection: &mut Connection<W>,
    user: &mut dyn User,
) -> Result<T, DriveError<W::Error>> {
    let mut step = ceremony.start();
    loop {
        match step {
            Step::Done(result) => return result.map_err(DriveError::Cause),
            Step::Needs(need, ceremony) => {
                let input = bring(need, connection, user).map_err(DriveError::Connection)?;
                step = ceremony.next(input);
            }
        }
    }
}

fn bring<W: Transport>(
    need: Need,
    connection: &mut Connection<W>,
    user: &mut dyn User,
) -> Result<Input, ConnectionError<W::Error>> {
    let or_cancel = |input: Option<Input>| input.unwrap_or(Input::Cancel);
    match need {
        Need::Cbor(request) => {
            let answer = connection.cbor(&request, &mut |status| user.waits(waits(status)));
            match answer {
                Err(ConnectionError::Host(HostError::Cancelled)) => Ok(Input::Cancel),
                other => other.map(Input::Response),
            }
        }
        Need::Msg(apdu) => connection.msg(&apdu).map(Input::Response),
        Need::Touch(time) => {
            if user.waits(Waits::Touch).is_break() {
                return Ok(Input::Cancel);
            }
            // A key that has nothing in work says nothing, so this is a sleep on the connection's clock.
            connection.transport_mut().receive(time).map_err(ConnectionError::Transport)?;
            Ok(Input::Passed)
        }
        Need::Pin(need) => Ok(or_cancel(user.pin(need).map(Input::Pin))),
        Need::Account(accounts) => Ok(or_cancel(user.account(&accounts).map(Input::Account))),
        Need::Seen(progress) => {
            user.sees(progress);
            Ok(Input::Passed)
        }
    }
}

fn waits(status: Status) -> Waits {
    match status {
        Status::UserNeeded => Waits::Touch,
        Status::Processing => Waits::Key,
    }
}

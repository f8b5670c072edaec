//! The one transaction a device has, in its states: idle, receiving, working, responding.

use alloc::vec::Vec;

use softkey_ctap::Instant;

use super::owner::{Event, Job, JobId, JobKind, Outgoing, Peer};
use super::{KEEPALIVE_INTERVAL, Origin, short};
use crate::message::{Assembly, Fragments};
use crate::wire::{ChannelId, Command, HidError, Status};

/// What the device does.
pub(super) enum State {
    Idle,
    Receiving(Receiving),
    Working(Work),
    Responding(Responding),
}

/// A message of which packets are missing.
pub(super) struct Receiving {
    pub(super) peer: Peer,
    pub(super) assembly: Assembly,
    pub(super) deadline: Instant,
}

/// A request that the application has, or is about to take.
pub(super) struct Work {
    pub(super) id: JobId,
    pub(super) origin: Origin,
    pub(super) kind: JobKind,
    /// The request, until the owner takes it.
    bytes: Option<Vec<u8>>,
    pub(super) status: Status,
    /// `None` for a request without keepalives.
    pub(super) next_keepalive: Option<Instant>,
    /// A keepalive waits to leave; it will say what `status` is then.
    keepalive_due: bool,
    pub(super) cancel: Cancel,
}

/// How far a CANCEL has got.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancel {
    No,
    Wanted,
    Told,
}

/// An answer on its way out.
pub(super) struct Responding {
    pub(super) origin: Origin,
    pub(super) fragments: Fragments,
    /// Who sent something else on this channel meanwhile, to be refused after the answer, and why.
    pub(super) then_refuse: Option<(Origin, HidError)>,
}

impl State {
    /// The channel of the transaction.
    pub(super) const fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Idle => None,
            Self::Receiving(message) => Some(message.channel()),
            Self::Working(work) => Some(work.origin.channel),
            Self::Responding(answer) => Some(answer.origin.channel),
        }
    }

    /// Who opened the transaction.
    pub(super) const fn peer(&self) -> Option<Peer> {
        match self {
            Self::Idle => None,
            Self::Receiving(message) => Some(message.peer),
            Self::Working(work) => Some(work.origin.peer),
            Self::Responding(answer) => Some(answer.origin.peer),
        }
    }

    /// Takes the message out if it is whole, and leaves the device idle.
    pub(super) fn take_complete_message(&mut self) -> Option<Receiving> {
        match core::mem::replace(self, Self::Idle) {
            Self::Receiving(message) if message.assembly.is_complete() => Some(message),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Takes the work out if it is this job, and leaves the device idle.
    pub(super) fn take_work(&mut self, job: JobId) -> Option<Work> {
        match core::mem::replace(self, Self::Idle) {
            Self::Working(work) if work.id == job => Some(work),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl Receiving {
    pub(super) const fn channel(&self) -> ChannelId {
        self.assembly.channel()
    }

    pub(super) const fn origin(&self) -> Origin {
        Origin { peer: self.peer, channel: self.assembly.channel() }
    }
}

impl Work {
    pub(super) const fn new(
        id: JobId,
        origin: Origin,
        kind: JobKind,
        bytes: Vec<u8>,
        next_keepalive: Option<Instant>,
    ) -> Self {
        Self {
            id,
            origin,
            kind,
            bytes: Some(bytes),
            status: Status::Processing,
            next_keepalive,
            keepalive_due: false,
            cancel: Cancel::No,
        }
    }

    pub(super) const fn command(&self) -> Command {
        match self.kind {
            JobKind::Cbor => Command::CBOR,
            JobKind::Msg => Command::MSG,
        }
    }

    pub(super) const fn is_handed_out(&self) -> bool {
        self.bytes.is_none()
    }

    pub(super) fn hand_out(&mut self) -> Option<Job> {
        let bytes = self.bytes.take()?;
        Some(Job { id: self.id, channel: self.origin.channel, kind: self.kind, bytes })
    }

    /// The cancellation, once, and only to an owner that knows the job.
    pub(super) fn poll_cancelled(&mut self) -> Option<Event> {
        let due = self.cancel == Cancel::Wanted && self.is_handed_out();
        due.then(|| {
            self.cancel = Cancel::Told;
            Event::Cancelled(self.id, self.origin.channel)
        })
    }

    /// Makes a keepalive, and the next one due an interval later.
    pub(super) fn keep_alive(&mut self, now: Instant) {
        self.keepalive_due = true;
        self.next_keepalive = Some(now + KEEPALIVE_INTERVAL);
    }

    pub(super) fn poll_keepalive(&mut self) -> Option<Outgoing> {
        core::mem::take(&mut self.keepalive_due).then(|| Outgoing {
            to: self.origin.peer,
            report: short(self.origin.channel, Command::KEEPALIVE, &[self.status.as_u8()]),
        })
    }
}

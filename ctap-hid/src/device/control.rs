//! The commands that steer the device itself: INIT, CANCEL, LOCK.

use alloc::vec::Vec;
use core::time::Duration;

use softkey_ctap::Instant;

use super::channels::Full;
use super::owner::{Event, JobKind};
use super::transaction::{Cancel, State};
use super::{Device, Lock, Opening, Origin};
use crate::wire::{ChannelId, Command, HidError};

/// `CTAPHID` protocol version in the INIT answer.
const PROTOCOL_VERSION: u8 = 2;
/// The longest LOCK, in seconds.
const MAX_LOCK_SECONDS: u8 = 10;

impl Device {
    /// INIT on broadcast allocates a channel and disturbs nobody; on an allocated channel it
    /// resynchronises that channel; any other number becomes an allocated channel (section 11.2.9.1.3).
    pub(super) fn init(&mut self, origin: Origin, opening: &Opening<'_>) {
        if self.is_locked_against(origin.channel) {
            return self.refuse(origin, HidError::CHANNEL_BUSY);
        }
        let (8, Some((nonce, _))) = (opening.length, opening.data.split_first_chunk::<8>()) else {
            self.drop_half_message(origin.channel);
            return self.refuse_behind_answer(origin, HidError::INVALID_LEN);
        };
        let channel = if origin.channel == ChannelId::BROADCAST {
            self.channels.unused_number()
        } else {
            origin.channel
        };
        if self.channels.touch(channel) {
            self.resynchronise(channel);
        } else if !self.allocate(channel) {
            return self.refuse(origin, HidError::CHANNEL_BUSY);
        }
        let mut answer = Vec::with_capacity(17);
        answer.extend_from_slice(nonce);
        answer.extend_from_slice(&channel.as_u32().to_be_bytes());
        answer.push(PROTOCOL_VERSION);
        answer.extend_from_slice(&self.config.version);
        answer.push(self.config.capabilities().0);
        self.send_short(origin, Command::INIT, &answer);
    }

    /// Allocates a channel; false if the only one to give up is at work. Nobody gets here past a lock, so
    /// its holder needs no protection.
    fn allocate(&mut self, channel: ChannelId) -> bool {
        let working = self.state.channel();
        match self.channels.insert(channel, |channel| Some(channel) != working) {
            Ok(given_up) => {
                self.events.extend(given_up.map(Event::SessionEnded));
                true
            }
            Err(Full) => false,
        }
    }

    /// Whatever this channel has in progress ends without an answer, and so does its session.
    fn resynchronise(&mut self, channel: ChannelId) {
        if self.state.channel() == Some(channel) {
            self.abort();
        }
        let channel_bytes = channel.as_u32().to_be_bytes();
        self.waiting.retain(|outgoing| !outgoing.report.starts_with(&channel_bytes));
        self.events.push_back(Event::SessionEnded(channel));
    }

    /// Drops the transaction in progress; the owner hears of it if it has the job.
    pub(super) fn abort(&mut self) {
        if let State::Working(work) = core::mem::replace(&mut self.state, State::Idle)
            && work.is_handed_out()
        {
            self.events.push_back(Event::Aborted(work.id, work.origin.channel));
        }
    }

    fn drop_half_message(&mut self, channel: ChannelId) {
        if matches!(&self.state, State::Receiving(message) if message.channel() == channel) {
            self.state = State::Idle;
        }
    }

    /// CANCEL has no answer of its own, and without a pending CBOR request on its channel no effect
    /// (section 11.2.9.1.5). One that carries data is none.
    pub(super) fn cancel(&mut self, channel: ChannelId, length: u16) {
        if let State::Working(work) = &mut self.state
            && work.origin.channel == channel
            && work.kind == JobKind::Cbor
            && work.cancel == Cancel::No
            && length == 0
        {
            work.cancel = Cancel::Wanted;
        }
    }

    /// LOCK: seconds of exclusive use, 0 to release (section 11.2.9.2.2).
    pub(super) fn lock(&mut self, now: Instant, origin: Origin, seconds: u8) {
        if seconds > MAX_LOCK_SECONDS {
            return self.refuse(origin, HidError::INVALID_PAR);
        }
        let until = now + Duration::from_secs(u64::from(seconds));
        self.lock = (seconds > 0).then_some(Lock { channel: origin.channel, until });
        self.respond(origin, Command::LOCK, Some(Vec::new()));
    }

    pub(super) fn is_locked_against(&self, channel: ChannelId) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.channel != channel)
    }
}

//! The two things a host can be in the middle of: an INIT, and a request with its answer; and the pace
//! of tries and pauses they share.

use alloc::vec::Vec;
use core::time::Duration;

use softkey_ctap::Instant;

use super::{DeviceInfo, HostConfig, HostError};
use crate::message::{Assembly, Fragments};
use crate::packet::{self, Report};
use crate::wire::{Capabilities, ChannelId, Command, HidError};

/// Shortest INIT answer, in bytes.
const INIT_ANSWER_LEN: u16 = 17;

/// When to wake: the answer is overdue, or a pause is over.
pub(super) struct Pace {
    phase: Phase,
    /// When busy is no longer borne with; set by the first refusal.
    give_up: Option<Instant>,
}

enum Phase {
    Waiting { until: Instant },
    Pausing { until: Instant },
}

impl Pace {
    pub(super) fn begin(now: Instant, timeout: Duration) -> Self {
        Self { phase: Phase::Waiting { until: now + timeout }, give_up: None }
    }

    pub(super) const fn wake(&self) -> Instant {
        match self.phase {
            Phase::Waiting { until } | Phase::Pausing { until } => until,
        }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.wake()
    }

    pub(super) const fn is_pausing(&self) -> bool {
        matches!(self.phase, Phase::Pausing { .. })
    }

    /// The answer is awaited from now on.
    pub(super) fn restart(&mut self, now: Instant, timeout: Duration) {
        self.phase = Phase::Waiting { until: now + timeout };
    }

    /// The device is busy; false if patience is at its end.
    pub(super) fn pause(&mut self, now: Instant, config: &HostConfig) -> bool {
        let give_up = *self.give_up.get_or_insert(now + config.busy_patience);
        self.phase = Phase::Pausing { until: now + config.busy_pause };
        now < give_up
    }
}

/// An INIT under way.
pub(super) struct Handshake {
    pub(super) channel: ChannelId,
    nonce: [u8; 8],
    unsent: bool,
    pub(super) pace: Pace,
    /// An error that may have been ours.
    refusal: Option<HidError>,
}

impl Handshake {
    pub(super) const fn new(channel: ChannelId, nonce: [u8; 8], pace: Pace) -> Self {
        Self { channel, nonce, unsent: true, pace, refusal: None }
    }

    pub(super) fn poll_report(&mut self) -> Option<Report> {
        core::mem::take(&mut self.unsent)
            .then(|| packet::initialization(self.channel, Command::INIT, 8, &self.nonce))
    }

    /// After a pause, sends INIT again; fails if it is the answer that did not come.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        timeout: Duration,
    ) -> Result<(), HostError> {
        if !self.pace.is_due(now) {
            return Ok(());
        }
        if !self.pace.is_pausing() {
            return Err(self.refusal.map_or(HostError::Timeout, HostError::Device));
        }
        self.unsent = true;
        self.pace.restart(now, timeout);
        Ok(())
    }

    /// An error on broadcast may be meant for another program; if it was for us, no answer will come.
    pub(super) fn handle_error(
        &mut self,
        now: Instant,
        error: HidError,
        config: &HostConfig,
    ) -> Result<(), HostError> {
        if error != HidError::CHANNEL_BUSY {
            self.refusal = Some(error);
            return Ok(());
        }
        if self.pace.pause(now, config) { Ok(()) } else { Err(HostError::Busy) }
    }

    /// Our nonce comes first in the answer; another's is for another program.
    pub(super) fn is_answered_by(&self, data: &[u8]) -> bool {
        data.starts_with(&self.nonce)
    }

    /// The answer's fields; bytes beyond the seventeenth are ignored.
    pub(super) fn read_answer(&self, length: u16, data: &[u8]) -> Option<DeviceInfo> {
        if length < INIT_ANSWER_LEN {
            return None;
        }
        let &[c0, c1, c2, c3, protocol_version, major, minor, build, capabilities, ..] =
            data.get(8..)?
        else {
            return None;
        };
        let channel = ChannelId::from_u32(u32::from_be_bytes([c0, c1, c2, c3]));
        let is_ours = self.channel == ChannelId::BROADCAST || self.channel == channel;
        (channel.is_allocatable() && is_ours).then_some(DeviceInfo {
            channel,
            protocol_version,
            version: [major, minor, build],
            capabilities: Capabilities(capabilities),
        })
    }
}

/// A request and its answer under way.
pub(super) struct Exchange {
    request: Fragments,
    cancel: Cancel,
    answer: Option<Assembly>,
    pub(super) pace: Pace,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cancel {
    No,
    Wanted,
    Sent,
}

impl Exchange {
    pub(super) const fn new(request: Fragments, pace: Pace) -> Self {
        Self { request, cancel: Cancel::No, answer: None, pace }
    }

    pub(super) const fn channel(&self) -> ChannelId {
        self.request.channel()
    }

    pub(super) const fn command(&self) -> Command {
        self.request.command()
    }

    pub(super) const fn has_answer_begun(&self) -> bool {
        self.answer.is_some()
    }

    /// The device is busy and has given the answer up, if it had begun one; false if patience is at its end.
    pub(super) fn pause(&mut self, now: Instant, config: &HostConfig) -> bool {
        self.answer = None;
        self.pace.pause(now, config)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel != Cancel::No
    }

    /// Has CANCEL sent after the request; false if the device has seen nothing of the request.
    pub(super) fn cancel(&mut self) -> bool {
        if self.request.is_untouched() || self.pace.is_pausing() {
            return false;
        }
        if self.cancel == Cancel::No {
            self.cancel = Cancel::Wanted;
        }
        true
    }

    /// The request's packets, then CANCEL; nothing during a pause.
    pub(super) fn poll_report(&mut self) -> Option<Report> {
        if self.pace.is_pausing() {
            return None;
        }
        self.request.next_report().or_else(|| {
            (self.cancel == Cancel::Wanted).then(|| {
                self.cancel = Cancel::Sent;
                packet::initialization(self.request.channel(), Command::CANCEL, 0, &[])
            })
        })
    }

    /// After a pause, sends the request again; fails if it is the answer that did not come.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        timeout: Duration,
    ) -> Result<(), HostError> {
        if !self.pace.is_due(now) {
            return Ok(());
        }
        if !self.pace.is_pausing() {
            return Err(HostError::Timeout);
        }
        self.request.rewind();
        self.pace.restart(now, timeout);
        Ok(())
    }

    /// The first packet of the answer; the answer if that is all of it.
    pub(super) fn begin_answer(
        &mut self,
        command: Command,
        length: u16,
        data: &[u8],
    ) -> Result<Option<Vec<u8>>, HostError> {
        if command != self.command() || self.answer.is_some() {
            return Err(HostError::UnexpectedPacket);
        }
        let answer =
            Assembly::new(self.channel(), command, length, data).ok_or(HostError::AnswerTooLong)?;
        Ok(self.keep_or_finish(answer))
    }

    /// A further packet of the answer; the answer if it is the last.
    pub(super) fn continue_answer(
        &mut self,
        sequence: u8,
        data: &[u8],
    ) -> Result<Option<Vec<u8>>, HostError> {
        let mut answer = self.answer.take().ok_or(HostError::UnexpectedPacket)?;
        answer.push(sequence, data).map_err(|_| HostError::UnexpectedPacket)?;
        Ok(self.keep_or_finish(answer))
    }

    fn keep_or_finish(&mut self, answer: Assembly) -> Option<Vec<u8>> {
        if answer.is_complete() {
            return Some(answer.into_bytes());
        }
        self.answer = Some(answer);
        None
    }
}

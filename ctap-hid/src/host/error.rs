//! Why a host's command failed.

use core::fmt;

use crate::wire::HidError;

/// Why an INIT or a request came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostError {
    /// The device answered with this ERROR. The channel stays usable, unless the error says there is no
    /// such channel.
    Device(HidError),
    /// The device worked for others all through [`HostConfig::busy_patience`](super::HostConfig).
    Busy,
    /// The device was silent too long. A late answer may follow: the channel is out of step.
    Timeout,
    /// Cancelled before the device had accepted the request; it was not executed.
    Cancelled,
    /// There is no channel yet, or it is lost: [`Host::open`](super::Host::open) first.
    NotOpen,
    /// The channel is out of step: [`Host::resynchronise`](super::Host::resynchronise) first.
    OutOfStep,
    /// Something else is in progress.
    InProgress,
    /// INIT, CANCEL, KEEPALIVE and ERROR are not requests.
    NotARequest,
    /// The request has more than 7609 bytes.
    RequestTooLong,
    /// The answer announces more than 7609 bytes. The channel is out of step.
    AnswerTooLong,
    /// A packet came that no answer to this request can hold. The channel is out of step.
    UnexpectedPacket,
    /// The INIT answer is shorter than 17 bytes or names an impossible channel.
    MalformedInit,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Device(error) => return write!(f, "the device answered {error}"),
            Self::Busy => "the device is busy for another program",
            Self::Timeout => "the device did not answer in time",
            Self::Cancelled => "the request was cancelled before the device took it",
            Self::NotOpen => "no channel is open",
            Self::OutOfStep => "the channel is out of step",
            Self::InProgress => "another request is in progress",
            Self::NotARequest => "this command is not a request",
            Self::RequestTooLong => "the request has more than 7609 bytes",
            Self::AnswerTooLong => "the device announced an answer of more than 7609 bytes",
            Self::UnexpectedPacket => "the device sent a packet out of place",
            Self::MalformedInit => "the device answered INIT wrongly",
        })
    }
}

impl core::error::Error for HostError {}

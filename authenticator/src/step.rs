//! What goes in and out of the state machine beside requests: who asks, what the user is asked, what the
//! user decided, and the step that follows.

use alloc::string::String;
use alloc::vec::Vec;

use softkey_ctap::Instant;
use softkey_ctap::bio_enrollment::SampleStatus;

/// The kind of transport a request came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// USB HID, and what stands in for it (uhid, UDP, memory).
    Usb,
}

/// Who talks over a transport: a number that the transport's owner makes, unique over all transports.
/// The core compares sessions and never looks inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Session(pub u64);

/// The way a request came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Via {
    /// The transport's kind.
    pub transport: Transport,
    /// Who talks over it; with CTAPHID, the channel.
    pub session: Session,
}

/// Names one question, so that a late answer to an older one is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskId(pub u64);

/// What a client wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// authenticatorMakeCredential, and U2F REGISTER.
    MakeCredential,
    /// authenticatorGetAssertion, and U2F AUTHENTICATE.
    GetAssertion,
    /// authenticatorSelection, and the zero-length pinUvAuthParam of older platforms.
    Selection,
    /// authenticatorReset.
    Reset,
    /// A pinUvAuthToken by built-in user verification.
    GetToken,
    /// A finger is enrolled, by authenticatorBioEnrollment.
    Enroll,
}

/// What the user is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// Show presence: a touch, a click.
    Presence,
    /// Show presence for at least 5 seconds on end; only then is the answer yes.
    LongPresence,
    /// Verify yourself to the built-in method; `tries_left` counts this try.
    Verify {
        /// Tries until built-in user verification is blocked, 1 to 25.
        tries_left: u8,
    },
    /// Put the finger that is to be enrolled on the sensor. If nobody does before the deadline, the client is told so
    /// and may ask again.
    CaptureSample {
        /// How many good samples are still needed, this one among them.
        remaining: u64,
    },
}

/// A finger, by the number that the owner's sensor tells it from others with. It is all that is kept of a finger, so
/// a sensor must give the same finger the same number for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finger(pub u64);

/// What a fingerprint sensor saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// This finger, well enough.
    Good(Finger),
    /// Something that is of no use, and why.
    Bad(SampleStatus),
}

/// A question to the user. The owner shows it and hands in a [`Decision`] before the deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// To be repeated in the decision.
    pub id: AskId,
    /// What the user is to do.
    pub question: Question,
    /// What the client wants to do.
    pub operation: Operation,
    /// The relying party's identifier; U2F knows only its hash, given here in hexadecimal after `sha256:`.
    /// Absent where no relying party asks (selection, reset). Untrusted text: escape it before showing.
    pub rp_id: Option<String>,
    /// The account's name as the relying party gave it, if it did. Untrusted text.
    pub account: Option<String>,
    /// Will this registration let its relying party tell this key from all others? So does enterprise attestation,
    /// and whatever a root of the owner's attests. Of a token, may one that it is used for? The user should be told.
    pub recognisable: bool,
    /// When the question is withdrawn.
    pub deadline: Instant,
}

/// What the user answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Presence was shown.
    Yes,
    /// The user refused.
    No,
    /// Built-in user verification succeeded.
    Verified {
        /// Did the gesture itself show presence too (a finger on a sensor does)?
        shows_presence: bool,
    },
    /// Built-in user verification failed.
    NotVerified,
    /// A finger touched the sensor: a sample to enroll, or the finger by which a user is verified. In the latter case
    /// the user is verified if it is enrolled, and it shows presence.
    Sample(Sample),
}

/// The user's answer to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The question answered.
    pub ask: AskId,
    /// The answer.
    pub answer: Answer,
}

/// What follows from a request, a decision, a cancellation or the passing of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The request is finished; these bytes are the whole answer.
    Reply(Vec<u8>),
    /// The user is asked; the request waits.
    Asking(Ask),
}

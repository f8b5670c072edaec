//! `OTPCredential` (`WebOTP`): a page waits for a message that is bound to its origin and gets the code in it.

pub mod inbox;
pub mod lint;
pub mod message;
mod sites;

use std::fmt;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use softkey_ctap::Instant;

use crate::cause::{Cause, TypeFault};
use crate::credential::Credential;
use crate::page::Page;
use crate::question::{Answer, Question};
use crate::registry::CredentialType;
use crate::request::{Machine, Output, Progress};
use crate::secret_text::SecretText;

pub use self::inbox::Inbox;
pub use self::message::BoundCode;
pub use self::sites::{Grade, grade};

/// A code. It serializes as a page sees it; `Debug` leaves the code out.
#[derive(Clone, PartialEq, Eq)]
pub struct OtpCredential {
    code: SecretText,
}

impl OtpCredential {
    /// The code, which nobody vouches for: whoever can send the user a message can have written it.
    #[must_use]
    pub const fn code(&self) -> &SecretText {
        &self.code
    }
}

impl fmt::Debug for OtpCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtpCredential").finish_non_exhaustive()
    }
}

impl Serialize for OtpCredential {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_struct("OTPCredential", 3)?;
        object.serialize_field("id", "")?;
        object.serialize_field("type", CredentialType::Otp.as_str())?;
        object.serialize_field("code", &self.code)?;
        object.end()
    }
}

/// `OTPOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct OtpOptions {
    /// How the code may come; `sms` is known, and unknown ones are passed over.
    #[serde(default)]
    pub transport: Vec<String>,
}

/// A call that waits for a code.
pub(crate) struct Waiting {
    inbox: Inbox,
    /// The first message that came after the call.
    from: u64,
    /// The serialized origins of the documents, outermost first, the caller's last.
    frames: Vec<String>,
    deadline: Option<Instant>,
    /// The code that the user is asked about.
    found: Option<SecretText>,
}

impl Waiting {
    /// The steps before the first message.
    pub(crate) fn begin(page: &Page, now: Instant, options: &OtpOptions) -> Result<Self, Cause> {
        page.origin()?;
        if !options.transport.iter().any(|transport| transport == "sms") {
            return Err(Cause::Type(TypeFault::NoTransport));
        }
        let limit = page.profile().settings().otp_limit.map(Duration::from_millis);
        let inbox = page.profile().inbox();
        Ok(Self {
            from: inbox.arrived(),
            inbox,
            frames: page.frame_origins(),
            deadline: limit.map(|limit| now + limit),
            found: None,
        })
    }

    /// Takes the first message for this page out of the inbox.
    fn look(&mut self) -> Option<Question> {
        let frames: Vec<&str> = self.frames.iter().map(String::as_str).collect();
        let mut fit = None;
        self.inbox.take(self.from, |text| {
            let bound = BoundCode::parse(text)?;
            let (top, embedded) = bound.origins()?;
            let grade = grade(&top, embedded.as_deref(), &frames)?;
            fit = Some((bound.code, top, embedded, grade));
            Some(())
        })?;
        let (code, top, embedded, grade) = fit?;
        self.found = Some(code);
        let origin = self.frames.last()?.clone();
        Some(Question::Code { origin, top, embedded, grade })
    }
}

impl Machine for Waiting {
    fn next(&mut self, now: Instant, answer: Option<Answer>) -> Progress {
        if self.found.is_some()
            && let Some(answer) = answer
        {
            let given = self.found.take().filter(|_| answer == Answer::Yes);
            let credential = given.map(|code| Credential::Otp(OtpCredential { code }));
            return Progress::Done(credential.map(Some).ok_or(Cause::Type(TypeFault::CodeRefused)));
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return Progress::Done(Err(Cause::Type(TypeFault::NoMessage)));
        }
        if self.found.is_some() {
            return Progress::Waits;
        }
        self.look().map_or(Progress::Waits, |question| Progress::Wants(Output::Ask(question)))
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

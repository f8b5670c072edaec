//! Why a ceremony failed: [`Cause`] is the private reason, [`DomException`] the public name a page would see.
//!
//! A page must not learn which of many reasons it was; a tester must. So both are kept, and one exhaustive
//! match leads from the one to the other.

use std::fmt;

use softkey_ctap::StatusCode;
use softkey_ctap::cbor::DecodeError;
use softkey_ctap::u2f::StatusWord;

/// Which ceremony failed: some reasons have another public name in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `navigator.credentials.create()`.
    Create,
    /// `navigator.credentials.get()`.
    Get,
}

/// The public name of a failure (WebAuthn Level 3 sections 5.1.3 and 5.1.4, and the exceptions of `WebIDL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DomException {
    /// A value cannot be decoded.
    EncodingError,
    /// An authenticator with the qualities asked for is not there.
    ConstraintError,
    /// One of the excluded credentials exists.
    InvalidStateError,
    /// Everything that a page must not tell apart.
    NotAllowedError,
    /// No algorithm or type is usable.
    NotSupportedError,
    /// Origin and relying party identifier do not fit.
    SecurityError,
    /// The options are no such dictionary.
    TypeError,
}

impl DomException {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EncodingError => "EncodingError",
            Self::ConstraintError => "ConstraintError",
            Self::InvalidStateError => "InvalidStateError",
            Self::NotAllowedError => "NotAllowedError",
            Self::NotSupportedError => "NotSupportedError",
            Self::SecurityError => "SecurityError",
            Self::TypeError => "TypeError",
        }
    }
}

/// The reason. Its `Display` is one sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The options are not the JSON they should be; the text names the member.
    NotTheDictionary(String),
    /// `user.id` does not have 1 to 64 bytes.
    UserIdLength(usize),
    /// This member is not base64url.
    NotBase64Url(&'static str),
    /// The origin is opaque, or no origin at all.
    OpaqueOrigin,
    /// The origin is neither `https` nor `localhost`.
    InsecureOrigin,
    /// The origin's host is no domain: an address, or empty.
    NotADomain,
    /// The relying party identifier is neither the origin's domain nor a suffix of it that may be claimed.
    RpIdMismatch,
    /// None of `pubKeyCredParams` is of a known type.
    NoKnownParameters,
    /// None of the listed credentials is of a known type.
    NoKnownDescriptors,
    /// The page wants an authenticator attached in another way.
    AttachmentMismatch,
    /// The key makes no discoverable credentials, and one is required.
    NoDiscoverableCredentials,
    /// The key cannot verify the user, or is not set up to, and that is required.
    NoUserVerification,
    /// The key speaks CTAP1 only, and that cannot do what is asked.
    NotWithU2f(NotWithU2f),
    /// The key speaks neither CTAP2 nor CTAP1.
    SpeaksNeither,
    /// The key does not have the command.
    NoSuchCommand,
    /// There is no PIN/UV auth protocol that both ends know.
    NoCommonProtocol,
    /// The key has no PIN to set, or none set.
    PinNotSet,
    /// A PIN is set already; it can be changed.
    PinSetAlready,
    /// The key wants its PIN changed before it is used again.
    PinChangeRequired,
    /// Nobody gave a PIN.
    PinNotGiven,
    /// The new PIN breaks a rule.
    PinRule(PinRule),
    /// The PIN is wrong; so many tries are left, if the key said so.
    PinWrong(Option<u64>),
    /// Too many wrong PINs in a row: the key must be taken out and put back.
    PinAuthBlocked,
    /// Too many wrong PINs: only a reset helps.
    PinBlocked,
    /// The request is longer than the key takes.
    RequestTooLarge,
    /// None of the allowed credentials is on the key.
    NoCredentials,
    /// One of the excluded credentials is on the key, and the user touched it.
    Excluded,
    /// The key refused with this status.
    Refused(StatusCode),
    /// The key refused a CTAP1 command with this status word.
    RefusedU2f(StatusWord),
    /// The user gave up, or the owner did.
    Cancelled,
    /// Nobody touched the key in time.
    Timeout,
    /// The response has no bytes, or too few for a status.
    EmptyResponse,
    /// The response cannot be read.
    BadResponse(DecodeError),
    /// The response can be read, and is not the answer to what was asked.
    WrongResponse(WrongResponse),
}

/// What CTAP1 cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWithU2f {
    /// Algorithms other than ES256.
    Algorithm,
    /// Discoverable credentials.
    DiscoverableCredential,
    /// User verification.
    UserVerification,
    /// Sign-in without a list of credentials.
    NoAllowList,
}

/// The rules for a new PIN (`CTAP` 2.3 section 6.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinRule {
    /// Fewer code points than this.
    TooShort(u64),
    /// More code points than this, or more than 63 bytes.
    TooLong(u64),
    /// It holds a zero character.
    Zero,
    /// The key refused it: a rule of its own, or the PIN as it was.
    RefusedByKey,
}

/// What is wrong with a response that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongResponse {
    /// A member is missing that this request gives.
    MissingMember,
    /// The authenticator data are for another relying party.
    RpIdHash,
    /// The user was not present.
    NotPresent,
    /// The user was not verified.
    NotVerified,
    /// There is no new credential, or one where none belongs.
    Attested,
    /// The credential has an algorithm that was not asked for.
    Algorithm,
    /// The credential is not one of the list.
    Credential,
    /// A discoverable credential without its user.
    NoUser,
    /// The key-agreement key is not a point of P-256.
    KeyAgreement,
    /// The token cannot be decrypted, or has another length than 16 or 32 bytes.
    Token,
}

impl Cause {
    /// The name that a page sees.
    #[must_use]
    pub const fn exception(&self, operation: Operation) -> DomException {
        match self {
            Self::NotTheDictionary(_) | Self::UserIdLength(_) => DomException::TypeError,
            Self::NotBase64Url(_) => DomException::EncodingError,
            Self::InsecureOrigin | Self::NotADomain | Self::RpIdMismatch => {
                DomException::SecurityError
            }
            Self::NoKnownParameters => DomException::NotSupportedError,
            Self::Excluded => DomException::InvalidStateError,
            Self::NoDiscoverableCredentials => DomException::ConstraintError,
            Self::NoUserVerification => no_user_verification(operation),
            Self::NotWithU2f(what) => with_u2f(*what, operation),
            Self::Refused(status) => refused(*status, operation),
            Self::OpaqueOrigin
            | Self::NoKnownDescriptors
            | Self::AttachmentMismatch
            | Self::SpeaksNeither
            | Self::NoSuchCommand
            | Self::NoCommonProtocol
            | Self::PinNotSet
            | Self::PinSetAlready
            | Self::PinChangeRequired
            | Self::PinNotGiven
            | Self::PinRule(_)
            | Self::PinWrong(_)
            | Self::PinAuthBlocked
            | Self::PinBlocked
            | Self::RequestTooLarge
            | Self::NoCredentials
            | Self::RefusedU2f(_)
            | Self::Cancelled
            | Self::Timeout
            | Self::EmptyResponse
            | Self::BadResponse(_)
            | Self::WrongResponse(_) => DomException::NotAllowedError,
        }
    }
}

const fn no_user_verification(operation: Operation) -> DomException {
    match operation {
        Operation::Create => DomException::ConstraintError,
        Operation::Get => DomException::NotAllowedError,
    }
}

const fn with_u2f(what: NotWithU2f, operation: Operation) -> DomException {
    match (operation, what) {
        (Operation::Create, NotWithU2f::Algorithm) => DomException::NotSupportedError,
        (Operation::Create, NotWithU2f::DiscoverableCredential | NotWithU2f::UserVerification) => {
            DomException::ConstraintError
        }
        (Operation::Create, NotWithU2f::NoAllowList) | (Operation::Get, _) => {
            DomException::NotAllowedError
        }
    }
}

/// A status is any byte, so this one match has a rest: whatever a page must not tell apart.
const fn refused(status: StatusCode, operation: Operation) -> DomException {
    match (operation, status) {
        (Operation::Create, StatusCode::CREDENTIAL_EXCLUDED) => DomException::InvalidStateError,
        (Operation::Create, StatusCode::UNSUPPORTED_ALGORITHM) => DomException::NotSupportedError,
        (Operation::Create, StatusCode::KEY_STORE_FULL | StatusCode::UNSUPPORTED_OPTION) => {
            DomException::ConstraintError
        }
        _ => DomException::NotAllowedError,
    }
}

impl From<DecodeError> for Cause {
    fn from(error: DecodeError) -> Self {
        Self::BadResponse(error)
    }
}

impl From<WrongResponse> for Cause {
    fn from(wrong: WrongResponse) -> Self {
        Self::WrongResponse(wrong)
    }
}

impl From<PinRule> for Cause {
    fn from(rule: PinRule) -> Self {
        Self::PinRule(rule)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTheDictionary(detail) => {
                write!(f, "The options are not as they should be: {detail}.")
            }
            Self::UserIdLength(len) => write!(f, "user.id has {len} bytes, not 1 to 64."),
            Self::NotBase64Url(member) => write!(f, "{member} is not base64url."),
            Self::NotWithU2f(what) => write!(f, "The key speaks CTAP1 only, which has no {what}."),
            Self::PinRule(rule) => fmt::Display::fmt(rule, f),
            Self::PinWrong(Some(left)) => write!(f, "The PIN is wrong; {left} tries are left."),
            Self::Refused(status) => write!(f, "The key refused: {} [{status}]", status.meaning()),
            Self::RefusedU2f(StatusWord(word)) => {
                write!(f, "The key refused a CTAP1 command with the status word 0x{word:04x}.")
            }
            Self::BadResponse(error) => write!(f, "The key's response cannot be read ({error:?})."),
            Self::WrongResponse(wrong) => write!(f, "The key's response is wrong: {wrong}."),
            other => f.write_str(other.sentence()),
        }
    }
}

impl Cause {
    /// The sentence of a cause that carries nothing; those that carry something have their own in `Display`.
    const fn sentence(&self) -> &'static str {
        match self {
            Self::OpaqueOrigin => "The origin is opaque.",
            Self::InsecureOrigin => "The origin is neither https nor localhost.",
            Self::NotADomain => "The origin's host is not a domain.",
            Self::RpIdMismatch => "The relying party identifier does not belong to the origin.",
            Self::NoKnownParameters => "None of pubKeyCredParams has a known type.",
            Self::NoKnownDescriptors => "None of the listed credentials has a known type.",
            Self::AttachmentMismatch => "The page wants an authenticator attached in another way.",
            Self::NoDiscoverableCredentials => "The key makes no discoverable credentials.",
            Self::NoUserVerification => "The key cannot verify the user, or is not set up to.",
            Self::SpeaksNeither => "The key speaks neither CTAP2 nor CTAP1.",
            Self::NoSuchCommand => "The key does not have this command.",
            Self::NoCommonProtocol => "The key knows no PIN/UV auth protocol that is known here.",
            Self::PinNotSet => "The key has no PIN.",
            Self::PinSetAlready => "The key has a PIN already.",
            Self::PinChangeRequired => "The key wants its PIN changed first.",
            Self::PinNotGiven => "No PIN was given.",
            Self::PinWrong(_) => "The PIN is wrong.",
            Self::PinAuthBlocked => "Too many wrong PINs in a row.",
            Self::PinBlocked => "The PIN is blocked after too many wrong ones.",
            Self::RequestTooLarge => "The request is longer than the key takes.",
            Self::NoCredentials => "None of the credentials asked for is on the key.",
            Self::Excluded => "One of the excluded credentials is on the key.",
            Self::Cancelled => "The operation was given up.",
            Self::Timeout => "Nobody touched the key in time.",
            Self::EmptyResponse => "The key's response is empty.",
            Self::NotTheDictionary(_)
            | Self::UserIdLength(_)
            | Self::NotBase64Url(_)
            | Self::NotWithU2f(_)
            | Self::PinRule(_)
            | Self::Refused(_)
            | Self::RefusedU2f(_)
            | Self::BadResponse(_)
            | Self::WrongResponse(_) => "",
        }
    }
}

impl fmt::Display for NotWithU2f {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm => "algorithm but ES256",
            Self::DiscoverableCredential => "discoverable credentials",
            Self::UserVerification => "user verification",
            Self::NoAllowList => "sign-in without a list of credentials",
        })
    }
}

impl fmt::Display for PinRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(min) => write!(f, "The PIN is too short: it needs {min} characters."),
            Self::TooLong(max) => {
                write!(f, "The PIN is too long: it may have {max} characters and 63 bytes.")
            }
            Self::Zero => f.write_str("The PIN holds a zero character."),
            Self::RefusedByKey => f.write_str("The key does not take this PIN."),
        }
    }
}

impl fmt::Display for WrongResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingMember => "a member is missing",
            Self::RpIdHash => "it is for another relying party",
            Self::NotPresent => "the user was not present",
            Self::NotVerified => "the user was not verified",
            Self::Attested => "a credential is missing or out of place",
            Self::Algorithm => "the algorithm was not asked for",
            Self::Credential => "the credential was not asked for",
            Self::NoUser => "the user handle is missing",
            Self::KeyAgreement => "its key-agreement key is no point of P-256",
            Self::Token => "its token cannot be read",
        })
    }
}

impl std::error::Error for Cause {}

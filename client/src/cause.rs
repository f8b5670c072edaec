//! Why a ceremony failed: [`Cause`] is the private reason, [`DomException`] the public name a page would see.
//!
//! A page must not learn which of many reasons it was; a tester must. So both are kept, and one exhaustive
//! match leads from the one to the other.

mod owner;
mod text;

use softkey_ctap::StatusCode;
use softkey_ctap::cbor::DecodeError;
use softkey_ctap::u2f::StatusWord;

use crate::abort::AbortReason;
use crate::capabilities::Capability;
use crate::fedcm::Failure;
use crate::registry::{CredentialType, Feature};
use crate::related::RelatedFault;
pub use owner::OwnerFault;

/// Which ceremony failed: some reasons have another public name in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `navigator.credentials.create()`.
    Create,
    /// `navigator.credentials.get()`.
    Get,
    /// `navigator.credentials.store()`.
    Store,
}

/// The public name of a failure (WebAuthn Level 3 sections 5.1.3 and 5.1.4, and the exceptions of `WebIDL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DomException {
    /// The page withdrew the call.
    AbortError,
    /// A value cannot be decoded.
    EncodingError,
    /// An authenticator with the qualities asked for is not there.
    ConstraintError,
    /// An identity provider gave an error, or nothing that could be read.
    IdentityCredentialError,
    /// One of the excluded credentials exists.
    InvalidStateError,
    /// A provider cannot be used, for whatever reason.
    NetworkError,
    /// Everything that a page must not tell apart.
    NotAllowedError,
    /// No algorithm or type is usable.
    NotSupportedError,
    /// Origin and relying party identifier do not fit.
    SecurityError,
    /// A value breaks a rule of its form.
    SyntaxError,
    /// The time of the page's own abort signal has passed.
    TimeoutError,
    /// The options are no such dictionary.
    TypeError,
}

impl DomException {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AbortError => "AbortError",
            Self::EncodingError => "EncodingError",
            Self::ConstraintError => "ConstraintError",
            Self::IdentityCredentialError => "IdentityCredentialError",
            Self::InvalidStateError => "InvalidStateError",
            Self::NetworkError => "NetworkError",
            Self::NotAllowedError => "NotAllowedError",
            Self::NotSupportedError => "NotSupportedError",
            Self::SecurityError => "SecurityError",
            Self::SyntaxError => "SyntaxError",
            Self::TimeoutError => "TimeoutError",
            Self::TypeError => "TypeError",
        }
    }
}

/// The reason. Its `Display` is one sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The page is not fully active.
    NotFullyActive,
    /// The call asks for no type of credential that this client has.
    NoType,
    /// This client has no such method of `PublicKeyCredential`.
    NoMethod(Capability),
    /// The call asks for types that must not share one.
    TypesDoNotMix(CredentialType, CredentialType),
    /// A call for this type is pending on the page.
    TypeActive(CredentialType),
    /// A permission policy refuses this feature to the page.
    PolicyRefuses(Feature),
    /// This type has no conditional mediation.
    NotConditional(CredentialType),
    /// This type has no mode `immediate`.
    NotImmediate(CredentialType),
    /// Credentials of this type are not stored by the client.
    CannotStore(CredentialType),
    /// The call breaks a rule of passwords, federated credentials or one-time codes.
    Type(TypeFault),
    /// A call for identity credentials fails.
    Identity(Failure),
    /// A frame of another origin may not create conditionally.
    ConditionalInFrame,
    /// A frame of another origin may create only after a click of the user's.
    NoActivation,
    /// Nobody agreed to credentials that are made without asking, or no sign-in preceded this one.
    NoCreationConsent,
    /// The page withdrew the call.
    Aborted(AbortReason),
    /// There is no key, and none can come.
    NoKey,
    /// The key went away, or the way to it broke.
    KeyGone,
    /// The credential is not one of those that the page allows.
    OutsideFilter,
    /// Each key failed for a reason of its own, and the page must not tell them apart.
    KeysDiffer,
    /// The options are not the JSON they should be; the text names the member.
    NotTheDictionary(String),
    /// `user.id` does not have 1 to 64 bytes.
    UserIdLength(usize),
    /// This member is not base64url.
    NotBase64Url(&'static str),
    /// This member of a signal is not base64url.
    SignalNotBase64Url(&'static str),
    /// The origin is opaque, or no origin at all.
    OpaqueOrigin,
    /// The origin is neither `https` nor `localhost`.
    InsecureOrigin,
    /// The origin's host is no domain: an address, or empty.
    NotADomain,
    /// The relying party identifier is neither the origin's domain nor a suffix of it that may be claimed.
    RpIdMismatch,
    /// It is not the origin's, and the relying party's list of related origins does not help.
    RelatedOrigins(RelatedFault),
    /// `prf.evalByCredential` has no meaning at creation.
    PrfByCredentialAtCreation,
    /// `prf.evalByCredential` without a list of credentials.
    PrfWithoutList,
    /// This key of `prf.evalByCredential` is empty, not base64url, or not in the list of credentials.
    PrfCredential(String),
    /// A salt of `hmacGetSecret` has so many bytes instead of 32.
    SaltLength(usize),
    /// `largeBlob` has members that have no meaning here or beside each other, or would write without exactly one
    /// credential named.
    LargeBlobMisuse,
    /// The caller may not use this `AppID`.
    AppIdRefused,
    /// `payment` at creation needs a platform attachment, a discoverable credential and user verification.
    PaymentNeeds,
    /// `payment` at sign-in is for the payment handler.
    NotPaymentHandler,
    /// The key cannot protect credentials, and the page insists.
    NoCredProtect,
    /// The key keeps no large blobs for such a credential, and the page insists.
    NoLargeBlobs,
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
    /// So many credentials have identifiers that begin as the one meant.
    SeveralCredentials(usize),
    /// The credential was made without a key for large blobs.
    NoLargeBlobKey,
    /// The credential has no large blob.
    NoLargeBlob,
    /// The key's large-blob array has no room for it.
    NoRoomForBlob,
    /// A finger could not be enrolled, or not be found.
    Finger(FingerFault),
    /// The key's owner cannot have that.
    Owner(OwnerFault),
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

/// A rule of a type that the profile or somebody's message serves, broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeFault {
    /// Create makes one credential, and was asked for several types.
    SeveralTypes,
    /// A page inside a frame of another origin may not use credentials of this type.
    ForeignAncestors(CredentialType),
    /// The credential is of another origin than the page that wants to have it kept.
    ForeignCredential,
    /// This member of a password or federated credential is empty, or missing in a form.
    EmptyMember(&'static str),
    /// `iconURL` is not the URL of a resource that can be trusted on its way.
    IconUrl,
    /// No transport of one-time codes is asked for that there is.
    NoTransport,
    /// The user did not let the page have the code.
    CodeRefused,
    /// No message came in time.
    NoMessage,
}

impl TypeFault {
    const fn exception(self) -> DomException {
        match self {
            Self::EmptyMember(_) => DomException::TypeError,
            Self::IconUrl => DomException::SecurityError,
            Self::SeveralTypes | Self::NoTransport => DomException::NotSupportedError,
            Self::ForeignAncestors(_)
            | Self::ForeignCredential
            | Self::CodeRefused
            | Self::NoMessage => DomException::NotAllowedError,
        }
    }
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
    /// The minimum itself was to fall below this, or to rise above what the key takes.
    MinimumOnlyRises(u64),
    /// The key refused it: a rule of its own, or the PIN as it was.
    RefusedByKey,
}

/// Why there is no such finger, or no further one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerFault {
    /// None on the key is called so.
    Unknown,
    /// So many are called so, or have identifiers that begin so.
    Several(usize),
    /// It is enrolled already.
    Enrolled,
    /// So many samples in a row were of no use.
    BadSamples(u64),
    /// Its name is longer than so many bytes, which is what the key takes.
    NameTooLong(u64),
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
    /// The output of hmac-secret cannot be decrypted, or has another length than was asked for.
    HmacSecret,
    /// The credential is less protected than was asked for.
    Protection,
    /// The credential has no room for a large blob after all.
    LargeBlob,
    /// The large-blob array is longer than the key says it can be, or than any is.
    LargeBlobArray,
    /// The token cannot be decrypted, or has another length than 16 or 32 bytes.
    Token,
}

impl Cause {
    /// The name that a page sees.
    #[must_use]
    pub const fn exception(&self, operation: Operation) -> DomException {
        match self {
            Self::Type(fault) => fault.exception(),
            Self::Identity(failure) => failure.exception(),
            Self::NotTheDictionary(_)
            | Self::UserIdLength(_)
            | Self::SaltLength(_)
            | Self::SignalNotBase64Url(_)
            | Self::NoMethod(_)
            | Self::NotConditional(_)
            | Self::NotImmediate(_) => DomException::TypeError,
            Self::Aborted(AbortReason::Timeout) => DomException::TimeoutError,
            Self::Aborted(AbortReason::Abort | AbortReason::Value(_)) => DomException::AbortError,
            Self::NotBase64Url(_) => DomException::EncodingError,
            Self::InsecureOrigin
            | Self::NotADomain
            | Self::RpIdMismatch
            | Self::AppIdRefused
            | Self::RelatedOrigins(_) => DomException::SecurityError,
            Self::PrfCredential(_) => DomException::SyntaxError,
            Self::NoKnownParameters
            | Self::PrfByCredentialAtCreation
            | Self::PrfWithoutList
            | Self::LargeBlobMisuse
            | Self::PaymentNeeds
            | Self::NoType
            | Self::TypesDoNotMix(..)
            | Self::CannotStore(_) => DomException::NotSupportedError,
            Self::NotFullyActive | Self::Excluded => DomException::InvalidStateError,
            Self::NoDiscoverableCredentials => DomException::ConstraintError,
            Self::NoUserVerification => no_user_verification(operation),
            Self::NotWithU2f(what) => with_u2f(*what, operation),
            Self::Refused(status) => refused(*status, operation),
            Self::OpaqueOrigin
            | Self::TypeActive(_)
            | Self::PolicyRefuses(_)
            | Self::ConditionalInFrame
            | Self::NoActivation
            | Self::NoCreationConsent
            | Self::NoKey
            | Self::KeyGone
            | Self::OutsideFilter
            | Self::KeysDiffer
            | Self::NoCredProtect
            | Self::NoLargeBlobs
            | Self::NotPaymentHandler
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
            | Self::SeveralCredentials(_)
            | Self::NoLargeBlobKey
            | Self::NoLargeBlob
            | Self::NoRoomForBlob
            | Self::Finger(_)
            | Self::Owner(_)
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
        Operation::Get | Operation::Store => DomException::NotAllowedError,
    }
}

const fn with_u2f(what: NotWithU2f, operation: Operation) -> DomException {
    match (operation, what) {
        (Operation::Create, NotWithU2f::Algorithm) => DomException::NotSupportedError,
        (Operation::Create, NotWithU2f::DiscoverableCredential | NotWithU2f::UserVerification) => {
            DomException::ConstraintError
        }
        (Operation::Create, NotWithU2f::NoAllowList) | (Operation::Get | Operation::Store, _) => {
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

impl From<TypeFault> for Cause {
    fn from(fault: TypeFault) -> Self {
        Self::Type(fault)
    }
}

impl From<Failure> for Cause {
    fn from(failure: Failure) -> Self {
        Self::Identity(failure)
    }
}

impl From<WrongResponse> for Cause {
    fn from(wrong: WrongResponse) -> Self {
        Self::WrongResponse(wrong)
    }
}

impl From<FingerFault> for Cause {
    fn from(fault: FingerFault) -> Self {
        Self::Finger(fault)
    }
}

impl From<PinRule> for Cause {
    fn from(rule: PinRule) -> Self {
        Self::PinRule(rule)
    }
}

impl std::error::Error for Cause {}

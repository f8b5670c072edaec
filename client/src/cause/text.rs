//! What a cause says to people: one sentence each.

use std::fmt;

use softkey_ctap::u2f::StatusWord;

use crate::abort::AbortReason;
use crate::related::RelatedFault;

use super::{Cause, FingerFault, NotWithU2f, PinRule, TypeFault, WrongResponse};

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TypesDoNotMix(one, other) => {
                write!(f, "{} and {} must not share one call.", one.member(), other.member())
            }
            Self::TypeActive(kind) => {
                write!(f, "A call for {} is pending already.", kind.member())
            }
            Self::PolicyRefuses(feature) => {
                write!(f, "The permission policy refuses {}.", feature.as_str())
            }
            Self::NotConditional(kind) => {
                write!(f, "There is no conditional mediation for {}.", kind.member())
            }
            Self::NotImmediate(kind) => {
                write!(f, "There is no mode \"immediate\" for {}.", kind.member())
            }
            Self::Type(fault) => fmt::Display::fmt(fault, f),
            Self::Identity(failure) => fmt::Display::fmt(failure, f),
            Self::CannotStore(kind) => {
                write!(f, "Credentials of the type {} cannot be stored.", kind.as_str())
            }
            Self::Aborted(AbortReason::Value(value)) => {
                write!(f, "The page withdrew the call: {value}.")
            }
            Self::NotTheDictionary(detail) => {
                write!(f, "The options are not as they should be: {detail}.")
            }
            Self::SaltLength(len) => {
                write!(f, "A salt of hmacGetSecret has {len} bytes instead of 32.")
            }
            Self::UserIdLength(len) => write!(f, "user.id has {len} bytes, not 1 to 64."),
            Self::NotBase64Url(member) | Self::SignalNotBase64Url(member) => {
                write!(f, "{member} is not base64url.")
            }
            Self::PrfCredential(id) => {
                write!(f, "prf.evalByCredential names {id:?}, which is not in allowCredentials.")
            }
            Self::RelatedOrigins(fault) => write!(
                f,
                "The relying party identifier does not belong to the origin, and {fault}."
            ),
            Self::NotWithU2f(what) => write!(f, "The key speaks CTAP1 only, which has no {what}."),
            Self::SeveralCredentials(count) => {
                write!(f, "There are {count} credentials whose identifiers begin so.")
            }
            Self::Finger(fault) => fmt::Display::fmt(fault, f),
            Self::Owner(fault) => fmt::Display::fmt(fault, f),
            Self::NoMethod(method) => write!(f, "This client has no method {}.", method.as_str()),
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
            Self::NotFullyActive => "The page is not fully active.",
            Self::NoType => "The call asks for no type of credential that there is.",
            Self::ConditionalInFrame => "A frame of another origin cannot create conditionally.",
            Self::NoActivation => "A frame of another origin can create only after a click.",
            Self::NoCreationConsent => "Nobody agreed to a credential that is made without asking.",
            Self::Aborted(AbortReason::Timeout) => "The time of the page's signal has passed.",
            Self::Aborted(_) => "The page withdrew the call.",
            Self::NoKey => "There is no key.",
            Self::KeyGone => "The key went away, or the way to it broke.",
            Self::PrfByCredentialAtCreation => "prf.evalByCredential is for get only.",
            Self::PrfWithoutList => "prf.evalByCredential needs allowCredentials.",
            Self::NoCredProtect => "The key cannot protect credentials.",
            Self::NoLargeBlobs => "The key keeps no large blobs for such a credential.",
            Self::LargeBlobMisuse => "The members of largeBlob do not belong together, or here.",
            Self::AppIdRefused => "The AppID does not belong to the origin's site.",
            Self::PaymentNeeds => {
                "payment needs a platform attachment, a discoverable credential and verification."
            }
            Self::NotPaymentHandler => "payment at sign-in is for the payment handler.",
            Self::KeysDiffer => "The keys failed for different reasons.",
            Self::OutsideFilter => "The credential is not one that the page allows.",
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
            Self::NoLargeBlobKey => "This credential was made without a key for large blobs.",
            Self::NoLargeBlob => "This credential has no large blob.",
            Self::NoRoomForBlob => "The key has no room for a blob of that size.",
            Self::NoCredentials => "None of the credentials asked for is on the key.",
            Self::Excluded => "One of the excluded credentials is on the key.",
            Self::Cancelled => "The operation was given up.",
            Self::Timeout => "Nobody touched the key in time.",
            Self::EmptyResponse => "The key's response is empty.",
            Self::TypesDoNotMix(..)
            | Self::Type(_)
            | Self::TypeActive(_)
            | Self::PolicyRefuses(_)
            | Self::NotConditional(_)
            | Self::NotImmediate(_)
            | Self::CannotStore(_)
            | Self::RelatedOrigins(_)
            | Self::PrfCredential(_)
            | Self::NotTheDictionary(_)
            | Self::UserIdLength(_)
            | Self::SaltLength(_)
            | Self::NotBase64Url(_)
            | Self::SignalNotBase64Url(_)
            | Self::NotWithU2f(_)
            | Self::PinRule(_)
            | Self::Refused(_)
            | Self::RefusedU2f(_)
            | Self::BadResponse(_)
            | Self::SeveralCredentials(_)
            | Self::Finger(_)
            | Self::Owner(_)
            | Self::Identity(_)
            | Self::NoMethod(_)
            | Self::WrongResponse(_) => "",
        }
    }
}

impl fmt::Display for TypeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeveralTypes => "The call would create credentials of several types.",
            Self::ForeignAncestors(kind) => {
                return write!(f, "A frame of another origin cannot use {}.", kind.member());
            }
            Self::ForeignCredential => "The credential is of another origin than the page.",
            Self::EmptyMember(member) => return write!(f, "{member} is empty or missing."),
            Self::IconUrl => "iconURL is not an https URL, nor another that can be trusted.",
            Self::NoTransport => "The call names no transport of codes that there is.",
            Self::CodeRefused => "The page was not allowed to have the code.",
            Self::NoMessage => "No message with a code came in time.",
        })
    }
}

impl fmt::Display for RelatedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFetched => "the list of related origins cannot be fetched",
            Self::Status(status) => {
                return write!(f, "the list of related origins has the status {status}");
            }
            Self::Redirect => "the list of related origins leads away from https",
            Self::TooManyRedirects => "the list of related origins is redirected too often",
            Self::MediaType => "the list of related origins is not application/json",
            Self::TooLong => "the list of related origins is too long",
            Self::NoList => "there is no list of related origins in the document",
            Self::NotListed => "the origin is not in the list of related origins",
        })
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

impl fmt::Display for FingerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("No finger is called so on the key."),
            Self::Several(count) => write!(f, "There are {count} fingers that are called so."),
            Self::Enrolled => f.write_str("This finger is enrolled on the key already."),
            Self::BadSamples(count) => write!(f, "{count} samples in a row were of no use."),
            Self::NameTooLong(bytes) => {
                write!(f, "The key takes names of at most {bytes} bytes for fingers.")
            }
        }
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
            Self::MinimumOnlyRises(present) => {
                write!(f, "The shortest PIN has {present} characters, and that number only rises.")
            }
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
            Self::HmacSecret => "its output of hmac-secret cannot be read",
            Self::Protection => "the credential is less protected than was asked for",
            Self::LargeBlob => "the credential has no room for a large blob after all",
            Self::LargeBlobArray => "the array of large blobs is longer than it can be",
            Self::Token => "its token cannot be read",
        })
    }
}

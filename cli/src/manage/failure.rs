//! What to say when a ceremony failed: every cause, a sentence, what to try, and an exit code.

use std::io;

use softkey_client::cause::{Cause, FingerFault, OwnerFault, PinRule, TypeFault};
use softkey_client::driver::DriveError;
use softkey_client::fedcm::{Endpoint, Failure, Unoffered};
use softkey_ctap::StatusCode;
use softkey_ctap_hid::{ConnectionError, HostError};

use crate::error::{CliError, Exit};

/// The error for the person.
#[must_use]
pub fn explain(error: DriveError<io::Error>) -> CliError {
    match error {
        // Only this program cancels a request of its own.
        DriveError::Cause(Cause::Refused(StatusCode::KEEPALIVE_CANCEL)) => {
            explain(DriveError::Cause(Cause::Cancelled))
        }
        DriveError::Cause(cause) => {
            let (exit, try_this) = advice(&cause);
            CliError::new(exit, cause.to_string(), try_this)
        }
        DriveError::Connection(ConnectionError::Transport(error)) => CliError::new(
            Exit::NoKey,
            format!("The way to the key broke: {error}."),
            "plug the key in again",
        ),
        DriveError::Connection(ConnectionError::Host(error)) => CliError::new(
            Exit::NoKey,
            format!("The key cannot be reached: {error}."),
            match error {
                HostError::Busy => "again when the other program is done",
                _ => "plug the key out and in",
            },
        ),
    }
}

const ANY_TYPE: &str = "a member publicKey, password, federated, identity or otp in the options";
const FOR_PAYMENT: &str =
    "authenticatorAttachment platform, residentKey and userVerification required";
const PIN_SET: &str = "softkey pin set";
const PIN_CHANGE: &str = "softkey pin change";
const RESET: &str = "softkey reset, which erases every credential on the key";
const REINSERT: &str = "plug the key out and in, then try once more with care";
const SIGNED_IN: &str = "a --browser-profile that is signed in at the provider, or \"mode\": \"active\" with --forms to sign in there";
const FORMS: &str = "--forms with what the provider's page wants to have filled in";
const VERBOSE: &str = "--verbose, which shows each request and what was wrong with its answer";
const ANOTHER_KEY: &str = "another key";
const TOUCH: &str = "again, and touch the key when it blinks or asks";

/// The same for the rules of passwords, federated credentials and one-time codes.
const fn by_type(fault: TypeFault) -> (Exit, &'static str) {
    match fault {
        TypeFault::SeveralTypes
        | TypeFault::EmptyMember(_)
        | TypeFault::IconUrl
        | TypeFault::NoTransport => (Exit::BadInput, "options as a browser's JSON has them"),
        // A state of a page, which a command line does not have.
        TypeFault::ForeignAncestors(_) => (Exit::Failed, ""),
        TypeFault::ForeignCredential => (Exit::BadInput, "--origin as the credential has it"),
        TypeFault::CodeRefused => (Exit::Refused, "again, and say yes"),
        TypeFault::NoMessage => (Exit::Refused, "again, and have the message sent"),
    }
}

/// The exit code of a cause and what to try.
fn advice(cause: &Cause) -> (Exit, &'static str) {
    match cause {
        Cause::NotTheDictionary(_)
        | Cause::UserIdLength(_)
        | Cause::NotBase64Url(_)
        | Cause::TypesDoNotMix(..)
        | Cause::NotConditional(_)
        | Cause::NotImmediate(_)
        | Cause::PrfByCredentialAtCreation
        | Cause::PrfWithoutList
        | Cause::PrfCredential(_)
        | Cause::SaltLength(_)
        | Cause::SignalNotBase64Url(_)
        | Cause::LargeBlobMisuse
        | Cause::CannotStore(_) => (Exit::BadInput, "options as a browser's JSON has them"),
        Cause::NoType => (Exit::BadInput, ANY_TYPE),
        Cause::Aborted(_) => (Exit::Failed, "without \"signal\" in the options"),
        Cause::NoCreationConsent => (Exit::BadInput, "without \"mediation\": \"conditional\""),
        // States of a page, which a command line does not have.
        Cause::NotFullyActive
        | Cause::NoMethod(_)
        | Cause::TypeActive(_)
        | Cause::PolicyRefuses(_)
        | Cause::ConditionalInFrame
        | Cause::NoActivation
        | Cause::OutsideFilter
        | Cause::NotPaymentHandler
        | Cause::KeysDiffer => (Exit::Failed, ""),
        Cause::Type(fault) => by_type(*fault),
        Cause::Identity(failure) => by_provider(failure),
        Cause::NoKey | Cause::KeyGone => (Exit::NoKey, "plug the key in again"),
        Cause::OpaqueOrigin | Cause::InsecureOrigin | Cause::NotADomain => {
            (Exit::BadInput, "--origin https://example.org or http://localhost:8000")
        }
        Cause::RpIdMismatch | Cause::RelatedOrigins(_) => {
            (Exit::BadInput, "the origin's domain, or one that it ends with, as rp.id or rpId")
        }
        Cause::AppIdRefused => (Exit::BadInput, "an https URL of the origin's site as the AppID"),
        Cause::PaymentNeeds => (Exit::BadInput, FOR_PAYMENT),
        Cause::NoKnownParameters | Cause::NoKnownDescriptors => {
            (Exit::BadInput, "entries of the type public-key")
        }
        Cause::AttachmentMismatch => (Exit::Failed, "without authenticatorAttachment"),
        Cause::NoDiscoverableCredentials
        | Cause::NotWithU2f(_)
        | Cause::SpeaksNeither
        | Cause::NoSuchCommand
        | Cause::NoCommonProtocol
        | Cause::NoCredProtect
        | Cause::NoLargeBlobs
        | Cause::EmptyResponse
        | Cause::BadResponse(_)
        | Cause::WrongResponse(_) => (Exit::Failed, ANOTHER_KEY),
        Cause::NoUserVerification | Cause::PinNotSet => (Exit::Pin, PIN_SET),
        Cause::PinSetAlready | Cause::PinChangeRequired => (Exit::Pin, PIN_CHANGE),
        Cause::PinNotGiven => (Exit::Pin, "a terminal, --pin-file or SOFTKEY_PIN"),
        Cause::PinRule(PinRule::MinimumOnlyRises(_)) => (Exit::Pin, "a larger number, up to 63"),
        Cause::PinRule(PinRule::RefusedByKey) => (Exit::Pin, "a longer or less simple PIN"),
        Cause::PinRule(_) => (Exit::Pin, "another PIN"),
        Cause::PinWrong(_) => (Exit::Pin, "the right PIN; softkey pin retries says what is left"),
        Cause::PinAuthBlocked => (Exit::Pin, REINSERT),
        Cause::PinBlocked => (Exit::Pin, RESET),
        Cause::RequestTooLarge => (Exit::BadInput, "shorter names or lists"),
        Cause::NoCredentials => (Exit::Refused, "another key, or softkey create first"),
        Cause::SeveralCredentials(_) => (Exit::BadInput, "more of the identifier"),
        Cause::NoLargeBlobKey => {
            (Exit::Refused, "a credential that was registered with the extension largeBlob")
        }
        Cause::NoLargeBlob => (Exit::Refused, "softkey blobs list"),
        Cause::NoRoomForBlob => (Exit::Refused, "less data, or softkey blobs delete first"),
        Cause::Finger(fault) => finger(*fault),
        Cause::Owner(fault) => owner(*fault),
        Cause::Excluded => (Exit::Refused, "softkey get, or another key"),
        Cause::Refused(status) => refused(*status),
        Cause::RefusedU2f(_) => (Exit::Refused, ANOTHER_KEY),
        Cause::Cancelled => (Exit::Interrupted, ""),
        Cause::Timeout => (Exit::Refused, TOUCH),
    }
}

/// What went wrong with identity providers. A command line is one page without frames and clicks of its own.
fn by_provider(failure: &Failure) -> (Exit, &'static str) {
    match failure {
        Failure::NoProviders
        | Failure::SameProvider(_)
        | Failure::ActiveWithSeveral(_)
        | Failure::NoUrl
        | Failure::NotTrustworthy => {
            (Exit::BadInput, "identity.providers with an https configURL for each provider")
        }
        Failure::Dismissed | Failure::Logins(_) => (Exit::Refused, "again, and choose an account"),
        Failure::NotSignedIn | Failure::NotContinued => (Exit::Refused, FORMS),
        Failure::NothingToOffer(reasons) if reasons.iter().any(|(_, why)| is_signed_out(why)) => {
            (Exit::Refused, SIGNED_IN)
        }
        Failure::NeedsUser(_) => (Exit::Refused, "without \"mediation\": \"silent\""),
        Failure::NothingToOffer(_)
        | Failure::NoToken(_)
        | Failure::Late(..)
        | Failure::Answer(..)
        | Failure::CannotDisconnect => (Exit::Refused, VERBOSE),
        Failure::NotConnected => (Exit::Refused, "softkey get with identity first"),
        Failure::NoneEligible => (Exit::Refused, ""),
        Failure::Disabled
        | Failure::CoolingDown
        | Failure::NoActivation
        | Failure::Superseded
        | Failure::ContentSecurityPolicy
        | Failure::Disconnecting
        | Failure::TopLevel
        | Failure::NoContinuation => (Exit::Failed, ""),
        Failure::ForeignCaller => (Exit::Failed, "--origin with the origin of the config file"),
        Failure::ForeignSite => (Exit::Failed, "--top-origin of the same site, or none"),
    }
}

/// Would it help to be signed in at the provider?
const fn is_signed_out(why: &Unoffered) -> bool {
    matches!(why, Unoffered::LoggedOut | Unoffered::Answer(Endpoint::Accounts, _))
}

const fn finger(fault: FingerFault) -> (Exit, &'static str) {
    match fault {
        FingerFault::Unknown => (Exit::Refused, "softkey fingers list"),
        FingerFault::Several(_) => (Exit::BadInput, "more of the identifier"),
        FingerFault::Enrolled => (Exit::Refused, "another finger"),
        FingerFault::BadSamples(_) => (Exit::Refused, "a clean, dry finger, flat on the sensor"),
        FingerFault::NameTooLong(_) => (Exit::BadInput, "a shorter name"),
    }
}

const fn owner(fault: OwnerFault) -> (Exit, &'static str) {
    match fault {
        OwnerFault::PartiesFull => (Exit::Refused, "fewer or shorter --rp-id"),
        OwnerFault::MinimumTooHigh(_) => (Exit::Pin, "a smaller number"),
        OwnerFault::AlwaysUvStays => (Exit::Refused, ANOTHER_KEY),
        OwnerFault::NamesFull => (Exit::Refused, "shorter names"),
        OwnerFault::UnknownCredential => (Exit::Refused, "softkey credentials list"),
        OwnerFault::TooLateForReset => {
            (Exit::Refused, "plug the key out and in, and again within ten seconds")
        }
    }
}

/// What to try after a status. Every byte can come, so there is a rest; every code with a name has words of its own.
fn refused(status: StatusCode) -> (Exit, &'static str) {
    match status {
        StatusCode::PIN_INVALID
        | StatusCode::PIN_AUTH_INVALID
        | StatusCode::PIN_TOKEN_EXPIRED
        | StatusCode::UNAUTHORIZED_PERMISSION => (Exit::Pin, "again with the PIN"),
        StatusCode::PUAT_REQUIRED | StatusCode::PIN_NOT_SET => (Exit::Pin, PIN_SET),
        StatusCode::PIN_POLICY_VIOLATION => (Exit::Pin, PIN_CHANGE),
        StatusCode::PIN_BLOCKED => (Exit::Pin, RESET),
        StatusCode::PIN_AUTH_BLOCKED => (Exit::Pin, REINSERT),
        StatusCode::UV_BLOCKED | StatusCode::UV_INVALID => {
            (Exit::Refused, "a clean finger, or the PIN")
        }
        StatusCode::USER_ACTION_TIMEOUT
        | StatusCode::ACTION_TIMEOUT
        | StatusCode::UP_REQUIRED
        | StatusCode::USER_ACTION_PENDING => (Exit::Refused, TOUCH),
        StatusCode::OPERATION_DENIED | StatusCode::KEEPALIVE_CANCEL => {
            (Exit::Refused, "again, and approve it at the key")
        }
        StatusCode::KEY_STORE_FULL => {
            (Exit::Refused, "another key, or fewer credentials on this one")
        }
        StatusCode::FP_DATABASE_FULL => (Exit::Refused, "softkey fingers remove, to make room"),
        StatusCode::LARGE_BLOB_STORAGE_FULL => {
            (Exit::Refused, "less data, or softkey blobs delete first")
        }
        StatusCode::CREDENTIAL_EXCLUDED => (Exit::Refused, "softkey get, or another key"),
        StatusCode::NO_CREDENTIALS | StatusCode::INVALID_CREDENTIAL => {
            (Exit::Refused, "another key, or softkey create first")
        }
        StatusCode::UNSUPPORTED_ALGORITHM => (Exit::Refused, "-7 (ES256) in pubKeyCredParams"),
        StatusCode::LIMIT_EXCEEDED | StatusCode::REQUEST_TOO_LARGE | StatusCode::INVALID_LENGTH => {
            (Exit::Refused, "shorter names, lists or data")
        }
        StatusCode::INVALID_PARAMETER
        | StatusCode::UNSUPPORTED_OPTION
        | StatusCode::INVALID_OPTION
        | StatusCode::UNSUPPORTED_EXTENSION => (Exit::Refused, OTHER_OPTIONS),
        other => fault(other),
    }
}

/// What to try after a status that is nobody's wish: something is wrong between the key and this program.
fn fault(status: StatusCode) -> (Exit, &'static str) {
    match status {
        StatusCode::INVALID_COMMAND | StatusCode::INVALID_SUBCOMMAND => {
            (Exit::Refused, "a key that has the command; softkey info says what this one can do")
        }
        StatusCode::CHANNEL_BUSY
        | StatusCode::LOCK_REQUIRED
        | StatusCode::OPERATION_PENDING
        | StatusCode::NOT_BUSY => (Exit::Refused, "again when the other program is done"),
        StatusCode::NOT_ALLOWED
        | StatusCode::TIMEOUT
        | StatusCode::INVALID_SEQ
        | StatusCode::INVALID_CHANNEL
        | StatusCode::NO_OPERATIONS
        | StatusCode::NO_OPERATION_PENDING
        | StatusCode::INTEGRITY_FAILURE => (Exit::Refused, "the same once more, from the start"),
        StatusCode::CBOR_UNEXPECTED_TYPE
        | StatusCode::INVALID_CBOR
        | StatusCode::MISSING_PARAMETER => {
            (Exit::Refused, "another key; this one does not understand what is sent to it")
        }
        StatusCode::PROCESSING | StatusCode::OTHER | StatusCode::SPEC_LAST | StatusCode::OK => {
            (Exit::Refused, "plug the key out and in, and the same once more")
        }
        _ => (Exit::Refused, REST),
    }
}

const OTHER_OPTIONS: &str = "other options or values; softkey info says what this key can do";
/// What to try after a status that the standard gives no name.
const REST: &str = "again, or another key";

#[cfg(test)]
mod tests {
    use super::*;

    /// Each code with a name has a sentence, and advice that is not the rest's; other bytes have words too.
    #[test]
    fn every_status_has_plain_words() {
        for byte in 0..=0xff {
            let status = StatusCode(byte);
            let error = explain(DriveError::Cause(Cause::Refused(status)));
            let told = error.to_string();
            assert_eq!(refused(status).1 == REST, status.name().is_none(), "{status}");
            if status == StatusCode::KEEPALIVE_CANCEL {
                continue;
            }
            assert!(told.contains(status.meaning()), "{told}");
            assert!(told.contains("try: "), "{told}");
        }
    }
}

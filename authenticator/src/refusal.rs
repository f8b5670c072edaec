//! Why a request was refused, and the status that says so.

use softkey_ctap::StatusCode;
use softkey_ctap::cbor::DecodeError;

/// The reason for a refusal. The client sees only its status; the owner may log the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The message could not be read.
    Decode(DecodeError),
    /// The message is longer than maxMsgSize.
    TooLarge,
    /// The command is not known.
    UnknownCommand,
    /// The subcommand is not known, or needs what this authenticator does not have.
    UnknownSubcommand,
    /// The subcommand exists, but this authenticator does not offer it.
    SubcommandNotOffered,
    /// The vendor's command is not one of this authenticator's.
    UnknownVendorCommand,
    /// Another request waits for the user.
    Busy,
    /// A parameter that the subcommand needs is missing.
    MissingParameter,
    /// A pinUvAuthParam came without its protocol.
    ProtocolMissing,
    /// The PIN/UV auth protocol is not supported.
    ProtocolUnsupported,
    /// The platform's key-agreement key is not a point of P-256.
    KeyAgreement,
    /// The subcommand does not take `permissions` or `rpId`.
    UnexpectedPermissions,
    /// No defined permission was asked for.
    NoPermissions,
    /// A permission needs a feature that this authenticator does not have.
    UnauthorizedPermission,
    /// The decrypted PIN has an impossible length.
    PaddedPinLength,
    /// None of the algorithms is supported.
    UnsupportedAlgorithm,
    /// A list is longer than maxCredentialCountInList.
    ListTooLong,
    /// The option `up` is false where presence is needed.
    PresenceOptionFalse,
    /// The option `uv` is true, but there is no built-in user verification.
    UserVerificationOption,
    /// A discoverable credential is wanted of an authenticator that has none.
    DiscoverableNotOffered,
    /// The option `rk` stands in authenticatorGetAssertion.
    ResidentKeyOption,
    /// Enterprise attestation is not offered, or not turned on.
    EnterpriseAttestation,
    /// There is no such kind of enterprise attestation.
    EnterpriseAttestationValue,
    /// The credProtect level is not 1, 2 or 3.
    ProtectionLevel,
    /// hmac-secret was asked for without user presence.
    HmacSecretWithoutPresence,
    /// The salts of hmac-secret do not decrypt to 32 or 64 bytes.
    SaltLength,
    /// The saltAuth of hmac-secret is wrong.
    SaltAuth,
    /// The request needs a pinUvAuthToken.
    TokenRequired,
    /// The request needs user verification, and no token can be had.
    VerificationRequired,
    /// The pinUvAuthParam is wrong, or there is no token in use.
    TokenInvalid,
    /// The token does not have the permission.
    TokenPermission,
    /// The token is bound to another relying party.
    TokenRelyingParty,
    /// A pinUvAuthParam came although neither PIN nor user verification is set up.
    NothingSetUp,
    /// The user touched the key in answer to a request that only asked which key to use; a PIN is set.
    SelectedWithPin,
    /// The same, without a PIN.
    SelectedWithoutPin,
    /// No PIN is set.
    PinNotSet,
    /// A PIN is set already.
    PinAlreadySet,
    /// The pinUvAuthParam over the encrypted PIN is wrong, or the PIN does not decrypt.
    PinAuth,
    /// The PIN is wrong.
    PinWrong,
    /// The PIN is blocked until a reset.
    PinBlocked,
    /// The PIN is blocked until a power cycle.
    PinAuthBlocked,
    /// The new PIN breaks a rule.
    PinPolicy,
    /// The PIN must be changed; told to getPinToken.
    PinChangeForcedLegacy,
    /// The PIN must be changed.
    PinChangeForced,
    /// Built-in user verification is blocked.
    VerificationBlocked,
    /// Built-in user verification failed.
    VerificationFailed,
    /// Built-in user verification failed, and a PIN could serve instead.
    VerificationFailedPinPossible,
    /// Built-in user verification is blocked, and there is no PIN to serve instead.
    VerificationExhausted,
    /// The user refused.
    UserRefused,
    /// The user did not act in time.
    UserTimeout,
    /// The client cancelled.
    Cancelled,
    /// An excluded credential lies on this authenticator.
    Excluded,
    /// There is no credential for this request.
    NoCredentials,
    /// There is nothing to go on with.
    NoState,
    /// A reset was asked for more than ten seconds after power-up.
    ResetWindow,
    /// The user named is not the one of the credential.
    OtherUser,
    /// The new minimum PIN length is below the present one, or above the longest PIN.
    MinPinLength,
    /// More relying parties than setMinPINLength takes.
    RpIdListFull,
    /// authenticatorLargeBlobs came without an offset.
    BlobOffsetMissing,
    /// authenticatorLargeBlobs is to read and write, or neither.
    BlobDirection,
    /// A parameter of authenticatorLargeBlobs stands where it means nothing.
    BlobParameterUnexpected,
    /// More bytes of the large-blob array in one message than maxFragmentLength.
    BlobFragmentTooLong,
    /// The offset to read from is behind the end of the large-blob array.
    BlobOffset,
    /// The first fragment of a large-blob array came without the length of the whole.
    BlobLengthMissing,
    /// The large-blob array would be too short for its checksum.
    BlobLengthTooShort,
    /// The large-blob array would be longer than maxSerializedLargeBlobArray.
    BlobStorageFull,
    /// A fragment of the large-blob array that does not follow on one before.
    BlobSequence,
    /// A fragment that goes beyond the length of its large-blob array.
    BlobOverrun,
    /// The checksum of the large-blob array is wrong.
    BlobIntegrity,
    /// largeBlobKey is false, or came for a credential that is not discoverable.
    LargeBlobKeyOption,
    /// The input of largeBlob is not what it must be.
    LargeBlobInput,
    /// The modality of authenticatorBioEnrollment is not fingerprint.
    ModalityUnsupported,
    /// There is no room for another finger.
    FingersFull,
    /// The name for a finger is longer than maxTemplateFriendlyName.
    FingerNameTooLong,
    /// No such finger is enrolled or being enrolled, or none at all.
    UnknownTemplate,
    /// No finger is enrolled yet by which the user could be verified.
    VerificationNotConfigured,
    /// There is no room for another credential.
    StoreFull,
    /// The store failed.
    Store,
    /// A stored record does not open.
    Damaged,
    /// The source of entropy failed.
    Entropy,
    /// The signature, or the key pair for it, could not be made.
    Signature,
}

impl Refusal {
    /// The status that the client sees.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Decode(error) => error.into(),
            Self::TooLarge => StatusCode::REQUEST_TOO_LARGE,
            Self::UnknownCommand => StatusCode::INVALID_COMMAND,
            Self::UnknownSubcommand => StatusCode::INVALID_SUBCOMMAND,
            Self::Busy => StatusCode::CHANNEL_BUSY,
            Self::MissingParameter | Self::ProtocolMissing => StatusCode::MISSING_PARAMETER,
            Self::ProtocolUnsupported
            | Self::SubcommandNotOffered
            | Self::UnknownVendorCommand
            | Self::OtherUser
            | Self::ModalityUnsupported
            | Self::KeyAgreement
            | Self::UnexpectedPermissions
            | Self::NoPermissions
            | Self::PaddedPinLength
            | Self::EnterpriseAttestation
            | Self::BlobOffsetMissing
            | Self::BlobDirection
            | Self::BlobParameterUnexpected
            | Self::BlobOffset
            | Self::BlobLengthMissing
            | Self::BlobLengthTooShort
            | Self::BlobOverrun
            | Self::SaltLength => StatusCode::INVALID_PARAMETER,
            Self::UnauthorizedPermission => StatusCode::UNAUTHORIZED_PERMISSION,
            Self::UnsupportedAlgorithm => StatusCode::UNSUPPORTED_ALGORITHM,
            Self::ListTooLong => StatusCode::LIMIT_EXCEEDED,
            Self::PresenceOptionFalse
            | Self::UserVerificationOption
            | Self::ProtectionLevel
            | Self::EnterpriseAttestationValue
            | Self::UnknownTemplate
            | Self::LargeBlobKeyOption => StatusCode::INVALID_OPTION,
            Self::BlobFragmentTooLong | Self::FingerNameTooLong => StatusCode::INVALID_LENGTH,
            Self::FingersFull => StatusCode::FP_DATABASE_FULL,
            Self::LargeBlobInput => StatusCode::INVALID_CBOR,
            Self::BlobSequence => StatusCode::INVALID_SEQ,
            Self::BlobStorageFull => StatusCode::LARGE_BLOB_STORAGE_FULL,
            Self::BlobIntegrity => StatusCode::INTEGRITY_FAILURE,
            Self::DiscoverableNotOffered
            | Self::ResidentKeyOption
            | Self::HmacSecretWithoutPresence => StatusCode::UNSUPPORTED_OPTION,
            Self::TokenRequired | Self::VerificationFailedPinPossible => StatusCode::PUAT_REQUIRED,
            Self::TokenInvalid
            | Self::TokenPermission
            | Self::TokenRelyingParty
            | Self::PinAlreadySet
            | Self::PinAuth
            | Self::SaltAuth => StatusCode::PIN_AUTH_INVALID,
            Self::NothingSetUp | Self::SelectedWithoutPin | Self::PinNotSet => {
                StatusCode::PIN_NOT_SET
            }
            Self::SelectedWithPin | Self::PinWrong | Self::PinChangeForcedLegacy => {
                StatusCode::PIN_INVALID
            }
            Self::PinBlocked | Self::VerificationExhausted => StatusCode::PIN_BLOCKED,
            Self::PinAuthBlocked => StatusCode::PIN_AUTH_BLOCKED,
            Self::PinPolicy | Self::PinChangeForced | Self::MinPinLength => {
                StatusCode::PIN_POLICY_VIOLATION
            }
            Self::VerificationBlocked => StatusCode::UV_BLOCKED,
            Self::VerificationFailed => StatusCode::UV_INVALID,
            Self::VerificationRequired | Self::UserRefused => StatusCode::OPERATION_DENIED,
            Self::UserTimeout => StatusCode::USER_ACTION_TIMEOUT,
            Self::Cancelled => StatusCode::KEEPALIVE_CANCEL,
            Self::Excluded => StatusCode::CREDENTIAL_EXCLUDED,
            Self::NoCredentials => StatusCode::NO_CREDENTIALS,
            Self::NoState | Self::ResetWindow | Self::VerificationNotConfigured => {
                StatusCode::NOT_ALLOWED
            }
            Self::StoreFull | Self::RpIdListFull => StatusCode::KEY_STORE_FULL,
            Self::Store | Self::Damaged | Self::Entropy | Self::Signature => StatusCode::OTHER,
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

//! CTAP status codes (`CTAP` 2.3; the complete table).

use core::fmt;

use crate::cbor::DecodeError;
use crate::codes::codes;

/// The first byte of a CTAP2 response. Every value is legal; known ones have the standard's names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusCode(pub u8);

codes! {
    StatusCode
    /// The request was carried out.
    OK = 0x00, "CTAP2_OK", "The request was carried out.";
    /// The command is not known.
    INVALID_COMMAND = 0x01, "CTAP1_ERR_INVALID_COMMAND", "The command is not known.";
    /// A parameter has a value it cannot take.
    INVALID_PARAMETER = 0x02, "CTAP1_ERR_INVALID_PARAMETER", "A parameter has a value it cannot take.";
    /// The message or one of its items has the wrong length.
    INVALID_LENGTH = 0x03, "CTAP1_ERR_INVALID_LENGTH", "The message or one of its items has the wrong length.";
    /// A message came out of order.
    INVALID_SEQ = 0x04, "CTAP1_ERR_INVALID_SEQ", "A message came out of order.";
    /// The message was not completed in time.
    TIMEOUT = 0x05, "CTAP1_ERR_TIMEOUT", "The message was not completed in time.";
    /// The authenticator is at work for somebody else.
    CHANNEL_BUSY = 0x06, "CTAP1_ERR_CHANNEL_BUSY", "The authenticator is at work for somebody else.";
    /// The command needs the channel lock.
    LOCK_REQUIRED = 0x0a, "CTAP1_ERR_LOCK_REQUIRED", "The command needs the channel lock.";
    /// The channel is not valid.
    INVALID_CHANNEL = 0x0b, "CTAP1_ERR_INVALID_CHANNEL", "The channel is not valid.";
    /// An item has a type that its place does not allow.
    CBOR_UNEXPECTED_TYPE = 0x11, "CTAP2_ERR_CBOR_UNEXPECTED_TYPE", "An item has a type that its place does not allow.";
    /// The message is not canonical CBOR.
    INVALID_CBOR = 0x12, "CTAP2_ERR_INVALID_CBOR", "The message is not canonical CBOR.";
    /// A required parameter is missing.
    MISSING_PARAMETER = 0x14, "CTAP2_ERR_MISSING_PARAMETER", "A required parameter is missing.";
    /// A list has more entries than the authenticator takes.
    LIMIT_EXCEEDED = 0x15, "CTAP2_ERR_LIMIT_EXCEEDED", "A list has more entries than the authenticator takes.";
    /// The extension is not supported (2.0 only).
    UNSUPPORTED_EXTENSION = 0x16, "CTAP2_ERR_UNSUPPORTED_EXTENSION", "The extension is not supported (2.0 only).";
    /// There is no room for another fingerprint.
    FP_DATABASE_FULL = 0x17, "CTAP2_ERR_FP_DATABASE_FULL", "There is no room for another fingerprint.";
    /// There is no room in the large-blob store.
    LARGE_BLOB_STORAGE_FULL = 0x18, "CTAP2_ERR_LARGE_BLOB_STORAGE_FULL", "There is no room in the large-blob store.";
    /// One of the excluded credentials lies on this authenticator.
    CREDENTIAL_EXCLUDED = 0x19, "CTAP2_ERR_CREDENTIAL_EXCLUDED", "One of the excluded credentials lies on this authenticator.";
    /// The authenticator is still processing.
    PROCESSING = 0x21, "CTAP2_ERR_PROCESSING", "The authenticator is still processing.";
    /// The credential is not valid.
    INVALID_CREDENTIAL = 0x22, "CTAP2_ERR_INVALID_CREDENTIAL", "The credential is not valid.";
    /// The authenticator waits for the user.
    USER_ACTION_PENDING = 0x23, "CTAP2_ERR_USER_ACTION_PENDING", "The authenticator waits for the user.";
    /// Another operation is pending.
    OPERATION_PENDING = 0x24, "CTAP2_ERR_OPERATION_PENDING", "Another operation is pending.";
    /// Nothing is pending.
    NO_OPERATIONS = 0x25, "CTAP2_ERR_NO_OPERATIONS", "Nothing is pending.";
    /// None of the algorithms is supported.
    UNSUPPORTED_ALGORITHM = 0x26, "CTAP2_ERR_UNSUPPORTED_ALGORITHM", "None of the algorithms is supported.";
    /// The user refused, or the operation is not authorized.
    OPERATION_DENIED = 0x27, "CTAP2_ERR_OPERATION_DENIED", "The user refused, or the operation is not authorized.";
    /// There is no room for it: another credential, as a rule.
    KEY_STORE_FULL = 0x28, "CTAP2_ERR_KEY_STORE_FULL", "There is no room for it.";
    /// Nothing is being processed (2.0 only).
    NOT_BUSY = 0x29, "CTAP2_ERR_NOT_BUSY", "Nothing is being processed (2.0 only).";
    /// No operation is pending.
    NO_OPERATION_PENDING = 0x2a, "CTAP2_ERR_NO_OPERATION_PENDING", "No operation is pending.";
    /// The option is not supported.
    UNSUPPORTED_OPTION = 0x2b, "CTAP2_ERR_UNSUPPORTED_OPTION", "The option is not supported.";
    /// An option has a value that is not possible here.
    INVALID_OPTION = 0x2c, "CTAP2_ERR_INVALID_OPTION", "An option has a value that is not possible here.";
    /// The platform cancelled the request.
    KEEPALIVE_CANCEL = 0x2d, "CTAP2_ERR_KEEPALIVE_CANCEL", "The platform cancelled the request.";
    /// There is no credential for this request.
    NO_CREDENTIALS = 0x2e, "CTAP2_ERR_NO_CREDENTIALS", "There is no credential for this request.";
    /// The user did not act in time.
    USER_ACTION_TIMEOUT = 0x2f, "CTAP2_ERR_USER_ACTION_TIMEOUT", "The user did not act in time.";
    /// The command is not allowed now.
    NOT_ALLOWED = 0x30, "CTAP2_ERR_NOT_ALLOWED", "The command is not allowed now.";
    /// The PIN is wrong.
    PIN_INVALID = 0x31, "CTAP2_ERR_PIN_INVALID", "The PIN is wrong.";
    /// The PIN, or built-in user verification, is blocked; only a reset helps.
    PIN_BLOCKED = 0x32, "CTAP2_ERR_PIN_BLOCKED", "The PIN, or built-in user verification, is blocked; only a reset helps.";
    /// The pinUvAuthParam is wrong or its token may not do this.
    PIN_AUTH_INVALID = 0x33, "CTAP2_ERR_PIN_AUTH_INVALID", "The pinUvAuthParam is wrong or its token may not do this.";
    /// Too many wrong PINs in a row; a power cycle is needed.
    PIN_AUTH_BLOCKED = 0x34, "CTAP2_ERR_PIN_AUTH_BLOCKED", "Too many wrong PINs in a row; a power cycle is needed.";
    /// No PIN is set.
    PIN_NOT_SET = 0x35, "CTAP2_ERR_PIN_NOT_SET", "No PIN is set.";
    /// A pinUvAuthToken is needed.
    PUAT_REQUIRED = 0x36, "CTAP2_ERR_PUAT_REQUIRED", "A pinUvAuthToken is needed.";
    /// The PIN breaks a rule, or must be changed first.
    PIN_POLICY_VIOLATION = 0x37, "CTAP2_ERR_PIN_POLICY_VIOLATION", "The PIN breaks a rule, or must be changed first.";
    /// Reserved (2.0: the token has expired).
    PIN_TOKEN_EXPIRED = 0x38, "CTAP2_ERR_PIN_TOKEN_EXPIRED", "Reserved (2.0: the token has expired).";
    /// The request is larger than the authenticator takes.
    REQUEST_TOO_LARGE = 0x39, "CTAP2_ERR_REQUEST_TOO_LARGE", "The request is larger than the authenticator takes.";
    /// An action of the authenticator took too long.
    ACTION_TIMEOUT = 0x3a, "CTAP2_ERR_ACTION_TIMEOUT", "An action of the authenticator took too long.";
    /// User presence is needed.
    UP_REQUIRED = 0x3b, "CTAP2_ERR_UP_REQUIRED", "User presence is needed.";
    /// Built-in user verification is blocked.
    UV_BLOCKED = 0x3c, "CTAP2_ERR_UV_BLOCKED", "Built-in user verification is blocked.";
    /// The checksum of the large-blob array is wrong.
    INTEGRITY_FAILURE = 0x3d, "CTAP2_ERR_INTEGRITY_FAILURE", "The checksum of the large-blob array is wrong.";
    /// The subcommand is not known or not offered.
    INVALID_SUBCOMMAND = 0x3e, "CTAP2_ERR_INVALID_SUBCOMMAND", "The subcommand is not known or not offered.";
    /// Built-in user verification failed.
    UV_INVALID = 0x3f, "CTAP2_ERR_UV_INVALID", "Built-in user verification failed.";
    /// The token may not have this permission.
    UNAUTHORIZED_PERMISSION = 0x40, "CTAP2_ERR_UNAUTHORIZED_PERMISSION", "The token may not have this permission.";
    /// Something else went wrong.
    OTHER = 0x7f, "CTAP1_ERR_OTHER", "Something else went wrong.";
    /// The last code of the specification.
    SPEC_LAST = 0xdf, "CTAP2_ERR_SPEC_LAST", "The last code of the specification.";
    _:
    0xe0..=0xef => "An extension reports an error of its own.",
    0xf0.. => "The vendor of the authenticator knows what this means.",
    _ => "The standard gives this code no meaning.",
}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:02x})", self.0),
            None => write!(f, "status 0x{:02x}", self.0),
        }
    }
}

/// The status for a message that cannot be read (`CTAP` 2.3, message encoding).
impl From<DecodeError> for StatusCode {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Malformed => Self::INVALID_CBOR,
            DecodeError::UnexpectedType => Self::CBOR_UNEXPECTED_TYPE,
            DecodeError::Missing => Self::MISSING_PARAMETER,
            DecodeError::Length => Self::INVALID_LENGTH,
            DecodeError::Value => Self::INVALID_PARAMETER,
        }
    }
}

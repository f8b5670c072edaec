//! The number spaces of the standard: status codes, commands, permissions, flags, COSE.

use softkey_ctap::auth_data::Flags;
use softkey_ctap::cbor::DecodeError;
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::{Command, StatusCode};

/// The standard's table, without the prefixes `CTAP1_ERR_` (1) and `CTAP2_ERR_` (2).
const STATUS_CODES: [(u8, u8, &str); 55] = [
    (0x01, 1, "INVALID_COMMAND"),
    (0x02, 1, "INVALID_PARAMETER"),
    (0x03, 1, "INVALID_LENGTH"),
    (0x04, 1, "INVALID_SEQ"),
    (0x05, 1, "TIMEOUT"),
    (0x06, 1, "CHANNEL_BUSY"),
    (0x0a, 1, "LOCK_REQUIRED"),
    (0x0b, 1, "INVALID_CHANNEL"),
    (0x11, 2, "CBOR_UNEXPECTED_TYPE"),
    (0x12, 2, "INVALID_CBOR"),
    (0x14, 2, "MISSING_PARAMETER"),
    (0x15, 2, "LIMIT_EXCEEDED"),
    (0x16, 2, "UNSUPPORTED_EXTENSION"),
    (0x17, 2, "FP_DATABASE_FULL"),
    (0x18, 2, "LARGE_BLOB_STORAGE_FULL"),
    (0x19, 2, "CREDENTIAL_EXCLUDED"),
    (0x21, 2, "PROCESSING"),
    (0x22, 2, "INVALID_CREDENTIAL"),
    (0x23, 2, "USER_ACTION_PENDING"),
    (0x24, 2, "OPERATION_PENDING"),
    (0x25, 2, "NO_OPERATIONS"),
    (0x26, 2, "UNSUPPORTED_ALGORITHM"),
    (0x27, 2, "OPERATION_DENIED"),
    (0x28, 2, "KEY_STORE_FULL"),
    (0x29, 2, "NOT_BUSY"),
    (0x2a, 2, "NO_OPERATION_PENDING"),
    (0x2b, 2, "UNSUPPORTED_OPTION"),
    (0x2c, 2, "INVALID_OPTION"),
    (0x2d, 2, "KEEPALIVE_CANCEL"),
    (0x2e, 2, "NO_CREDENTIALS"),
    (0x2f, 2, "USER_ACTION_TIMEOUT"),
    (0x30, 2, "NOT_ALLOWED"),
    (0x31, 2, "PIN_INVALID"),
    (0x32, 2, "PIN_BLOCKED"),
    (0x33, 2, "PIN_AUTH_INVALID"),
    (0x34, 2, "PIN_AUTH_BLOCKED"),
    (0x35, 2, "PIN_NOT_SET"),
    (0x36, 2, "PUAT_REQUIRED"),
    (0x37, 2, "PIN_POLICY_VIOLATION"),
    (0x38, 2, "PIN_TOKEN_EXPIRED"),
    (0x39, 2, "REQUEST_TOO_LARGE"),
    (0x3a, 2, "ACTION_TIMEOUT"),
    (0x3b, 2, "UP_REQUIRED"),
    (0x3c, 2, "UV_BLOCKED"),
    (0x3d, 2, "INTEGRITY_FAILURE"),
    (0x3e, 2, "INVALID_SUBCOMMAND"),
    (0x3f, 2, "UV_INVALID"),
    (0x40, 2, "UNAUTHORIZED_PERMISSION"),
    (0x7f, 1, "OTHER"),
    (0xdf, 2, "SPEC_LAST"),
    // Without names of their own.
    (0xe0, 0, "extension"),
    (0xef, 0, "extension"),
    (0xf0, 0, "vendor"),
    (0xff, 0, "vendor"),
    (0x7e, 0, "no meaning"),
];

#[test]
fn status_codes_have_the_names_of_the_standard_and_no_others() {
    for code in 0..=u8::MAX {
        let wanted = match STATUS_CODES.iter().find(|(number, ..)| *number == code) {
            _ if code == 0 => Some("CTAP2_OK".to_owned()),
            Some((_, prefix @ 1.., name)) => Some(format!("CTAP{prefix}_ERR_{name}")),
            _ => None,
        };
        let status = StatusCode(code);
        assert_eq!(status.name().map(str::to_owned), wanted, "{code:02x}");
        let shown = match wanted {
            Some(name) => format!("{name} (0x{code:02x})"),
            None => format!("status 0x{code:02x}"),
        };
        assert_eq!((status.to_string(), format!("{status:?}")), (shown.clone(), shown));
        assert_eq!(StatusCode::ALL.contains(&status), status.name().is_some());
    }
    for (code, prefix, name) in STATUS_CODES {
        if prefix == 0 {
            assert!(StatusCode(code).meaning().contains(name), "{code:02x}");
        }
    }
}

#[test]
fn each_status_code_has_a_meaning_of_its_own() {
    for (at, status) in StatusCode::ALL.iter().enumerate() {
        let meaning = status.meaning();
        assert!(meaning.ends_with('.'), "{status}");
        assert!(StatusCode::ALL[at + 1..].iter().all(|o| o.meaning() != meaning), "{status}");
    }
}

#[test]
fn what_cannot_be_read_has_the_status_of_its_fault() {
    let table = [
        (DecodeError::Malformed, 0x12),
        (DecodeError::UnexpectedType, 0x11),
        (DecodeError::Missing, 0x14),
        (DecodeError::Length, 0x03),
        (DecodeError::Value, 0x02),
    ];
    for (error, status) in table {
        assert_eq!(StatusCode::from(error), StatusCode(status), "{error:?}");
    }
}

#[test]
fn commands_have_the_numbers_of_the_standard_and_no_others() {
    let table = [
        (0x01, "authenticatorMakeCredential"),
        (0x02, "authenticatorGetAssertion"),
        (0x04, "authenticatorGetInfo"),
        (0x06, "authenticatorClientPIN"),
        (0x07, "authenticatorReset"),
        (0x08, "authenticatorGetNextAssertion"),
        (0x09, "authenticatorBioEnrollment"),
        (0x0a, "authenticatorCredentialManagement"),
        (0x0b, "authenticatorSelection"),
        (0x0c, "authenticatorLargeBlobs"),
        (0x0d, "authenticatorConfig"),
        (0x40, "authenticatorBioEnrollment (preview)"),
        (0x41, "authenticatorCredentialManagement (preview)"),
    ];
    for code in 0..=u8::MAX {
        let wanted = table.iter().find(|(number, _)| *number == code).map(|(_, name)| *name);
        assert_eq!(Command(code).name(), wanted, "{code:02x}");
    }
}

#[test]
fn permissions_are_seven_bits_and_undefined_ones_are_masked() {
    let table = [
        (Permissions::MAKE_CREDENTIAL, 0x01),
        (Permissions::GET_ASSERTION, 0x02),
        (Permissions::CREDENTIAL_MANAGEMENT, 0x04),
        (Permissions::BIO_ENROLLMENT, 0x08),
        (Permissions::LARGE_BLOB_WRITE, 0x10),
        (Permissions::AUTHENTICATOR_CONFIG, 0x20),
        (Permissions::PERSISTENT_CREDENTIAL_MANAGEMENT_READ_ONLY, 0x40),
    ];
    let mut all = Permissions::NONE;
    for (permission, bit) in table {
        assert_eq!((permission.bits(), Permissions::from_bits(u64::from(bit))), (bit, permission));
        assert!(!all.intersects(permission));
        all = all.with(permission);
        assert!(all.intersects(permission) && !all.is_empty());
        assert_eq!(all.and(permission), permission);
    }
    assert_eq!(all.bits(), 0x7f);
    assert_eq!(Permissions::from_bits(u64::MAX), all);
    for undefined in [0x80, 0x100, 0x8000_0000_0000_0000] {
        assert!(Permissions::from_bits(undefined).is_empty(), "{undefined:x}");
    }
    assert!(Permissions::NONE.is_empty() && !Permissions::NONE.intersects(all));
}

#[test]
fn flags_are_the_bits_of_the_standard() {
    let table = [
        (Flags::USER_PRESENT, 0x01),
        (Flags::USER_VERIFIED, 0x04),
        (Flags::BACKUP_ELIGIBLE, 0x08),
        (Flags::BACKUP_STATE, 0x10),
        (Flags::ATTESTED, 0x40),
        (Flags::EXTENSIONS, 0x80),
    ];
    for (flag, bit) in table {
        assert_eq!(flag, Flags(bit));
        let other = Flags(!bit);
        assert!(!other.contains(flag) && other.with_if(true, flag).contains(flag));
        assert_eq!(other.with_if(false, flag), other);
    }
    let both = Flags(Flags::BACKUP_ELIGIBLE.0 | Flags::BACKUP_STATE.0);
    assert!(!Flags::BACKUP_ELIGIBLE.contains(both));
}

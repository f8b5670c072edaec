//! What is made of configurations that contradict themselves.

use alloc::string::String;
use alloc::vec;

use softkey_ctap::Secret;

use super::*;
use crate::config::{Extensions, FingerprintKind, FingerprintSensor, UserVerification};
use crate::enterprise::Enterprise;

const NO_EXTENSIONS: Extensions = Extensions {
    cred_blob: false,
    cred_protect: false,
    hmac_secret: false,
    hmac_secret_mc: false,
    min_pin_length: false,
    third_party_payment: false,
};

#[test]
fn the_default_has_no_contradiction() {
    assert_eq!(Config::default().settled(), Config::default());
}

/// Settling twice is settling once, for whatever a configuration says.
#[test]
fn what_is_settled_stays() {
    let generations = [Generation::U2f, Generation::Ctap20, Generation::Ctap21, Generation::Ctap22];
    for generation in generations {
        for client_pin in [true, false] {
            for max_discoverable in [0, 1] {
                let config =
                    Config { generation, max_discoverable, client_pin, ..Config::default() };
                let settled = config.settled();
                assert_eq!(settled.clone().settled(), settled);
            }
        }
    }
}

#[test]
fn numbers_are_brought_into_their_bounds() {
    let low = Config {
        firmware_version: 0,
        max_msg_size: 0,
        max_request: 0,
        max_list: 0,
        max_credential_id_length: 0,
        min_pin_length: 0,
        max_pin_length: 0,
        max_cred_blob: 0,
        max_large_blob_array: 0,
        transports: vec![],
        ..Config::default()
    };
    let low = low.settled();
    assert_eq!((low.firmware_version, low.max_msg_size, low.max_request), (1, 1024, 1024));
    assert_eq!((low.max_list, usize::from(low.max_credential_id_length)), (1, ID_LEN));
    assert_eq!((low.min_pin_length, low.max_pin_length, low.max_cred_blob), (4, 8, 32));
    assert_eq!(low.max_large_blob_array, 1024);
    assert_eq!(low.transports, [AuthenticatorTransport::Usb]);
    let high = Config {
        max_msg_size: u16::MAX,
        max_request: u16::MAX,
        max_credential_id_length: u16::MAX,
        min_pin_length: u8::MAX,
        max_pin_length: u8::MAX,
        max_rp_ids: u8::MAX,
        max_cred_blob: u8::MAX,
        max_large_blob_array: u16::MAX,
        large_blob_room: u16::MAX,
        ..Config::default()
    };
    let high = high.settled();
    assert_eq!((high.max_msg_size, high.max_request), (7609, 7609));
    assert_eq!((high.max_credential_id_length, high.max_large_blob_array), (1023, 4096));
    assert_eq!(high.large_blob_room, 4096);
    assert_eq!((high.min_pin_length, high.max_pin_length), (63, 63));
    assert_eq!((high.max_rp_ids, high.max_cred_blob), (8, 128));
}

/// maxUvRetries is 1 to 25, preferredPlatformUvAttempts above 0, and a list of fingers must fit its record.
#[test]
fn the_numbers_of_a_sensor_are_brought_into_bounds() {
    let settled = |most: u8| {
        let sensor = FingerprintSensor {
            kind: FingerprintKind::Touch,
            samples: most,
            max_fingers: most,
            by_verification: false,
        };
        let method = UserVerification {
            modality: 2,
            max_retries: most,
            tries_per_request: most,
            enrollment: Some(sensor),
        };
        let config = Config { user_verification: Some(method), ..Config::default() }.settled();
        let method = config.user_verification.unwrap();
        let sensor = method.enrollment.unwrap();
        [method.max_retries, method.tries_per_request, sensor.samples, sensor.max_fingers]
    };
    assert_eq!(settled(0), [1, 1, 1, 1]);
    assert_eq!(settled(u8::MAX), [25, 5, u8::MAX, MAX_FINGERS]);
}

/// Of what stands in a list twice the first is left; a certification has a level that its programme has, a method of
/// user verification one that can be built in, and the policy's address is not empty.
#[test]
fn lists_and_registered_numbers_are_put_in_order() {
    use AuthenticatorTransport::{Nfc, Usb};
    let method = |modality| UserVerification {
        modality,
        max_retries: 5,
        tries_per_request: 3,
        enrollment: None,
    };
    let config = Config {
        transports: vec![Usb, Nfc, Usb, Nfc],
        pin_uv_auth_protocols: vec![Protocol::One, Protocol::Two, Protocol::One],
        vendor_commands: Some(vec![2, 1, 2]),
        certifications: vec![
            ("FIDO".into(), 7),
            ("CC-EAL".into(), 0),
            ("FIPS-CMVP-3-PHY".into(), 4),
            ("FIDO".into(), 2),
            ("ISO".into(), 1),
        ],
        pin_complexity_policy: true,
        pin_complexity_policy_url: Some(String::new()),
        user_verification: Some(method(0x1A02)),
        ..Config::default()
    };
    let settled = config.clone().settled();
    assert_eq!(settled.transports, [Usb, Nfc]);
    assert_eq!(settled.pin_uv_auth_protocols, [Protocol::One, Protocol::Two]);
    assert_eq!(settled.vendor_commands, Some(vec![2, 1]));
    let left = [("FIDO".into(), 6), ("CC-EAL".into(), 1), ("FIPS-CMVP-3-PHY".into(), 4)];
    assert_eq!(settled.certifications, left);
    assert_eq!((settled.pin_complexity_policy, &settled.pin_complexity_policy_url), (true, &None));
    assert_eq!(settled.user_verification, Some(method(0x0202)));
    for nothing in [0, 0x800, 0x1000] {
        let config = Config { user_verification: Some(method(nothing)), ..config.clone() };
        assert_eq!(config.settled().user_verification, Some(method(2)), "{nothing:#x}");
    }
}

/// What needs a PIN, or a way to verify the user, goes with it.
#[test]
fn a_key_that_cannot_verify_offers_nothing_that_needs_it() {
    let config = Config { client_pin: false, always_uv: true, ..Config::default() }.settled();
    assert!(!config.always_uv && !config.extensions.min_pin_length);
    assert!(!config.has_tokens() && !config.manages_credentials() && !config.can_always_verify());
    assert!(config.has_client_pin_command(), "hmac-secret needs a key agreement");
    let nothing = Config { extensions: NO_EXTENSIONS, ..config };
    assert!(!nothing.settled().has_client_pin_command());
    let method =
        UserVerification { modality: 2, max_retries: 5, tries_per_request: 3, enrollment: None };
    let sensor = Config {
        client_pin: false,
        always_uv: true,
        user_verification: Some(method),
        ..Config::default()
    };
    let sensor = sensor.settled();
    assert!(sensor.always_uv && sensor.has_tokens() && sensor.manages_credentials());
}

/// CTAP 2.0 knows no status above 0x3B.
#[test]
fn statuses_are_those_of_the_generation() {
    for refusal in [Refusal::UnknownSubcommand, Refusal::VerificationBlocked] {
        assert!(Generation::Ctap20.status(refusal).0 <= 0x3B, "{refusal:?}");
        assert_eq!(Generation::Ctap21.status(refusal), refusal.status());
    }
    assert_eq!(Generation::Ctap20.status(Refusal::PinWrong), StatusCode::PIN_INVALID);
}

/// A configuration with everything that a later generation brought.
fn everything() -> Config {
    Config {
        enterprise: Enterprise::new(Secret::new([1; 32]), vec![0x30, 0], vec![]),
        certifications: vec![("CCN-CPSTIC".into(), 1), ("FIDO".into(), 1)],
        vendor_commands: Some(vec![7]),
        pin_complexity_policy: true,
        pin_complexity_policy_url: Some("https://example.com".into()),
        always_uv: true,
        long_touch_for_reset: true,
        min_pin_length: 6,
        max_pin_length: 20,
        large_blobs: LargeBlobs::Extension,
        u2f: false,
        ..Config::default()
    }
}

/// What came later than a generation is taken away from it, and nothing else.
#[test]
fn what_came_later_is_taken_away() {
    let of = |generation| Config { generation, ..everything() }.settled();
    assert_eq!(of(Generation::Ctap23), everything());
    let ctap22 = Config {
        generation: Generation::Ctap22,
        large_blobs: LargeBlobs::None,
        certifications: vec![("FIDO".into(), 1)],
        ..everything()
    };
    assert_eq!(of(Generation::Ctap22), ctap22);
    let ctap21 = Config {
        generation: Generation::Ctap21,
        extensions: Extensions {
            hmac_secret_mc: false,
            third_party_payment: false,
            ..Extensions::default()
        },
        pin_complexity_policy: false,
        pin_complexity_policy_url: None,
        long_touch_for_reset: false,
        max_pin_length: MAX_PIN_LENGTH,
        ..ctap22
    };
    assert_eq!(of(Generation::Ctap21), ctap21);
    let array = |generation| {
        Config { generation, large_blobs: LargeBlobs::Array, ..everything() }.settled().large_blobs
    };
    assert_eq!(array(Generation::Ctap21), LargeBlobs::Array);
    assert_eq!(array(Generation::Ctap20), LargeBlobs::None);
    let ctap20 = Config {
        generation: Generation::Ctap20,
        extensions: Extensions { hmac_secret: true, ..NO_EXTENSIONS },
        pin_uv_auth_protocols: vec![Protocol::One],
        make_cred_uv_not_required: false,
        always_uv: false,
        min_pin_length: MIN_PIN_LENGTH,
        enterprise: None,
        certifications: vec![],
        vendor_commands: None,
        ..ctap21
    };
    assert_eq!(of(Generation::Ctap20), ctap20);
    assert_eq!(of(Generation::U2f), Config { generation: Generation::U2f, u2f: true, ..ctap20 });
}

/// What needs something else goes with it.
#[test]
fn what_needs_more_is_taken_away() {
    let without_protocols = Config { pin_uv_auth_protocols: vec![], ..Config::default() }.settled();
    assert!(!without_protocols.client_pin && !without_protocols.extensions.hmac_secret);
    let without_pin = Config { client_pin: false, ..everything() }.settled();
    assert!(!without_pin.extensions.min_pin_length && !without_pin.pin_complexity_policy);
    assert_eq!(without_pin.pin_complexity_policy_url, None);
    // setMinPINLength is what turns the policy on.
    let unset = Config { extensions: NO_EXTENSIONS, ..everything() }.settled();
    assert!(!unset.pin_complexity_policy);
    assert_eq!(unset.pin_complexity_policy_url, None);
    let previewed = Config { credential_management_preview: true, ..Config::default() };
    assert!(previewed.clone().settled().credential_management_preview);
    let without_pin = Config { client_pin: false, ..previewed.clone() }.settled();
    let not_discoverable = Config { max_discoverable: 0, ..previewed }.settled();
    assert!(!without_pin.credential_management_preview);
    assert!(!not_discoverable.credential_management_preview);
    assert!(!not_discoverable.extensions.cred_blob);
    assert_eq!(not_discoverable.large_blobs, LargeBlobs::None);
    let other = Config { aaguid: [1; 16], ..Config::default() }.settled();
    assert_eq!(other.attestation, Attestation::SelfAttestation);
    let extensions =
        Extensions { cred_protect: false, hmac_secret: false, ..Extensions::default() };
    let extensions = Config { extensions, ..Config::default() }.settled().extensions;
    assert!(!extensions.cred_blob && !extensions.hmac_secret_mc);
}

//! Who may enroll, and what is asked without a token.

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::key::{Profile, Sensor, Setup};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{BE, CM, GA, MC};
use softkey_tests::request::be;
use softkey_tests::status::{
    INVALID_COMMAND, INVALID_OPTION, INVALID_PARAMETER, INVALID_SUBCOMMAND, MISSING_PARAMETER,
    PIN_AUTH_INVALID, PUAT_REQUIRED, SUCCESS, UNAUTHORIZED_PERMISSION,
};
use softkey_tests::{Key, Request};

use super::{
    PIN, TEMPLATE_INFOS, be_token, begin, begin_unsigned, begun, enroll, enumerate, listed, next,
    next_unsigned, remove, remove_unsigned, rename, rename_unsigned, sampled, with_pin,
};

/// The five subcommands that need a token, whole but for it.
fn gated() -> [Request; 5] {
    [
        begin_unsigned(),
        next_unsigned(&[1; 16]),
        Request::bio_enrollment(be::ENUMERATE_ENROLLMENTS),
        rename_unsigned(&[1; 16], "thumb"),
        remove_unsigned(&[1; 16]),
    ]
}

/// BE-01, CB-17, PT-08: without a sensor there is neither the command nor its preview, no option, no
/// permission; so it is with a sensor that needs no enrollment.
#[test]
fn key_without_such_a_sensor_offers_nothing() {
    let sensor = Sensor { max_retries: 5, tries_per_request: 1, shows_presence: true };
    for sensor in [None, Some(sensor)] {
        let mut key = Key::new(Setup { sensor, ..Setup::default() });
        key.set_pin(PIN);
        let info = key.info();
        for option in ["bioEnroll", "uvBioEnroll", "userVerificationMgmtPreview"] {
            assert_eq!(info.option(option), None, "{option}");
        }
        let modality = Request::with_body(be::COMMAND, map([(be::GET_MODALITY, true)]));
        refused(&mut key, &modality, INVALID_COMMAND);
        refused(&mut key, &modality.previewed(), INVALID_COMMAND);
        refused(&mut key, &Request::bio_enrollment(7), INVALID_COMMAND);
        let token = key.token(Protocol::Two, PIN, BE, None);
        assert_eq!(token, Err(UNAUTHORIZED_PERMISSION));
    }
}

/// BE-03, BE-04: the modality and the sensor's nature are told to everybody, with and without a PIN.
/// CT-BE-modality, CT-BE-sensor.
#[test]
fn modality_and_sensor_are_told_without_a_token() {
    for (profile, kind) in [(Profile::Fingerprint, 1), (Profile::FingerprintPreview, 2)] {
        let mut key = Key::with_profile(profile);
        for _ in 0..2 {
            let modality = Request::with_body(be::COMMAND, map([(be::GET_MODALITY, true)]));
            assert_eq!(key.ok(&modality), map([(1, 1)]));
            let info = key.ok(&Request::bio_enrollment(be::GET_FINGERPRINT_SENSOR_INFO));
            assert_eq!(info, map([(2, kind), (3, 3), (8, 64)]));
            if key.info().option("clientPin") == Some(false) {
                key.set_pin(PIN);
            }
        }
        assert_eq!(key.prompts(), 0);
    }
}

/// BE-03, BE-06: without getModality, or with one that is false, there must be a subcommand; one that nobody knows is
/// refused with a param and without.
#[test]
fn unknown_or_missing_subcommand_is_refused() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    refused_and_token_kept(
        &mut key,
        &Request::with_body(be::COMMAND, Value::Map(Vec::new())),
        MISSING_PARAMETER,
    );
    let bodies = [map([(be::GET_MODALITY, false)]), map([(be::MODALITY, 1)])];
    for body in bodies {
        refused_and_token_kept(&mut key, &Request::with_body(be::COMMAND, body), MISSING_PARAMETER);
    }
    for unknown in [0, 8, 9, 0xFF] {
        let request = Request::bio_enrollment(unknown);
        refused_and_token_kept(&mut key, &request, INVALID_SUBCOMMAND);
        refused_and_token_kept(&mut key, &request.bio_authorized(&token), INVALID_SUBCOMMAND);
    }
    assert_eq!(key.status(&enumerate(&token)), INVALID_OPTION, "the token is still good");
}

/// BE-05: no param, with and without a PIN, whatever else is missing.
#[test]
fn param_is_required_always() {
    let mut key = Key::with_profile(Profile::Fingerprint);
    for _ in 0..2 {
        for request in gated() {
            refused(&mut key, &request, PUAT_REQUIRED);
            refused(&mut key, &request.clone().with(be::PROTOCOL, 2), PUAT_REQUIRED);
            refused(&mut key, &request.without(be::MODALITY), PUAT_REQUIRED);
        }
        for sub_command in [2, 5, 6] {
            refused(&mut key, &Request::bio_enrollment(sub_command), PUAT_REQUIRED);
        }
        if key.info().option("clientPin") == Some(false) {
            key.set_pin(PIN);
        }
    }
}

/// BE-05: what is missing is missed before what is there is judged.
#[test]
fn missing_members_are_refused() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    let with = |sub_command, params: Option<Value>| {
        let request = Request::bio_enrollment(sub_command);
        params.map_or(request.clone(), |params| request.with(be::PARAMS, params))
    };
    let name = || Some(map([(be::FRIENDLY_NAME, "thumb")]));
    let id = || Some(map([(be::TEMPLATE_ID, [1; 16])]));
    let cases = [
        with(be::ENROLL_CAPTURE_NEXT_SAMPLE, None),
        with(be::ENROLL_CAPTURE_NEXT_SAMPLE, name()),
        with(be::SET_FRIENDLY_NAME, None),
        with(be::SET_FRIENDLY_NAME, id()),
        with(be::SET_FRIENDLY_NAME, name()),
        with(be::REMOVE_ENROLLMENT, None),
        with(be::REMOVE_ENROLLMENT, Some(Value::Map(Vec::new()))),
    ];
    for request in cases {
        let request = request.bio_authorized(&token);
        refused_and_token_kept(&mut key, &request, MISSING_PARAMETER);
        refused_and_token_kept(
            &mut key,
            &request.with(be::PROTOCOL, 3).with(be::MODALITY, 2),
            MISSING_PARAMETER,
        );
    }
    for request in gated() {
        let request = request.bio_authorized(&token);
        for missing in [be::MODALITY, be::PROTOCOL] {
            refused_and_token_kept(&mut key, &request.clone().without(missing), MISSING_PARAMETER);
        }
    }
    let info = Request::bio_enrollment(be::GET_FINGERPRINT_SENSOR_INFO);
    refused_and_token_kept(&mut key, &info.clone().without(be::MODALITY), MISSING_PARAMETER);
    refused_and_token_kept(&mut key, &info.with(be::MODALITY, 2), INVALID_PARAMETER);
    assert_eq!(key.status(&enumerate(&token)), INVALID_OPTION, "the token is still good");
}

/// BE-05: another modality, an unknown protocol, a wrong param.
#[test]
fn modality_protocol_and_param_are_checked() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    for request in gated() {
        for modality in [0, 2, 300] {
            let modality = request.clone().bio_authorized(&token).with(be::MODALITY, modality);
            refused_and_token_kept(&mut key, &modality, INVALID_PARAMETER);
            // What is missing is found first.
            let modality = modality.without(be::PROTOCOL);
            refused_and_token_kept(&mut key, &modality, MISSING_PARAMETER);
        }
        let good = request.bio_authorized(&token);
        refused_and_token_kept(&mut key, &good.clone().with(be::PROTOCOL, 3), INVALID_PARAMETER);
        let mut wrong = good.member(be::PARAM).bytes().to_vec();
        wrong[0] ^= 1;
        for wrong in [wrong, vec![0; 32], vec![0; 16], Vec::new()] {
            let wrong = good.clone().with(be::PARAM, wrong);
            refused_and_token_kept(&mut key, &wrong, PIN_AUTH_INVALID);
        }
    }
    assert_eq!(key.status(&enumerate(&token)), INVALID_OPTION, "the token is still good");
}

/// BE-05, PT-03: a token without be; one of getPinToken.
/// CT-CP-legacy-be.
#[test]
fn token_without_be_is_refused() {
    let mut key = with_pin();
    let tokens = [
        key.token(Protocol::Two, PIN, MC | GA | CM, Some("example.com")).unwrap(),
        key.pin_token(Protocol::One, PIN).unwrap(),
    ];
    for token in tokens {
        for request in gated() {
            refused(&mut key, &request.bio_authorized(&token), PIN_AUTH_INVALID);
        }
    }
}

/// BE-07: the param is checked over modality, subcommand and the parameters' very bytes, members nobody knows
/// included.
#[test]
fn param_covers_the_request_as_received() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    let id = enroll(&mut key, &token, 1);
    let good = rename(&token, &id, "thumb");
    let other = good.clone().with(be::PARAMS, map([(1, Value::from(&id[..])), (2, "x".into())]));
    refused_and_token_kept(&mut key, &other, PIN_AUTH_INVALID);
    let more = good.member(be::PARAMS).clone().with(0x70, "x");
    refused_and_token_kept(
        &mut key,
        &good.clone().with(be::PARAMS, more.clone()),
        PIN_AUTH_INVALID,
    );
    let borrowed = enumerate(&token).with(be::SUB_COMMAND, i64::from(be::ENROLL_BEGIN));
    refused_and_token_kept(&mut key, &borrowed, PIN_AUTH_INVALID);
    let without_modality = token.authenticate(&[be::ENUMERATE_ENROLLMENTS]);
    refused_and_token_kept(
        &mut key,
        &enumerate(&token).with(be::PARAM, without_modality),
        PIN_AUTH_INVALID,
    );
    let signed = rename_unsigned(&id, "thumb").with(be::PARAMS, more).bio_authorized(&token);
    assert_eq!(key.status(&signed), SUCCESS);
    assert_eq!(listed(&mut key, &token), [(id, "thumb".to_owned())]);
}

/// BE-21: by both protocols; the token is spent by none of the subcommands.
#[test]
fn token_is_not_spent() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let token = key.token(protocol, PIN, BE, None).unwrap();
        for finger in [1, 2] {
            let id = enroll(&mut key, &token, finger);
            assert_eq!(key.status(&rename(&token, &id, "x")), SUCCESS);
            assert_eq!(key.ok(&enumerate(&token)).get(TEMPLATE_INFOS).items().len(), 1);
            assert_eq!(key.status(&remove(&token, &id)), SUCCESS);
        }
        let id = begun(&mut key, &token);
        assert_eq!(sampled(&mut key, &token, &id), (0, 1));
    }
}

/// BE-05, MC-49: a token that a registration spent enrolls nothing any more.
#[test]
fn spent_token_is_refused() {
    let mut key = with_pin();
    let token = key.token(Protocol::Two, PIN, BE | MC, Some("example.com")).unwrap();
    assert_eq!(key.status(&begin(&token)), SUCCESS);
    key.make(&Request::make_credential().authorized(&token));
    refused(&mut key, &begin(&token), PIN_AUTH_INVALID);
    refused(&mut key, &next(&token, &[1; 16]), PIN_AUTH_INVALID);
}

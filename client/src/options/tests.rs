//! Defaults, unknown values and faults of the JSON form.

use serde_json::{Value, json};

use super::*;
use crate::cause::{DomException, Operation};

fn least() -> Value {
    json!({
        "rp": {"name": "Example"},
        "user": {"id": "AQ", "name": "ada", "displayName": ""},
        "challenge": "AAEC",
        "pubKeyCredParams": [],
    })
}

fn with(member: &str, value: Value) -> String {
    let mut options = least();
    options[member] = value;
    options.to_string()
}

#[test]
fn the_least_options_get_the_defaults_of_the_standard() {
    let options = CreationOptions::from_json(&least().to_string()).unwrap();
    assert_eq!(options.rp_id, None);
    assert_eq!(options.user_id, [1]);
    assert_eq!(options.challenge, [0, 1, 2]);
    assert_eq!(options.algorithms, [-7, -257]);
    assert_eq!(options.resident_key, ResidentKey::Discouraged);
    assert_eq!(options.user_verification, UserVerification::Preferred);
    assert_eq!(options.attestation, Conveyance::None);
    assert_eq!(options.attestation_formats, ["none"]);
    assert_eq!(options.extensions, CreationInputs::default());

    let options = RequestOptions::from_json(r#"{"challenge": ""}"#).unwrap();
    assert_eq!((options.allow, options.challenge), (vec![], vec![]));
    assert_eq!(options.user_verification, UserVerification::Preferred);
}

#[test]
fn unknown_members_and_values_are_passed_over() {
    let mut options = least();
    options["hints"] = json!(["carrier-pigeon"]);
    options["surprise"] = json!({"deep": [1]});
    options["attestation"] = json!("telepathic");
    options["authenticatorSelection"] = json!({
        "residentKey": "maybe", "requireResidentKey": true, "userVerification": "somewhat",
        "authenticatorAttachment": "orbital",
    });
    options["excludeCredentials"] =
        json!([{"type": "password", "id": "!"}, {"type": "public-key", "id": "AQ"}]);
    options["pubKeyCredParams"] =
        json!([{"type": "other", "alg": -7}, {"type": "public-key", "alg": -8}]);
    options["timeout"] = Value::Null;
    let wrapped = json!({"publicKey": options, "mediation": "optional"}).to_string();

    let options = CreationOptions::from_json(&wrapped).unwrap();
    assert_eq!(options.attestation, Conveyance::None);
    assert_eq!(options.resident_key, ResidentKey::Required);
    assert_eq!(options.user_verification, UserVerification::Preferred);
    assert_eq!(options.attachment, None);
    assert_eq!(options.exclude, [Credential { id: vec![1], transports: vec![] }]);
    assert_eq!(options.algorithms, [-8]);
}

#[test]
fn a_direct_attestation_keeps_the_formats() {
    let mut options = least();
    options["attestation"] = json!("direct");
    options["attestationFormats"] = json!(["packed", "tpm"]);
    let options = CreationOptions::from_json(&options.to_string()).unwrap();
    assert_eq!(options.attestation, Conveyance::Direct);
    assert_eq!(options.attestation_formats, ["packed", "tpm"]);
}

/// At sign-in an earlier text had both members, and pages still write them: read by the same rules.
#[test]
fn attestation_at_sign_in_is_read() {
    let read = |text: &str| RequestOptions::from_json(text);
    let least = read(r#"{"challenge": ""}"#).unwrap();
    assert_eq!(least.attestation, Conveyance::None);
    assert_eq!(least.attestation_formats, ["none"]);
    let direct = r#"{"challenge": "", "attestation": "direct", "attestationFormats": ["packed"]}"#;
    let direct = read(direct).unwrap();
    assert_eq!(direct.attestation, Conveyance::Direct);
    assert_eq!(direct.attestation_formats, ["packed"]);
    let unknown = r#"{"challenge": "", "attestation": "loud", "attestationFormats": ["packed"]}"#;
    assert_eq!(read(unknown).unwrap(), least);
    for wrong in [r#""attestation": 7"#, r#""attestationFormats": "packed""#] {
        let cause = read(&format!(r#"{{"challenge": "", {wrong}}}"#)).unwrap_err();
        assert!(matches!(cause, Cause::NotTheDictionary(_)), "{cause:?}");
        assert_eq!(cause.exception(Operation::Get), DomException::TypeError);
    }
}

#[test]
fn each_fault_has_its_cause() {
    let cause = |text: String| CreationOptions::from_json(&text).unwrap_err();
    assert_eq!(cause(with("challenge", json!("a+"))), Cause::NotBase64Url("challenge"));
    let user = |id: &str| with("user", json!({"id": id, "name": "", "displayName": ""}));
    assert_eq!(cause(user("===")), Cause::NotBase64Url("user.id"));
    for text in [with("rp", json!({})), with("rp", json!(7)), "{".into(), "[]".into()] {
        let cause = cause(text);
        assert!(matches!(cause, Cause::NotTheDictionary(_)), "{cause:?}");
        assert_eq!(cause.exception(Operation::Create), DomException::TypeError);
    }
    let unknown = json!({"challenge": "", "allowCredentials": [{"type": "x", "id": "AQ"}]});
    assert!(RequestOptions::from_json(&unknown.to_string()).unwrap().only_unknown);
}

#[test]
fn a_missing_member_is_named() {
    let cause = CreationOptions::from_json("{}").unwrap_err();
    assert_eq!(cause, Cause::NotTheDictionary("missing field `rp`".into()));
}

/// Web IDL: an array has none of a dictionary's members, whatever stands in it.
#[test]
fn a_list_is_no_dictionary() {
    let user = json!(["AQ", "ada", ""]);
    let wrong = [
        with("rp", json!([null, "Example"])),
        with("user", user),
        with("pubKeyCredParams", json!([["public-key", -7]])),
        with("excludeCredentials", json!([["public-key", "AQ", []]])),
        with("authenticatorSelection", json!([null, null, false, null])),
        json!([{"name": "Example"}, {}, "AAEC", []]).to_string(),
    ];
    for text in wrong {
        let Err(Cause::NotTheDictionary(told)) = CreationOptions::from_json(&text) else {
            panic!("{text}")
        };
        assert!(told.ends_with("invalid type: sequence, expected an object"), "{told}");
    }
}

#[test]
fn the_member_that_is_wrong_is_named() {
    let told = |text: &str| CreationOptions::from_json(text).unwrap_err();
    for (member, value, named) in [
        ("challenge", json!(5), "challenge: invalid type: integer `5`, expected a string"),
        ("rp", json!({"name": true}), "rp.name: invalid type: boolean `true`, expected a string"),
        ("user", json!({"id": "AQ", "name": ""}), "user: missing field `displayName`"),
        (
            "pubKeyCredParams",
            json!([{"type": "public-key", "alg": "ES256"}]),
            "pubKeyCredParams[0].alg: invalid type: string \"ES256\", expected i64",
        ),
    ] {
        assert_eq!(told(&with(member, value)), Cause::NotTheDictionary(named.to_owned()));
    }
}

/// WebAuthn Level 3 section 5.8.7: the first known hint counts, in create and get; what repeats or contradicts it does not.
/// Alone it insists on nothing; where the page does insist on an attachment, the hint says on which.
#[test]
fn a_hint_overrides_the_attachment() {
    use Attachment::{CrossPlatform, Platform};
    let read = |hints: &Value, attachment: Value| {
        let mut options = least();
        options["hints"] = hints.clone();
        options["authenticatorSelection"] = json!({"authenticatorAttachment": attachment});
        let made = CreationOptions::from_json(&options.to_string()).unwrap();
        let signed = RequestOptions::from_value(json!({"challenge": "", "hints": hints})).unwrap();
        assert_eq!(signed.hinted, made.hinted, "{hints}");
        (made.hinted, made.attachment)
    };
    for (hints, hinted) in [
        (json!([]), None),
        (Value::Null, None),
        (json!(["carrier-pigeon"]), None),
        (json!(["security-key"]), Some(CrossPlatform)),
        (json!(["hybrid"]), Some(CrossPlatform)),
        (json!(["client-device"]), Some(Platform)),
        (json!(["unknown", "client-device", "hybrid", "client-device"]), Some(Platform)),
        (json!(["hybrid", "hybrid", "client-device"]), Some(CrossPlatform)),
    ] {
        assert_eq!(read(&hints, Value::Null), (hinted, None), "{hints}");
        let insisted = hinted.unwrap_or(Platform);
        assert_eq!(read(&hints, json!("platform")), (hinted, Some(insisted)), "{hints}");
    }
    for wrong in [json!("hybrid"), json!([7])] {
        let cause = RequestOptions::from_value(json!({"challenge": "", "hints": wrong}));
        let Err(Cause::NotTheDictionary(told)) = cause else { panic!("{wrong}") };
        assert!(told.starts_with("hints"), "{told}");
    }
}

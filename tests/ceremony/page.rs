//! A page, its profile and one key: the container from end to end.

use serde_json::{Value, json};
use softkey_client::client_data::hash;
use softkey_client::driver::{Keys, Settlement};
use softkey_client::extensions::RequestInputs;
use softkey_client::options::{Conveyance, Credential as KeyCredential, UserVerification};
use softkey_client::verify::{self, Expected};
use softkey_client::{
    Cause, CredentialCreationOptions, CredentialRequestOptions, DomException, Entropy, Feature,
    Frame, KeyId, Page, Profile, RequestOptions, base64url,
};
use softkey_ctap::{Instant, Secret};
use softkey_ctap_hid::{Connection, Device, DeviceConfig, Loopback};

use crate::pin::fingerprint;
use crate::world::{Core, Hand, ORIGIN, Person, RP_ID, list};
use softkey_authenticator::Config;

struct Browser {
    profile: Profile,
    page: Page,
    keys: Keys<Loopback<Core>>,
    person: Person,
}

impl Browser {
    fn new() -> Self {
        Self::of(Config::default())
    }

    /// With one key of this configuration.
    fn of(config: Config) -> Self {
        let profile = Profile::new();
        let page = Page::new(&profile, ORIGIN);
        let device = Device::new(DeviceConfig::default(), 7);
        let core = Core::new(config);
        let loopback = Loopback::new(device, core, Instant::from_millis(0));
        let keys = Keys::new([Connection::open(loopback).unwrap()]);
        Self { profile, page, keys, person: Person::default() }
    }

    fn core(&mut self) -> &mut Core {
        self.keys.connection_mut(KeyId(0)).unwrap().transport_mut().application_mut()
    }

    fn create(&mut self, options: &Value) -> Settlement {
        let options = CredentialCreationOptions::from_json(&options.to_string()).unwrap();
        let now = self.keys.now();
        let request = self.page.credentials().create(now, options, entropy());
        self.keys.settle(request, &mut self.person)
    }

    fn get(&mut self, options: &Value) -> Settlement {
        self.get_in_rust(CredentialRequestOptions::from_json(&options.to_string()).unwrap())
    }

    fn get_in_rust(&mut self, options: CredentialRequestOptions) -> Settlement {
        let now = self.keys.now();
        let request = self.page.credentials().get(now, options, entropy());
        self.keys.settle(request, &mut self.person)
    }
}

fn entropy() -> Entropy {
    Entropy::from_seed(&Secret::new([3; 32]))
}

fn creation() -> Value {
    json!({"publicKey": {
        "rp": {"name": "Example"},
        "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
        "challenge": "AAEC",
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"residentKey": "required", "userVerification": "discouraged"},
        "extensions": {"credProps": true, "unheardOf": {"deep": []}},
    }})
}

/// WebAuthn Level 3 sections 5.1.8 and 5.1.9: the JSON in both directions, unknown members passed over.
#[test]
fn the_json_of_a_browser_goes_in_and_comes_out() {
    let mut browser = Browser::new();
    let made = browser.create(&creation()).into_result().unwrap().unwrap();
    let json = made.to_json();
    assert_eq!(json["type"], "public-key");
    assert_eq!(json["id"], json["rawId"]);
    assert_eq!(json["authenticatorAttachment"], "cross-platform");
    assert_eq!(json["clientExtensionResults"], json!({"credProps": {"rk": true}}));
    assert_eq!(json["response"]["transports"], json!(["usb"]));
    assert_eq!(json["response"]["publicKeyAlgorithm"], -7);

    let options = json!({"publicKey": {"challenge": "AAED", "userVerification": "discouraged",
        "allowCredentials": list(&[made.id()]), "hints": ["hybrid"]}, "mediation": "required"});
    let signed = browser.get(&options).into_result().unwrap().unwrap().to_json();
    assert_eq!(signed["response"]["userHandle"], "AQID");
    assert_eq!(signed["clientExtensionResults"], json!({}));
    let client_data = signed["response"]["clientDataJSON"].as_str().unwrap();
    let client_data = base64url::decode(client_data).unwrap();
    let expected = r#"{"type":"webauthn.get","challenge":"AAED","origin":"https://example.org","crossOrigin":false}"#;
    assert_eq!(String::from_utf8(client_data).unwrap(), expected);
}

/// `navigator.credentials.get({publicKey: {challenge, rpId, allowCredentials, userVerification: "required"}})`, with these
/// members and no others, from both forms to a credential that the relying party takes.
#[test]
fn get_a_public_key_as_the_reference_page_does() {
    let mut browser = Browser::of(fingerprint());
    let mut options = creation();
    options["publicKey"]["authenticatorSelection"]["userVerification"] = json!("required");
    let made = browser.create(&options).into_result().unwrap().unwrap().registration().unwrap();
    let made_for = Expected::new(&[0, 1, 2], ORIGIN, RP_ID).verified(true);
    let mut record = verify::registration(&made, &made_for, &[-7]).unwrap().record;

    let challenge = [139, 66, 181, 87, 7, 203];
    let asked = json!({"publicKey": {
        "challenge": base64url::encode(&challenge), "rpId": RP_ID, "userVerification": "required",
        "allowCredentials": [{"type": "public-key", "id": made.id}],
    }});
    let in_rust = RequestOptions {
        challenge: challenge.to_vec(),
        rp_id: Some(RP_ID.into()),
        allow: vec![KeyCredential { id: made.raw_id.0.clone(), transports: Vec::new() }],
        user_verification: UserVerification::Required,
        only_unknown: false,
        hinted: None,
        attestation: Conveyance::None,
        attestation_formats: vec!["none".into()],
        extensions: RequestInputs::default(),
        timeout: None,
    };
    let settlements = [browser.get(&asked), browser.get_in_rust(in_rust.into())];
    for settlement in settlements {
        let signed = settlement.into_result().unwrap().unwrap().authentication().unwrap();
        let expected = Expected::new(&challenge, ORIGIN, RP_ID).verified(true);
        record = verify::authentication(&signed, &expected, &record).unwrap().record;
    }
}

/// Section 5.8.1: crossOrigin and topOrigin of a frame.
#[test]
fn a_frame_of_another_origin_says_so() {
    let mut browser = Browser::new();
    let own = Frame::new(ORIGIN).allow(Feature::PublicKeyCredentialsCreate);
    let top = Frame::new("https://shop.example:8443");
    browser.page = Page::framed(&browser.profile, [top], own);
    browser.page.activate();
    let made = browser.create(&creation()).into_result().unwrap().unwrap();
    let client_data = made.registration().unwrap().response.client_data_json.0;
    let expected = r#"{"type":"webauthn.create","challenge":"AAEC","origin":"https://example.org","crossOrigin":true,"topOrigin":"https://shop.example:8443"}"#;
    assert_eq!(String::from_utf8(client_data).unwrap(), expected);
}

/// Members that some browsers add so that nobody relies on there being none.
#[test]
fn further_members_of_the_client_data_come_last() {
    let mut browser = Browser::new();
    let extra = json!({"other_keys_can_be_added_here": "do not compare"});
    let extra = extra.as_object().cloned();
    browser.profile.set(|settings| settings.client_data_extra = extra);
    let made = browser.create(&creation()).into_result().unwrap().unwrap();
    let client_data = made.registration().unwrap().response.client_data_json.0;
    let tail = r#""crossOrigin":false,"other_keys_can_be_added_here":"do not compare"}"#;
    assert!(String::from_utf8(client_data).unwrap().ends_with(tail));
}

/// Level 2 zeroed the AAGUID where no attestation was conveyed; by switch.
#[test]
fn the_aaguid_can_be_withheld() {
    for (zero, expected) in [(false, softkey_authenticator::AAGUID), (true, [0; 16])] {
        let mut browser = Browser::new();
        browser.profile.set(|settings| settings.zero_aaguid = zero);
        let made = browser.create(&creation()).into_result().unwrap().unwrap();
        let response = made.registration().unwrap().response;
        assert_eq!(response.authenticator_data.0[37..53], expected);
        assert_eq!(response.authenticator_data.0[..32], hash(b"example.org"));
    }
}

/// Section 5.1.3: a sign-in that was mediated makes a conditional create possible, with consent.
#[test]
fn a_sign_in_opens_the_way_to_a_conditional_create() {
    let mut browser = Browser::new();
    browser.profile.set(|settings| settings.creation_consent = true);
    browser.create(&creation()).into_result().unwrap();
    let mut conditional = creation();
    conditional["mediation"] = json!("conditional");
    let rejection = browser.create(&conditional).into_result().unwrap_err();
    assert_eq!(rejection.cause, Cause::NoCreationConsent);
    let options = json!({"publicKey": {"challenge": "", "userVerification": "discouraged"}});
    browser.get(&options).into_result().unwrap();
    assert!(browser.create(&conditional).into_result().is_ok());
}

/// A conditional get stays pending when its key has nothing to give.
#[test]
fn a_conditional_get_stays_pending() {
    let mut browser = Browser::new();
    let options = json!({"mediation": "conditional",
        "publicKey": {"challenge": "", "userVerification": "discouraged"}});
    assert_eq!(browser.get(&options).promise, None);
    browser.create(&creation()).into_result().unwrap();
    let signed = browser.get(&options).promise.unwrap().unwrap().unwrap();
    assert!(signed.authentication().is_some());
}

/// A key that waits for nobody ends by itself, and the page learns nothing of why.
#[test]
fn nobody_touches() {
    let mut browser = Browser::new();
    browser.core().hand = Hand::StaysAway;
    let rejection = browser.create(&creation()).into_result().unwrap_err();
    assert_eq!(rejection.exception, DomException::NotAllowedError);
    let status = softkey_ctap::StatusCode::USER_ACTION_TIMEOUT;
    assert_eq!(rejection.cause, Cause::Refused(status));
}

/// Two pages of two profiles share nothing, not even what is pending.
#[test]
fn a_settled_call_leaves_the_page_free() {
    let mut browser = Browser::new();
    browser.create(&creation()).into_result().unwrap();
    let again = browser.create(&creation()).into_result();
    assert!(again.is_ok(), "{again:?}");
}

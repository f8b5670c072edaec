//! Extensions from the page to the key and back.

use serde_json::{Value, json};
use softkey_client::extensions::PrfOutputs;

use crate::world::{World, list, registered};

/// What prf gives at sign-in with this credential.
fn evaluated(world: &mut World, id: &str, prf: &Value) -> Option<PrfOutputs> {
    let options = json!({"allowCredentials": list(&[id]), "extensions": {"prf": prf}});
    let results = world.get(&options).unwrap().client_extension_results.prf.unwrap();
    assert_eq!(results.enabled, None);
    results.results
}

fn with_pin() -> World {
    let mut world = World::with_pin();
    world.person.pins = ["1234"; 20].into();
    world
}

fn prf_credential(world: &mut World) -> String {
    let made = world.create(&json!({"extensions": {"prf": {}}})).unwrap();
    assert_eq!(made.client_extension_results.prf.as_ref().unwrap().enabled, Some(true));
    made.id
}

/// WebAuthn Level 3 section 10.1.4: the same input gives the same secret, another input or credential another.
#[test]
fn prf_is_a_function_of_credential_and_input() {
    let mut world = with_pin();
    let (ada, bea) = (prf_credential(&mut world), prf_credential(&mut world));
    let both = json!({"eval": {"first": "AQIDBA", "second": "AQIDBA"}});
    let first = evaluated(&mut world, &ada, &both).unwrap();
    assert!(first.second.as_ref() == Some(&first.first));
    let alone = evaluated(&mut world, &ada, &json!({"eval": {"first": "AQIDBA"}})).unwrap();
    assert!(alone.first == first.first && alone.second.is_none());
    let other = evaluated(&mut world, &ada, &json!({"eval": {"first": "AQIDBQ"}})).unwrap();
    assert!(other.first != first.first);
    let stranger = evaluated(&mut world, &bea, &json!({"eval": {"first": "AQIDBA"}})).unwrap();
    assert!(stranger.first != first.first);
}

/// The entry of the credential that is used comes before `eval`.
#[test]
fn prf_prefers_the_entry_of_the_credential() {
    let mut world = with_pin();
    let id = prf_credential(&mut world);
    let plain = evaluated(&mut world, &id, &json!({"eval": {"first": "CQoLDA"}})).unwrap();
    let mut by_credential = json!({"eval": {"first": "AQIDBA", "second": "BQYHCA"}});
    by_credential["evalByCredential"] = json!({ (&id): {"first": "CQoLDA"} });
    let chosen = evaluated(&mut world, &id, &by_credential).unwrap();
    assert!(chosen == plain);
    assert!(evaluated(&mut world, &id, &json!({})).is_none());
}

/// The secret that goes with verification is the only one there is, though the page discourages verification.
#[test]
fn prf_verifies_the_user_or_evaluates_nothing() {
    let mut world = with_pin();
    let id = prf_credential(&mut world);
    assert!(world.person.asked.is_empty());
    evaluated(&mut world, &id, &json!({"eval": {"first": "AQ"}})).unwrap();
    assert_eq!(world.person.asked.len(), 1);

    let mut world = World::new();
    let id = prf_credential(&mut world);
    assert!(evaluated(&mut world, &id, &json!({"eval": {"first": "AQ"}})).is_none());
}

/// credProtect and minPinLength: what was asked for stands in the signed data, and the rest of it still holds.
#[test]
fn a_protected_credential_says_so() {
    let mut world = World::new();
    let made = world.create(&json!({"extensions": {
        "credentialProtectionPolicy": "userVerificationOptionalWithCredentialIDList",
        "enforceCredentialProtectionPolicy": true, "minPinLength": true, "credProps": true,
    }}));
    let made = made.unwrap();
    registered(&made, false);
    let data = &made.response.authenticator_data.0;
    assert!(data.ends_with(b"\xa1\x6bcredProtect\x02"));
    let results = serde_json::to_value(&made.client_extension_results).unwrap();
    assert_eq!(results, json!({"credProps": {"rk": false}}));
}

/// hmac-secret with the page's own salts: without verification too, and then another secret.
#[test]
fn raw_salts_give_the_secret_of_either_kind() {
    let mut world = with_pin();
    let made = world.create(&json!({"extensions": {"hmacCreateSecret": true}})).unwrap();
    assert_eq!(made.client_extension_results.hmac_create_secret, Some(true));
    assert_eq!(made.client_extension_results.prf, None);
    let mut secrets = |verification: &str, inputs: &Value| {
        let options = json!({"allowCredentials": list(&[&made.id]),
            "userVerification": verification, "extensions": inputs});
        world.get(&options).unwrap().client_extension_results
    };
    let [one, other] = [[1; 32], [2; 32]].map(|salt| softkey_client::base64url::encode(&salt));
    let raw = json!({"hmacGetSecret": {"salt1": one, "salt2": other}});
    let without = secrets("discouraged", &raw).hmac_get_secret.unwrap();
    let with = secrets("required", &raw).hmac_get_secret.unwrap();
    assert!(without != with && without.output2.is_some() && without.output2 != with.output2);
    let alone = secrets("discouraged", &json!({"hmacGetSecret": {"salt1": other}}));
    let alone = alone.hmac_get_secret.unwrap();
    assert!(Some(alone.output1) == without.output2 && alone.output2.is_none());
    let json = serde_json::to_value(secrets("required", &raw)).unwrap();
    assert_eq!(json["hmacGetSecret"]["output1"].as_str().map(str::len), Some(43));
}

/// WebAuthn Level 3 sections 10.1.1 and 10.1.2: a credential of CTAP1 times, on a key that speaks both protocols and one
/// that speaks CTAP1 only.
#[test]
fn a_credential_of_the_app_id_is_used_and_excluded() {
    use softkey_client::{Cause, Reach};
    const APP_ID: &str = "https://www.example.org/app-id.json";
    for ctap2 in [true, false] {
        let mut world = World::new();
        let handle = world.register_u2f(APP_ID);
        world.reach = Reach { ctap2, u2f: true };
        let allow = list(&[&handle]);
        let by_app_id = json!({"allowCredentials": allow, "extensions": {"appid": APP_ID}});
        let signed = world.get(&by_app_id).unwrap();
        assert_eq!(signed.client_extension_results.app_id, Some(true));
        let application = softkey_client::client_data::hash(APP_ID.as_bytes());
        assert_eq!(signed.response.authenticator_data.0[..32], application);
        assert_eq!(world.get(&json!({"allowCredentials": allow})), Err(Cause::NoCredentials));

        let excluded = json!({"excludeCredentials": allow, "extensions": {"appidExclude": APP_ID}});
        assert_eq!(world.create(&excluded), Err(Cause::Excluded));
        let made = world.create(&json!({"extensions": {"appidExclude": APP_ID}})).unwrap();
        assert_eq!(made.client_extension_results.app_id_exclude, Some(true));
        let own = json!({"allowCredentials": list(&[&made.id]), "extensions": {"appid": APP_ID}});
        assert_eq!(world.get(&own).unwrap().client_extension_results.app_id, Some(false));
    }
}

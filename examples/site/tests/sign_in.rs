//! What the site must refuse, over HTTP; what it must not stands in `readme.rs`.

use softkey::browser::Browser;
use softkey_client::wrong::{
    AUTHENTICATION, Deviations, REGISTRATION, SAME_CREDENTIAL, WrongClient,
};
use softkey_client::{CreationOptions, DomException, Origin, RequestOptions};

/// POSTs JSON and gives what the site answers.
fn post(url: String, json: &str) -> Result<String, ureq::Error> {
    let mut answer = ureq::post(&url).header("Content-Type", "application/json").send(json)?;
    answer.body_mut().read_to_string()
}

/// The site lists the passkeys that there are, so the same key is not registered twice.
#[test]
fn a_key_is_registered_once() -> Result<(), Box<dyn std::error::Error>> {
    let site = softkey_example_site::serve();
    let mut browser = Browser::open(&site)?;
    browser.set_pin("1234")?;
    let options = post(format!("{site}/register/begin/ada"), "")?;
    let made = serde_json::to_string(&browser.create(&options)?)?;
    post(format!("{site}/register/finish/ada"), &made)?;
    let options = post(format!("{site}/register/begin/ada"), "")?;
    let rejection = browser.create(&options).unwrap_err();
    assert_eq!(rejection.exception, DomException::InvalidStateError);
    Ok(())
}

/// Section 7.1 step 26: whoever presents the credential of another account neither gets one with it nor takes it away.
#[test]
fn a_credential_of_another_account_is_refused() -> Result<(), Box<dyn std::error::Error>> {
    let site = softkey_example_site::serve();
    let origin = Origin::parse(&site)?;
    let same = REGISTRATION.iter().find(|variant| variant.name == "registered").unwrap();
    let register = |name: &str| -> Result<String, Box<dyn std::error::Error>> {
        let options =
            CreationOptions::from_json(&post(format!("{site}/register/begin/{name}"), "")?)?;
        let made = WrongClient::new(1).create(&options, &origin, b"", &same.deviations());
        let made = serde_json::to_string(&made)?;
        Ok(post(format!("{site}/register/finish/{name}"), &made)?)
    };
    let sign_in = |name: &str, count| -> Result<String, Box<dyn std::error::Error>> {
        let options =
            RequestOptions::from_json(&post(format!("{site}/sign-in/begin/{name}"), "")?)?;
        let mut client = WrongClient::new(count);
        let signed = client.get(&options, &origin, &SAME_CREDENTIAL, &Deviations::default());
        let signed = serde_json::to_string(&signed)?;
        Ok(post(format!("{site}/sign-in/finish/{name}"), &signed)?)
    };
    assert_eq!(register("ada")?, "Welcome, ada.");
    assert_eq!(sign_in("ada", 2)?, "Welcome back, ada.");
    // Her own is in the list that the options exclude, and webauthn-rs refuses what is there; eve's is the site's to refuse.
    for (name, refusal) in [("ada", 403), ("eve", 409)] {
        let refused = register(name).unwrap_err();
        let status = refused.downcast_ref::<ureq::Error>();
        assert!(
            matches!(status, Some(ureq::Error::StatusCode(code)) if *code == refusal),
            "{name}: {refused}"
        );
    }
    assert!(sign_in("eve", 3).is_err(), "she has no passkey");
    assert_eq!(sign_in("ada", 4)?, "Welcome back, ada.");
    Ok(())
}

/// A page of another origin, and a sign-in that is wrong in some way, do not get in.
#[test]
fn a_wrong_sign_in_is_refused() -> Result<(), Box<dyn std::error::Error>> {
    let site = softkey_example_site::serve();
    let origin = Origin::parse(&site)?;
    let options = post(format!("{site}/register/begin/eve"), "")?;
    let options = CreationOptions::from_json(&options)?;
    let right = Default::default();
    let made = WrongClient::new(1).create(&options, &origin, b"eve", &right);
    post(format!("{site}/register/finish/eve"), &serde_json::to_string(&made)?)?;
    for name in ["challenge", "origin", "type", "rp-id-hash", "not-verified", "other-key"] {
        let variant = AUTHENTICATION.iter().find(|variant| variant.name == name).unwrap();
        let options = post(format!("{site}/sign-in/begin/eve"), "")?;
        let options = RequestOptions::from_json(&options)?;
        let id = &options.allow[0].id;
        let signed = WrongClient::new(2).get(&options, &origin, id, &variant.deviations());
        let answer = post(format!("{site}/sign-in/finish/eve"), &serde_json::to_string(&signed)?);
        assert!(matches!(answer, Err(ureq::Error::StatusCode(403))), "{name}: {answer:?}");
    }
    Ok(())
}

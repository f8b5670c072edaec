//! The client against somebody else's authenticator: passkey-authenticator of passkey-rs, CTAP 2.0 with built-in user
//! verification and without PINs. Its requests and answers are types, so a few lines here read and write their CBOR.

use std::future::{Future, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use passkey_authenticator::{
    Authenticator, CredentialStore, DiscoverabilitySupport, StoreInfo, UiHint, UserCheck,
    UserValidationMethod,
};
use passkey_crypto::AvailableBackend;
use passkey_types::Passkey;
use passkey_types::ctap2::make_credential::{
    Options, PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity,
};
use passkey_types::ctap2::{Aaguid, Ctap2Command, Ctap2Error, StatusCode};
use passkey_types::webauthn::PublicKeyCredentialDescriptor;
use serde_json::{Value, json};
use softkey_client::asynchronous::{Message, Surroundings, Work, settle};
use softkey_client::verify::{Attestation, Expected, authentication, registration};
use softkey_client::{
    Account, AuthenticationResponse, Cause, CreationOptions, Credential, DomException, Entropy,
    KeyId, Page, PinNeed, Profile, Reach, RegistrationResponse, Rejection, Request, RequestOptions,
    WrongResponse,
};
use softkey_ctap::{Instant, StatusCode as Status};
use zeroize::Zeroizing;

const ORIGIN: &str = "https://login.example.org";

/// All of this is ready when it is asked.
fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}

/// What its owner keeps for it, the newest first.
#[derive(Default)]
struct Kept(Vec<Passkey>);

#[async_trait::async_trait]
impl CredentialStore for Kept {
    type PasskeyItem = Passkey;

    async fn find_credentials(
        &self,
        ids: Option<&[PublicKeyCredentialDescriptor]>,
        rp_id: &str,
        _user_handle: Option<&[u8]>,
    ) -> Result<Vec<Passkey>, StatusCode> {
        let of_list = |kept: &Passkey| {
            ids.is_none_or(|ids| ids.iter().any(|listed| listed.id == kept.credential_id))
        };
        let found = self.0.iter().filter(|kept| kept.rp_id == rp_id && of_list(kept));
        let found: Vec<_> = found.cloned().collect();
        if found.is_empty() { Err(Ctap2Error::NoCredentials.into()) } else { Ok(found) }
    }

    async fn save_credential(
        &mut self,
        made: Passkey,
        _user: PublicKeyCredentialUserEntity,
        _rp: PublicKeyCredentialRpEntity,
        _options: Options,
    ) -> Result<(), StatusCode> {
        self.0.insert(0, made);
        Ok(())
    }

    async fn update_credential(&mut self, used: &Passkey) -> Result<(), StatusCode> {
        for kept in self.0.iter_mut().filter(|kept| kept.credential_id == used.credential_id) {
            *kept = used.clone();
        }
        Ok(())
    }

    async fn get_info(&self) -> StoreInfo {
        StoreInfo { discoverability: DiscoverabilitySupport::Full }
    }
}

/// Its user, who consents to everything or to nothing.
struct Person {
    consents: bool,
}

#[async_trait::async_trait]
impl UserValidationMethod for Person {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        if !self.consents {
            return Err(Ctap2Error::OperationDenied);
        }
        // The library leaves it to its owner to end the request here.
        if let UiHint::InformExcludedCredentialFound(_) = hint {
            return Err(Ctap2Error::CredentialExcluded);
        }
        Ok(UserCheck { presence, verification })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

type Foreign = Authenticator<Kept, Person, AvailableBackend>;

fn answer(status: Result<impl serde::Serialize, StatusCode>) -> Vec<u8> {
    match status {
        Ok(response) => {
            let mut bytes = vec![0];
            ciborium::into_writer(&response, &mut bytes).unwrap();
            bytes
        }
        Err(status) => vec![u8::from(status)],
    }
}

/// Has the authenticator answer one message.
fn exchange(key: &mut Foreign, message: &[u8]) -> Vec<u8> {
    const MAKE_CREDENTIAL: u8 = Ctap2Command::MakeCredential as u8;
    const GET_ASSERTION: u8 = Ctap2Command::GetAssertion as u8;
    const GET_INFO: u8 = Ctap2Command::GetInfo as u8;
    let (command, parameters) = message.split_first().unwrap();
    let invalid = |_| StatusCode::from(Ctap2Error::InvalidCbor);
    match *command {
        MAKE_CREDENTIAL => {
            let request = ciborium::from_reader(parameters).map_err(invalid);
            answer(request.and_then(|request| now(key.make_credential(request))))
        }
        GET_ASSERTION => {
            let request = ciborium::from_reader(parameters).map_err(invalid);
            answer(request.and_then(|request| now(key.get_assertion(request))))
        }
        GET_INFO => answer(Ok(now(key.get_info()))),
        _ => vec![u8::from(Ctap2Error::InvalidCommand)],
    }
}

/// A page in front of that authenticator, and a clock that stands still.
struct Desk {
    page: Page,
    key: Arc<Mutex<Foreign>>,
}

impl Desk {
    fn new(origin: &str, consents: bool) -> Self {
        let aaguid = Aaguid::from(*b"a foreign model.");
        let person = Person { consents };
        let key = Authenticator::new(aaguid, Kept::default(), person, AvailableBackend);
        Self { page: Page::new(&Profile::new(), origin), key: Arc::new(Mutex::new(key)) }
    }

    fn create(&mut self, options: &str) -> Result<RegistrationResponse, Rejection> {
        let options = CreationOptions::from_json(options).unwrap();
        let entropy = Entropy::from_system().unwrap();
        let now = self.now();
        let request = self.page.credentials().create(now, options.into(), entropy);
        self.settle(request).map(|made| made.registration().unwrap())
    }

    fn get(&mut self, options: &str) -> Result<AuthenticationResponse, Rejection> {
        let options = RequestOptions::from_json(options).unwrap();
        let entropy = Entropy::from_system().unwrap();
        let now = self.now();
        let request = self.page.credentials().get(now, options.into(), entropy);
        self.settle(request).map(|signed| signed.authentication().unwrap())
    }

    fn settle(&self, request: Request) -> Result<Credential, Rejection> {
        let reach = Reach { ctap2: true, u2f: false };
        let settlement = now(settle(request, [(KeyId(0), reach)], self));
        settlement.into_result().map(|credential| credential.expect("a credential"))
    }
}

impl Surroundings for Desk {
    fn now(&self) -> Instant {
        Instant::from_millis(0)
    }

    fn sleep_until(&self, _: Instant) -> Work<()> {
        Box::pin(std::future::pending())
    }

    fn exchange(&self, _: KeyId, message: Message) -> Work<Option<Vec<u8>>> {
        let Message::Cbor(message) = message else { panic!("it has no CTAP1") };
        let answer = exchange(&mut self.key.lock().unwrap(), &message);
        Box::pin(ready(Some(answer)))
    }

    fn cancel(&self, _: KeyId) {}

    fn pin(&self, need: PinNeed) -> Work<Option<Zeroizing<String>>> {
        panic!("it has no PIN: {need:?}")
    }

    fn account(&self, accounts: Vec<Account>) -> Work<Option<usize>> {
        panic!("it chooses by itself: {accounts:?}")
    }
}

fn creation(alg: i64, extra: &Value) -> String {
    let mut options = json!({
        "rp": {"id": "example.org", "name": "Example"},
        "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
        "challenge": "AAECAwQF", "attestation": "direct",
        "pubKeyCredParams": [{"type": "public-key", "alg": alg}],
        "authenticatorSelection": {"userVerification": "required", "residentKey": "required"},
    });
    for (member, value) in extra.as_object().unwrap() {
        options[member] = value.clone();
    }
    options.to_string()
}

fn listed(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({"type": "public-key", "id": id})).collect()
}

fn request(allow: &[&str]) -> String {
    json!({
        "challenge": "BQQDAgEA", "rpId": "example.org", "userVerification": "required",
        "allowCredentials": listed(allow),
    })
    .to_string()
}

/// Registers and signs in, by a list and without one, each checked as a relying party does.
#[test]
fn every_algorithm_of_its_registers_and_signs_in() {
    for alg in [-7, -8, -48, -49, -50] {
        let mut desk = Desk::new(ORIGIN, true);
        let made = desk.create(&creation(alg, &json!({}))).unwrap();
        let expected = Expected::new(b"\0\x01\x02\x03\x04\x05", ORIGIN, "example.org");
        let registered = registration(&made, &expected.verified(true), &[alg]).unwrap();
        assert_eq!(registered.attestation, Attestation::None);
        assert_eq!(registered.aaguid, *b"a foreign model.");
        for allow in [&[made.id.as_str()][..], &[]] {
            let signed = desk.get(&request(allow)).unwrap();
            let expected = Expected::new(b"\x05\x04\x03\x02\x01\0", ORIGIN, "example.org");
            authentication(&signed, &expected.verified(true), &registered.record).unwrap();
            assert_eq!(signed.id, made.id);
        }
        println!("passkey-authenticator: {alg} registers and signs in");
    }
}

/// It lists the fully specified twins of ES256 and EdDSA too, and then makes keys that say -7 and -8, which the page did
/// not ask for: twins are not interchangeable.
#[test]
fn its_twins_are_not_what_was_asked_for() {
    for alg in [-9, -19] {
        let rejection = Desk::new(ORIGIN, true).create(&creation(alg, &json!({}))).unwrap_err();
        assert_eq!(rejection.exception, DomException::NotAllowedError);
        assert_eq!(rejection.cause, Cause::WrongResponse(WrongResponse::Algorithm), "{alg}");
    }
}

/// The client finds the one credential in a list of strangers, for sign-in and for exclusion.
#[test]
fn it_is_asked_about_lists() {
    let mut desk = Desk::new(ORIGIN, true);
    let made = desk.create(&creation(-7, &json!({}))).unwrap();
    let ids = ["AAAA", "BBBB", &made.id];
    assert_eq!(desk.get(&request(&ids)).unwrap().id, made.id);
    let rejection = desk.get(&request(&ids[..2])).unwrap_err();
    assert_eq!(rejection.exception, DomException::NotAllowedError);
    assert_eq!(rejection.cause, Cause::NoCredentials);
    let again = creation(-7, &json!({"excludeCredentials": listed(&ids)}));
    let rejection = desk.create(&again).unwrap_err();
    assert_eq!(rejection.exception, DomException::InvalidStateError);
    assert_eq!(rejection.cause, Cause::Excluded);
    let strangers = json!({"excludeCredentials": listed(&ids[..2])});
    assert!(desk.create(&creation(-7, &strangers)).is_ok());
}

#[test]
fn what_it_refuses_has_its_name_and_cause() {
    let mut desk = Desk::new(ORIGIN, true);
    let rejection = desk.create(&creation(-257, &json!({}))).unwrap_err();
    assert_eq!(rejection.exception, DomException::NotSupportedError);
    assert_eq!(rejection.cause, Cause::Refused(Status::UNSUPPORTED_ALGORITHM));
    let mut desk = Desk::new(ORIGIN, false);
    let rejection = desk.create(&creation(-7, &json!({}))).unwrap_err();
    assert_eq!(rejection.exception, DomException::NotAllowedError);
    assert_eq!(rejection.cause, Cause::Refused(Status::OPERATION_DENIED));
}

/// Three parties that never met: axum with webauthn-rs, this client, and that authenticator.
#[test]
fn it_signs_in_to_the_site() -> Result<(), Box<dyn std::error::Error>> {
    let post = |url: String, json: &str| -> Result<String, ureq::Error> {
        let mut answer = ureq::post(&url).header("Content-Type", "application/json").send(json)?;
        answer.body_mut().read_to_string()
    };
    let site = softkey_example_site::serve();
    let mut desk = Desk::new(&site, true);
    let options = post(format!("{site}/register/begin/ada"), "")?;
    let made = serde_json::to_string(&desk.create(&options).unwrap())?;
    assert_eq!(post(format!("{site}/register/finish/ada"), &made)?, "Welcome, ada.");
    let options = post(format!("{site}/sign-in/begin/ada"), "")?;
    let signed = serde_json::to_string(&desk.get(&options).unwrap())?;
    assert_eq!(post(format!("{site}/sign-in/finish/ada"), &signed)?, "Welcome back, ada.");
    Ok(())
}

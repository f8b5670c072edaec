//! What a platform does with a key, on top of the bytes: getInfo, PINs and tokens, registrations and
//! assertions. Each success is checked against all rules that hold for every one of its kind.

use crate::attestation;
use crate::auth_data::{AT, Attested, AuthData, ED, UP};
use crate::cbor::{Value, map, walk, walk_answer};
use crate::key::Key;
use crate::pin::{Protocol, Shared, Token, padded, pin_hash};
use crate::request::{Request, command, cp, mc};
use crate::status::SUCCESS;

/// Permission bits of a pinUvAuthToken.
pub mod permission {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const MC: i64 = 0x01;
    pub const GA: i64 = 0x02;
    pub const CM: i64 = 0x04;
    pub const BE: i64 = 0x08;
    pub const LBW: i64 = 0x10;
    pub const ACFG: i64 = 0x20;
    pub const PCMR: i64 = 0x40;
}

/// The key's answer to getInfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info(pub Value);

impl Info {
    /// An option's value; none if the option is not listed.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<bool> {
        self.0.at(4)?.at(name).map(Value::bool)
    }

    /// The texts of a list member; none if the member is absent.
    #[must_use]
    pub fn texts(&self, member: i64) -> Vec<&str> {
        self.0
            .at(member)
            .map(|list| list.items().iter().map(Value::text).collect())
            .unwrap_or_default()
    }

    /// Is this version listed?
    #[must_use]
    pub fn has_version(&self, version: &str) -> bool {
        self.texts(1).contains(&version)
    }

    /// Is this extension listed?
    #[must_use]
    pub fn has_extension(&self, identifier: &str) -> bool {
        self.texts(2).contains(&identifier)
    }

    /// maxCredentialCountInList.
    #[must_use]
    pub fn max_list(&self) -> usize {
        usize::try_from(self.0.get(7).uint()).unwrap()
    }

    /// maxCredentialIdLength.
    #[must_use]
    pub fn max_id(&self) -> usize {
        usize::try_from(self.0.get(8).uint()).unwrap()
    }

    /// The AAGUID.
    #[must_use]
    pub fn aaguid(&self) -> [u8; 16] {
        self.0.get(3).bytes().try_into().expect("16 bytes of AAGUID")
    }
}

/// A registration that succeeded.
#[derive(Clone, Debug)]
pub struct Made {
    /// The whole answer.
    pub answer: Value,
    /// The attestation statement format.
    pub format: String,
    /// Authenticator data.
    pub auth_data: AuthData,
    /// The relying party's identifier in the request.
    pub rp_id: String,
}

impl Made {
    /// The credential's id.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.attested().id
    }

    /// The credential's public key in COSE form.
    #[must_use]
    pub fn public_key(&self) -> &Value {
        &self.attested().public_key
    }

    /// Attested credential data.
    #[must_use]
    pub fn attested(&self) -> &Attested {
        self.auth_data.attested.as_ref().unwrap()
    }

    /// A getAssertion request that lists this credential.
    #[must_use]
    pub fn get(&self) -> Request {
        Request::get_assertion(&self.rp_id).listing(&[self.id()])
    }
}

/// An assertion that succeeded.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// The whole answer.
    pub answer: Value,
    /// Authenticator data.
    pub auth_data: AuthData,
    /// The client data hash in the request.
    pub client_data_hash: Vec<u8>,
}

impl Assertion {
    /// The id of the credential that signed.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        self.answer.get(1).get("id").bytes()
    }

    /// The user's id.
    #[must_use]
    #[track_caller]
    pub fn user_id(&self) -> &[u8] {
        self.answer.get(4).get("id").bytes()
    }

    /// Fails the test unless this credential made the signature.
    #[track_caller]
    pub fn verify(&self, made: &Made) {
        assert_eq!(self.id(), made.id(), "the credential that signed");
        self.verify_with(made.public_key());
    }

    /// Fails the test unless this COSE key made the signature.
    #[track_caller]
    pub fn verify_with(&self, public_key: &Value) {
        let signed = [self.auth_data.bytes.as_slice(), &self.client_data_hash].concat();
        let signature = self.answer.get(3).bytes();
        assert!(
            crate::verify::signature_verifies(public_key, &signed, signature),
            "the assertion verifies"
        );
    }
}

impl Key {
    /// Sends a request and gives its answer's map; the test fails unless the status is success and the map
    /// canonical. A success without a body is an empty map.
    #[track_caller]
    pub fn ok(&mut self, request: &Request) -> Value {
        let answer = self.send(&request.bytes());
        let (status, body) = answer.split_first().expect("a status byte");
        assert_eq!(*status, SUCCESS, "status {status:#04x} to {request:?}");
        if body.is_empty() {
            return Value::Map(Vec::new());
        }
        let body = walk_answer(body)
            .unwrap_or_else(|flaw| panic!("{flaw:?} in the answer to {request:?}"));
        assert!(!body.entries().is_empty(), "an empty map as body");
        body
    }

    /// Sends a request and gives its status; the test fails if an error has a body.
    #[track_caller]
    pub fn status(&mut self, request: &Request) -> u8 {
        self.status_of(&request.bytes())
    }

    /// Sends bytes and gives the status; the test fails if an error has a body.
    #[track_caller]
    pub fn status_of(&mut self, request: &[u8]) -> u8 {
        let answer = self.send(request);
        let (status, body) = answer.split_first().expect("a status byte");
        assert!(*status == SUCCESS || body.is_empty(), "a body beside status {status:#04x}");
        *status
    }

    /// getInfo.
    #[track_caller]
    pub fn info(&mut self) -> Info {
        Info(self.ok(&Request::bare(command::GET_INFO)))
    }

    /// Makes a credential that must succeed, and checks what holds for all of them.
    #[track_caller]
    pub fn make(&mut self, request: &Request) -> Made {
        let answer = self.ok(request);
        let format = answer.get(1).text().to_owned();
        let auth_data = AuthData::parse(answer.get(2).bytes());
        let made = Made { answer, format, auth_data, rp_id: request.rp_id().to_owned() };
        made.check(request);
        self.check_backup(made.auth_data.flags);
        made
    }

    /// Gets an assertion that must succeed, and checks what holds for all of them but the signature.
    #[track_caller]
    pub fn assertion(&mut self, request: &Request) -> Assertion {
        let answer = self.ok(request);
        let assertion = Assertion::parse(answer, request);
        self.check_backup(assertion.auth_data.flags);
        assertion
    }

    /// Gets an assertion that must succeed and be signed by `made`.
    #[track_caller]
    pub fn assertion_by(&mut self, made: &Made, request: &Request) -> Assertion {
        let assertion = self.assertion(request);
        assertion.verify(made);
        assertion
    }

    /// getNextAssertion after `first`, which must succeed.
    #[track_caller]
    pub fn next_assertion(&mut self, first: &Request) -> Assertion {
        let answer = self.ok(&Request::bare(command::GET_NEXT_ASSERTION));
        assert_eq!(answer.at(5), None, "numberOfCredentials in a next assertion");
        Assertion::parse(answer, first)
    }

    /// The status of getNextAssertion.
    #[track_caller]
    pub fn next_assertion_status(&mut self) -> u8 {
        self.status(&Request::bare(command::GET_NEXT_ASSERTION))
    }

    /// getKeyAgreement: the authenticator's key.
    #[track_caller]
    pub fn key_agreement(&mut self, protocol: Protocol) -> Value {
        let request =
            Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, protocol.number());
        let answer = self.ok(&request);
        assert_eq!(answer.keys(), [Value::from(1)], "members of getKeyAgreement's answer");
        answer.get(1).clone()
    }

    /// A fresh shared secret.
    #[track_caller]
    pub fn agree(&mut self, protocol: Protocol) -> Shared {
        let theirs = self.key_agreement(protocol);
        Shared::agree(protocol, &theirs, &self.draw())
    }

    /// The retries left for the PIN.
    #[track_caller]
    pub fn retries(&mut self) -> u64 {
        self.ok(&Request::client_pin(cp::GET_PIN_RETRIES)).get(3).uint()
    }

    /// Sets the first PIN, which must succeed.
    #[track_caller]
    pub fn set_pin(&mut self, pin: &str) {
        self.set_pin_by(Protocol::Two, pin);
    }

    /// Sets the first PIN by this protocol, which must succeed.
    #[track_caller]
    pub fn set_pin_by(&mut self, protocol: Protocol, pin: &str) {
        let shared = self.agree(protocol);
        assert_eq!(self.status(&set_pin_request(&shared, &padded(pin))), SUCCESS, "setPIN {pin:?}");
    }

    /// Changes the PIN and gives the status.
    #[track_caller]
    pub fn change_pin(&mut self, old: &str, new: &str) -> u8 {
        let shared = self.agree(Protocol::Two);
        self.status(&change_pin_request(&shared, old, &padded(new)))
    }

    /// A token by getPinToken.
    ///
    /// # Errors
    ///
    /// The status, if it is not success.
    #[track_caller]
    pub fn pin_token(&mut self, protocol: Protocol, pin: &str) -> Result<Token, u8> {
        let shared = self.agree(protocol);
        self.token_by(&shared, &pin_token_request(&shared, pin))
    }

    /// A token by getPinUvAuthTokenUsingPinWithPermissions.
    ///
    /// # Errors
    ///
    /// The status, if it is not success.
    #[track_caller]
    pub fn token(
        &mut self,
        protocol: Protocol,
        pin: &str,
        permissions: i64,
        rp_id: Option<&str>,
    ) -> Result<Token, u8> {
        let shared = self.agree(protocol);
        self.token_by(&shared, &token_request(&shared, pin, permissions, rp_id))
    }

    /// A token by getPinUvAuthTokenUsingUvWithPermissions.
    ///
    /// # Errors
    ///
    /// The status, if it is not success.
    #[track_caller]
    pub fn token_by_uv(
        &mut self,
        protocol: Protocol,
        permissions: i64,
        rp_id: Option<&str>,
    ) -> Result<Token, u8> {
        let shared = self.agree(protocol);
        let request = Request::client_pin(cp::GET_TOKEN_USING_UV)
            .with(cp::PROTOCOL, protocol.number())
            .with(cp::KEY_AGREEMENT, &shared.platform_key)
            .with(cp::PERMISSIONS, permissions);
        let request = match rp_id {
            Some(rp_id) => request.with(cp::RP_ID, rp_id),
            None => request,
        };
        self.token_by(&shared, &request)
    }

    /// Sends a request for a token made with this shared secret.
    ///
    /// # Errors
    ///
    /// The status, if it is not success.
    #[track_caller]
    pub fn token_by(&mut self, shared: &Shared, request: &Request) -> Result<Token, u8> {
        let answer = self.send(&request.bytes());
        if answer != [answer[0]] {
            assert_eq!(answer[0], SUCCESS, "a body beside status {:#04x}", answer[0]);
            let body = walk(&answer[1..]).expect("a canonical answer");
            assert_eq!(body.keys(), [Value::from(2)], "members of the answer");
            let encrypted = body.get(2).bytes();
            return Ok(Token::new(shared.protocol(), shared.decrypt(encrypted)));
        }
        assert_ne!(answer[0], SUCCESS, "a token must come");
        Err(answer[0])
    }
}

/// setPIN with this plaintext.
#[must_use]
pub fn set_pin_request(shared: &Shared, plaintext: &[u8]) -> Request {
    let new_pin_enc = shared.encrypt(plaintext);
    Request::client_pin(cp::SET_PIN)
        .with(cp::PROTOCOL, shared.protocol().number())
        .with(cp::KEY_AGREEMENT, &shared.platform_key)
        .with(cp::PARAM, shared.authenticate(&new_pin_enc))
        .with(cp::NEW_PIN_ENC, new_pin_enc)
}

/// changePIN from `old` to this plaintext.
#[must_use]
pub fn change_pin_request(shared: &Shared, old: &str, plaintext: &[u8]) -> Request {
    let new_pin_enc = shared.encrypt(plaintext);
    let pin_hash_enc = shared.encrypt(&pin_hash(old));
    Request::client_pin(cp::CHANGE_PIN)
        .with(cp::PROTOCOL, shared.protocol().number())
        .with(cp::KEY_AGREEMENT, &shared.platform_key)
        .with(cp::PARAM, shared.authenticate(&[new_pin_enc.as_slice(), &pin_hash_enc].concat()))
        .with(cp::NEW_PIN_ENC, new_pin_enc)
        .with(cp::PIN_HASH_ENC, pin_hash_enc)
}

/// getPinToken.
#[must_use]
pub fn pin_token_request(shared: &Shared, pin: &str) -> Request {
    Request::client_pin(cp::GET_PIN_TOKEN)
        .with(cp::PROTOCOL, shared.protocol().number())
        .with(cp::KEY_AGREEMENT, &shared.platform_key)
        .with(cp::PIN_HASH_ENC, shared.encrypt(&pin_hash(pin)))
}

/// getPinUvAuthTokenUsingPinWithPermissions.
#[must_use]
pub fn token_request(shared: &Shared, pin: &str, permissions: i64, rp_id: Option<&str>) -> Request {
    let request = pin_token_request(shared, pin)
        .with(cp::SUB_COMMAND, cp::GET_TOKEN_USING_PIN)
        .with(cp::PERMISSIONS, permissions);
    match rp_id {
        Some(rp_id) => request.with(cp::RP_ID, rp_id),
        None => request,
    }
}

impl Made {
    #[track_caller]
    fn check(&self, request: &Request) {
        let known = (1..=6).map(Value::from).collect::<Vec<_>>();
        assert!(
            self.answer.keys().iter().all(|key| known.contains(key)),
            "members {:?}",
            self.answer.keys()
        );
        assert_eq!(self.auth_data.rp_id_hash, request.rp_id_hash(), "rpIdHash");
        assert!(self.auth_data.has(UP | AT), "flags {:#04x}", self.auth_data.flags);
        assert!(
            (16..=1023).contains(&self.id().len()),
            "credential id of {} bytes",
            self.id().len()
        );
        let asked: Vec<_> = request.member(mc::PUB_KEY_CRED_PARAMS).items().to_vec();
        let algorithm = self.public_key().get(3);
        assert!(asked.iter().any(|entry| entry.at("alg") == Some(algorithm)), "alg {algorithm:?}");
        let signed = [self.auth_data.bytes.as_slice(), request.client_data_hash()].concat();
        let statement = self.answer.get(3);
        let attested = attestation::Attested {
            auth_data: &self.auth_data,
            client_data_hash: request.client_data_hash(),
            public_key: self.public_key(),
            signed: &signed,
        };
        attestation::check(&self.format, statement, &attested);
    }
}

impl Assertion {
    #[track_caller]
    fn parse(answer: Value, request: &Request) -> Self {
        let known = (1..=8).map(Value::from).collect::<Vec<_>>();
        assert!(answer.keys().iter().all(|key| known.contains(key)), "members {:?}", answer.keys());
        let credential = answer.get(1);
        let expected = map([("id", credential.get("id").clone()), ("type", "public-key".into())]);
        assert_eq!(*credential, expected, "credential holds id and type exactly");
        let auth_data = AuthData::parse(answer.get(2).bytes());
        assert_eq!(auth_data.rp_id_hash, request.rp_id_hash(), "rpIdHash");
        assert!(!auth_data.has(AT), "AT in an assertion");
        assert!(auth_data.has(ED) || auth_data.bytes.len() == 37, "authData without extensions");
        if let Some(user) = answer.at(4) {
            assert!((1..=64).contains(&user.get("id").bytes().len()), "user.id of 1 to 64 bytes");
        }
        Self { auth_data, client_data_hash: request.client_data_hash().to_vec(), answer }
    }
}

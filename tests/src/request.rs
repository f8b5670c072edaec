//! CTAP2 requests as a command byte and a map that a test can bend: members set, left out, of any type.

use crate::cbor::{Value, map};
use crate::parts::sha256;

/// authenticatorMakeCredential and its members.
pub mod mc {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const COMMAND: u8 = 0x01;
    pub const CLIENT_DATA_HASH: i64 = 0x01;
    pub const RP: i64 = 0x02;
    pub const USER: i64 = 0x03;
    pub const PUB_KEY_CRED_PARAMS: i64 = 0x04;
    pub const EXCLUDE_LIST: i64 = 0x05;
    pub const EXTENSIONS: i64 = 0x06;
    pub const OPTIONS: i64 = 0x07;
    pub const PARAM: i64 = 0x08;
    pub const PROTOCOL: i64 = 0x09;
    pub const ENTERPRISE_ATTESTATION: i64 = 0x0A;
    pub const ATTESTATION_FORMATS_PREFERENCE: i64 = 0x0B;
}

/// authenticatorGetAssertion and its members.
pub mod ga {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const COMMAND: u8 = 0x02;
    pub const RP_ID: i64 = 0x01;
    pub const CLIENT_DATA_HASH: i64 = 0x02;
    pub const ALLOW_LIST: i64 = 0x03;
    pub const EXTENSIONS: i64 = 0x04;
    pub const OPTIONS: i64 = 0x05;
    pub const PARAM: i64 = 0x06;
    pub const PROTOCOL: i64 = 0x07;
}

/// authenticatorClientPIN, its members and subcommands.
pub mod cp {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const COMMAND: u8 = 0x06;
    pub const PROTOCOL: i64 = 0x01;
    pub const SUB_COMMAND: i64 = 0x02;
    pub const KEY_AGREEMENT: i64 = 0x03;
    pub const PARAM: i64 = 0x04;
    pub const NEW_PIN_ENC: i64 = 0x05;
    pub const PIN_HASH_ENC: i64 = 0x06;
    pub const PERMISSIONS: i64 = 0x09;
    pub const RP_ID: i64 = 0x0A;
    pub const GET_PIN_RETRIES: i64 = 0x01;
    pub const GET_KEY_AGREEMENT: i64 = 0x02;
    pub const SET_PIN: i64 = 0x03;
    pub const CHANGE_PIN: i64 = 0x04;
    pub const GET_PIN_TOKEN: i64 = 0x05;
    pub const GET_TOKEN_USING_UV: i64 = 0x06;
    pub const GET_UV_RETRIES: i64 = 0x07;
    pub const GET_TOKEN_USING_PIN: i64 = 0x09;
}

/// authenticatorCredentialManagement, its members and subcommands.
pub mod cm {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const COMMAND: u8 = 0x0A;
    pub const PREVIEW: u8 = 0x41;
    pub const SUB_COMMAND: i64 = 0x01;
    pub const PARAMS: i64 = 0x02;
    pub const PROTOCOL: i64 = 0x03;
    pub const PARAM: i64 = 0x04;
    pub const GET_CREDS_METADATA: u8 = 0x01;
    pub const ENUMERATE_RPS_BEGIN: u8 = 0x02;
    pub const ENUMERATE_RPS_NEXT: u8 = 0x03;
    pub const ENUMERATE_CREDENTIALS_BEGIN: u8 = 0x04;
    pub const ENUMERATE_CREDENTIALS_NEXT: u8 = 0x05;
    pub const DELETE_CREDENTIAL: u8 = 0x06;
    pub const UPDATE_USER_INFORMATION: u8 = 0x07;
}

/// authenticatorConfig, its members and subcommands.
pub mod cf {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const COMMAND: u8 = 0x0D;
    pub const SUB_COMMAND: i64 = 0x01;
    pub const PARAMS: i64 = 0x02;
    pub const PROTOCOL: i64 = 0x03;
    pub const PARAM: i64 = 0x04;
    pub const ENABLE_ENTERPRISE_ATTESTATION: u8 = 0x01;
    pub const TOGGLE_ALWAYS_UV: u8 = 0x02;
    pub const SET_MIN_PIN_LENGTH: u8 = 0x03;
    pub const ENABLE_LONG_TOUCH_FOR_RESET: u8 = 0x04;
    pub const VENDOR_PROTOTYPE: u8 = 0xFF;
    pub const NEW_MIN_PIN_LENGTH: i64 = 0x01;
    pub const MIN_PIN_LENGTH_RP_IDS: i64 = 0x02;
    pub const FORCE_CHANGE_PIN: i64 = 0x03;
    pub const PIN_COMPLEXITY_POLICY: i64 = 0x04;
}

/// authenticatorBioEnrollment, its members and subcommands.
pub mod be {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const COMMAND: u8 = 0x09;
    pub const PREVIEW: u8 = 0x40;
    pub const MODALITY: i64 = 0x01;
    pub const SUB_COMMAND: i64 = 0x02;
    pub const PARAMS: i64 = 0x03;
    pub const PROTOCOL: i64 = 0x04;
    pub const PARAM: i64 = 0x05;
    pub const GET_MODALITY: i64 = 0x06;
    pub const TEMPLATE_ID: i64 = 0x01;
    pub const FRIENDLY_NAME: i64 = 0x02;
    pub const TIMEOUT_MILLISECONDS: i64 = 0x03;
    pub const ENROLL_BEGIN: u8 = 0x01;
    pub const ENROLL_CAPTURE_NEXT_SAMPLE: u8 = 0x02;
    pub const CANCEL_CURRENT_ENROLLMENT: u8 = 0x03;
    pub const ENUMERATE_ENROLLMENTS: u8 = 0x04;
    pub const SET_FRIENDLY_NAME: u8 = 0x05;
    pub const REMOVE_ENROLLMENT: u8 = 0x06;
    pub const GET_FINGERPRINT_SENSOR_INFO: u8 = 0x07;
}

/// authenticatorLargeBlobs and its members.
pub mod lb {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const COMMAND: u8 = 0x0C;
    pub const GET: i64 = 0x01;
    pub const SET: i64 = 0x02;
    pub const OFFSET: i64 = 0x03;
    pub const LENGTH: i64 = 0x04;
    pub const PARAM: i64 = 0x05;
    pub const PROTOCOL: i64 = 0x06;
}

/// The commands without parameters.
pub mod command {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const GET_INFO: u8 = 0x04;
    pub const RESET: u8 = 0x07;
    pub const GET_NEXT_ASSERTION: u8 = 0x08;
    pub const SELECTION: u8 = 0x0B;
}

/// COSE algorithm identifiers.
pub mod alg {
    #![allow(missing_docs, reason = "the names are the standard's and say all there is")]
    pub const ES256: i64 = -7;
    pub const EDDSA: i64 = -8;
    pub const ESP256: i64 = -9;
    pub const ED25519: i64 = -19;
    pub const ES384: i64 = -35;
    pub const ES512: i64 = -36;
    pub const ES256K: i64 = -47;
    pub const ML_DSA_44: i64 = -48;
    pub const ML_DSA_65: i64 = -49;
    pub const ML_DSA_87: i64 = -50;
    pub const ESP384: i64 = -51;
    pub const ESP512: i64 = -52;
    pub const RS256: i64 = -257;
}

/// The client data hash of requests that were given none.
pub const CLIENT_DATA_HASH: [u8; 32] = [0xCD; 32];

/// The relying party of requests that were given none.
pub const RP_ID: &str = "example.com";

/// One CTAP2 request: a command byte and, if the command takes parameters, a map.
#[derive(Clone, Debug)]
pub struct Request {
    command: u8,
    parameters: Option<Value>,
}

impl Request {
    /// A command without a body.
    #[must_use]
    pub fn bare(command: u8) -> Self {
        Self { command, parameters: None }
    }

    /// A command with any body, a map or not.
    #[must_use]
    pub fn with_body(command: u8, body: Value) -> Self {
        Self { command, parameters: Some(body) }
    }

    /// The least that makes a credential: [`RP_ID`], an account named by one byte, ES256.
    #[must_use]
    pub fn make_credential() -> Self {
        Self::make_credential_for(RP_ID, &[1])
    }

    /// The least that makes a credential for this party and account.
    #[must_use]
    pub fn make_credential_for(rp_id: &str, user_id: &[u8]) -> Self {
        let parameters = map([
            (mc::CLIENT_DATA_HASH, Value::from(CLIENT_DATA_HASH)),
            (mc::RP, map([("id", rp_id)])),
            (mc::USER, map([("id", user_id)])),
            (mc::PUB_KEY_CRED_PARAMS, algorithms(&[alg::ES256])),
        ]);
        Self { command: mc::COMMAND, parameters: Some(parameters) }
    }

    /// The least that gets an assertion from a discoverable credential.
    #[must_use]
    pub fn get_assertion(rp_id: &str) -> Self {
        let parameters =
            map([(ga::RP_ID, Value::from(rp_id)), (ga::CLIENT_DATA_HASH, CLIENT_DATA_HASH.into())]);
        Self { command: ga::COMMAND, parameters: Some(parameters) }
    }

    /// A clientPIN subcommand without further members.
    #[must_use]
    pub fn client_pin(sub_command: i64) -> Self {
        let parameters = map([(cp::SUB_COMMAND, sub_command)]);
        Self { command: cp::COMMAND, parameters: Some(parameters) }
    }

    /// A credentialManagement subcommand without further members.
    #[must_use]
    pub fn credential_management(sub_command: u8) -> Self {
        let parameters = map([(cm::SUB_COMMAND, i64::from(sub_command))]);
        Self { command: cm::COMMAND, parameters: Some(parameters) }
    }

    /// A bioEnrollment subcommand for fingerprints without further members.
    #[must_use]
    pub fn bio_enrollment(sub_command: u8) -> Self {
        let parameters = map([(be::MODALITY, 1), (be::SUB_COMMAND, i64::from(sub_command))]);
        Self { command: be::COMMAND, parameters: Some(parameters) }
    }

    /// This bioEnrollment request with a pinUvAuthParam made by `token` over modality, subcommand and parameters as
    /// they are sent, and the protocol.
    #[must_use]
    #[track_caller]
    pub fn bio_authorized(self, token: &crate::pin::Token) -> Self {
        let byte = |member: i64| u8::try_from(self.member(member).uint()).unwrap();
        let params = self.map().at(be::PARAMS).map(Value::encode).unwrap_or_default();
        let covered = [&[byte(be::MODALITY), byte(be::SUB_COMMAND)], params.as_slice()].concat();
        let param = token.authenticate(&covered);
        self.with(be::PROTOCOL, token.protocol().number()).with(be::PARAM, param)
    }

    /// The same credentialManagement or bioEnrollment request for the preview command.
    #[must_use]
    pub fn previewed(self) -> Self {
        let command = match self.command {
            cm::COMMAND => cm::PREVIEW,
            be::COMMAND => be::PREVIEW,
            other => panic!("command {other:#04x} has no preview"),
        };
        Self { command, ..self }
    }

    /// An authenticatorConfig subcommand without further members.
    #[must_use]
    pub fn config(sub_command: u8) -> Self {
        let parameters = map([(cf::SUB_COMMAND, i64::from(sub_command))]);
        Self { command: cf::COMMAND, parameters: Some(parameters) }
    }

    /// A largeBlobs request that reads `get` bytes at `offset`.
    #[must_use]
    pub fn read_blobs(offset: u64, get: u64) -> Self {
        let parameters = map([(lb::GET, get), (lb::OFFSET, offset)]);
        Self { command: lb::COMMAND, parameters: Some(parameters) }
    }

    /// A largeBlobs request that writes `set` at `offset`; the first one says how long the whole will be.
    #[must_use]
    pub fn write_blobs(offset: usize, set: &[u8], length: Option<usize>) -> Self {
        let number = |number: usize| Value::from(u64::try_from(number).unwrap());
        let parameters = map([(lb::SET, Value::from(set)), (lb::OFFSET, number(offset))]);
        let request = Self { command: lb::COMMAND, parameters: Some(parameters) };
        match length {
            Some(length) => request.with(lb::LENGTH, number(length)),
            None => request,
        }
    }

    /// This largeBlobs request with a pinUvAuthParam made by `token` over its own offset and bytes, and the
    /// protocol.
    #[must_use]
    #[track_caller]
    pub fn blob_authorized(self, token: &crate::pin::Token) -> Self {
        let offset = u32::try_from(self.member(lb::OFFSET).uint()).unwrap().to_le_bytes();
        let digest = sha256(self.member(lb::SET).bytes());
        let message = [&[0xFF; 32][..], &[lb::COMMAND, 0], &offset, &digest].concat();
        self.with(lb::PARAM, token.authenticate(&message))
            .with(lb::PROTOCOL, token.protocol().number())
    }

    /// What a pinUvAuthParam of this credentialManagement or config request covers: the subcommand and its
    /// parameters as they are sent, behind 32 bytes of 0xFF and the command byte with config.
    #[must_use]
    #[track_caller]
    pub fn covered(&self) -> Vec<u8> {
        let prefix = if self.command == cf::COMMAND {
            vec![[0xFF; 32].as_slice(), &[cf::COMMAND]]
        } else {
            vec![]
        };
        let sub_command = u8::try_from(self.member(cm::SUB_COMMAND).uint()).unwrap();
        let params = self.map().at(cm::PARAMS).map(Value::encode).unwrap_or_default();
        [prefix.concat(), vec![sub_command], params].concat()
    }

    /// This credentialManagement or config request with a pinUvAuthParam made by `token`, and the protocol.
    #[must_use]
    #[track_caller]
    pub fn managed(self, token: &crate::pin::Token) -> Self {
        let param = token.authenticate(&self.covered());
        self.with(cm::PROTOCOL, token.protocol().number()).with(cm::PARAM, param)
    }

    /// This request with a member set.
    #[must_use]
    #[track_caller]
    pub fn with(mut self, key: impl Into<Value>, value: impl Into<Value>) -> Self {
        self.parameters = Some(self.map().clone().with(key, value));
        self
    }

    /// This request without a member that it had.
    #[must_use]
    #[track_caller]
    pub fn without(mut self, key: impl Into<Value>) -> Self {
        self.parameters = Some(self.map().clone().without(key));
        self
    }

    /// This makeCredential or getAssertion request with one more option.
    #[must_use]
    #[track_caller]
    pub fn option(self, name: &str, value: bool) -> Self {
        let key = if self.command == mc::COMMAND { mc::OPTIONS } else { ga::OPTIONS };
        let options = self.map().at(key).cloned().unwrap_or_else(|| Value::Map(Vec::new()));
        self.with(key, options.with(name, value))
    }

    /// This makeCredential or getAssertion request with one more extension.
    #[must_use]
    #[track_caller]
    pub fn extension(self, name: &str, input: impl Into<Value>) -> Self {
        let key = if self.command == mc::COMMAND { mc::EXTENSIONS } else { ga::EXTENSIONS };
        let extensions = self.map().at(key).cloned().unwrap_or_else(|| Value::Map(Vec::new()));
        self.with(key, extensions.with(name, input))
    }

    /// This makeCredential request for a discoverable credential.
    #[must_use]
    pub fn discoverable(self) -> Self {
        self.option("rk", true)
    }

    /// This getAssertion request with an allowList, or makeCredential request with an excludeList, of these ids.
    #[must_use]
    #[track_caller]
    pub fn listing(self, ids: &[&[u8]]) -> Self {
        let key = if self.command == mc::COMMAND { mc::EXCLUDE_LIST } else { ga::ALLOW_LIST };
        self.with(key, Value::Array(ids.iter().map(|id| descriptor(id)).collect()))
    }

    /// This request with a pinUvAuthParam made by `token` over its client data hash, and the protocol.
    #[must_use]
    #[track_caller]
    pub fn authorized(self, token: &crate::pin::Token) -> Self {
        let param = token.authenticate(self.client_data_hash());
        self.with_param(&param, token.protocol().number())
    }

    /// This request with this pinUvAuthParam and protocol number.
    #[must_use]
    #[track_caller]
    pub fn with_param(self, param: &[u8], protocol: i64) -> Self {
        let (param_key, protocol_key) = if self.command == mc::COMMAND {
            (mc::PARAM, mc::PROTOCOL)
        } else {
            (ga::PARAM, ga::PROTOCOL)
        };
        self.with(param_key, param).with(protocol_key, protocol)
    }

    /// The request's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let body = self.parameters.as_ref().map(Value::encode).unwrap_or_default();
        [&[self.command], body.as_slice()].concat()
    }

    /// The command byte.
    #[must_use]
    pub fn command(&self) -> u8 {
        self.command
    }

    /// The value of a member that the request has.
    #[must_use]
    #[track_caller]
    pub fn member(&self, key: impl Into<Value>) -> &Value {
        self.map().get(key)
    }

    /// The client data hash of a makeCredential or getAssertion request.
    #[must_use]
    #[track_caller]
    pub fn client_data_hash(&self) -> &[u8] {
        let key =
            if self.command == mc::COMMAND { mc::CLIENT_DATA_HASH } else { ga::CLIENT_DATA_HASH };
        self.member(key).bytes()
    }

    /// The relying party's identifier in a makeCredential or getAssertion request.
    #[must_use]
    #[track_caller]
    pub fn rp_id(&self) -> &str {
        if self.command == mc::COMMAND {
            self.member(mc::RP).get("id").text()
        } else {
            self.member(ga::RP_ID).text()
        }
    }

    /// SHA-256 of [`Request::rp_id`].
    #[must_use]
    #[track_caller]
    pub fn rp_id_hash(&self) -> [u8; 32] {
        sha256(self.rp_id().as_bytes())
    }

    #[track_caller]
    fn map(&self) -> &Value {
        self.parameters.as_ref().expect("a command without parameters has no members")
    }
}

/// A credential descriptor: type `public-key`, this id.
#[must_use]
pub fn descriptor(id: &[u8]) -> Value {
    map([("id", Value::from(id)), ("type", "public-key".into())])
}

/// pubKeyCredParams: these algorithms, of type `public-key`, in this order.
#[must_use]
pub fn algorithms(algorithms: &[i64]) -> Value {
    let entry = |alg: &i64| map([("alg", Value::from(*alg)), ("type", "public-key".into())]);
    Value::Array(algorithms.iter().map(entry).collect())
}

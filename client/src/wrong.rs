//! A deliberately wrong client: responses whose signatures are valid, over something that the relying party must refuse.
//! Each step of its verification has a [`Variant`] that fails there and nowhere before.
//!
//! It plays client and key: a key would not sign such things. Its key pairs follow from the credential identifiers, so
//! whoever sees an identifier can sign for it. That suits tests, and nothing else.

#[cfg(test)]
mod tests;
mod variants;

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest, Sha256};
use softkey_ctap::attestation::{AttestationObject, NONE_STATEMENT, PackedStatement, format};
use softkey_ctap::auth_data::{AttestedCredential, AuthenticatorData, Flags};
use softkey_ctap::cbor::{self, Raw};
use softkey_ctap::cose::algorithm::{ES256, ESP256};
use softkey_ctap::cose::{PublicKey, key};

use crate::base64url;
use crate::client_data::{CREATE, ClientData, GET, hash};
use crate::options::{Attachment, Conveyance, CreationOptions, RequestOptions};
use crate::origin::Origin;
use crate::response::{
    AssertionResponse, AttestationResponse, AuthenticationResponse, Bytes, PublicKeyCredential,
    RegistrationResponse,
};
use crate::spki::subject_public_key_info;

pub use self::variants::{AUTHENTICATION, REGISTRATION, SAME_CREDENTIAL, Variant};

/// What a response has in the place of what is right. What is nothing or false stays right.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deviations {
    /// The type of the credential.
    pub credential_type: Option<String>,
    /// The identifier that the response is about, as it says; what is signed has the right one.
    pub id: Option<Vec<u8>>,
    /// `type` of the client data.
    pub kind: Option<String>,
    /// The challenge.
    pub challenge: Option<Vec<u8>>,
    /// The origin, as it is to stand in the client data.
    pub origin: Option<String>,
    /// `crossOrigin`.
    pub cross_origin: bool,
    /// `topOrigin`; stands there only if `cross_origin`.
    pub top_origin: Option<String>,
    /// The identifier whose hash stands in the authenticator data.
    pub rp_id: Option<String>,
    /// The flags UP, UV, BE and BS; AT and ED are decided by what follows.
    pub flags: Option<Flags>,
    /// The signature counter.
    pub sign_count: Option<u32>,
    /// The new credential is of an algorithm that was not asked for.
    pub algorithm: bool,
    /// The new credential's identifier.
    pub credential_id: Option<Vec<u8>>,
    /// There is no new credential; at sign-in: there is one.
    pub attested: bool,
    /// The format of the attestation statement, which is as for self attestation.
    pub format: Option<String>,
    /// The statement names another algorithm than the credential's.
    pub statement_algorithm: bool,
    /// The user handle at sign-in.
    pub user_handle: Option<Vec<u8>>,
    /// Another key signs.
    pub other_key: bool,
    /// What is signed is over the hash of other client data.
    pub other_hash: bool,
}

/// The wrong client, with its counter.
#[derive(Clone, Debug, Default)]
pub struct WrongClient {
    sign_count: u32,
}

/// The flags of what is right.
const FLAGS: Flags = Flags(Flags::USER_PRESENT.0 | Flags::USER_VERIFIED.0);

impl WrongClient {
    /// A client whose counter goes on behind this number.
    #[must_use]
    pub const fn new(sign_count: u32) -> Self {
        Self { sign_count }
    }

    /// create, with a credential whose identifier follows from `seed`, 32 bytes or other. No option is checked.
    pub fn create(
        &mut self,
        options: &CreationOptions,
        origin: &Origin,
        seed: &[u8],
        deviations: &Deviations,
    ) -> RegistrationResponse {
        let id = deviations.credential_id.clone().unwrap_or_else(|| Sha256::digest(seed).to_vec());
        let json = client_data(CREATE, &options.challenge, origin, deviations);
        let rp_id = options.rp_id.as_deref().unwrap_or_else(|| origin.domain());
        let pair = Pair::of(&id);
        let alg = algorithm(options, deviations);
        let auth_data = AuthenticatorData {
            attested: (!deviations.attested).then(|| pair.attested(&id, alg)),
            ..self.auth_data(rp_id, deviations)
        };
        let auth_data = auth_data.to_bytes();
        let response = AttestationResponse {
            attestation_object: Bytes(attestation_object(
                options, &auth_data, &json, &pair, alg, deviations,
            )),
            client_data_json: Bytes(json),
            authenticator_data: Bytes(auth_data),
            transports: vec![String::from("usb")],
            public_key: subject_public_key_info(&pair.public(alg)).map(Bytes),
            public_key_algorithm: alg,
        };
        credential(id, response, deviations)
    }

    /// get, with the credential of this identifier. No option is checked.
    pub fn get(
        &mut self,
        options: &RequestOptions,
        origin: &Origin,
        id: &[u8],
        deviations: &Deviations,
    ) -> AuthenticationResponse {
        let json = client_data(GET, &options.challenge, origin, deviations);
        let rp_id = options.rp_id.as_deref().unwrap_or_else(|| origin.domain());
        let pair = Pair::of(id);
        let auth_data = AuthenticatorData {
            attested: deviations.attested.then(|| pair.attested(id, ES256)),
            ..self.auth_data(rp_id, deviations)
        };
        let auth_data = auth_data.to_bytes();
        let response = AssertionResponse {
            signature: Bytes(signature(&auth_data, &json, &pair, deviations)),
            client_data_json: Bytes(json),
            authenticator_data: Bytes(auth_data),
            user_handle: deviations.user_handle.clone().map(Bytes),
            attestation_object: None,
        };
        credential(id.to_vec(), response, deviations)
    }

    fn auth_data<'b>(&mut self, rp_id: &str, deviations: &Deviations) -> AuthenticatorData<'b> {
        self.sign_count = self.sign_count.saturating_add(1);
        let rp_id = deviations.rp_id.as_deref().unwrap_or(rp_id);
        AuthenticatorData {
            rp_id_hash: hash(rp_id.as_bytes()),
            flags: deviations.flags.unwrap_or(FLAGS),
            sign_count: deviations.sign_count.unwrap_or(self.sign_count),
            attested: None,
            extensions: None,
        }
    }
}

/// ES256 as long as the options ask for it, unless it is not to be what they ask for.
fn algorithm(options: &CreationOptions, deviations: &Deviations) -> i64 {
    let asked = options.algorithms.contains(&ES256);
    if deviations.algorithm && asked { ESP256 } else { ES256 }
}

fn client_data(kind: &str, challenge: &[u8], origin: &Origin, deviations: &Deviations) -> Vec<u8> {
    let data = ClientData {
        kind: deviations.kind.as_deref().unwrap_or(kind),
        challenge: deviations.challenge.as_deref().unwrap_or(challenge),
        origin: deviations.origin.as_deref().unwrap_or_else(|| origin.as_str()),
        cross_origin: deviations.cross_origin,
        top_origin: deviations.top_origin.as_deref(),
        extra: None,
    };
    data.to_json()
}

/// The signature over authenticator data and hash of the client data.
fn signature(auth_data: &[u8], json: &[u8], pair: &Pair, deviations: &Deviations) -> Vec<u8> {
    let hash = if deviations.other_hash { hash(b"{}") } else { hash(json) };
    let message = [auth_data, &hash].concat();
    if deviations.other_key { Pair::of(&message).sign(&message) } else { pair.sign(&message) }
}

fn attestation_object(
    options: &CreationOptions,
    auth_data: &[u8],
    json: &[u8],
    pair: &Pair,
    alg: i64,
    deviations: &Deviations,
) -> Vec<u8> {
    let sig = signature(auth_data, json, pair, deviations);
    let alg = if deviations.statement_algorithm { alg.saturating_sub(1) } else { alg };
    let packed = cbor::encode(&PackedStatement { alg, sig: &sig, x5c: None });
    let (fmt, att_stmt) = match (&deviations.format, options.attestation) {
        (Some(format), _) => (format.as_str(), packed.as_slice()),
        (None, Conveyance::None) => (format::NONE, NONE_STATEMENT.0),
        (None, _) => (format::PACKED, packed.as_slice()),
    };
    cbor::encode(&AttestationObject { fmt, att_stmt: Raw(att_stmt), auth_data })
}

fn credential<R>(id: Vec<u8>, response: R, deviations: &Deviations) -> PublicKeyCredential<R> {
    let mut credential = PublicKeyCredential::new(id, response, Attachment::CrossPlatform.as_str());
    if let Some(id) = &deviations.id {
        credential.id = base64url::encode(id);
        credential.raw_id = Bytes(id.clone());
    }
    if let Some(kind) = &deviations.credential_type {
        credential.kind.clone_from(kind);
    }
    credential
}

/// A key pair of P-256.
struct Pair {
    secret: SigningKey,
    /// In SEC1 form: 0x04 and two coordinates.
    point: Vec<u8>,
}

impl Pair {
    /// The pair that belongs to this identifier.
    fn of(id: &[u8]) -> Self {
        let mut scalar = Sha256::new_with_prefix("softkey: a wrong client's key").chain_update(id);
        loop {
            let digest = scalar.finalize();
            // Not one hash in 2^32 is no scalar.
            if let Ok(secret) = SigningKey::from_slice(&digest) {
                let point = secret.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                return Self { secret, point };
            }
            scalar = Sha256::new_with_prefix(digest);
        }
    }

    fn public(&self, alg: i64) -> PublicKey<'_> {
        let (x, y) =
            self.point.get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
        PublicKey::Ec2 { alg, crv: key::P256, x, y }
    }

    fn attested<'b>(&'b self, credential_id: &'b [u8], alg: i64) -> AttestedCredential<'b> {
        AttestedCredential { aaguid: [0; 16], credential_id, public_key: self.public(alg) }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.secret.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}

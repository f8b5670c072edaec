//! The relying party's checks in their simple form (WebAuthn Level 3 sections 7.1 and 7.2): challenge, origin,
//! relying party, flags, signature and, at registration, the attestation formats `none`, `packed` and
//! `fido-u2f`.
//!
//! Algorithms: ES256, ES384, ES512, ES256K, and `EdDSA` with Ed25519, also by their fully specified identifiers;
//! RS256, ML-DSA-44, ML-DSA-65 and ML-DSA-87.
//! Certificates are checked for their form and their signature over the credential, which must be by P-256; no chain
//! is followed, so an attestation says nothing about who made the key.

mod attestation;
mod fault;
mod signature;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use softkey_ctap::attestation::AttestationObject;
use softkey_ctap::auth_data::{AuthenticatorData, Flags};
use softkey_ctap::cbor::{self, Decoder, Encode, Encoder};
use softkey_ctap::cose::PublicKey;

pub use self::attestation::Attestation;
pub use self::fault::Fault;

use crate::base64url;
use crate::client_data::{CREATE, GET, hash};
use crate::response::{AuthenticationResponse, RegistrationResponse};

/// What the relying party expects of a response.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The challenge it issued.
    pub challenge: &'a [u8],
    /// Its origin, serialized.
    pub origin: &'a str,
    /// Its identifier.
    pub rp_id: &'a str,
    /// Must the user have been verified?
    pub user_verification: bool,
}

/// What the relying party keeps of a registration (section 4, credential record).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    /// The credential identifier.
    pub id: Vec<u8>,
    /// The public key, a `COSE_Key`.
    pub public_key: Vec<u8>,
    /// The signature counter as last seen.
    pub sign_count: u32,
    /// May the credential be backed up? This never changes.
    pub backup_eligible: bool,
    /// Is it backed up?
    pub backup_state: bool,
}

/// What a registration showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What to keep.
    pub record: CredentialRecord,
    /// What the attestation statement showed.
    pub attestation: Attestation,
    /// The authenticator's model.
    pub aaguid: [u8; 16],
    /// Was the user verified?
    pub user_verified: bool,
}

/// Checks a registration (section 7.1). `algorithms` are those that the options named.
///
/// # Errors
///
/// The first thing that is wrong, in the order of the standard's steps.
pub fn registration(
    response: &RegistrationResponse,
    expected: &Expected<'_>,
    algorithms: &[i64],
) -> Result<Registered, Fault> {
    let client_data_json = &response.response.client_data_json.0;
    client_data(client_data_json, CREATE, expected)?;
    let client_data_hash = hash(client_data_json);
    let object: AttestationObject<'_> =
        cbor::decode(&response.response.attestation_object.0).map_err(Fault::Unreadable)?;
    let data = authenticator_data(object.auth_data, expected)?;
    let attested = data.attested.as_ref().ok_or(Fault::NoCredential)?;
    if response.raw_id.0 != attested.credential_id
        || response.id != base64url::encode(attested.credential_id)
    {
        return Err(Fault::OtherCredential);
    }
    if !algorithms.contains(&attested.public_key.alg()) {
        return Err(Fault::Algorithm(attested.public_key.alg()));
    }
    let attestation = attestation::verify(&object, &data, attested, &client_data_hash)?;
    let mut encoder = Encoder::new();
    attested.public_key.encode(&mut encoder);
    Ok(Registered {
        record: CredentialRecord {
            id: attested.credential_id.to_vec(),
            public_key: encoder.into_bytes(),
            sign_count: data.sign_count,
            backup_eligible: data.flags.contains(Flags::BACKUP_ELIGIBLE),
            backup_state: data.flags.contains(Flags::BACKUP_STATE),
        },
        attestation,
        aaguid: attested.aaguid,
        user_verified: data.flags.contains(Flags::USER_VERIFIED),
    })
}

/// What a sign-in showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The record with its new counter and backup state.
    pub record: CredentialRecord,
    /// Was the user verified?
    pub user_verified: bool,
}

/// Checks a sign-in with the credential of `record` (section 7.2).
///
/// # Errors
///
/// The first thing that is wrong, in the order of the standard's steps.
pub fn authentication(
    response: &AuthenticationResponse,
    expected: &Expected<'_>,
    record: &CredentialRecord,
) -> Result<Authenticated, Fault> {
    if response.raw_id.0 != record.id {
        return Err(Fault::OtherCredential);
    }
    let client_data_json = &response.response.client_data_json.0;
    client_data(client_data_json, GET, expected)?;
    let auth_data = &response.response.authenticator_data.0;
    let data = authenticator_data(auth_data, expected)?;
    if data.flags.contains(Flags::BACKUP_ELIGIBLE) != record.backup_eligible {
        return Err(Fault::BackupFlags);
    }
    let key: PublicKey<'_> =
        cbor::Decode::decode(&mut Decoder::new(&record.public_key)).map_err(Fault::Unreadable)?;
    let message = [auth_data.as_slice(), &hash(client_data_json)].concat();
    signature::verify(&key, &message, &response.response.signature.0)?;
    let counts = data.sign_count != 0 || record.sign_count != 0;
    if counts && data.sign_count <= record.sign_count {
        return Err(Fault::Counter { last: record.sign_count, now: data.sign_count });
    }
    Ok(Authenticated {
        record: CredentialRecord {
            sign_count: data.sign_count,
            backup_state: data.flags.contains(Flags::BACKUP_STATE),
            ..record.clone()
        },
        user_verified: data.flags.contains(Flags::USER_VERIFIED),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientDataJson {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

fn client_data(json: &[u8], kind: &str, expected: &Expected<'_>) -> Result<(), Fault> {
    let data: ClientDataJson = serde_json::from_slice(json).map_err(|_| Fault::ClientData)?;
    if data.kind != kind {
        return Err(Fault::Type);
    }
    if data.challenge != base64url::encode(expected.challenge) {
        return Err(Fault::Challenge);
    }
    if data.origin != expected.origin {
        return Err(Fault::Origin);
    }
    if data.cross_origin { Err(Fault::CrossOrigin) } else { Ok(()) }
}

fn authenticator_data<'b>(
    bytes: &'b [u8],
    expected: &Expected<'_>,
) -> Result<AuthenticatorData<'b>, Fault> {
    let data = AuthenticatorData::from_bytes(bytes).map_err(Fault::Unreadable)?;
    if data.rp_id_hash != hash(expected.rp_id.as_bytes()) {
        return Err(Fault::RpIdHash);
    }
    if !data.flags.contains(Flags::USER_PRESENT) {
        return Err(Fault::NotPresent);
    }
    if expected.user_verification && !data.flags.contains(Flags::USER_VERIFIED) {
        return Err(Fault::NotVerified);
    }
    if data.flags.contains(Flags::BACKUP_STATE) && !data.flags.contains(Flags::BACKUP_ELIGIBLE) {
        return Err(Fault::BackupFlags);
    }
    Ok(data)
}

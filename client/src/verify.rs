//! The relying party's checks (WebAuthn Level 3 sections 7.1 and 7.2): challenge, origin, relying party, flags,
//! signature and, at registration, attestation statements of every format but `android-safetynet`, whose service has
//! ended.
//!
//! Algorithms: ES256, ES384, ES512, ES256K, and `EdDSA` with Ed25519, also by their fully specified identifiers;
//! RS256, ML-DSA-44, ML-DSA-65 and ML-DSA-87. Ed448 is told apart and not checked: [`Fault::Ed448`].
//! A statement that holds says what an attester claims, not who the attester is: [`TrustRoots::assess`] follows its
//! certificates to the roots that the relying party trusts.

mod attestation;
mod certificate;
mod fault;
mod signature;
mod trust;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use softkey_ctap::attestation::{AttestationObject, OBJECT_LEVELS};
use softkey_ctap::auth_data::{AuthenticatorData, Flags};
use softkey_ctap::cbor::{self, Decoder, Encode, Encoder};
use softkey_ctap::cose::PublicKey;
use softkey_ctap::entities::PUBLIC_KEY;

pub use self::attestation::{Attestation, StatementFault, TrustPath};
pub use self::fault::Fault;
pub use self::trust::{Trust, TrustFault, TrustRoots};

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
    /// Other origins that may use its identifier.
    pub other_origins: &'a [&'a str],
    /// Its identifier.
    pub rp_id: &'a str,
    /// The `AppID` that older credentials are bound to; it counts if the response says that it was used.
    pub app_id: Option<&'a str>,
    /// May its pages be in frames of other origins, and of which? Nothing: they may not.
    pub frames: Option<&'a [&'a str]>,
    /// Must the user have been present? Only a conditional create does without.
    pub user_presence: bool,
    /// Must the user have been verified?
    pub user_verification: bool,
    /// Must the credential be one that can be backed up, or one that cannot? Nothing: either will do.
    pub backup_eligible: Option<bool>,
    /// At registration: identifiers that are registered already, for anyone.
    pub registered: &'a [&'a [u8]],
    /// At sign-in: the identifiers that were allowed; none: any.
    pub allowed: &'a [&'a [u8]],
    /// At sign-in: whose account it is, by the user handle, and is that known from elsewhere than the response?
    pub user: Option<(&'a [u8], Identified)>,
}

/// How a relying party came to know who signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identified {
    /// Before: by a name, a cookie. The response may leave the user handle out.
    Before,
    /// By the response alone, which must have the user handle.
    ByResponse,
}

impl<'a> Expected<'a> {
    /// An answer to this challenge from a page of this origin, outside frames, by a user who is present.
    #[must_use]
    pub const fn new(challenge: &'a [u8], origin: &'a str, rp_id: &'a str) -> Self {
        Self {
            challenge,
            origin,
            other_origins: &[],
            rp_id,
            app_id: None,
            frames: None,
            user_presence: true,
            user_verification: false,
            backup_eligible: None,
            registered: &[],
            allowed: &[],
            user: None,
        }
    }

    /// The same, and the user must have been verified, or need not.
    #[must_use]
    pub const fn verified(self, user_verification: bool) -> Self {
        Self { user_verification, ..self }
    }
}

/// What the relying party keeps of a registration (section 4, credential record). In JSON bytes are base64url.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialRecord {
    /// The credential identifier.
    #[serde(with = "base64url::text")]
    pub id: Vec<u8>,
    /// The public key, a `COSE_Key`.
    #[serde(with = "base64url::text")]
    pub public_key: Vec<u8>,
    /// The signature counter as last seen.
    pub sign_count: u32,
    /// Was the user verified when it was made?
    #[serde(default)]
    pub uv_initialized: bool,
    /// How its key can be reached.
    #[serde(default)]
    pub transports: Vec<String>,
    /// May the credential be backed up? This never changes.
    #[serde(default)]
    pub backup_eligible: bool,
    /// Is it backed up?
    #[serde(default)]
    pub backup_state: bool,
}

/// What a registration showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What to keep.
    pub record: CredentialRecord,
    /// The format of the attestation statement.
    pub format: String,
    /// What the attestation statement showed.
    pub attestation: Attestation,
    /// The certificates of its statements, for [`TrustRoots::assess`].
    pub trust_paths: Vec<TrustPath>,
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
    public_key(&response.kind)?;
    let client_data_json = &response.response.client_data_json.0;
    client_data(client_data_json, CREATE, expected)?;
    let client_data_hash = hash(client_data_json);
    let object: AttestationObject<'_> =
        cbor::decode_within(&response.response.attestation_object.0, OBJECT_LEVELS)
            .map_err(Fault::Unreadable)?;
    let data = authenticator_data(object.auth_data, expected, false)?;
    let attested = data.attested.as_ref().ok_or(Fault::NoCredential)?;
    if response.raw_id.0 != attested.credential_id
        || response.id != base64url::encode(attested.credential_id)
    {
        return Err(Fault::OtherCredential);
    }
    if !algorithms.contains(&attested.public_key.alg()) {
        return Err(Fault::Algorithm(attested.public_key.alg()));
    }
    let shown = attestation::verify(&object, &data, attested, &client_data_hash)?;
    if expected.registered.contains(&attested.credential_id) {
        return Err(Fault::Registered);
    }
    // The statement may be without a signature of this key's, and then nothing has looked at it.
    signature::check_key(&attested.public_key)?;
    let mut encoder = Encoder::new();
    attested.public_key.encode(&mut encoder);
    Ok(Registered {
        record: CredentialRecord {
            id: attested.credential_id.to_vec(),
            public_key: encoder.into_bytes(),
            sign_count: data.sign_count,
            uv_initialized: data.flags.contains(Flags::USER_VERIFIED),
            transports: response.response.transports.clone(),
            backup_eligible: data.flags.contains(Flags::BACKUP_ELIGIBLE),
            backup_state: data.flags.contains(Flags::BACKUP_STATE),
        },
        format: object.fmt.to_owned(),
        attestation: shown.attestation,
        trust_paths: shown.trust_paths,
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
    public_key(&response.kind)?;
    if !expected.allowed.is_empty() && !expected.allowed.contains(&response.raw_id.0.as_slice()) {
        return Err(Fault::NotAllowed);
    }
    if response.raw_id.0 != record.id || response.id != base64url::encode(&record.id) {
        return Err(Fault::OtherCredential);
    }
    user(response, expected)?;
    let client_data_json = &response.response.client_data_json.0;
    client_data(client_data_json, GET, expected)?;
    let auth_data = &response.response.authenticator_data.0;
    let by_app_id = response.client_extension_results.app_id == Some(true);
    let data = authenticator_data(auth_data, expected, by_app_id)?;
    if data.flags.contains(Flags::BACKUP_ELIGIBLE) != record.backup_eligible {
        return Err(Fault::BackupFlags);
    }
    let key: PublicKey<'_> =
        cbor::Decode::decode(&mut Decoder::new(&record.public_key)).map_err(|_| Fault::Key)?;
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

/// Step 5: is it a credential of the right type at all?
fn public_key(kind: &str) -> Result<(), Fault> {
    if kind == PUBLIC_KEY { Ok(()) } else { Err(Fault::CredentialType) }
}

/// Section 7.2 step 6: does the account belong to who signs in?
fn user(response: &AuthenticationResponse, expected: &Expected<'_>) -> Result<(), Fault> {
    let handle = response.response.user_handle.as_ref().map(|handle| handle.0.as_slice());
    match (expected.user, handle) {
        (Some((user, _)), Some(handle)) if handle != user => Err(Fault::UserHandle),
        (Some((_, Identified::ByResponse)), None) => Err(Fault::UserHandle),
        _ => Ok(()),
    }
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
    top_origin: Option<String>,
}

/// A byte order mark in front does no harm: section 7.1 step 5 decodes as UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

fn client_data(json: &[u8], kind: &str, expected: &Expected<'_>) -> Result<(), Fault> {
    let json = json.strip_prefix(MARK).unwrap_or(json);
    let data: ClientDataJson = serde_json::from_slice(json).map_err(|_| Fault::ClientData)?;
    if data.kind != kind {
        return Err(Fault::Type);
    }
    if data.challenge != base64url::encode(expected.challenge) {
        return Err(Fault::Challenge);
    }
    let origins = [expected.origin].into_iter().chain(expected.other_origins.iter().copied());
    if !origins.into_iter().any(|origin| origin == data.origin) {
        return Err(Fault::Origin);
    }
    if data.cross_origin && expected.frames.is_none() {
        return Err(Fault::CrossOrigin);
    }
    let allows = |top: &String| expected.frames.is_some_and(|tops| tops.contains(&top.as_str()));
    if data.top_origin.as_ref().is_none_or(allows) { Ok(()) } else { Err(Fault::TopOrigin) }
}

fn authenticator_data<'b>(
    bytes: &'b [u8],
    expected: &Expected<'_>,
    by_app_id: bool,
) -> Result<AuthenticatorData<'b>, Fault> {
    let data = AuthenticatorData::from_bytes(bytes).map_err(Fault::Unreadable)?;
    let scope = if by_app_id { expected.app_id } else { Some(expected.rp_id) };
    if scope.is_none_or(|scope| data.rp_id_hash != hash(scope.as_bytes())) {
        return Err(Fault::RpIdHash);
    }
    if expected.user_presence && !data.flags.contains(Flags::USER_PRESENT) {
        return Err(Fault::NotPresent);
    }
    if expected.user_verification && !data.flags.contains(Flags::USER_VERIFIED) {
        return Err(Fault::NotVerified);
    }
    let eligible = data.flags.contains(Flags::BACKUP_ELIGIBLE);
    if data.flags.contains(Flags::BACKUP_STATE) && !eligible {
        return Err(Fault::BackupFlags);
    }
    match expected.backup_eligible {
        Some(wanted) if wanted != eligible => Err(Fault::BackupPolicy),
        _ => Ok(data),
    }
}

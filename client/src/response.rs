//! What a page gets: `RegistrationResponseJSON` and `AuthenticationResponseJSON` (WebAuthn Level 3 sections
//! 5.1.8 and 5.1.9), in both directions, because the relying party's checks read them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::base64url;
use crate::extensions::{HmacSecretOutputs, LargeBlobResults, PrfResults};

/// Bytes that are base64url in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&base64url::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = base64url::decode(&text).ok_or_else(|| de::Error::custom("not base64url"))?;
        Ok(Self(bytes))
    }
}

/// The outcome of create.
pub type RegistrationResponse = PublicKeyCredential<AttestationResponse>;
/// The outcome of get.
pub type AuthenticationResponse = PublicKeyCredential<AssertionResponse>;

/// A `PublicKeyCredential` in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicKeyCredential<R> {
    /// The credential identifier in base64url.
    pub id: String,
    /// The credential identifier.
    pub raw_id: Bytes,
    /// What the authenticator gave.
    pub response: R,
    /// `platform` or `cross-platform`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticator_attachment: Option<String>,
    /// Outputs of client extensions.
    #[serde(default)]
    pub client_extension_results: ExtensionResults,
    /// `public-key`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// `AuthenticatorAttestationResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttestationResponse {
    /// The client data, as they were hashed.
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: Bytes,
    /// The authenticator data, from the attestation object.
    #[serde(default)]
    pub authenticator_data: Bytes,
    /// How the key can be reached; sorted, each once.
    #[serde(default)]
    pub transports: Vec<String>,
    /// The public key in DER (`SubjectPublicKeyInfo`), if its algorithm is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<Bytes>,
    /// The COSE algorithm.
    #[serde(default)]
    pub public_key_algorithm: i64,
    /// The attestation object.
    pub attestation_object: Bytes,
}

/// `AuthenticatorAssertionResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssertionResponse {
    /// The client data, as they were hashed.
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: Bytes,
    /// The authenticator data.
    pub authenticator_data: Bytes,
    /// The signature over authenticator data and client data hash.
    pub signature: Bytes,
    /// Whose credential it is, if it is discoverable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_handle: Option<Bytes>,
    /// The attestation object without the authenticator data, if the profile's switch lets pages have attestation at
    /// sign-in, the page wanted it, and the key made a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_object: Option<Bytes>,
}

/// Outputs of client extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionResults {
    /// The output of `credProps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cred_props: Option<CredentialProperties>,
    /// The output of `prf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prf: Option<PrfResults>,
    /// The output of `hmacCreateSecret`: does the credential serve hmac-secret?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hmac_create_secret: Option<bool>,
    /// The output of `hmacGetSecret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hmac_get_secret: Option<HmacSecretOutputs>,
    /// The output of `largeBlob`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_blob: Option<LargeBlobResults>,
    /// The output of `credBlob`: was the blob stored?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cred_blob: Option<bool>,
    /// The output of `getCredBlob`: the blob, empty if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_cred_blob: Option<Bytes>,
    /// The output of `appid`: is the credential one of the `AppID`'s?
    #[serde(rename = "appid", skip_serializing_if = "Option::is_none")]
    pub app_id: Option<bool>,
    /// The output of `appidExclude`: it was heeded.
    #[serde(rename = "appidExclude", skip_serializing_if = "Option::is_none")]
    pub app_id_exclude: Option<bool>,
    /// The output of `uvm`: triples of user verification method, key protection and matcher protection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uvm: Option<Vec<Vec<u64>>>,
}

/// The output of `credProps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialProperties {
    /// Was a discoverable credential asked for?
    pub rk: bool,
}

impl<R> PublicKeyCredential<R> {
    pub(crate) fn new(id: Vec<u8>, response: R, attachment: &str) -> Self {
        Self {
            id: base64url::encode(&id),
            raw_id: Bytes(id),
            response,
            authenticator_attachment: Some(attachment.to_owned()),
            client_extension_results: ExtensionResults::default(),
            kind: softkey_ctap::entities::PUBLIC_KEY.to_owned(),
        }
    }
}

//! What a page asks for: the options of create and get, read from the browser's JSON form (WebAuthn Level 3
//! sections 5.1.8 and 5.1.9), and made definite: defaults filled in, unknown values passed over.

pub(crate) mod json;

#[cfg(test)]
mod tests;

use serde_json::Value;
use softkey_ctap::cose::algorithm::{ES256, RS256};
use softkey_ctap::entities::PUBLIC_KEY;

use crate::base64url;
use crate::cause::Cause;
use crate::extensions::{CreationInputs, RequestInputs};

/// `PublicKeyCredentialCreationOptions`, made definite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreationOptions {
    /// The relying party identifier asked for; absent: the origin's domain.
    pub rp_id: Option<String>,
    /// The relying party's name for people.
    pub rp_name: String,
    /// The user handle; 1 to 64 bytes, which is checked when the options are used.
    pub user_id: Vec<u8>,
    /// The account's name.
    pub user_name: String,
    /// The person's name; may be empty.
    pub user_display_name: String,
    /// The challenge; any length.
    pub challenge: Vec<u8>,
    /// COSE algorithms, best first; empty if the page names unknown types of credentials only.
    pub algorithms: Vec<i64>,
    /// Credentials whose presence forbids another one.
    pub exclude: Vec<Credential>,
    /// How the authenticator must be attached, if the page insists; a hint says it better.
    pub attachment: Option<Attachment>,
    /// How it is attached where the page believes it to be (`hints`). No key is refused for it: the others are asked
    /// once none like this is left.
    pub hinted: Option<Attachment>,
    /// Should the credential be discoverable?
    pub resident_key: ResidentKey,
    /// Should the user be verified?
    pub user_verification: UserVerification,
    /// Which attestation the page wants to see.
    pub attestation: Conveyance,
    /// Attestation statement formats, best first; `["none"]` if no attestation is wanted.
    pub attestation_formats: Vec<String>,
    /// The extensions that are known here.
    pub extensions: CreationInputs,
    /// The time the page gives, in milliseconds.
    pub timeout: Option<u64>,
}

/// `PublicKeyCredentialRequestOptions`, made definite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestOptions {
    /// The relying party identifier asked for; absent: the origin's domain.
    pub rp_id: Option<String>,
    /// The challenge; any length.
    pub challenge: Vec<u8>,
    /// The credentials to choose from; empty: any discoverable one.
    pub allow: Vec<Credential>,
    /// Did the page name credentials, but of unknown types only? That is an error, as an empty list would mean
    /// something else.
    pub only_unknown: bool,
    /// How the authenticator is attached where the page believes it to be, as in [`CreationOptions::hinted`].
    pub hinted: Option<Attachment>,
    /// Should the user be verified?
    pub user_verification: UserVerification,
    /// Which attestation the page would like to see. An earlier text of level 3 had this member at sign-in, and pages
    /// still write it; it is read, and keys are asked for it only if the profile's switch says so
    /// ([`Settings::attestation_at_sign_in`](crate::Settings)).
    pub attestation: Conveyance,
    /// Attestation statement formats, likewise.
    pub attestation_formats: Vec<String>,
    /// The extensions that are known here.
    pub extensions: RequestInputs,
    /// The time the page gives, in milliseconds.
    pub timeout: Option<u64>,
}

/// A credential that a page names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The credential identifier.
    pub id: Vec<u8>,
    /// How it can be reached, as far as the page knows.
    pub transports: Vec<String>,
}

/// How an authenticator is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// Part of the machine.
    Platform,
    /// A key of its own.
    CrossPlatform,
}

impl Attachment {
    /// The word of the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::CrossPlatform => "cross-platform",
        }
    }
}

/// `ResidentKeyRequirement`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResidentKey {
    /// The credential should not be discoverable.
    Discouraged,
    /// It should be, if the key can.
    Preferred,
    /// It must be.
    Required,
}

/// `UserVerificationRequirement`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserVerification {
    /// The user should not be verified.
    Discouraged,
    /// The user should be, if the key can.
    Preferred,
    /// The user must be.
    Required,
}

/// `AttestationConveyancePreference`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conveyance {
    /// No attestation.
    None,
    /// The client may make it more private; this one does not.
    Indirect,
    /// As the key makes it.
    Direct,
    /// Identifying the device, for relying parties that the profile's policy allows it
    /// ([`Settings::enterprise`](crate::Settings)); for others it is as `Direct`.
    Enterprise,
}

impl CreationOptions {
    /// Reads `PublicKeyCredentialCreationOptionsJSON`, bare or as the member `publicKey` of an object.
    ///
    /// # Errors
    ///
    /// [`Cause::NotTheDictionary`], [`Cause::NotBase64Url`].
    pub fn from_json(text: &str) -> Result<Self, Cause> {
        json::parse(text).and_then(|value| Self::from_value(json::unwrapped(value)))
    }

    /// Reads `PublicKeyCredentialCreationOptionsJSON`.
    ///
    /// # Errors
    ///
    /// As [`CreationOptions::from_json`].
    pub fn from_value(value: Value) -> Result<Self, Cause> {
        let raw: json::Creation = json::read(value)?;
        let selection = raw.authenticator_selection.unwrap_or_default();
        let attestation = conveyance(raw.attestation.as_deref());
        let hinted = hinted(&raw.hints);
        let attachment = attachment(selection.authenticator_attachment.as_deref());
        Ok(Self {
            rp_id: raw.rp.id,
            rp_name: raw.rp.name,
            user_id: bytes("user.id", &raw.user.id)?,
            user_name: raw.user.name,
            user_display_name: raw.user.display_name,
            challenge: bytes("challenge", &raw.challenge)?,
            algorithms: algorithms(&raw.pub_key_cred_params),
            exclude: credentials("excludeCredentials", raw.exclude_credentials)?,
            attachment: attachment.map(|attachment| hinted.unwrap_or(attachment)),
            hinted,
            resident_key: resident_key(&selection),
            user_verification: user_verification(selection.user_verification.as_deref()),
            attestation_formats: formats(attestation, raw.attestation_formats),
            attestation,
            extensions: CreationInputs::new(raw.extensions.unwrap_or_default())?,
            timeout: raw.timeout,
        })
    }
}

impl RequestOptions {
    /// Reads `PublicKeyCredentialRequestOptionsJSON`, bare or as the member `publicKey` of an object.
    ///
    /// # Errors
    ///
    /// [`Cause::NotTheDictionary`], [`Cause::NotBase64Url`].
    pub fn from_json(text: &str) -> Result<Self, Cause> {
        json::parse(text).and_then(|value| Self::from_value(json::unwrapped(value)))
    }

    /// Reads `PublicKeyCredentialRequestOptionsJSON`.
    ///
    /// # Errors
    ///
    /// As [`RequestOptions::from_json`].
    pub fn from_value(value: Value) -> Result<Self, Cause> {
        let raw: json::Request = json::read(value)?;
        let listed = !raw.allow_credentials.is_empty();
        let allow = credentials("allowCredentials", raw.allow_credentials)?;
        let attestation = conveyance(raw.attestation.as_deref());
        Ok(Self {
            rp_id: raw.rp_id,
            challenge: bytes("challenge", &raw.challenge)?,
            only_unknown: listed && allow.is_empty(),
            allow,
            hinted: hinted(&raw.hints),
            user_verification: user_verification(raw.user_verification.as_deref()),
            attestation_formats: formats(attestation, raw.attestation_formats),
            attestation,
            extensions: RequestInputs::new(raw.extensions.unwrap_or_default())?,
            timeout: raw.timeout,
        })
    }
}

fn bytes(member: &'static str, text: &str) -> Result<Vec<u8>, Cause> {
    base64url::decode(text).ok_or(Cause::NotBase64Url(member))
}

/// An empty list stands for ES256, then RS256 (section 5.1.3 step 9).
fn algorithms(listed: &[json::Parameters]) -> Vec<i64> {
    if listed.is_empty() {
        return vec![ES256, RS256];
    }
    let known = listed.iter().filter(|parameters| parameters.kind == PUBLIC_KEY);
    known.map(|parameters| parameters.alg).collect()
}

fn credentials(
    member: &'static str,
    listed: Vec<json::Descriptor>,
) -> Result<Vec<Credential>, Cause> {
    listed
        .into_iter()
        .filter(|descriptor| descriptor.kind == PUBLIC_KEY)
        .map(|descriptor| {
            Ok(Credential { id: bytes(member, &descriptor.id)?, transports: descriptor.transports })
        })
        .collect()
}

/// The first known hint counts (section 5.8.7).
fn hinted(hints: &[String]) -> Option<Attachment> {
    hints.iter().find_map(|hint| match hint.as_str() {
        "client-device" => Some(Attachment::Platform),
        "security-key" | "hybrid" => Some(Attachment::CrossPlatform),
        _ => None,
    })
}

fn attachment(text: Option<&str>) -> Option<Attachment> {
    match text {
        Some("platform") => Some(Attachment::Platform),
        Some("cross-platform") => Some(Attachment::CrossPlatform),
        _ => None,
    }
}

/// `requireResidentKey` is read only where `residentKey` is absent or unknown.
fn resident_key(selection: &json::Selection) -> ResidentKey {
    match selection.resident_key.as_deref() {
        Some("required") => ResidentKey::Required,
        Some("preferred") => ResidentKey::Preferred,
        Some("discouraged") => ResidentKey::Discouraged,
        _ if selection.require_resident_key => ResidentKey::Required,
        _ => ResidentKey::Discouraged,
    }
}

fn user_verification(text: Option<&str>) -> UserVerification {
    match text {
        Some("required") => UserVerification::Required,
        Some("discouraged") => UserVerification::Discouraged,
        _ => UserVerification::Preferred,
    }
}

/// Who wants no attestation wants no format of it.
fn formats(attestation: Conveyance, listed: Vec<String>) -> Vec<String> {
    match attestation {
        Conveyance::None => vec![String::from("none")],
        _ => listed,
    }
}

fn conveyance(text: Option<&str>) -> Conveyance {
    match text {
        Some("indirect") => Conveyance::Indirect,
        Some("direct") => Conveyance::Direct,
        Some("enterprise") => Conveyance::Enterprise,
        _ => Conveyance::None,
    }
}

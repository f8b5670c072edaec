//! The extension inputs as they stand in JSON. Values of a known member that are not of its type are an error,
//! unknown members are passed over.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::base64url;
use crate::cause::Cause;

use super::large_blob::{LargeBlobInputs, Support};
use super::payment::PaymentInputs;
use super::{CreationInputs, HmacSalts, PrfInputs, PrfValues, Protection, RequestInputs};

/// The members of `extensions`, in create and get.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Members {
    cred_props: Option<bool>,
    prf: Option<Prf>,
    hmac_create_secret: Option<bool>,
    hmac_get_secret: Option<Salts>,
    large_blob: Option<LargeBlob>,
    credential_protection_policy: Option<String>,
    enforce_credential_protection_policy: Option<bool>,
    cred_blob: Option<String>,
    min_pin_length: Option<bool>,
    pin_complexity_policy: Option<bool>,
    get_cred_blob: Option<bool>,
    #[serde(rename = "appid")]
    app_id: Option<String>,
    #[serde(rename = "appidExclude")]
    app_id_exclude: Option<String>,
    payment: Option<PaymentInputs>,
    uvm: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Prf {
    eval: Option<Values>,
    eval_by_credential: Option<BTreeMap<String, Values>>,
}

#[derive(Deserialize)]
struct Values {
    first: String,
    second: Option<String>,
}

#[derive(Deserialize)]
struct Salts {
    salt1: String,
    salt2: Option<String>,
}

#[derive(Deserialize)]
struct LargeBlob {
    support: Option<String>,
    read: Option<bool>,
    write: Option<String>,
}

impl CreationInputs {
    pub(crate) fn new(members: Members) -> Result<Self, Cause> {
        let policy = members.credential_protection_policy.as_deref();
        let level = match policy {
            Some("userVerificationOptional") => Some(1),
            Some("userVerificationOptionalWithCredentialIDList") => Some(2),
            Some("userVerificationRequired") => Some(3),
            _ => None,
        };
        let enforced = members.enforce_credential_protection_policy.unwrap_or(false);
        let blob = members.cred_blob.map(|text| bytes("extensions.credBlob", &text));
        Ok(Self {
            cred_props: members.cred_props.unwrap_or(false),
            prf: members.prf.map(PrfInputs::new).transpose()?,
            hmac_create_secret: members.hmac_create_secret.unwrap_or(false),
            large_blob: members.large_blob.map(LargeBlobInputs::new).transpose()?,
            protection: level.map(|level| Protection { level, enforced }),
            cred_blob: blob.transpose()?,
            min_pin_length: members.min_pin_length.unwrap_or(false),
            pin_complexity_policy: members.pin_complexity_policy.unwrap_or(false),
            app_id_exclude: members.app_id_exclude,
            payment: members.payment.is_some_and(|payment| payment.is_payment),
            uvm: members.uvm.unwrap_or(false),
        })
    }
}

impl RequestInputs {
    pub(crate) fn new(members: Members) -> Result<Self, Cause> {
        Ok(Self {
            prf: members.prf.map(PrfInputs::new).transpose()?,
            hmac_get_secret: members.hmac_get_secret.map(HmacSalts::new).transpose()?,
            large_blob: members.large_blob.map(LargeBlobInputs::new).transpose()?,
            get_cred_blob: members.get_cred_blob.unwrap_or(false),
            app_id: members.app_id,
            payment: members.payment.filter(|payment| payment.is_payment),
            uvm: members.uvm.unwrap_or(false),
        })
    }
}

impl PrfInputs {
    fn new(members: Prf) -> Result<Self, Cause> {
        let by_credential = members.eval_by_credential.map(|entries| {
            let entry = |(id, values)| Ok::<_, Cause>((id, PrfValues::new(values)?));
            entries.into_iter().map(entry).collect()
        });
        Ok(Self {
            eval: members.eval.map(PrfValues::new).transpose()?,
            eval_by_credential: by_credential.transpose()?,
        })
    }
}

impl PrfValues {
    fn new(values: Values) -> Result<Self, Cause> {
        let second = values.second.map(|text| bytes("extensions.prf second", &text));
        Ok(Self {
            first: bytes("extensions.prf first", &values.first)?,
            second: second.transpose()?,
        })
    }
}

impl HmacSalts {
    fn new(salts: Salts) -> Result<Self, Cause> {
        let second = salts.salt2.map(|text| bytes("extensions.hmacGetSecret.salt2", &text));
        Ok(Self {
            salt1: bytes("extensions.hmacGetSecret.salt1", &salts.salt1)?,
            salt2: second.transpose()?,
        })
    }
}

impl LargeBlobInputs {
    fn new(members: LargeBlob) -> Result<Self, Cause> {
        let write = members.write.map(|text| bytes("extensions.largeBlob.write", &text));
        let support = members.support.map(|support| match support.as_str() {
            "required" => Support::Required,
            _ => Support::Preferred,
        });
        Ok(Self { support, read: members.read, write: write.transpose()? })
    }
}

fn bytes(member: &'static str, text: &str) -> Result<Vec<u8>, Cause> {
    base64url::decode(text).ok_or(Cause::NotBase64Url(member))
}

//! Keys that speak CTAP1 only: create and get by way of REGISTER and AUTHENTICATE (`CTAP` 2.3 section 10).
//!
//! A CTAP1 key answers at once that it needs a touch, so the platform asks again and again until the page's
//! timeout.

#[cfg(test)]
mod tests;

use std::time::Duration;

use softkey_ctap::attestation::{FidoU2fStatement, format};
use softkey_ctap::auth_data::{AttestedCredential, AuthenticatorData, Flags};
use softkey_ctap::cbor;
use softkey_ctap::cose::{PublicKey, algorithm::ES256, key};
use softkey_ctap::u2f::{
    Apdu, AuthenticateRequest, AuthenticateResponse, Body, RegisterRequest, RegisterResponse,
    StatusWord, control, instruction,
};

use crate::cause::{Cause, NotWithU2f, WrongResponse};
use crate::client_data::hash;
use crate::create::{self, Made};
use crate::extensions::Outputs;
use crate::get::{self, Signed};
use crate::options::{Attachment, Credential, ResidentKey, UserVerification};
use crate::session::{Reach, Session};

/// How long to let pass before a key is asked again.
const PAUSE: Duration = Duration::from_millis(250);
/// How long to ask, in milliseconds, if the page does not say; and the longest, whatever it says.
const DEFAULT_TIMEOUT: u64 = 300_000;
const LONGEST_TIMEOUT: u64 = 600_000;
/// The longest key handle, in bytes.
const MAX_HANDLE: usize = 255;
/// Challenge and application of a registration that is for its touch alone.
const FOR_TOUCH: RegisterRequest = RegisterRequest { challenge: [0; 32], application: [0x41; 32] };

impl Session {
    /// Makes a credential by REGISTER.
    pub(crate) async fn register(&self, wish: &create::Wish) -> Result<Made, Cause> {
        let options = &wish.options;
        if options.attachment == Some(Attachment::Platform) {
            return Err(Cause::AttachmentMismatch);
        }
        if !options.algorithms.contains(&ES256) {
            return Err(Cause::NotWithU2f(NotWithU2f::Algorithm));
        }
        if options.resident_key == ResidentKey::Required {
            return Err(Cause::NotWithU2f(NotWithU2f::DiscoverableCredential));
        }
        if options.user_verification == UserVerification::Required {
            return Err(Cause::NotWithU2f(NotWithU2f::UserVerification));
        }
        let application = hash(wish.rp_id.as_bytes());
        options.extensions.admit_blobs(None, false)?;
        if self.held(&application, &options.exclude).await?.is_some() {
            self.touch_only(options.timeout).await?;
            return Err(Cause::Excluded);
        }
        self.exclude_by_app_id(wish).await?;
        let request = RegisterRequest { challenge: wish.hash, application };
        let bytes = self.ask_register(&request, options.timeout).await?;
        let response = RegisterResponse::from_bytes(&bytes).ok_or(cbor::DecodeError::Malformed)?;
        registered(&response, application)
    }

    /// Signs by AUTHENTICATE.
    pub(crate) async fn authenticate(&self, wish: &get::Wish) -> Result<Signed, Cause> {
        let options = &wish.options;
        if options.user_verification == UserVerification::Required {
            return Err(Cause::NotWithU2f(NotWithU2f::UserVerification));
        }
        if options.allow.is_empty() {
            return Err(Cause::NotWithU2f(NotWithU2f::NoAllowList));
        }
        let application = hash(wish.rp_id.as_bytes());
        if let Some(handle) = self.held(&application, &options.allow).await? {
            return self.assert(wish, application, handle, false).await;
        }
        if let Some((application, handle)) = self.held_by_app_id(wish).await? {
            return self.assert(wish, application, handle, true).await;
        }
        self.touch_only(options.timeout).await?;
        Err(Cause::NoCredentials)
    }

    /// Signs with a credential that is bound to the `AppID`, on a key that speaks CTAP2 as well; nothing if there is
    /// none, or if CTAP1 cannot do what is asked.
    pub(crate) async fn by_app_id(
        &self,
        reach: Reach,
        wish: &get::Wish,
    ) -> Result<Option<Signed>, Cause> {
        if !reach.u2f || wish.options.user_verification == UserVerification::Required {
            return Ok(None);
        }
        match self.held_by_app_id(wish).await? {
            Some((application, handle)) => {
                self.assert(wish, application, handle, true).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Section 10.1.2: a credential that is bound to the `AppID` is excluded, which the page learns after a touch.
    pub(crate) async fn exclude_by_app_id(&self, wish: &create::Wish) -> Result<(), Cause> {
        let Some(app_id) = &wish.app_id else { return Ok(()) };
        let application = hash(app_id.as_bytes());
        if self.held(&application, &wish.options.exclude).await?.is_some() {
            self.touch_only(wish.options.timeout).await?;
            return Err(Cause::Excluded);
        }
        Ok(())
    }

    async fn held_by_app_id<'l>(
        &self,
        wish: &'l get::Wish,
    ) -> Result<Option<([u8; 32], &'l [u8])>, Cause> {
        let Some(app_id) = &wish.app_id else { return Ok(None) };
        let application = hash(app_id.as_bytes());
        let held = self.held(&application, &wish.options.allow).await?;
        Ok(held.map(|handle| (application, handle)))
    }

    async fn assert(
        &self,
        wish: &get::Wish,
        application: [u8; 32],
        handle: &[u8],
        by_app_id: bool,
    ) -> Result<Signed, Cause> {
        let options = &wish.options;
        let request = AuthenticateRequest { challenge: wish.hash, application, key_handle: handle };
        let data = request.to_bytes().ok_or(Cause::RequestTooLarge)?;
        let apdu = apdu(instruction::AUTHENTICATE, control::ENFORCE_USER_PRESENCE, &data);
        let bytes = self.poll(&apdu, options.timeout).await?;
        let response =
            AuthenticateResponse::from_bytes(&bytes).ok_or(cbor::DecodeError::Malformed)?;
        if response.user_presence & Flags::USER_PRESENT.0 == 0 {
            return Err(WrongResponse::NotPresent.into());
        }
        // The signature covers the byte as the key sent it, so it is passed on whole.
        let mut auth_data = application.to_vec();
        auth_data.push(response.user_presence);
        auth_data.extend_from_slice(&response.counter.to_be_bytes());
        Ok(Signed {
            credential_id: handle.to_vec(),
            auth_data,
            signature: response.signature.to_vec(),
            user: None,
            extensions: options.extensions.results(None, Outputs::default(), None, by_app_id)?,
            large_blob_key: None,
            attestation_object: None,
        })
    }

    /// `U2F_VERSION`: is this a key at all?
    pub(crate) async fn u2f_version(&self) -> Result<Vec<u8>, Cause> {
        match self.desk.apdu(&apdu(instruction::VERSION, 0, &[])).await? {
            (version, StatusWord::NO_ERROR) => Ok(version),
            (_, word) => Err(Cause::RefusedU2f(word)),
        }
    }

    /// Collects a touch by a registration that nobody uses.
    pub(crate) async fn touch_only(&self, timeout: Option<u64>) -> Result<(), Cause> {
        self.ask_register(&FOR_TOUCH, timeout).await.map(drop)
    }

    /// The first of these credentials that the key holds for this application.
    async fn held<'l>(
        &self,
        application: &[u8; 32],
        list: &'l [Credential],
    ) -> Result<Option<&'l [u8]>, Cause> {
        for id in list.iter().map(|credential| credential.id.as_slice()) {
            if id.len() > MAX_HANDLE {
                continue;
            }
            let request = AuthenticateRequest {
                challenge: [0; 32],
                application: *application,
                key_handle: id,
            };
            let data = request.to_bytes().ok_or(Cause::RequestTooLarge)?;
            let apdu = apdu(instruction::AUTHENTICATE, control::CHECK_ONLY, &data);
            // Keys name an unknown handle in several ways; only a known one needs a touch.
            if self.desk.apdu(&apdu).await?.1 == StatusWord::CONDITIONS_NOT_SATISFIED {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    async fn ask_register(
        &self,
        request: &RegisterRequest,
        timeout: Option<u64>,
    ) -> Result<Vec<u8>, Cause> {
        self.poll(&apdu(instruction::REGISTER, 0, &request.to_bytes()), timeout).await
    }

    /// Sends a command until the key has been touched.
    async fn poll(&self, apdu: &Apdu<'_>, timeout: Option<u64>) -> Result<Vec<u8>, Cause> {
        let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT).min(LONGEST_TIMEOUT);
        let mut left = Duration::from_millis(timeout);
        loop {
            match self.desk.apdu(apdu).await? {
                (data, StatusWord::NO_ERROR) => return Ok(data),
                (_, StatusWord::CONDITIONS_NOT_SATISFIED) if left.is_zero() => {
                    return Err(Cause::Timeout);
                }
                (_, StatusWord::CONDITIONS_NOT_SATISFIED) => {
                    self.desk.touch(PAUSE).await?;
                    left = left.saturating_sub(PAUSE);
                }
                (_, word) => return Err(Cause::RefusedU2f(word)),
            }
        }
    }
}

const fn apdu(ins: u8, p1: u8, data: &[u8]) -> Apdu<'_> {
    Apdu { cla: 0, ins, p1, p2: 0, data: Body::Data(data) }
}

/// The attestation of a registration (`CTAP` 2.3 section 10.1.2).
fn registered(response: &RegisterResponse<'_>, application: [u8; 32]) -> Result<Made, Cause> {
    let [_, point @ ..] = response.public_key;
    let (x, y) = point.split_at_checked(32).ok_or(cbor::DecodeError::Length)?;
    let auth_data = AuthenticatorData {
        rp_id_hash: application,
        flags: Flags::USER_PRESENT,
        sign_count: 0,
        attested: Some(AttestedCredential {
            aaguid: [0; 16],
            credential_id: response.key_handle,
            public_key: PublicKey::Ec2 { alg: ES256, crv: key::P256, x, y },
        }),
        extensions: None,
    };
    let statement = FidoU2fStatement {
        sig: response.signature,
        x5c: [response.certificate].into_iter().collect(),
    };
    Ok(Made {
        fmt: format::FIDO_U2F.to_owned(),
        att_stmt: cbor::encode(&statement),
        auth_data: auth_data.to_bytes(),
        rk: false,
        verified: false,
        evaluation: None,
        has_blob: false,
    })
}

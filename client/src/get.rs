//! `navigator.credentials.get()` for public keys with one key (WebAuthn Level 3 section 5.1.4, `CTAP` 2.3
//! section 16).

mod attestation;
#[cfg(test)]
mod tests;

use softkey_ctap::attestation::OBJECT_LEVELS;
use softkey_ctap::auth_data::{AuthenticatorData, Flags};
use softkey_ctap::cbor;
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::entities::{Descriptor, RpId};
use softkey_ctap::get_assertion::{Options, Request, Response};
use softkey_ctap::{Command, Secret, StatusCode};

use crate::cause::{Cause, WrongResponse};
use crate::ceremony::{Account, Ceremony, Desk};
use crate::client_data::{self, ClientData};
use crate::create::{attachment, heed};
use crate::entropy::Entropy;
use crate::extensions::{LargeBlobs, Outputs, Prepared, app_id};
use crate::info::Info;
use crate::lists::{found, is_unknown};
use crate::options::{Attachment, RequestOptions, UserVerification};
use crate::origin::Origin;
use crate::response::{
    AssertionResponse, AuthenticationResponse, Bytes, ExtensionResults, PublicKeyCredential,
};
use crate::session::{Reach, Session};
use crate::token::{Token, Verification, Wanted};

use self::attestation::Asked;

/// Signs in to the page of `origin` with the one key that the owner reaches. Where the key has several
/// accounts, [`Need::Account`](crate::ceremony::Need::Account) asks for one. The page's timeout is for the
/// owner to keep: it cancels the request that the key has in work.
#[must_use]
pub fn get(
    options: RequestOptions,
    origin: Origin,
    reach: Reach,
    entropy: Entropy,
) -> Ceremony<AuthenticationResponse> {
    Ceremony::new(async move |desk| {
        let rp_id = origin.rp_id(options.rp_id.as_deref())?;
        options.extensions.check(&options.allow)?;
        let app_id = check_app_id(&options, &origin)?;
        let client_data_json = ClientData {
            kind: client_data::GET,
            challenge: &options.challenge,
            origin: origin.as_str(),
            cross_origin: false,
            top_origin: None,
            extra: None,
        }
        .to_json();
        let mut wish = Wish::new(options, rp_id, client_data_json);
        wish.app_id = app_id;
        with_key(desk, wish, reach, entropy).await
    })
}

/// Section 10.1.1: may the caller use this `AppID`'s credentials?
pub(crate) fn check_app_id(
    options: &RequestOptions,
    origin: &Origin,
) -> Result<Option<String>, Cause> {
    let app_id = options.extensions.app_id.as_deref();
    app_id.map(|app_id| app_id::authorized(app_id, origin)).transpose()
}

/// What follows once it is known what is asked of the keys: the dealings with one of them.
pub(crate) async fn with_key(
    desk: Desk,
    wish: Wish,
    reach: Reach,
    entropy: Entropy,
) -> Result<AuthenticationResponse, Cause> {
    if wish.options.only_unknown {
        return Err(Cause::NoKnownDescriptors);
    }
    let mut session = Session::new(desk, entropy);
    let info = session.info(reach).await?;
    heed(wish.hinted, info.as_ref())?;
    let signed = match &info {
        Some(info) => match session.by_app_id(reach, &wish).await? {
            Some(signed) => signed,
            None => session.sign(info, &wish).await?,
        },
        None => session.authenticate(&wish).await?,
    };
    let response = AssertionResponse {
        client_data_json: Bytes(wish.client_data_json),
        authenticator_data: Bytes(signed.auth_data),
        signature: Bytes(signed.signature),
        user_handle: signed.user.map(|user| Bytes(user.user_id)),
        attestation_object: signed.attestation_object,
    };
    let attachment = attachment(info.as_ref()).as_str();
    let mut credential = PublicKeyCredential::new(signed.credential_id, response, attachment);
    credential.client_extension_results = signed.extensions;
    Ok(credential)
}

/// What is asked of the key, whatever it speaks.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) hash: [u8; 32],
    pub(crate) client_data_json: Vec<u8>,
    pub(crate) rp_id: String,
    pub(crate) options: RequestOptions,
    /// The `AppID` whose credentials will do.
    pub(crate) app_id: Option<String>,
    /// Is the key asked for attestation, if the page wants it?
    pub(crate) attests: bool,
    /// Does the client's policy let this relying party have enterprise attestation?
    pub(crate) enterprise: bool,
    /// The attachment that a key must have as long as there are others.
    pub(crate) hinted: Option<Attachment>,
}

impl Wish {
    pub(crate) fn new(options: RequestOptions, rp_id: String, client_data_json: Vec<u8>) -> Self {
        let hash = client_data::hash(&client_data_json);
        Self {
            hash,
            client_data_json,
            rp_id,
            options,
            app_id: None,
            attests: false,
            enterprise: false,
            hinted: None,
        }
    }
}

/// What the key signed.
pub(crate) struct Signed {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) auth_data: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) user: Option<Account>,
    pub(crate) extensions: ExtensionResults,
    /// What opens the credential's entry in the large-blob array.
    pub(crate) large_blob_key: Option<Secret<32>>,
    pub(crate) attestation_object: Option<Bytes>,
}

/// The request's one allowed credential, how its user is verified, and which attestation is asked for.
struct Terms<'a> {
    allowed: Option<&'a [u8]>,
    verification: Option<&'a Verification>,
    prepared: &'a Prepared,
    attestation: Option<Asked<'a>>,
}

impl Session {
    /// Signs with authenticatorGetAssertion.
    async fn sign(&mut self, info: &Info, wish: &Wish) -> Result<Signed, Cause> {
        let extensions = &wish.options.extensions;
        let writes = extensions.writes_array(info);
        let mut permissions = Permissions::GET_ASSERTION;
        if writes {
            permissions = permissions.with(Permissions::LARGE_BLOB_WRITE);
        }
        let wanted = Wanted { permissions, rp_id: Some(&wish.rp_id) };
        let verifies = verifies(info, wish.options.user_verification)?
            || extensions.evaluates(info)
            || (writes && info.is_protected());
        let mut verification =
            if verifies { Some(self.verify_user(info, wanted).await?) } else { None };
        let mut again = true;
        loop {
            match self.attempt_assertion(info, wish, verification.as_ref()).await {
                Err(Cause::Refused(StatusCode::PUAT_REQUIRED | StatusCode::PIN_AUTH_INVALID))
                    if again && info.is_protected() =>
                {
                    again = false;
                    verification = Some(self.verify_user(info, wanted).await?);
                }
                Err(cause) if is_unknown(&cause) => return Err(Cause::NoCredentials),
                other => return other,
            }
        }
    }

    async fn attempt_assertion(
        &mut self,
        info: &Info,
        wish: &Wish,
        verification: Option<&Verification>,
    ) -> Result<Signed, Cause> {
        let token = verification.and_then(Verification::token);
        let allow = &wish.options.allow;
        let allowed = self.narrow(info, &wish.rp_id, allow, token).await?;
        if allowed.is_none() && !allow.is_empty() {
            return Err(Cause::NoCredentials);
        }
        let extensions = &wish.options.extensions;
        let salts = extensions.salts(info, allowed.as_deref(), verification.is_some());
        let evaluation = match salts {
            Some(salts) => Some(self.evaluation(info, salts).await?),
            None => None,
        };
        let prepared = extensions.prepared(info, evaluation);
        let terms = Terms {
            allowed: allowed.as_deref(),
            verification,
            prepared: &prepared,
            attestation: Asked::of(wish, info),
        };
        let bytes = self.assertion(info, wish, &terms).await?;
        let response = read(&bytes)?;
        let count = response.number_of_credentials.unwrap_or(1);
        let mut accounts = vec![signed(&response, info, wish, &terms)?];
        if terms.allowed.is_none() {
            for _ in 1..count {
                let bytes = self.desk.command(Command::GET_NEXT_ASSERTION).await?;
                accounts.push(signed(&read(&bytes)?, info, wish, &terms)?);
            }
        }
        let mut chosen = self.choose(accounts).await?;
        if let Some(inputs) = &extensions.large_blob
            && LargeBlobs::of(info) == Some(LargeBlobs::Array)
        {
            let key = chosen.large_blob_key.as_ref();
            let results = self.use_array(info, inputs, key, token).await;
            chosen.extensions.large_blob = Some(results);
        }
        Ok(chosen)
    }

    async fn assertion(
        &self,
        info: &Info,
        wish: &Wish,
        terms: &Terms<'_>,
    ) -> Result<Vec<u8>, Cause> {
        let token = terms.verification.and_then(Verification::token);
        let param = token.map(|token| token.authenticate(&[&wish.hash]));
        let by_option = matches!(terms.verification, Some(Verification::Option));
        let request = Request {
            rp_id: RpId::try_from(wish.rp_id.as_str())?,
            client_data_hash: wish.hash,
            allow_list: terms.allowed.map(|id| [Descriptor::public_key(id)].into_iter().collect()),
            extensions: wish.options.extensions.for_key(info, terms.prepared),
            options: by_option.then_some(Options { uv: Some(true), ..Options::default() }),
            pin_uv_auth_param: param.as_deref(),
            pin_uv_auth_protocol: token.map(Token::protocol_number),
            enterprise_attestation: terms.attestation.as_ref().and_then(Asked::enterprise),
            attestation_formats_preference: terms.attestation.as_ref().map(Asked::preference),
        };
        self.sized(info, Command::GET_ASSERTION, &request).await
    }

    /// The user's choice where there are several accounts.
    async fn choose(&self, mut accounts: Vec<Signed>) -> Result<Signed, Cause> {
        if accounts.len() < 2 {
            return accounts.pop().ok_or(Cause::NoCredentials);
        }
        let users: Vec<_> = accounts.iter().filter_map(|signed| signed.user.clone()).collect();
        let chosen = self.desk.account(&users).await?;
        Ok(accounts.swap_remove(chosen))
    }
}

/// Will the user be verified? (section 5.1.4, `CTAP` 2.3 section 16 step 3)
fn verifies(info: &Info, wanted: UserVerification) -> Result<bool, Cause> {
    let always = info.options.always_uv == Some(true);
    match (wanted, info.is_protected()) {
        (UserVerification::Required, false) => Err(Cause::NoUserVerification),
        (_, false) if always => Err(Cause::NoUserVerification),
        (_, false) => Ok(false),
        (UserVerification::Required | UserVerification::Preferred, true) => Ok(true),
        (UserVerification::Discouraged, true) => Ok(always),
    }
}

/// Reads a response, which may have an attestation statement of any format in it.
fn read(bytes: &[u8]) -> Result<Response<'_>, Cause> {
    Ok(cbor::decode_unsorted_within(bytes, OBJECT_LEVELS)?)
}

/// Checks a response (`CTAP` 2.3 section 16 step 8).
fn signed(
    response: &Response<'_>,
    info: &Info,
    wish: &Wish,
    terms: &Terms<'_>,
) -> Result<Signed, Cause> {
    let data = AuthenticatorData::from_bytes(response.auth_data)?;
    if data.rp_id_hash != client_data::hash(wish.rp_id.as_bytes()) {
        return Err(WrongResponse::RpIdHash.into());
    }
    if data.attested.is_some() {
        return Err(WrongResponse::Attested.into());
    }
    if !data.flags.contains(Flags::USER_PRESENT) {
        return Err(WrongResponse::NotPresent.into());
    }
    if terms.verification.is_some() && !data.flags.contains(Flags::USER_VERIFIED) {
        return Err(WrongResponse::NotVerified.into());
    }
    let user = response.user.map(|user| Account {
        user_id: user.id.as_bytes().to_vec(),
        name: user.name.map(str::to_owned),
        display_name: user.display_name.map(str::to_owned),
    });
    if terms.allowed.is_none() && user.is_none() {
        return Err(WrongResponse::NoUser.into());
    }
    let unsigned = response.unsigned_extension_outputs.as_ref();
    let outputs = Outputs { signed: data.extensions, unsigned };
    let evaluation = terms.prepared.evaluation.as_ref();
    let extensions = &wish.options.extensions;
    Ok(Signed {
        credential_id: found(response, terms.allowed.as_slice())?,
        auth_data: response.auth_data.to_vec(),
        signature: response.signature.to_vec(),
        user,
        extensions: extensions.results(Some(info), outputs, evaluation, false)?,
        large_blob_key: response.large_blob_key.map(Secret::new),
        attestation_object: match &terms.attestation {
            Some(asked) => asked.object(response)?,
            None => None,
        },
    })
}

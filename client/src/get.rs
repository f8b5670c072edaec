//! `navigator.credentials.get()` for public keys with one key (WebAuthn Level 3 section 5.1.4, `CTAP` 2.3
//! section 16).

#[cfg(test)]
mod tests;

use softkey_ctap::auth_data::{AuthenticatorData, Flags};
use softkey_ctap::cbor;
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::entities::{Descriptor, RpId};
use softkey_ctap::get_assertion::{Options, Request, Response};
use softkey_ctap::{Command, StatusCode};

use crate::cause::{Cause, WrongResponse};
use crate::ceremony::{Account, Ceremony, Desk};
use crate::client_data::{self, ClientData};
use crate::create::attachment;
use crate::entropy::Entropy;
use crate::extensions::{Evaluation, PrfValues};
use crate::info::Info;
use crate::lists::found;
use crate::options::{RequestOptions, UserVerification};
use crate::origin::Origin;
use crate::response::{
    AssertionResponse, AuthenticationResponse, Bytes, ExtensionResults, PublicKeyCredential,
};
use crate::session::{Reach, Session};
use crate::token::{Token, Verification, Wanted};

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
        let client_data_json = ClientData {
            kind: client_data::GET,
            challenge: &options.challenge,
            origin: origin.as_str(),
            cross_origin: false,
            top_origin: None,
            extra: None,
        }
        .to_json();
        with_key(desk, Wish::new(options, rp_id, client_data_json), reach, entropy).await
    })
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
    let signed = match &info {
        Some(info) => session.sign(info, &wish).await?,
        None => session.authenticate(&wish).await?,
    };
    let response = AssertionResponse {
        client_data_json: Bytes(wish.client_data_json),
        authenticator_data: Bytes(signed.auth_data),
        signature: Bytes(signed.signature),
        user_handle: signed.user.map(|user| Bytes(user.user_id)),
    };
    let attachment = attachment(info.as_ref());
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
}

impl Wish {
    pub(crate) fn new(options: RequestOptions, rp_id: String, client_data_json: Vec<u8>) -> Self {
        Self { hash: client_data::hash(&client_data_json), client_data_json, rp_id, options }
    }

    /// The inputs of prf to evaluate with this credential.
    fn values(&self, allowed: Option<&[u8]>, info: &Info) -> Option<&PrfValues> {
        let inputs = &self.options.extensions;
        inputs.prf.as_ref().filter(|_| inputs.evaluates(info))?.values_for(allowed)
    }
}

/// What the key signed.
pub(crate) struct Signed {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) auth_data: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) user: Option<Account>,
    pub(crate) extensions: ExtensionResults,
}

/// The request's one allowed credential and how its user is verified.
struct Terms<'a> {
    allowed: Option<&'a [u8]>,
    verification: Option<&'a Verification>,
    evaluation: Option<&'a Evaluation>,
}

impl Session {
    /// Signs with authenticatorGetAssertion.
    async fn sign(&mut self, info: &Info, wish: &Wish) -> Result<Signed, Cause> {
        let wanted = Wanted { permissions: Permissions::GET_ASSERTION, rp_id: Some(&wish.rp_id) };
        let extensions = &wish.options.extensions;
        let verifies =
            verifies(info, wish.options.user_verification)? || extensions.evaluates(info);
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
                Err(Cause::Refused(StatusCode::NO_CREDENTIALS)) => {
                    return Err(Cause::NoCredentials);
                }
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
        let evaluation = match wish.values(allowed.as_deref(), info).zip(verification) {
            Some((values, _)) => Some(self.evaluation(info, values).await?),
            None => None,
        };
        let terms =
            Terms { allowed: allowed.as_deref(), verification, evaluation: evaluation.as_ref() };
        let bytes = self.assertion(info, wish, &terms).await?;
        let response: Response<'_> = cbor::decode(&bytes)?;
        let count = response.number_of_credentials.unwrap_or(1);
        let mut accounts = vec![signed(&response, wish, &terms)?];
        if terms.allowed.is_none() {
            for _ in 1..count {
                let bytes = self.desk.command(Command::GET_NEXT_ASSERTION).await?;
                accounts.push(signed(&cbor::decode(&bytes)?, wish, &terms)?);
            }
        }
        self.choose(accounts).await
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
            extensions: wish.options.extensions.for_key(info, terms.evaluation),
            options: by_option.then_some(Options { uv: Some(true), ..Options::default() }),
            pin_uv_auth_param: param.as_deref(),
            pin_uv_auth_protocol: token.map(Token::protocol_number),
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

/// Checks a response (`CTAP` 2.3 section 16 step 8).
fn signed(response: &Response<'_>, wish: &Wish, terms: &Terms<'_>) -> Result<Signed, Cause> {
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
    Ok(Signed {
        credential_id: found(response, terms.allowed.as_slice())?,
        auth_data: response.auth_data.to_vec(),
        signature: response.signature.to_vec(),
        user,
        extensions: wish.options.extensions.results(data.extensions, terms.evaluation)?,
    })
}

//! authenticatorGetAssertion and authenticatorGetNextAssertion: check, consent, sign.

use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::time::Duration;

use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use softkey_ctap::Instant;
use softkey_ctap::auth_data::{AuthenticatorData, Flags};
use softkey_ctap::cbor::{List, Raw};
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::entities::{Descriptor, PUBLIC_KEY, User, UserId};
use softkey_ctap::get_assertion::{Request, Response};

use crate::authenticator::{Authenticator, Consent, Progress, Requester, Then, parameters, reply};
use crate::authorization::{Authorization, Param};
use crate::credential::{self, Account, Credential};
use crate::extensions::{self, AssertionInputs, AssertionWishes, Circumstances};
#[cfg(feature = "faults")]
use crate::faults::Fault;
use crate::refusal::Refusal;
use crate::step::{Operation, Via};
use crate::store::Store;
use crate::token::Method;
use crate::user_verification::{Purpose, Verification};
use crate::walk::{Through, Walk};

/// How long after one assertion the next may be fetched.
const NEXT_LIMIT: Duration = Duration::from_secs(30);

/// Everything that is left to do once the user consents.
pub(crate) struct Checked {
    assertion: Assertion,
    credential: Credential,
    /// How many accounts there are; one if the credential was named.
    accounts: u64,
    /// The token that authorized the request.
    token: Option<u64>,
    /// Is presence asked for?
    up: bool,
}

/// What every signature of one request has in common.
struct Assertion {
    rp_id_hash: [u8; 32],
    client_data_hash: [u8; 32],
    user_present: bool,
    verified: bool,
    /// Did the user choose the account on the authenticator?
    user_selected: bool,
    wishes: AssertionWishes,
}

/// The accounts that authenticatorGetNextAssertion still has to give.
pub(crate) struct Accounts {
    assertion: Assertion,
    /// The sequence number given last; older ones follow.
    before: u64,
    remaining: u64,
    last: Instant,
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    pub(crate) fn get_assertion(
        &mut self,
        now: Instant,
        via: Via,
        body: &[u8],
        verification: Verification,
    ) -> Progress {
        let request: Request<'_> = parameters(body)?;
        let inputs = AssertionInputs::of(request.extensions.as_ref(), &self.config)?;
        // 1. The selection trick of older platforms.
        if request.pin_uv_auth_param.is_some_and(<[u8]>::is_empty) {
            return Ok(self.selection_by_param());
        }
        // 2. The param's protocol, and whether there is anything it could prove.
        let param = self.param(request.pin_uv_auth_param, request.pin_uv_auth_protocol)?;
        // 3 to 5. Options, and how the user is to be verified.
        let authorization = self.assertion_authorization(&request, param)?;
        // 6. The user is verified.
        let rp_id_hash: [u8; 32] = Sha256::digest(request.rp_id.as_str()).into();
        let (verified_by, present, token) = match authorization {
            Authorization::None => (None, false, None),
            Authorization::Param(param) => {
                let need = Permissions::GET_ASSERTION;
                let (serial, method) =
                    self.authorize(param, &request.client_data_hash, need, &rp_id_hash)?;
                // Presence that a token carries serves only who holds that token.
                (Some(method), self.tokens.user_present(), Some(serial))
            }
            Authorization::BuiltIn if verification.done => {
                (Some(Method::BuiltIn), verification.shows_presence, None)
            }
            Authorization::BuiltIn => {
                let purpose = Purpose::GetAssertion(body.to_vec());
                return self.verify_for_request(purpose, requester(&request));
            }
        };
        // 7. The credential, and then what else may be wrong with the extensions.
        let allow_list = request.allow_list.as_ref().filter(|list| !list.is_empty());
        let verified = verified_by.is_some();
        let up = request.options.and_then(|options| options.up).unwrap_or(true);
        let located = self.locate(allow_list, &rp_id_hash, verified);
        #[cfg(feature = "faults")]
        if up && !present && self.hides_for_now(&located) {
            let then = Then::RefuseAnyway(Refusal::NoCredentials);
            return Ok(Consent::presence(requester(&request), then));
        }
        let (credential, accounts) = located?;
        let user_selected = false;
        let user_present = up || verification.shows_presence;
        #[cfg(feature = "faults")]
        let (credential, accounts, user_selected) = if allow_list.is_none() && (up || verified) {
            self.choose(&rp_id_hash, verified, (credential, accounts))?
        } else {
            (credential, accounts, user_selected)
        };
        let method = extensions::method(&self.config, verified_by, user_present);
        let (listed, algorithm) = (allow_list.is_some(), credential.algorithm);
        let circumstances = Circumstances { listed, up, algorithm, method };
        let wishes = self.check_assertion_inputs(&inputs, &circumstances)?;
        // 8, 9. Consent.
        let assertion = Assertion {
            rp_id_hash,
            client_data_hash: request.client_data_hash,
            user_present,
            verified,
            user_selected,
            wishes,
        };
        let checked = Checked { assertion, credential, accounts, token, up };
        if up && !present {
            let requester = requester(&request);
            return Ok(Consent::presence(requester, Then::GetAssertion(checked)));
        }
        self.assert(now, via, checked)
    }

    /// Steps 3 to 5.
    fn assertion_authorization<'b>(
        &mut self,
        request: &Request<'_>,
        param: Option<Param<'b>>,
    ) -> Result<Authorization<'b>, Refusal> {
        let options = request.options.unwrap_or_default();
        // 4. Options, and how many credentials are listed.
        let wants_built_in = self.wants_built_in(param, options)?;
        if options.rk.is_some() {
            return Err(Refusal::ResidentKeyOption);
        }
        if self.is_too_long(request.allow_list.as_ref()) {
            return Err(Refusal::ListTooLong);
        }
        // 5. Without presence alwaysUv does not apply, so that platforms can look silently before they ask.
        let always = self.settings.always_uv && options.up.unwrap_or(true);
        #[cfg(feature = "faults")]
        let always = always
            || (self.settings.always_uv
                && param.is_none()
                && !wants_built_in
                && self.faults.strikes(Fault::AlwaysUvWhenSilent));
        self.authorization(param, wants_built_in, always)
    }

    /// The credential to use, and how many accounts it was taken from.
    fn locate(
        &mut self,
        allow_list: Option<&List<'_, Descriptor<'_>>>,
        rp_id_hash: &[u8; 32],
        verified: bool,
    ) -> Result<(Credential, u64), Refusal> {
        if let Some(list) = allow_list {
            for entry in list.iter().filter(|entry| entry.kind == PUBLIC_KEY) {
                let found = credential::find(&mut self.records, rp_id_hash, entry.id)?;
                let found = found.filter(|found| found.visible(verified, true));
                #[cfg(feature = "faults")]
                let found = found.filter(|found| self.faults.finds(found));
                if let Some(credential) = found {
                    return Ok((credential, 1));
                }
            }
            #[cfg(feature = "faults")]
            self.faults.tell();
            return Err(Refusal::NoCredentials);
        }
        let (mut newest, mut accounts) = (None, 0_u64);
        self.each_credential(rp_id_hash, u64::MAX, &mut |credential| {
            if credential.visible(verified, false) {
                accounts = accounts.saturating_add(1);
                newest.get_or_insert(credential);
            }
            ControlFlow::Continue(())
        })?;
        Ok((newest.ok_or(Refusal::NoCredentials)?, accounts))
    }

    /// Steps 9 to 13, once presence was shown if it is needed.
    pub(crate) fn assert(&mut self, now: Instant, via: Via, checked: Checked) -> Progress {
        let Checked { assertion, mut credential, accounts, token, up } = checked;
        // A gesture that shows presence unasked, as it verifies, spends nothing.
        if up {
            self.tokens.spend();
        }
        let count = (accounts > 1).then_some(accounts);
        let outcome = self.sign(&assertion, &mut credential, accounts > 1, count)?;
        if let credential::Kind::Discoverable(before) = credential.kind
            && accounts > 1
        {
            let remaining = accounts.saturating_sub(1);
            let accounts = Accounts { assertion, before, remaining, last: now };
            let through = Through::Accounts(accounts);
            self.walk = Some(Walk { session: via.session, token, through });
        }
        Ok(outcome)
    }

    pub(crate) fn get_next_assertion(&mut self, now: Instant, walk: Option<Walk>) -> Progress {
        let Some(Walk { session, token, through: Through::Accounts(mut accounts) }) = walk else {
            return Err(Refusal::NoState);
        };
        let over = now.duration_since(accounts.last) > NEXT_LIMIT
            || token.is_some_and(|serial| !self.tokens.is_current(serial));
        if over || accounts.remaining == 0 {
            return Err(Refusal::NoState);
        }
        let Assertion { rp_id_hash, verified, .. } = accounts.assertion;
        let mut next = None;
        self.each_credential(&rp_id_hash, accounts.before, &mut |credential| {
            if !credential.visible(verified, false) {
                return ControlFlow::Continue(());
            }
            next = Some(credential);
            ControlFlow::Break(())
        })?;
        let mut credential = next.ok_or(Refusal::NoState)?;
        let outcome = self.sign(&accounts.assertion, &mut credential, true, None)?;
        if let credential::Kind::Discoverable(sequence) = credential.kind {
            accounts.before = sequence;
        }
        accounts.remaining = accounts.remaining.saturating_sub(1);
        accounts.last = now;
        self.walk = Some(Walk { session, token, through: Through::Accounts(accounts) });
        Ok(outcome)
    }

    /// Steps 10, 12 and 13.
    fn sign(
        &mut self,
        assertion: &Assertion,
        credential: &mut Credential,
        among_several: bool,
        number_of_credentials: Option<u64>,
    ) -> Progress {
        let Assertion { rp_id_hash, client_data_hash, user_present, verified, .. } = assertion;
        let wishes = &assertion.wishes;
        let outputs = wishes.outputs(&mut self.rng, credential, *verified)?;
        let auth_data = AuthenticatorData {
            rp_id_hash: *rp_id_hash,
            flags: Flags::default()
                .with_if(*user_present, Flags::USER_PRESENT)
                .with_if(*verified, Flags::USER_VERIFIED)
                .with(self.backup_flags(credential)),
            sign_count: self.next_count(rp_id_hash, credential)?,
            attested: None,
            extensions: outputs.as_deref().map(Raw),
        };
        let (auth_data, client_data_hash) = (auth_data.to_bytes(), *client_data_hash);
        #[cfg(feature = "faults")]
        let (auth_data, client_data_hash) = self.faults.distort(auth_data, client_data_hash);
        let key = credential.private_key()?;
        let signature: Vec<u8> = key.sign(&[&auth_data, &client_data_hash])?;
        let names = *verified && among_several;
        let user = credential.user.as_ref().map(|user| account(user, names)).transpose()?;
        let large_blob_key = credential.large_blob_key().filter(|_| wishes.large_blob_key);
        #[cfg(feature = "faults")]
        let large_blob_key = large_blob_key.filter(|_| !self.faults.denies_large_blob());
        // Last of what can fail: a refused request has changed no blob.
        let large_blob = self.access_large_blob(&wishes.large_blob, rp_id_hash, credential)?;
        let unsigned_extension_outputs = large_blob.outputs()?;
        #[cfg(feature = "faults")]
        self.faults.tell();
        Ok(reply(&Response {
            credential: Some(Descriptor::public_key(&credential.id)),
            auth_data: &auth_data,
            signature: &signature,
            user,
            number_of_credentials,
            user_selected: assertion.user_selected.then_some(true),
            large_blob_key,
            unsigned_extension_outputs,
            ep_att: None,
            att_stmt: None,
        }))
    }
}

#[cfg(feature = "faults")]
impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Is there nothing, and is that to be told only after a touch?
    fn hides_for_now(&mut self, located: &Result<(Credential, u64), Refusal>) -> bool {
        matches!(located, Err(Refusal::NoCredentials))
            && self.faults.strikes(Fault::LateNoCredentials)
    }

    /// The account that the key chooses by itself, how many there are then, and whether it chose; as located if it leaves
    /// that to the platform.
    fn choose(
        &mut self,
        rp_id_hash: &[u8; 32],
        verified: bool,
        (located, accounts): (Credential, u64),
    ) -> Result<(Credential, u64, bool), Refusal> {
        let Some(choice) = self.faults.choice() else {
            return Ok((located, accounts, false));
        };
        let (mut chosen, mut newer) = (located, 0_u64);
        self.each_credential(rp_id_hash, u64::MAX, &mut |credential| {
            if credential.visible(verified, false) && newer <= choice {
                newer = newer.saturating_add(1);
                chosen = credential;
            }
            ControlFlow::Continue(())
        })?;
        Ok((chosen, 1, true))
    }
}

/// The user as the client may see it: names only to tell accounts apart, and only after verification.
fn account(user: &Account, names: bool) -> Result<User<'_>, Refusal> {
    let id = UserId::try_from(user.id.as_slice()).map_err(|_| Refusal::Damaged)?;
    Ok(User {
        id,
        name: user.name.as_deref().filter(|_| names),
        display_name: user.display_name.as_deref().filter(|_| names),
    })
}

fn requester(request: &Request<'_>) -> Requester {
    let rp_id = Some(request.rp_id.as_str().into());
    Requester { rp_id, ..Requester::nobody(Operation::GetAssertion) }
}

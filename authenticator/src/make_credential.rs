//! authenticatorMakeCredential: check, consent, commit.

use alloc::string::String;

use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use softkey_ctap::Secret;
use softkey_ctap::auth_data::{AttestedCredential, AuthenticatorData, Flags};
use softkey_ctap::cbor::{List, Raw};
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::entities::{Descriptor, PUBLIC_KEY, Parameters};
use softkey_ctap::make_credential::{Request, Response};

use crate::algorithm::{Algorithm, Algorithms};
use crate::attestation::{self, Format, Subject};
use crate::authenticator::{Authenticator, Consent, Progress, Requester, Then, parameters, reply};
use crate::authorization::{Authorization, Param};
use crate::config::{Backup, SignatureCounter};
use crate::counter::Lease;
use crate::credential::{self, Account, Credential, Inside, Kind, Protection};
use crate::extensions::{self, CreationInputs, CreationWishes};
use crate::generation::Generation;
use crate::key_pair::PrivateKey;
use crate::refusal::Refusal;
use crate::step::Operation;
use crate::store::Store;
use crate::token::Method;
use crate::user_verification::{Purpose, Verification};

/// Everything that is left to do once the user consents.
pub(crate) struct Checked {
    pub(crate) rp_id: String,
    pub(crate) rp_id_hash: [u8; 32],
    pub(crate) user: Account,
    client_data_hash: [u8; 32],
    algorithm: Algorithm,
    discoverable: bool,
    verified: bool,
    wishes: CreationWishes,
    format: Format,
    /// Is enterprise attestation granted?
    enterprise: bool,
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    pub(crate) fn make_credential(&mut self, body: &[u8], verification: Verification) -> Progress {
        let request: Request<'_> = parameters(body)?;
        let inputs = CreationInputs::of(request.extensions.as_ref(), &self.config)?;
        // 1. The selection trick of older platforms.
        if request.pin_uv_auth_param.is_some_and(<[u8]>::is_empty) {
            return Ok(self.selection_by_param());
        }
        // 2. The param's protocol, and whether there is anything it could prove.
        let param = self.param(request.pin_uv_auth_param, request.pin_uv_auth_protocol)?;
        // 3. The algorithm.
        let algorithm = choose(&self.config.algorithms, &request.pub_key_cred_params)?;
        // 4 to 8, 10. Options, and how the user is to be verified.
        let authorization = self.creation_authorization(&request, param)?;
        // 9. Enterprise attestation.
        let enterprise =
            self.grants_enterprise(request.enterprise_attestation, request.rp.id.as_str())?;
        let format = self.format(&request, algorithm, enterprise);
        let requester = requester(&request, format.is_recognisable(enterprise));
        // 11. The user is verified.
        let rp_id_hash: [u8; 32] = Sha256::digest(request.rp.id.as_str()).into();
        let (verified_by, present) = match authorization {
            Authorization::None => (None, false),
            Authorization::Param(param) => {
                let need = Permissions::MAKE_CREDENTIAL;
                let (_, method) =
                    self.authorize(param, &request.client_data_hash, need, &rp_id_hash)?;
                // Presence that a token carries serves only who holds that token.
                (Some(method), self.tokens.user_present())
            }
            Authorization::BuiltIn if verification.done => {
                (Some(Method::BuiltIn), verification.shows_presence)
            }
            Authorization::BuiltIn => {
                let purpose = Purpose::MakeCredential(body.to_vec());
                return self.verify_for_request(purpose, requester);
            }
        };
        // 12. Excluded credentials.
        let verified = verified_by.is_some();
        if self.is_excluded(request.exclude_list.as_ref(), &rp_id_hash, verified)? {
            return excluded(&request, present);
        }
        // 13, 14. Consent.
        let method = extensions::method(&self.config, verified_by, true);
        let wishes = self.check_creation_inputs(&inputs, is_discoverable(&request), method)?;
        #[cfg(feature = "faults")]
        let wishes = self.faults.forced(wishes);
        let attested = (format, enterprise);
        let checked = checked(&request, algorithm, wishes, verified, rp_id_hash, attested);
        if present {
            return self.commit_credential(&checked);
        }
        Ok(Consent::presence(requester, Then::MakeCredential(checked)))
    }

    /// Steps 4 to 8 and 10.
    fn creation_authorization<'b>(
        &self,
        request: &Request<'_>,
        param: Option<Param<'b>>,
    ) -> Result<Authorization<'b>, Refusal> {
        let options = request.options.unwrap_or_default();
        // 5. Options, and how many credentials are listed.
        let wants_built_in = self.wants_built_in(param, options)?;
        let discoverable = is_discoverable(request);
        if discoverable && self.config.max_discoverable == 0 {
            return Err(Refusal::DiscoverableNotOffered);
        }
        if options.up == Some(false) {
            return Err(Refusal::PresenceOptionFalse);
        }
        if self.is_too_long(request.exclude_list.as_ref()) {
            return Err(Refusal::ListTooLong);
        }
        // 6, 7. alwaysUv, and what a discoverable credential needs; without makeCredUvNotRqd each one.
        let authorization = self.authorization(param, wants_built_in, self.settings.always_uv)?;
        let needed = discoverable || !self.config.make_cred_uv_not_required;
        if matches!(authorization, Authorization::None) && self.is_protected() && needed {
            let pin = self.pin.hash.is_some();
            return Err(if pin { Refusal::TokenRequired } else { Refusal::VerificationRequired });
        }
        Ok(authorization)
    }

    /// Step 18, as far as it can be told before: which statement there will be.
    /// attestationFormatsPreference came with CTAP 2.2.
    fn format(&self, request: &Request<'_>, algorithm: Algorithm, enterprise: bool) -> Format {
        let preference = request.attestation_formats_preference.as_ref();
        let preference = preference.filter(|_| self.config.generation >= Generation::Ctap22);
        let attestation = &self.config.attestation;
        Format::prefer(preference, attestation, algorithm, enterprise)
    }

    /// Is one of the listed credentials here? One that asks for verification is not, without it.
    fn is_excluded(
        &mut self,
        list: Option<&List<'_, Descriptor<'_>>>,
        rp_id_hash: &[u8; 32],
        verified: bool,
    ) -> Result<bool, Refusal> {
        let listed = list.into_iter().flat_map(List::iter).filter(|entry| entry.kind == PUBLIC_KEY);
        for entry in listed {
            let found = credential::find(&mut self.records, rp_id_hash, entry.id)?;
            let found = found.filter(|credential| credential.visible(verified, true));
            #[cfg(feature = "faults")]
            let found = found.filter(|credential| self.faults.finds(credential));
            if found.is_some() {
                return Ok(true);
            }
        }
        #[cfg(feature = "faults")]
        self.faults.tell();
        Ok(false)
    }

    /// Steps 14 to 18, once presence was shown.
    pub(crate) fn commit_credential(&mut self, checked: &Checked) -> Progress {
        self.tokens.spend();
        let (credential, key) = self.new_credential(checked)?;
        let public = key.public();
        let may_learn = self.settings.min_pin_length_rp_ids.contains(&checked.rp_id);
        let settings = may_learn.then_some(&self.settings);
        let wishes = &checked.wishes;
        let outputs = wishes.outputs(&mut self.rng, &credential, checked.verified, settings)?;
        let sign_count = match credential.kind {
            _ if self.config.signature_counter == SignatureCounter::Zero => 0,
            Kind::Discoverable(_) => Lease::fresh().last(),
            Kind::Wrapped | Kind::U2f => self.counters.shared.last(),
        };
        let auth_data = AuthenticatorData {
            rp_id_hash: checked.rp_id_hash,
            flags: Flags::USER_PRESENT
                .with_if(checked.verified, Flags::USER_VERIFIED)
                .with(self.backup_flags(&credential)),
            sign_count,
            attested: Some(AttestedCredential {
                aaguid: checked.format.aaguid(self.config.aaguid),
                credential_id: &credential.id,
                public_key: public.cose(credential.algorithm),
            }),
            extensions: outputs.as_deref().map(Raw),
        };
        let auth_data = auth_data.to_bytes();
        let client_data_hash = checked.client_data_hash;
        #[cfg(feature = "faults")]
        let (auth_data, client_data_hash) = self.faults.distort(auth_data, client_data_hash);
        let subject = Subject {
            algorithm: credential.algorithm,
            key: &key,
            public: &public,
            aaguid: &self.config.aaguid,
            rp_id_hash: &checked.rp_id_hash,
            credential_id: &credential.id,
            auth_data: &auth_data,
            client_data_hash: &client_data_hash,
        };
        let enterprise = self.config.enterprise.as_ref().filter(|_| checked.enterprise);
        let attestation = &self.config.attestation;
        let (fmt, att_stmt) =
            attestation::statement(checked.format, attestation, enterprise, &subject)?;
        if checked.discoverable {
            self.store_credential(checked, &credential)?;
            self.walk = None;
        } else {
            self.keep_key(&checked.rp_id_hash, &credential)?;
        }
        #[cfg(feature = "faults")]
        self.faults.tell();
        Ok(reply(&Response {
            fmt,
            auth_data: &auth_data,
            att_stmt: Some(Raw(&att_stmt)),
            ep_att: (checked.enterprise && checked.format == Format::Packed).then_some(true),
            large_blob_key: credential.large_blob_key(),
            unsigned_extension_outputs: checked.wishes.unsigned_outputs(),
        }))
    }

    /// Steps 16 and 17, without storing anything yet.
    fn new_credential(&mut self, checked: &Checked) -> Result<(Credential, PrivateKey), Refusal> {
        let seed = Secret::try_make(|bytes| self.rng.try_fill_bytes(bytes))
            .map_err(|_| Refusal::Entropy)?;
        let (kind, secret) = if checked.discoverable {
            (Kind::Discoverable(self.totals.next_sequence), Inside::NO_SECRET)
        } else {
            (Kind::Wrapped, seed.clone())
        };
        let protection = checked.wishes.protection.unwrap_or(Protection::Optional);
        let keys = self.records.keys();
        let rp16 = keys.rp16(&checked.rp_id_hash);
        let CreationWishes { third_party_payment, .. } = checked.wishes;
        let backup_eligible = self.config.backup != Backup::Never;
        let algorithm = checked.algorithm;
        let inside = Inside {
            kind,
            algorithm,
            protection,
            third_party_payment,
            backup_eligible,
            rp16,
            secret,
        };
        let key = PrivateKey::from_seed(algorithm, &seed)?;
        let id = if checked.discoverable {
            inside.seal_for(&keys.credential_id, &seed)?
        } else {
            inside.seal(&keys.credential_id, &mut self.rng)?
        };
        let credential = Credential {
            id,
            kind,
            algorithm: checked.algorithm,
            protection,
            seed,
            user: checked.discoverable.then(|| checked.user.clone()),
            counter_ceiling: crate::counter::LEASE,
            has_large_blob_key: checked.wishes.large_blob_key,
            cred_blob: checked.wishes.cred_blob(),
            third_party_payment,
            backup_eligible,
            kept_key: key.kept(),
        };
        Ok((credential, key))
    }
}

fn checked(
    request: &Request<'_>,
    algorithm: Algorithm,
    wishes: CreationWishes,
    verified: bool,
    rp_id_hash: [u8; 32],
    (format, enterprise): (Format, bool),
) -> Checked {
    Checked {
        rp_id: request.rp.id.as_str().into(),
        rp_id_hash,
        user: Account {
            id: request.user.id.as_bytes().to_vec(),
            name: request.user.name.map(shortened),
            display_name: request.user.display_name.map(shortened),
        },
        client_data_hash: request.client_data_hash,
        algorithm,
        discoverable: is_discoverable(request),
        verified,
        wishes,
        format,
        enterprise,
    }
}

fn is_discoverable(request: &Request<'_>) -> bool {
    request.options.is_some_and(|options| options.rk == Some(true))
}

/// The first entry that names an accepted algorithm: the order is the relying party's. Entries of unknown types
/// are passed over.
fn choose(
    algorithms: &Algorithms,
    params: &List<'_, Parameters<'_>>,
) -> Result<Algorithm, Refusal> {
    params
        .iter()
        .filter(|entry| entry.kind == PUBLIC_KEY)
        .find_map(|entry| algorithms.accepted(entry.alg))
        .ok_or(Refusal::UnsupportedAlgorithm)
}

/// The touch of step 12, whose outcome changes nothing: only who touches learns that the credential is here.
fn excluded(request: &Request<'_>, present: bool) -> Progress {
    if present {
        return Err(Refusal::Excluded);
    }
    let then = Then::RefuseAnyway(Refusal::Excluded);
    // Nothing is made, and nothing attested.
    Ok(Consent::presence(requester(request, false), then))
}

fn requester(request: &Request<'_>, recognisable: bool) -> Requester {
    Requester {
        operation: Operation::MakeCredential,
        rp_id: Some(request.rp.id.as_str().into()),
        account: request.user.name.or(request.user.display_name).map(String::from),
        recognisable,
    }
}

/// The first 64 bytes of a name, or fewer, so that no character is cut.
pub(crate) fn shortened(name: &str) -> String {
    const MAX: usize = 64;
    let end = (0..=MAX.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name.get(..end.unwrap_or_default()).unwrap_or_default().into()
}

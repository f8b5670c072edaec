//! `navigator.credentials.create()` for public keys with one key (WebAuthn Level 3 section 5.1.3, `CTAP` 2.3
//! section 16).

#[cfg(test)]
mod tests;

use softkey_ctap::attestation::{
    AttestationObject, NONE_STATEMENT, OBJECT_LEVELS, PackedStatement, format,
};
use softkey_ctap::auth_data::{AttestedCredential, AuthenticatorData, Flags};
use softkey_ctap::cbor::{self, Raw};
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::entities::{Descriptor, PUBLIC_KEY, Parameters, RelyingParty, RpId, User};
use softkey_ctap::make_credential::{Options, Request, Response};
use softkey_ctap::{Command, StatusCode};

use crate::cause::{Cause, WrongResponse};
use crate::ceremony::{Ceremony, Desk};
use crate::client_data::{self, ClientData};
use crate::entropy::Entropy;
use crate::extensions::{Evaluation, app_id};
use crate::info::Info;
use crate::options::{Attachment, Conveyance, CreationOptions, ResidentKey, UserVerification};
use crate::origin::Origin;
use crate::response::{
    AttestationResponse, Bytes, CredentialProperties, PublicKeyCredential, RegistrationResponse,
};
use crate::session::{Reach, Session};
use crate::spki::subject_public_key_info;
use crate::token::{Verification, Wanted};

/// Makes a credential for the page of `origin` on the one key that the owner reaches. The page's timeout is
/// for the owner to keep: it cancels the request that the key has in work.
///
/// Extensions that are not known here are passed over, as the standard has it.
#[must_use]
pub fn create(
    options: CreationOptions,
    origin: Origin,
    reach: Reach,
    entropy: Entropy,
) -> Ceremony<RegistrationResponse> {
    Ceremony::new(async move |desk| {
        check_user(&options)?;
        let rp_id = origin.rp_id(options.rp_id.as_deref())?;
        check_algorithms(&options)?;
        check_extensions(&options)?;
        let app_id = check_app_id(&options, &origin)?;
        let client_data_json = ClientData {
            kind: client_data::CREATE,
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

/// Section 5.1.3 step 5.
pub(crate) fn check_user(options: &CreationOptions) -> Result<(), Cause> {
    let len = options.user_id.len();
    if (1..=64).contains(&len) { Ok(()) } else { Err(Cause::UserIdLength(len)) }
}

/// Section 5.1.3 step 10.
pub(crate) const fn check_algorithms(options: &CreationOptions) -> Result<(), Cause> {
    if options.algorithms.is_empty() { Err(Cause::NoKnownParameters) } else { Ok(()) }
}

/// Section 5.1.3 step 7: may the caller exclude this `AppID`'s credentials?
pub(crate) fn check_app_id(
    options: &CreationOptions,
    origin: &Origin,
) -> Result<Option<String>, Cause> {
    let app_id = options.extensions.app_id_exclude.as_deref();
    app_id.map(|app_id| app_id::authorized(app_id, origin)).transpose()
}

/// Section 5.1.3 step 11: what the extensions' own texts reject.
pub(crate) fn check_extensions(options: &CreationOptions) -> Result<(), Cause> {
    options.extensions.check()?;
    let pays = options.attachment == Some(Attachment::Platform)
        && options.resident_key != ResidentKey::Discouraged
        && options.user_verification == UserVerification::Required;
    if options.extensions.payment && !pays { Err(Cause::PaymentNeeds) } else { Ok(()) }
}

/// What follows once it is known what is asked of the keys: the dealings with one of them.
pub(crate) async fn with_key(
    desk: Desk,
    wish: Wish,
    reach: Reach,
    entropy: Entropy,
) -> Result<RegistrationResponse, Cause> {
    let mut session = Session::new(desk, entropy);
    let info = session.info(reach).await?;
    heed(wish.hinted, info.as_ref())?;
    wish.options.extensions.admit(info.as_ref())?;
    let made = match &info {
        Some(info) => session.make_credential(info, reach, &wish).await?,
        None => session.register(&wish).await?,
    };
    made.respond(info.as_ref(), &wish)
}

/// What is asked of the key, whatever it speaks.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) hash: [u8; 32],
    pub(crate) client_data_json: Vec<u8>,
    pub(crate) rp_id: String,
    pub(crate) options: CreationOptions,
    /// The `AppID` whose credentials are excluded too.
    pub(crate) app_id: Option<String>,
    /// Does the client's policy let this relying party have enterprise attestation?
    pub(crate) enterprise: bool,
    /// Is the AAGUID to be replaced by zeros where no attestation is conveyed?
    pub(crate) zero_aaguid: bool,
    /// The attachment that a key must have as long as there are others.
    pub(crate) hinted: Option<Attachment>,
}

impl Wish {
    pub(crate) fn new(options: CreationOptions, rp_id: String, client_data_json: Vec<u8>) -> Self {
        let hash = client_data::hash(&client_data_json);
        Self {
            hash,
            client_data_json,
            rp_id,
            options,
            app_id: None,
            enterprise: false,
            zero_aaguid: false,
            hinted: None,
        }
    }
}

/// Where the AAGUID stands in authenticator data with a credential.
const AAGUID: core::ops::Range<usize> = 37..53;

/// What the key made.
pub(crate) struct Made {
    pub(crate) fmt: String,
    /// Encoded: a map, or for `compound` a list of them.
    pub(crate) att_stmt: Vec<u8>,
    pub(crate) auth_data: Vec<u8>,
    /// Was a discoverable credential asked for?
    pub(crate) rk: bool,
    /// Must the response show that the user was verified?
    pub(crate) verified: bool,
    /// Salts that the key was given.
    pub(crate) evaluation: Option<Evaluation>,
    /// Has the credential room for a large blob, as far as the key says?
    pub(crate) has_blob: bool,
}

/// How the request will be, decided before anything is sent.
struct Plan {
    rk: bool,
    uv: bool,
    required: bool,
}

impl Plan {
    /// Section 5.1.3 step 12: can this key serve, and with which options?
    fn new(info: &Info, wish: &Wish) -> Result<Self, Cause> {
        let platform = info.options.plat == Some(true);
        match wish.options.attachment {
            Some(Attachment::Platform) if !platform => return Err(Cause::AttachmentMismatch),
            Some(Attachment::CrossPlatform) if platform => return Err(Cause::AttachmentMismatch),
            _ => {}
        }
        let capable = info.options.rk == Some(true);
        let rk = match wish.options.resident_key {
            ResidentKey::Required if !capable => return Err(Cause::NoDiscoverableCredentials),
            ResidentKey::Required => true,
            ResidentKey::Preferred => capable,
            ResidentKey::Discouraged => false,
        };
        // The key wants verification of its own accord: CTAP 2.3 section 16 step 3.
        let protected = info.is_protected();
        let always = info.options.always_uv == Some(true);
        let needs = rk || info.options.make_cred_uv_not_rqd != Some(true);
        let required = wish.options.user_verification == UserVerification::Required;
        let preferred = wish.options.user_verification == UserVerification::Preferred;
        if (required || always) && !protected {
            return Err(Cause::NoUserVerification);
        }
        wish.options.extensions.admit_blobs(Some(info), rk)?;
        let evaluates = wish.options.extensions.evaluated(info).is_some();
        let uv = required || always || (protected && (preferred || needs || evaluates));
        Ok(Self { rk, uv, required })
    }
}

impl Session {
    /// Makes a credential with authenticatorMakeCredential.
    async fn make_credential(
        &mut self,
        info: &Info,
        reach: Reach,
        wish: &Wish,
    ) -> Result<Made, Cause> {
        let plan = Plan::new(info, wish)?;
        if reach.u2f {
            self.exclude_by_app_id(wish).await?;
        }
        let mut permissions = Permissions::MAKE_CREDENTIAL;
        if wish.options.exclude.len() > 1 {
            permissions = permissions.with(Permissions::GET_ASSERTION);
        }
        let wanted = Wanted { permissions, rp_id: Some(&wish.rp_id) };
        let mut verification =
            if plan.uv { Some(self.verify_user(info, wanted).await?) } else { None };
        let mut again = true;
        loop {
            match self.attempt(info, wish, &plan, verification.as_ref()).await {
                // A key that wants verification after all, or no longer takes the token: once more with one.
                Err(Cause::Refused(StatusCode::PUAT_REQUIRED | StatusCode::PIN_AUTH_INVALID))
                    if again && info.is_protected() =>
                {
                    again = false;
                    verification = Some(self.verify_user(info, wanted).await?);
                }
                Err(Cause::Refused(StatusCode::CREDENTIAL_EXCLUDED)) => {
                    return Err(Cause::Excluded);
                }
                other => return other,
            }
        }
    }

    async fn attempt(
        &mut self,
        info: &Info,
        wish: &Wish,
        plan: &Plan,
        verification: Option<&Verification>,
    ) -> Result<Made, Cause> {
        let token = verification.and_then(Verification::token);
        let excluded = self.narrow(info, &wish.rp_id, &wish.options.exclude, token).await?;
        let extensions = &wish.options.extensions;
        let evaluation = match extensions.evaluated(info).filter(|_| verification.is_some()) {
            Some(values) => Some(self.evaluation(info, values.into()).await?),
            None => None,
        };
        let param = token.map(|token| token.authenticate(&[&wish.hash]));
        let by_option = matches!(verification, Some(Verification::Option));
        let request = Request {
            extensions: extensions.for_key(info, plan.rk, evaluation.as_ref()),
            exclude_list: excluded
                .as_deref()
                .map(|id| [Descriptor::public_key(id)].into_iter().collect()),
            options: Some(Options {
                rk: plan.rk.then_some(true),
                up: None,
                uv: by_option.then_some(true),
            })
            .filter(|options| *options != Options::default()),
            pin_uv_auth_param: param.as_deref(),
            pin_uv_auth_protocol: token.map(crate::token::Token::protocol_number),
            ..wish.request(info)?
        };
        let bytes = self.sized(info, Command::MAKE_CREDENTIAL, &request).await?;
        let response: Response<'_> = cbor::decode_unsorted_within(&bytes, OBJECT_LEVELS)?;
        Ok(Made {
            fmt: response.fmt.to_owned(),
            att_stmt: response.att_stmt.unwrap_or(NONE_STATEMENT).0.to_vec(),
            auth_data: response.auth_data.to_vec(),
            rk: plan.rk,
            verified: plan.required || verification.is_some(),
            evaluation,
            has_blob: has_blob(&response),
        })
    }
}

impl Wish {
    /// The request without what depends on verification and list.
    fn request(&self, info: &Info) -> Result<Request<'_>, Cause> {
        let options = &self.options;
        let formats = options.attestation_formats.iter().map(String::as_str);
        let asks = !info.attestation_formats.is_empty() && !options.attestation_formats.is_empty();
        Ok(Request {
            client_data_hash: self.hash,
            rp: RelyingParty {
                id: RpId::try_from(self.rp_id.as_str())?,
                name: text(&options.rp_name),
            },
            user: User {
                id: options.user_id.as_slice().try_into()?,
                name: text(&options.user_name),
                display_name: text(&options.user_display_name),
            },
            pub_key_cred_params: options
                .algorithms
                .iter()
                .map(|alg| Parameters { alg: *alg, kind: PUBLIC_KEY })
                .collect(),
            exclude_list: None,
            extensions: None,
            options: None,
            pin_uv_auth_param: None,
            pin_uv_auth_protocol: None,
            enterprise_attestation: enterprise(options.attestation, self.enterprise, info),
            attestation_formats_preference: asks.then(|| formats.collect()),
        })
    }
}

/// Step 12, enterprise attestation: the platform manages the list of relying parties, which is kind 2.
pub(crate) fn enterprise(conveyance: Conveyance, allowed: bool, info: &Info) -> Option<u64> {
    let wanted = conveyance == Conveyance::Enterprise && allowed;
    (wanted && info.options.ep == Some(true)).then_some(2)
}

/// Has the credential room for a large blob, by either generation of the extension?
fn has_blob(response: &Response<'_>) -> bool {
    let outputs = response.unsigned_extension_outputs.as_ref();
    let supported = outputs.and_then(|outputs| outputs.large_blob.as_ref()?.supported);
    response.large_blob_key.is_some() || supported == Some(true)
}

/// Some keys refuse empty names.
fn text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

impl Made {
    /// Checks what the key made (`CTAP` 2.3 section 16 step 8) and writes the response of section 5.1.3 steps
    /// 13 to 15.
    fn respond(mut self, info: Option<&Info>, wish: &Wish) -> Result<RegistrationResponse, Cause> {
        self.check(wish)?;
        self.convey(wish)?;
        let data = AuthenticatorData::from_bytes(&self.auth_data)?;
        let attested = data.attested.ok_or(WrongResponse::Attested)?;
        let response = AttestationResponse {
            client_data_json: Bytes(wish.client_data_json.clone()),
            attestation_object: Bytes(self.attestation_object()),
            authenticator_data: Bytes(self.auth_data.clone()),
            transports: transports(info),
            public_key: subject_public_key_info(&attested.public_key).map(Bytes),
            public_key_algorithm: attested.public_key.alg(),
        };
        let id = attested.credential_id.to_vec();
        let mut credential = PublicKeyCredential::new(id, response, attachment(info).as_str());
        let extensions = &wish.options.extensions;
        credential.client_extension_results =
            extensions.results(data.extensions, self.has_blob, self.evaluation.as_ref())?;
        credential.client_extension_results.cred_props =
            extensions.cred_props.then_some(CredentialProperties { rk: self.rk });
        Ok(credential)
    }

    fn check(&self, wish: &Wish) -> Result<(), Cause> {
        let data = AuthenticatorData::from_bytes(&self.auth_data)?;
        if data.rp_id_hash != client_data::hash(wish.rp_id.as_bytes()) {
            return Err(WrongResponse::RpIdHash.into());
        }
        if !data.flags.contains(Flags::USER_PRESENT) {
            return Err(WrongResponse::NotPresent.into());
        }
        if self.verified && !data.flags.contains(Flags::USER_VERIFIED) {
            return Err(WrongResponse::NotVerified.into());
        }
        let attested = data.attested.ok_or(WrongResponse::Attested)?;
        if !wish.options.algorithms.contains(&attested.public_key.alg()) {
            return Err(WrongResponse::Algorithm.into());
        }
        Ok(())
    }

    /// Step 14: whoever wants no attestation gets none, but for self attestation without a model.
    fn convey(&mut self, wish: &Wish) -> Result<(), Cause> {
        let data = AuthenticatorData::from_bytes(&self.auth_data)?;
        let attested = data.attested.ok_or(WrongResponse::Attested)?;
        if wish.options.attestation != Conveyance::None
            || self.is_anonymous_self_attestation(&attested)
        {
            return Ok(());
        }
        format::NONE.clone_into(&mut self.fmt);
        self.att_stmt = NONE_STATEMENT.0.to_vec();
        if wish.zero_aaguid
            && let Some(aaguid) = self.auth_data.get_mut(AAGUID)
        {
            aaguid.fill(0);
        }
        Ok(())
    }

    fn attestation_object(&self) -> Vec<u8> {
        cbor::encode(&AttestationObject {
            fmt: &self.fmt,
            att_stmt: Raw(&self.att_stmt),
            auth_data: &self.auth_data,
        })
    }

    fn is_anonymous_self_attestation(&self, attested: &AttestedCredential<'_>) -> bool {
        let statement = cbor::decode::<PackedStatement<'_>>(&self.att_stmt);
        attested.aaguid == [0; 16]
            && self.fmt == format::PACKED
            && statement.is_ok_and(|statement| statement.x5c.is_none())
    }
}

/// How the key can be reached: what it says, else the transport of every key that this client reaches.
fn transports(info: Option<&Info>) -> Vec<String> {
    match info {
        Some(info) if !info.transports.is_empty() => info.transports.clone(),
        _ => vec![String::from("usb")],
    }
}

pub(crate) fn attachment(info: Option<&Info>) -> Attachment {
    let platform = info.is_some_and(|info| info.options.plat == Some(true));
    if platform { Attachment::Platform } else { Attachment::CrossPlatform }
}

/// Is this a key that the page's hint is about, if a hint counts?
pub(crate) fn heed(hinted: Option<Attachment>, info: Option<&Info>) -> Result<(), Cause> {
    let other = hinted.is_some_and(|hinted| hinted != attachment(info));
    if other { Err(Cause::AttachmentMismatch) } else { Ok(()) }
}

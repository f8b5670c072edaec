//! authenticatorClientPIN: the PIN, and tokens by PIN or by built-in user verification.

use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use softkey_ctap::client_pin::{Permissions, Request, Response, subcommand};
use softkey_ctap::cose::KeyAgreementKey;
use softkey_ctap::pin_uv::{Protocol, SharedSecret};
use softkey_ctap::{Instant, Secret};

use crate::authenticator::{Authenticator, Outcome, Progress, parameters, reply};
use crate::config::LargeBlobs;
use crate::generation::Generation;
use crate::pin::{MAX_MISSES, NewPin};
use crate::records::PinRecord;
use crate::refusal::Refusal;
use crate::store::Store;
use crate::token::{Grant, Method};

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// What tokens by built-in user verification may do.
    fn by_verification(&self) -> Permissions {
        let always = Permissions::MAKE_CREDENTIAL.with(Permissions::GET_ASSERTION);
        let manages = self.config.manages_credentials();
        let reads = manages && self.config.generation >= Generation::Ctap22;
        let enrolls = self.config.fingerprint_sensor().is_some_and(|sensor| sensor.by_verification);
        let array = self.config.large_blobs == LargeBlobs::Array;
        always
            .with_if(manages, Permissions::CREDENTIAL_MANAGEMENT)
            .with_if(reads, PERSISTENT)
            .with_if(enrolls, Permissions::BIO_ENROLLMENT)
            .with_if(array, Permissions::LARGE_BLOB_WRITE)
            .with_if(self.configures_by_verification(), Permissions::AUTHENTICATOR_CONFIG)
    }

    /// What tokens by PIN may do.
    fn by_pin(&self) -> Permissions {
        let enrolls = self.config.fingerprint_sensor().is_some();
        self.by_verification()
            .with_if(self.offers_config(), Permissions::AUTHENTICATOR_CONFIG)
            .with_if(enrolls, Permissions::BIO_ENROLLMENT)
    }

    pub(crate) fn client_pin(&mut self, now: Instant, body: &[u8]) -> Progress {
        let request: Request<'_> = parameters(body)?;
        let has_pin = self.config.client_pin;
        let has_tokens = self.config.has_tokens();
        let has_uv = has_tokens && self.config.user_verification.is_some();
        match request.sub_command {
            subcommand::GET_PIN_RETRIES if has_pin => Ok(self.pin_retries()),
            subcommand::GET_KEY_AGREEMENT => self.key_agreement(&request),
            subcommand::SET_PIN if has_pin => self.set_pin(&request),
            subcommand::CHANGE_PIN if has_pin => self.change_pin(&request),
            subcommand::GET_PIN_TOKEN if has_pin => self.pin_token(now, &request),
            subcommand::GET_TOKEN_USING_PIN if has_pin && has_tokens => {
                self.token_using_pin(now, &request)
            }
            subcommand::GET_TOKEN_USING_UV if has_uv => self.token_using_uv(&request),
            subcommand::GET_UV_RETRIES if has_uv => Ok(reply(&Response {
                uv_retries: Some(self.tries.uv.into()),
                ..Response::default()
            })),
            _ => Err(Refusal::UnknownSubcommand),
        }
    }

    fn pin_retries(&self) -> Outcome {
        reply(&Response {
            pin_retries: Some(self.tries.pin.into()),
            power_cycle_state: Some(self.misses >= MAX_MISSES && self.tries.pin > 0),
            ..Response::default()
        })
    }

    fn key_agreement(&mut self, request: &Request<'_>) -> Progress {
        let protocol = self.protocol(request)?;
        let key = self.tokens.key_agreement(protocol, &mut self.rng)?.public();
        Ok(reply(&Response { key_agreement: Some(key), ..Response::default() }))
    }

    fn protocol(&self, request: &Request<'_>) -> Result<Protocol, Refusal> {
        self.config.protocol(required(request.pin_uv_auth_protocol)?)
    }

    fn wanted(&self, request: &Request<'_>, offered: Permissions) -> Result<Wanted, Refusal> {
        Wanted::of(request, || self.protocol(request), offered)
    }

    fn new_pin(&self, shared: &SharedSecret, new_pin_enc: &[u8]) -> Result<NewPin, Refusal> {
        NewPin::decrypt(shared, new_pin_enc, &self.settings, self.config.max_pin_length)
    }

    fn set_pin(&mut self, request: &Request<'_>) -> Progress {
        // 1. What must be there.
        let peer = required(request.key_agreement.as_ref())?;
        let param = required(request.pin_uv_auth_param)?;
        let new_pin_enc = required(request.new_pin_enc)?;
        // 2. The protocol.
        let protocol = self.protocol(request)?;
        // 4. Only the first PIN is set so.
        if self.pin.hash.is_some() {
            return Err(Refusal::PinAlreadySet);
        }
        // 5 to 8. The PIN, and that it comes from whom the secret is shared with.
        let shared = self.shared_secret(protocol, peer)?;
        if !shared.verify(&[new_pin_enc], param) {
            return Err(Refusal::PinAuth);
        }
        let new = self.new_pin(&shared, new_pin_enc)?;
        // 10. It counts from now on.
        self.set_new_pin(new)?;
        self.walk = None;
        Ok(Outcome::Reply(alloc::vec::Vec::new()))
    }

    fn change_pin(&mut self, request: &Request<'_>) -> Progress {
        // 1. What must be there.
        let peer = required(request.key_agreement.as_ref())?;
        let param = required(request.pin_uv_auth_param)?;
        let new_pin_enc = required(request.new_pin_enc)?;
        let pin_hash_enc = required(request.pin_hash_enc)?;
        // 2 to 5. The protocol, and whether a PIN can be tried at all.
        let protocol = self.protocol(request)?;
        self.pin_usable()?;
        // 6, 7. Whom the secret is shared with.
        let shared = self.shared_secret(protocol, peer)?;
        if !shared.verify(&[new_pin_enc, pin_hash_enc], param) {
            return Err(Refusal::PinAuth);
        }
        // 8 to 10. The present PIN.
        self.check_pin(protocol, &shared, pin_hash_enc)?;
        // 11 to 13. The new one.
        let new = self.new_pin(&shared, new_pin_enc)?;
        if self.pin.force_change && self.is_present_pin(&new) {
            return Err(Refusal::PinPolicy);
        }
        // 14. It counts from now on, and what the old one gave is void.
        self.set_new_pin(new)?;
        self.tokens.reset();
        self.walk = None;
        Ok(Outcome::Reply(alloc::vec::Vec::new()))
    }

    fn pin_token(&mut self, now: Instant, request: &Request<'_>) -> Progress {
        let peer = required(request.key_agreement.as_ref())?;
        let pin_hash_enc = required(request.pin_hash_enc)?;
        let protocol = self.protocol(request)?;
        let lasting = !self.config.generation.has_permissions();
        if !lasting && (request.permissions.is_some() || request.rp_id.is_some()) {
            return Err(Refusal::UnexpectedPermissions);
        }
        self.pin_usable()?;
        let shared = self.shared_secret(protocol, peer)?;
        self.check_pin(protocol, &shared, pin_hash_enc)?;
        if self.pin.force_change {
            return Err(Refusal::PinChangeForcedLegacy);
        }
        if let Some(token) = self.tokens.lasting() {
            let token = token.clone();
            return self.encrypted_token(&shared, &token);
        }
        let permissions = Permissions::MAKE_CREDENTIAL.with(Permissions::GET_ASSERTION);
        let grant = Grant {
            protocol,
            permissions,
            rp_id_hash: None,
            user_present: false,
            serves_previews: self.config.has_preview(),
            lasting,
            method: Method::Pin,
        };
        self.issue_token(now, &shared, &grant)
    }

    fn token_using_pin(&mut self, now: Instant, request: &Request<'_>) -> Progress {
        // 1 to 4. What must be there, and what may be asked for.
        let peer = required(request.key_agreement.as_ref())?;
        let pin_hash_enc = required(request.pin_hash_enc)?;
        let wanted = self.wanted(request, self.by_pin())?;
        // 5, 6. Whether a PIN can be tried at all, and whom the secret is shared with.
        self.pin_usable()?;
        let shared = self.shared_secret(wanted.protocol, peer)?;
        // 8, 9. The PIN.
        self.check_pin(wanted.protocol, &shared, pin_hash_enc)?;
        if self.pin.force_change {
            return Err(Refusal::PinChangeForced);
        }
        // 10, 11. The token.
        self.grant_token(now, &shared, &wanted, (Method::Pin, false))
    }

    fn token_using_uv(&mut self, request: &Request<'_>) -> Progress {
        // 1 to 4. What must be there, and what may be asked for.
        let peer = required(request.key_agreement.as_ref())?;
        let wanted = self.wanted(request, self.by_verification())?;
        // 5. Whether there is a finger by which the user could be verified.
        if !self.verifies_users() {
            return Err(Refusal::VerificationNotConfigured);
        }
        // 7. Whether the method can be tried at all.
        if self.tries.uv == 0 {
            return Err(Refusal::VerificationBlocked);
        }
        let shared = self.shared_secret(wanted.protocol, peer)?;
        // 9. The gesture; the rest follows in `user_verification`.
        self.verify_for_token(wanted, shared, request.rp_id.map(|id| id.as_str().into()))
    }

    /// The persistent token if that is wanted, else a new one. How the user was verified is given, and whether that
    /// showed presence.
    pub(crate) fn grant_token(
        &mut self,
        now: Instant,
        shared: &SharedSecret,
        wanted: &Wanted,
        (method, user_present): (Method, bool),
    ) -> Progress {
        if wanted.permissions != PERSISTENT {
            return self.issue_token(now, shared, &wanted.grant(method, user_present));
        }
        let token = if let Some(token) = &self.pin.persistent_token {
            token.clone()
        } else {
            let token = Secret::try_make(|bytes| self.rng.try_fill_bytes(bytes));
            let token = token.map_err(|_| Refusal::Entropy)?;
            let persistent_token = Some(token.clone());
            self.store_pin(PinRecord { persistent_token, ..self.pin.clone() })?;
            token
        };
        self.encrypted_token(shared, &token)
    }

    fn issue_token(&mut self, now: Instant, shared: &SharedSecret, grant: &Grant) -> Progress {
        self.walk = None;
        let token = self.tokens.issue(&mut self.rng, now, grant)?.clone();
        self.encrypted_token(shared, &token)
    }

    fn encrypted_token(&mut self, shared: &SharedSecret, token: &Secret<32>) -> Progress {
        let encrypted = shared.encrypt(&mut self.rng, token.expose());
        let encrypted = encrypted.map_err(|_| Refusal::Entropy)?;
        Ok(reply(&Response { pin_uv_auth_token: Some(&encrypted), ..Response::default() }))
    }

    /// `decapsulate()`: the secret shared with the platform.
    pub(crate) fn shared_secret(
        &mut self,
        protocol: Protocol,
        peer: &KeyAgreementKey<'_>,
    ) -> Result<SharedSecret, Refusal> {
        let pair = self.tokens.key_agreement(protocol, &mut self.rng)?;
        pair.shared_secret(protocol, peer).ok_or(Refusal::KeyAgreement)
    }
}

const PERSISTENT: Permissions = Permissions::PERSISTENT_CREDENTIAL_MANAGEMENT_READ_ONLY;

/// What a token is wanted for.
pub(crate) struct Wanted {
    pub(crate) protocol: Protocol,
    permissions: Permissions,
    rp_id_hash: Option<[u8; 32]>,
}

impl Wanted {
    fn of(
        request: &Request<'_>,
        protocol: impl FnOnce() -> Result<Protocol, Refusal>,
        offered: Permissions,
    ) -> Result<Self, Refusal> {
        let bits = required(request.permissions)?;
        let permissions = Permissions::from_bits(bits);
        let with_rp = Permissions::MAKE_CREDENTIAL.with(Permissions::GET_ASSERTION);
        if permissions.intersects(with_rp) && request.rp_id.is_none() {
            return Err(Refusal::MissingParameter);
        }
        let protocol = protocol()?;
        if permissions.is_empty() {
            return Err(Refusal::NoPermissions);
        }
        let persistent = permissions.intersects(PERSISTENT);
        if permissions.and(offered) != permissions || (persistent && permissions != PERSISTENT) {
            return Err(Refusal::UnauthorizedPermission);
        }
        let rp_id_hash = request.rp_id.map(|id| Sha256::digest(id.as_str()).into());
        Ok(Self { protocol, permissions, rp_id_hash })
    }

    /// May credentials be made with it?
    pub(crate) fn registers(&self) -> bool {
        self.permissions.intersects(Permissions::MAKE_CREDENTIAL)
    }

    const fn grant(&self, method: Method, user_present: bool) -> Grant {
        Grant {
            protocol: self.protocol,
            permissions: self.permissions,
            rp_id_hash: self.rp_id_hash,
            user_present,
            serves_previews: false,
            lasting: false,
            method,
        }
    }
}

fn required<T>(parameter: Option<T>) -> Result<T, Refusal> {
    parameter.ok_or(Refusal::MissingParameter)
}

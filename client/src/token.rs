//! Obtaining a pinUvAuthToken (`CTAP` 2.3 sections 6.5.5.7 and 16): by built-in user verification while the
//! key takes it, else by PIN, asked for again as long as it is wrong and the user goes on.

#[cfg(test)]
mod tests;

use softkey_ctap::client_pin::{Permissions, Request, Response, subcommand};
use softkey_ctap::entities::RpId;
use softkey_ctap::pin_uv::Protocol;
use softkey_ctap::{Command, Secret, StatusCode, cbor};

use crate::cause::{Cause, WrongResponse};
use crate::ceremony::PinNeed;
use crate::info::Info;
use crate::pin::Pin;
use crate::session::{Agreement, Session, pin_cause, request};

/// A pinUvAuthToken and the protocol it belongs to.
pub(crate) struct Token {
    protocol: Protocol,
    secret: Secret<32>,
}

impl Token {
    /// The protocol's number, which goes beside every pinUvAuthParam.
    #[must_use]
    pub(crate) const fn protocol_number(&self) -> u64 {
        self.protocol.number()
    }

    /// pinUvAuthParam over a message given in pieces: 16 bytes with protocol one, 32 with two.
    #[must_use]
    pub(crate) fn authenticate(&self, message: &[&[u8]]) -> Vec<u8> {
        self.protocol.authenticate(self.secret.expose(), message)
    }

    /// A token of protocol one may have 16 bytes. Zeros behind it do not change what HMAC makes of it.
    fn from_bytes(protocol: Protocol, bytes: &[u8]) -> Option<Self> {
        let sizes: &[usize] = match protocol {
            Protocol::One => &[16, 32],
            Protocol::Two => &[32],
        };
        if !sizes.contains(&bytes.len()) {
            return None;
        }
        let secret = Secret::try_make(|key| {
            key.get_mut(..bytes.len()).ok_or(())?.copy_from_slice(bytes);
            Ok::<_, ()>(())
        });
        Some(Self { protocol, secret: secret.ok()? })
    }
}

/// How the user will be verified.
pub(crate) enum Verification {
    /// By this token.
    Token(Token),
    /// By the option `uv` of the request itself: built-in user verification of a key without such tokens.
    Option,
}

impl Verification {
    /// The token, if there is one.
    pub(crate) const fn token(&self) -> Option<&Token> {
        match self {
            Self::Token(token) => Some(token),
            Self::Option => None,
        }
    }
}

/// What a token is wanted for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) permissions: Permissions,
    /// The relying party that it is bound to.
    pub(crate) rp_id: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn rp_id(&self) -> Result<Option<RpId<'a>>, Cause> {
        Ok(self.rp_id.map(RpId::try_from).transpose()?)
    }
}

impl Session {
    /// Verifies the user, or prepares it.
    pub(crate) async fn verify_user(
        &mut self,
        info: &Info,
        wanted: Wanted<'_>,
    ) -> Result<Verification, Cause> {
        let tokens = info.options.pin_uv_auth_token == Some(true);
        let ceremonies = Permissions::MAKE_CREDENTIAL.with(Permissions::GET_ASSERTION);
        let barred = info.options.no_mc_ga_permissions_with_client_pin == Some(true)
            && wanted.permissions.intersects(ceremonies);
        let by_pin = info.has_pin() && !barred;
        if info.has_built_in_uv() && tokens && uv_grants(info, wanted.permissions) {
            match self.token_by_uv(info, wanted).await {
                Err(Cause::Refused(StatusCode::UV_BLOCKED | StatusCode::UV_INVALID)) if by_pin => {}
                other => return other.map(Verification::Token),
            }
        }
        if by_pin {
            return self.token_by_pin(info, wanted).await.map(Verification::Token);
        }
        if info.has_built_in_uv() {
            Ok(Verification::Option)
        } else {
            Err(Cause::NoUserVerification)
        }
    }

    /// A token for what only the key's owner may do.
    pub(crate) async fn owner_token(
        &mut self,
        info: &Info,
        wanted: Wanted<'_>,
    ) -> Result<Token, Cause> {
        match self.verify_user(info, wanted).await? {
            Verification::Token(token) => Ok(token),
            Verification::Option => Err(Cause::NoUserVerification),
        }
    }

    /// getPinUvAuthTokenUsingUvWithPermissions, as often as the key recommends.
    async fn token_by_uv(&mut self, info: &Info, wanted: Wanted<'_>) -> Result<Token, Cause> {
        let protocol = Session::protocol(info)?;
        let mut attempts = info.uv_attempts;
        loop {
            let agreement = self.agree(protocol).await?;
            let request = Request {
                permissions: Some(wanted.permissions.bits().into()),
                rp_id: wanted.rp_id()?,
                ..request(subcommand::GET_TOKEN_USING_UV)
            };
            attempts = attempts.saturating_sub(1);
            match self.token(&agreement, request).await {
                Err(Cause::Refused(StatusCode::UV_INVALID)) if attempts > 0 => {}
                other => return other,
            }
        }
    }

    /// getPinUvAuthTokenUsingPinWithPermissions, or getPinToken of older keys.
    async fn token_by_pin(&mut self, info: &Info, wanted: Wanted<'_>) -> Result<Token, Cause> {
        if info.force_pin_change {
            return Err(Cause::PinChangeRequired);
        }
        let protocol = Session::protocol(info)?;
        let mut ask = PinNeed::default();
        loop {
            let pin = Pin::new(&self.desk.pin(ask).await?);
            // A wrong PIN makes the key replace its key-agreement key.
            let agreement = self.agree(protocol).await?;
            let Ok(hash) = agreement.secret.encrypt(&mut self.entropy, pin.hash().expose());
            let mut request =
                Request { pin_hash_enc: Some(&hash), ..request(subcommand::GET_PIN_TOKEN) };
            if info.options.pin_uv_auth_token == Some(true) {
                request.sub_command = subcommand::GET_TOKEN_USING_PIN;
                request.permissions = Some(wanted.permissions.bits().into());
                request.rp_id = wanted.rp_id()?;
            }
            match self.token(&agreement, request).await {
                Err(Cause::Refused(StatusCode::PIN_INVALID)) => {
                    ask = PinNeed { wrong: true, tries_left: self.pin_retries().await?.0 };
                }
                Err(Cause::Refused(StatusCode::PIN_POLICY_VIOLATION)) => {
                    return Err(Cause::PinChangeRequired);
                }
                other => return other.map_err(pin_cause),
            }
        }
    }

    async fn token(&self, agreement: &Agreement, mut request: Request<'_>) -> Result<Token, Cause> {
        let protocol = agreement.secret.protocol();
        request.pin_uv_auth_protocol = Some(protocol.number());
        let request = Request { key_agreement: Some(agreement.ours.public()), ..request };
        let bytes = self.desk.request(Command::CLIENT_PIN, &request).await?;
        let response: Response<'_> = cbor::decode_unsorted(&bytes)?;
        let encrypted = response.pin_uv_auth_token.ok_or(WrongResponse::MissingMember)?;
        let token = agreement.secret.decrypt(encrypted).ok_or(WrongResponse::Token)?;
        Token::from_bytes(protocol, &token).ok_or(WrongResponse::Token.into())
    }
}

/// May a token by built-in user verification have these permissions?
fn uv_grants(info: &Info, permissions: Permissions) -> bool {
    let options = &info.options;
    let enrolls = permissions.intersects(Permissions::BIO_ENROLLMENT);
    let configures = permissions.intersects(Permissions::AUTHENTICATOR_CONFIG);
    (!enrolls || options.uv_bio_enroll == Some(true))
        && (!configures || options.uv_acfg == Some(true))
}

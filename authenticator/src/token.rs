//! The pinUvAuthToken and its rules (authenticatorClientPIN, "pinUvAuthToken state").

use core::time::Duration;

use rand_core::TryCryptoRng;
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::pin_uv::{KeyAgreement, Protocol};
use softkey_ctap::{Instant, Secret};

use crate::refusal::Refusal;

/// A token that is not used in this time is dead, and presence that it carries is over.
pub(crate) const INITIAL_LIMIT: Duration = Duration::from_secs(30);

/// A token lives no longer than this.
pub(crate) const MAX_USAGE: Duration = Duration::from_mins(10);

/// The token in use. There is one at most: issuing one resets those of both protocols.
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub(crate) struct Token {
    protocol: Protocol,
    secret: Secret<32>,
    /// Grows with each token issued, so that what a token authorized can be tied to it.
    serial: u64,
    permissions: Permissions,
    rp_id_hash: Option<[u8; 32]>,
    issued: Instant,
    used: bool,
    user_present: bool,
    /// Does it serve the previews, which knew no permissions?
    serves_previews: bool,
    /// Is it one of CTAP 2.0: for any number of operations, relying parties and minutes, until power goes?
    lasting: bool,
    method: Method,
}

/// How a user was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// By the PIN that clientPIN takes.
    Pin,
    /// By the authenticator itself.
    BuiltIn,
}

/// Key agreement and tokens since power-up.
#[derive(Default)]
pub(crate) struct Tokens {
    one: Option<KeyAgreement>,
    two: Option<KeyAgreement>,
    token: Option<Token>,
    serial: u64,
}

impl Tokens {
    /// The key pair of a protocol, made when first wanted.
    pub(crate) fn key_agreement<R: TryCryptoRng>(
        &mut self,
        protocol: Protocol,
        rng: &mut R,
    ) -> Result<&KeyAgreement, Refusal> {
        let pair = self.pair(protocol);
        if pair.is_none() {
            *pair = Some(KeyAgreement::generate(rng).map_err(|_| Refusal::Entropy)?);
        }
        pair.as_ref().ok_or(Refusal::Entropy)
    }

    /// `regenerate()`: the next key pair of this protocol is another one.
    pub(crate) fn regenerate(&mut self, protocol: Protocol) {
        *self.pair(protocol) = None;
    }

    /// `resetPinUvAuthToken()` for both protocols.
    pub(crate) fn reset(&mut self) {
        self.token = None;
    }

    /// Forgets the key pairs too.
    pub(crate) fn reset_all(&mut self) {
        *self = Self { serial: self.serial, ..Self::default() };
    }

    /// Issues a token; gives its bytes.
    pub(crate) fn issue<R: TryCryptoRng>(
        &mut self,
        rng: &mut R,
        now: Instant,
        grant: &Grant,
    ) -> Result<&Secret<32>, Refusal> {
        self.token = None;
        let secret = Secret::try_make(|bytes| rng.try_fill_bytes(bytes));
        let secret = secret.map_err(|_| Refusal::Entropy)?;
        self.serial = self.serial.wrapping_add(1);
        let token = self.token.insert(Token {
            protocol: grant.protocol,
            secret,
            serial: self.serial,
            permissions: grant.permissions,
            rp_id_hash: grant.rp_id_hash,
            issued: now,
            used: false,
            user_present: grant.user_present,
            serves_previews: grant.serves_previews,
            lasting: grant.lasting,
            method: grant.method,
        });
        Ok(&token.secret)
    }

    /// The observer: ends what has lived long enough.
    pub(crate) fn expire(&mut self, now: Instant) {
        let Some(token) = self.token.as_mut().filter(|token| !token.lasting) else {
            return;
        };
        let age = now.duration_since(token.issued);
        if age > INITIAL_LIMIT {
            token.user_present = false;
        }
        if age > MAX_USAGE || (age > INITIAL_LIMIT && !token.used) {
            self.token = None;
        }
    }

    /// verify(pinUvAuthToken, message, param), and that the token may be used for this.
    pub(crate) fn verify(
        &mut self,
        protocol: Protocol,
        message: &[&[u8]],
        param: &[u8],
        need: Permissions,
    ) -> Result<&mut Token, Refusal> {
        let token = self.prove(protocol, message, param)?;
        if token.permissions.intersects(need) { Ok(token) } else { Err(Refusal::TokenPermission) }
    }

    /// The same for a preview, which takes the tokens of getPinToken.
    pub(crate) fn verify_for_preview(
        &mut self,
        protocol: Protocol,
        message: &[&[u8]],
        param: &[u8],
        need: Permissions,
    ) -> Result<&mut Token, Refusal> {
        let token = self.prove(protocol, message, param)?;
        if token.serves_previews || token.permissions.intersects(need) {
            Ok(token)
        } else {
            Err(Refusal::TokenPermission)
        }
    }

    fn prove(
        &mut self,
        protocol: Protocol,
        message: &[&[u8]],
        param: &[u8],
    ) -> Result<&mut Token, Refusal> {
        let token = self.token.as_mut().ok_or(Refusal::TokenInvalid)?;
        let right =
            token.protocol == protocol && protocol.verify(token.secret.expose(), message, param);
        if !right {
            return Err(Refusal::TokenInvalid);
        }
        token.used = true;
        Ok(token)
    }

    /// Does the token in use carry presence?
    pub(crate) fn user_present(&self) -> bool {
        self.token.as_ref().is_some_and(|token| token.user_present)
    }

    /// The three functions that follow on a test of presence: clearUserPresentFlag, clearUserVerifiedFlag,
    /// clearPinUvAuthTokenPermissionsExceptLbw. Without mc and ga nothing looks at the userVerified flag any
    /// more, so it needs no place of its own.
    pub(crate) fn spend(&mut self) {
        if let Some(token) = self.token.as_mut().filter(|token| !token.lasting) {
            token.user_present = false;
            token.serves_previews = false;
            token.permissions = token.permissions.and(Permissions::LARGE_BLOB_WRITE);
        }
    }

    /// The token of CTAP 2.0, once it was issued.
    pub(crate) fn lasting(&self) -> Option<&Secret<32>> {
        self.token.as_ref().filter(|token| token.lasting).map(|token| &token.secret)
    }

    /// Is this still the token in use?
    pub(crate) fn is_current(&self, serial: u64) -> bool {
        self.token.as_ref().is_some_and(|token| token.serial == serial)
    }

    fn pair(&mut self, protocol: Protocol) -> &mut Option<KeyAgreement> {
        match protocol {
            Protocol::One => &mut self.one,
            Protocol::Two => &mut self.two,
        }
    }
}

impl Token {
    /// How the user was verified when it was issued.
    pub(crate) const fn method(&self) -> Method {
        self.method
    }

    pub(crate) const fn serial(&self) -> u64 {
        self.serial
    }

    /// The relying party that the token is bound to.
    pub(crate) const fn rp_id_hash(&self) -> Option<[u8; 32]> {
        self.rp_id_hash
    }

    /// Checks that the token is for this relying party; a token that is for none yet becomes so.
    pub(crate) fn bind(&mut self, rp_id_hash: &[u8; 32]) -> Result<(), Refusal> {
        if self.lasting || self.rp_id_hash.get_or_insert(*rp_id_hash) == rp_id_hash {
            Ok(())
        } else {
            Err(Refusal::TokenRelyingParty)
        }
    }
}

/// What a new token may do.
pub(crate) struct Grant {
    pub(crate) protocol: Protocol,
    pub(crate) permissions: Permissions,
    pub(crate) rp_id_hash: Option<[u8; 32]>,
    pub(crate) user_present: bool,
    pub(crate) serves_previews: bool,
    pub(crate) lasting: bool,
    pub(crate) method: Method,
}

#[cfg(test)]
mod tests;

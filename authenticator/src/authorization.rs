//! What makeCredential and getAssertion share: options, and who authorized the request.

use rand_core::TryCryptoRng;
use softkey_ctap::cbor::List;
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::entities::Descriptor;
use softkey_ctap::make_credential::Options;
use softkey_ctap::pin_uv::Protocol;

use crate::authenticator::{Authenticator, Consent, Outcome, Requester, Then};
use crate::config::Config;
use crate::refusal::Refusal;
use crate::step::Operation;
use crate::store::Store;
use crate::token::Method;

/// The pinUvAuthParam of a request with its protocol.
#[derive(Clone, Copy)]
pub(crate) struct Param<'b> {
    pub(crate) protocol: Protocol,
    pub(crate) bytes: &'b [u8],
}

impl<'b> Param<'b> {
    /// Steps 1 and 2 of both commands, an empty param apart.
    pub(crate) fn of(
        config: &Config,
        bytes: Option<&'b [u8]>,
        protocol: Option<u64>,
    ) -> Result<Option<Self>, Refusal> {
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let number = protocol.ok_or(Refusal::ProtocolMissing)?;
        let protocol = config.protocol(number)?;
        Ok(Some(Self { protocol, bytes }))
    }
}

/// How the user is to be verified.
pub(crate) enum Authorization<'b> {
    /// Not at all.
    None,
    /// By this param.
    Param(Param<'b>),
    /// By the built-in method.
    BuiltIn,
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// A param of no bytes: an older platform asks the user to choose an authenticator by touching it.
    pub(crate) fn selection_by_param(&self) -> Outcome {
        let refusal = if self.is_protected() {
            Refusal::SelectedWithPin
        } else {
            Refusal::SelectedWithoutPin
        };
        let requester = Requester::nobody(Operation::Selection);
        Consent::presence(requester, Then::Refuse(refusal))
    }

    /// The param, once it is clear that there is something it could prove.
    pub(crate) fn param<'b>(
        &self,
        bytes: Option<&'b [u8]>,
        protocol: Option<u64>,
    ) -> Result<Option<Param<'b>>, Refusal> {
        let param = Param::of(&self.config, bytes, protocol)?;
        if param.is_some() && !self.is_protected() {
            return Err(Refusal::NothingSetUp);
        }
        Ok(param)
    }

    /// Does the request ask for built-in user verification? The option `uv` counts for nothing beside a param.
    pub(crate) fn wants_built_in(
        &self,
        param: Option<Param<'_>>,
        options: Options,
    ) -> Result<bool, Refusal> {
        let wants = options.uv == Some(true) && param.is_none();
        if wants && !self.verifies_users() {
            return Err(Refusal::UserVerificationOption);
        }
        Ok(wants)
    }

    /// Is the list longer than maxCredentialCountInList?
    pub(crate) fn is_too_long(&self, list: Option<&List<'_, Descriptor<'_>>>) -> bool {
        list.is_some_and(|list| list.len() > self.config.max_list.into())
    }

    /// How the user is to be verified, as far as the request and alwaysUv say.
    pub(crate) fn authorization<'b>(
        &self,
        param: Option<Param<'b>>,
        wants_built_in: bool,
        always_uv: bool,
    ) -> Result<Authorization<'b>, Refusal> {
        match param {
            Some(param) => Ok(Authorization::Param(param)),
            None if wants_built_in => Ok(Authorization::BuiltIn),
            None if !always_uv => Ok(Authorization::None),
            None if self.verifies_users() => Ok(Authorization::BuiltIn),
            // alwaysUv is not on where a PIN cannot be set, so a token is what the platform should get.
            None => Err(Refusal::TokenRequired),
        }
    }

    /// Checks the token behind a param, and binds it to the relying party. Gives the token's serial number, and how
    /// the user was verified for it.
    pub(crate) fn authorize(
        &mut self,
        param: Param<'_>,
        client_data_hash: &[u8; 32],
        permission: Permissions,
        rp_id_hash: &[u8; 32],
    ) -> Result<(u64, Method), Refusal> {
        let message = [client_data_hash.as_slice()];
        let token = self.tokens.verify(param.protocol, &message, param.bytes, permission)?;
        token.bind(rp_id_hash)?;
        Ok((token.serial(), token.method()))
    }
}

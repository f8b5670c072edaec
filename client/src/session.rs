//! What every ceremony with one key stands on: which protocols it speaks, sending within its limits, and the
//! key agreement of the PIN/UV auth protocols.

use softkey_ctap::cbor::{self, Encode};
use softkey_ctap::client_pin::{Request, Response, subcommand};
use softkey_ctap::pin_uv::{KeyAgreement, Protocol, SharedSecret};
use softkey_ctap::{Command, StatusCode};

use crate::cause::{Cause, WrongResponse};
use crate::ceremony::Desk;
use crate::entropy::Entropy;
use crate::info::Info;

/// Which protocols a key speaks, as its transport says: over CTAPHID the capability bits CBOR and NMSG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// CTAP2: it takes CBOR messages.
    pub ctap2: bool,
    /// CTAP1: it takes APDUs.
    pub u2f: bool,
}

/// A ceremony's dealings with its key.
pub(crate) struct Session {
    pub(crate) desk: Desk,
    pub(crate) entropy: Entropy,
}

/// Our key pair and the secret that it shares with the key.
pub(crate) struct Agreement {
    pub(crate) ours: KeyAgreement,
    pub(crate) secret: SharedSecret,
}

impl Session {
    pub(crate) fn new(desk: Desk, entropy: Entropy) -> Self {
        Self { desk, entropy }
    }

    /// authenticatorGetInfo; nothing if the key speaks CTAP1 only.
    pub(crate) async fn info(&self, reach: Reach) -> Result<Option<Info>, Cause> {
        match (reach.ctap2, reach.u2f) {
            (true, _) => Info::from_bytes(self.desk.command(Command::GET_INFO).await?).map(Some),
            (false, true) => Ok(None),
            (false, false) => Err(Cause::SpeaksNeither),
        }
    }

    /// authenticatorGetInfo of a key that must speak CTAP2.
    pub(crate) async fn ctap2_info(&self, reach: Reach) -> Result<Info, Cause> {
        self.info(reach).await?.ok_or(Cause::NoSuchCommand)
    }

    /// Sends a request unless it is longer than the key takes.
    pub(crate) async fn sized<R: Encode>(
        &self,
        info: &Info,
        command: Command,
        request: &R,
    ) -> Result<Vec<u8>, Cause> {
        if crate::ceremony::encoded(command, request).len() > info.max_msg_size {
            return Err(Cause::RequestTooLarge);
        }
        self.desk.request(command, request).await
    }

    /// The PIN/UV auth protocol to use: the key's favourite of those known here.
    pub(crate) fn protocol(info: &Info) -> Result<Protocol, Cause> {
        info.protocols.first().copied().ok_or(Cause::NoCommonProtocol)
    }

    /// getKeyAgreement, and the secret that follows from it with a fresh key pair of our own.
    pub(crate) async fn agree(&mut self, protocol: Protocol) -> Result<Agreement, Cause> {
        let request = Request {
            pin_uv_auth_protocol: Some(protocol.number()),
            ..request(subcommand::GET_KEY_AGREEMENT)
        };
        let bytes = self.desk.request(Command::CLIENT_PIN, &request).await?;
        let response: Response<'_> = cbor::decode_unsorted(&bytes)?;
        let theirs = response.key_agreement.ok_or(WrongResponse::MissingMember)?;
        let Ok(ours) = KeyAgreement::generate(&mut self.entropy);
        let secret = ours.shared_secret(protocol, &theirs).ok_or(WrongResponse::KeyAgreement)?;
        Ok(Agreement { ours, secret })
    }

    /// getPINRetries: how many wrong PINs are left, and whether a power cycle is needed before the next.
    pub(crate) async fn pin_retries(&self) -> Result<(Option<u64>, bool), Cause> {
        let request = request(subcommand::GET_PIN_RETRIES);
        let bytes = self.desk.request(Command::CLIENT_PIN, &request).await?;
        let response: Response<'_> = cbor::decode_unsorted(&bytes)?;
        Ok((response.pin_retries, response.power_cycle_state.unwrap_or(false)))
    }
}

/// A request of authenticatorClientPIN with nothing but its subcommand.
pub(crate) const fn request<'b>(sub_command: u64) -> Request<'b> {
    Request {
        pin_uv_auth_protocol: None,
        sub_command,
        key_agreement: None,
        pin_uv_auth_param: None,
        new_pin_enc: None,
        pin_hash_enc: None,
        permissions: None,
        rp_id: None,
    }
}

/// The statuses of PIN entry that have causes of their own; [`StatusCode::PIN_INVALID`] is for the caller,
/// who may ask again.
pub(crate) fn pin_cause(cause: Cause) -> Cause {
    match cause {
        Cause::Refused(StatusCode::PIN_BLOCKED) => Cause::PinBlocked,
        Cause::Refused(StatusCode::PIN_AUTH_BLOCKED) => Cause::PinAuthBlocked,
        Cause::Refused(StatusCode::PIN_NOT_SET) => Cause::PinNotSet,
        other => other,
    }
}

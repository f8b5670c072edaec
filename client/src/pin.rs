//! PINs as the platform treats them: normalized, checked, hashed, padded (`CTAP` 2.3 section 6.5.1), and the
//! ceremonies that set, change and count them.

#[cfg(test)]
pub(crate) mod tests;

use softkey_ctap::client_pin::{Request, Response, subcommand};
use softkey_ctap::pin_uv::pin_hash;
use softkey_ctap::{Command, Secret, StatusCode, cbor};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::cause::{Cause, PinRule};
use crate::ceremony::Ceremony;
use crate::entropy::Entropy;
use crate::info::Info;
use crate::session::{Agreement, Reach, Session, pin_cause, request};

/// A PIN in Unicode's normal form C, wiped when dropped.
pub struct Pin(Zeroizing<String>);

/// The longest PIN, in bytes of UTF-8: one less than the padded form.
const MAX_BYTES: usize = 63;

impl Pin {
    /// The PIN that the user typed. Whether it may become a new PIN is judged when it is set.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        // Room for the longest decomposition, so that no half-written copy is left behind by growing.
        let mut normal = Zeroizing::new(String::with_capacity(typed.len().saturating_mul(4)));
        normal.extend(typed.nfc());
        Self(normal)
    }

    /// The first 16 bytes of its SHA-256.
    pub(crate) fn hash(&self) -> Secret<16> {
        pin_hash(self.0.as_bytes())
    }

    /// The PIN padded with zeros, if it keeps the rules that `info` names.
    fn padded(&self, info: &Info) -> Result<Secret<64>, PinRule> {
        let points = u64::try_from(self.0.chars().count()).unwrap_or(u64::MAX);
        if self.0.contains('\0') {
            return Err(PinRule::Zero);
        }
        if points < info.min_pin_length {
            return Err(PinRule::TooShort(info.min_pin_length));
        }
        if points > info.max_pin_length || self.0.len() > MAX_BYTES {
            return Err(PinRule::TooLong(info.max_pin_length));
        }
        Secret::try_make(|padded| {
            let room = padded.get_mut(..self.0.len()).ok_or(PinRule::TooLong(63))?;
            room.copy_from_slice(self.0.as_bytes());
            Ok(())
        })
    }
}

/// What is left of the tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Wrong PINs until only a reset helps; nothing if the key did not say.
    pub pin: Option<u64>,
    /// Must the key be taken out and put back before the next try?
    pub power_cycle: bool,
    /// Failures of built-in user verification; nothing if the key has none.
    pub uv: Option<u64>,
}

/// Counts the tries that are left: getPINRetries and getUVRetries.
#[must_use]
pub fn retries(reach: Reach, entropy: Entropy) -> Ceremony<Retries> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        let info = pin_info(&session, reach).await?;
        let (pin, power_cycle) = session.pin_retries().await?;
        let uv = if info.options.uv.is_some() { uv_retries(&session).await? } else { None };
        Ok(Retries { pin, power_cycle, uv })
    })
}

/// Sets the first PIN (`CTAP` 2.3 section 6.5.5.5).
#[must_use]
pub fn set(new: Pin, reach: Reach, entropy: Entropy) -> Ceremony<()> {
    Ceremony::new(async move |desk| {
        let mut session = Session::new(desk, entropy);
        let info = pin_info(&session, reach).await?;
        if info.has_pin() {
            return Err(Cause::PinSetAlready);
        }
        let padded = new.padded(&info)?;
        let Agreement { ours, secret } = session.agree(Session::protocol(&info)?).await?;
        let Ok(new_pin_enc) = secret.encrypt(&mut session.entropy, padded.expose());
        let param = secret.authenticate(&[&new_pin_enc]);
        let request = Request {
            pin_uv_auth_protocol: Some(secret.protocol().number()),
            key_agreement: Some(ours.public()),
            pin_uv_auth_param: Some(&param),
            new_pin_enc: Some(&new_pin_enc),
            ..request(subcommand::SET_PIN)
        };
        session.desk.request(Command::CLIENT_PIN, &request).await.map_err(new_pin_cause)?;
        Ok(())
    })
}

/// Changes the PIN (`CTAP` 2.3 section 6.5.5.6). A wrong old PIN is [`Cause::PinWrong`] and costs a try.
#[must_use]
pub fn change(old: Pin, new: Pin, reach: Reach, entropy: Entropy) -> Ceremony<()> {
    Ceremony::new(async move |desk| {
        let mut session = Session::new(desk, entropy);
        let info = pin_info(&session, reach).await?;
        if !info.has_pin() {
            return Err(Cause::PinNotSet);
        }
        let padded = new.padded(&info)?;
        let Agreement { ours, secret } = session.agree(Session::protocol(&info)?).await?;
        let Ok(new_pin_enc) = secret.encrypt(&mut session.entropy, padded.expose());
        let Ok(pin_hash_enc) = secret.encrypt(&mut session.entropy, old.hash().expose());
        let param = secret.authenticate(&[&new_pin_enc, &pin_hash_enc]);
        let request = Request {
            pin_uv_auth_protocol: Some(secret.protocol().number()),
            key_agreement: Some(ours.public()),
            pin_uv_auth_param: Some(&param),
            new_pin_enc: Some(&new_pin_enc),
            pin_hash_enc: Some(&pin_hash_enc),
            ..request(subcommand::CHANGE_PIN)
        };
        match session.desk.request(Command::CLIENT_PIN, &request).await {
            Ok(_) => Ok(()),
            Err(Cause::Refused(StatusCode::PIN_INVALID)) => {
                Err(Cause::PinWrong(session.pin_retries().await?.0))
            }
            Err(cause) => Err(new_pin_cause(cause)),
        }
    })
}

async fn pin_info(session: &Session, reach: Reach) -> Result<Info, Cause> {
    let info = session.ctap2_info(reach).await?;
    if info.options.client_pin.is_some() { Ok(info) } else { Err(Cause::NoSuchCommand) }
}

async fn uv_retries(session: &Session) -> Result<Option<u64>, Cause> {
    let request = request(subcommand::GET_UV_RETRIES);
    match session.desk.request(Command::CLIENT_PIN, &request).await {
        Ok(bytes) => Ok(cbor::decode_unsorted::<Response<'_>>(&bytes)?.uv_retries),
        // CTAP 2.0 has built-in user verification without this subcommand.
        Err(Cause::Refused(_)) => Ok(None),
        Err(cause) => Err(cause),
    }
}

fn new_pin_cause(cause: Cause) -> Cause {
    match cause {
        Cause::Refused(StatusCode::PIN_POLICY_VIOLATION) => PinRule::RefusedByKey.into(),
        other => pin_cause(other),
    }
}

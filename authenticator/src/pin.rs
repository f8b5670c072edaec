//! The PIN: what is stored of it, the rules for a new one, and the retry counters.

use rand_core::TryCryptoRng;
use softkey_ctap::Secret;
use softkey_ctap::pin_uv::{Protocol, SharedSecret, pin_hash};

use crate::authenticator::Authenticator;
use crate::config::Config;
use crate::pin_complexity;
use crate::records::{Batch, PinRecord};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::store::Store;
use crate::tries::Tries;

/// Wrong PINs until only a reset helps.
pub(crate) const MAX_RETRIES: u8 = 8;

/// Failures until built-in user verification is blocked. Where there is no method all that the standard allows are
/// kept, of which a method that is added later takes as many as are its own.
pub(crate) fn max_uv_retries(config: &Config) -> u8 {
    config.user_verification.map_or(25, |method| method.max_retries)
}

/// Wrong PINs in a row until a power cycle is needed.
pub(crate) const MAX_MISSES: u8 = 3;

/// The longest PIN that can be configured, in code points.
pub(crate) const MAX_PIN_LENGTH: u8 = 63;

/// The shortest PIN that can be configured, in code points.
pub(crate) const MIN_PIN_LENGTH: u8 = 4;

/// A PIN is padded with zeros to this length before it is encrypted.
const PADDED: usize = 64;

/// A PIN that satisfies the rules.
pub(crate) struct NewPin {
    hash: Secret<16>,
    code_points: u64,
    complies: bool,
}

impl NewPin {
    /// decrypt(newPinEnc), and the rules of authenticatorClientPIN for what comes out.
    pub(crate) fn decrypt(
        shared: &SharedSecret,
        new_pin_enc: &[u8],
        settings: &Settings,
        max_length: u8,
    ) -> Result<Self, Refusal> {
        let padded = shared.decrypt(new_pin_enc).ok_or(Refusal::PinAuth)?;
        match padded.len() {
            PADDED => {}
            // The official tool wants a longer padded PIN to be a matter of policy.
            longer if longer > PADDED => return Err(Refusal::PinPolicy),
            _ => return Err(Refusal::PaddedPinLength),
        }
        let len = padded.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let pin = padded.get(..len).unwrap_or_default();
        let text = core::str::from_utf8(pin).map_err(|_| Refusal::PinPolicy)?;
        let code_points = text.chars().map(|_| 1_u64).sum();
        let lengths = settings.min_pin_length..=max_length.into();
        let complies = pin_complexity::complies(text);
        if pin.len() < PADDED
            && lengths.contains(&code_points)
            && (complies || !settings.pin_complexity_policy)
        {
            Ok(Self { hash: pin_hash(pin), code_points, complies })
        } else {
            Err(Refusal::PinPolicy)
        }
    }
}

impl PinRecord {
    /// No PIN.
    pub(crate) const NONE: Self = Self {
        hash: None,
        code_points: 0,
        force_change: false,
        persistent_token: None,
        complies: None,
    };
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// The shortest PIN allowed, in code points.
    pub(crate) fn min_pin_length(&self) -> u64 {
        self.settings.min_pin_length
    }

    /// Is a PIN complexity policy in force? Nothing if none can be.
    pub(crate) fn pin_complexity_policy(&self) -> Option<bool> {
        self.config.pin_complexity_policy.then_some(self.settings.pin_complexity_policy)
    }

    /// Is a PIN set, or built-in user verification ready?
    pub(crate) fn is_protected(&self) -> bool {
        self.pin.hash.is_some() || self.verifies_users()
    }

    /// No PIN set, none left to try, or too many misses in a row?
    pub(crate) fn pin_usable(&self) -> Result<(), Refusal> {
        if self.pin.hash.is_none() {
            Err(Refusal::PinNotSet)
        } else if self.tries.pin == 0 {
            Err(Refusal::PinBlocked)
        } else if self.misses >= MAX_MISSES {
            Err(Refusal::PinAuthBlocked)
        } else {
            Ok(())
        }
    }

    /// Counts a try, then compares. The count is stored before the comparison, so that pulling the plug in
    /// between costs a try and cannot be used to guess for nothing.
    pub(crate) fn check_pin(
        &mut self,
        protocol: Protocol,
        shared: &SharedSecret,
        pin_hash_enc: &[u8],
    ) -> Result<(), Refusal> {
        let left = self.tries.pin.saturating_sub(1);
        self.store_tries(Tries { pin: left, ..self.tries })?;
        let given = shared.decrypt(pin_hash_enc).and_then(|hash| Secret::<16>::from_slice(&hash));
        if given.is_none() || given != self.pin.hash {
            self.tokens.regenerate(protocol);
            self.misses = self.misses.saturating_add(1);
            return Err(if left == 0 {
                Refusal::PinBlocked
            } else if self.misses >= MAX_MISSES {
                Refusal::PinAuthBlocked
            } else {
                Refusal::PinWrong
            });
        }
        self.misses = 0;
        self.store_tries(Tries::all(&self.config))
    }

    /// Is this the PIN that is set already?
    pub(crate) fn is_present_pin(&self, new: &NewPin) -> bool {
        self.pin.hash.as_ref() == Some(&new.hash)
    }

    /// Stores a new PIN, and the persistent token is void. All tries are there: there was no PIN, or it was given.
    pub(crate) fn set_new_pin(&mut self, new: NewPin) -> Result<(), Refusal> {
        self.store_pin(PinRecord {
            hash: Some(new.hash),
            code_points: new.code_points,
            force_change: false,
            persistent_token: None,
            complies: Some(new.complies),
        })
    }

    /// Stores the PIN's state, then takes it over.
    pub(crate) fn store_pin(&mut self, pin: PinRecord) -> Result<(), Refusal> {
        let mut batch = Batch::default();
        batch.put_pin(&pin, self.tries);
        self.records.commit(&mut self.rng, batch)?;
        self.pin = pin;
        Ok(())
    }

    /// Stores what is left of the tries, then takes it over.
    pub(crate) fn store_tries(&mut self, tries: Tries) -> Result<(), Refusal> {
        let mut batch = Batch::default();
        batch.put_tries(tries);
        self.records.commit(&mut self.rng, batch)?;
        self.tries = tries;
        Ok(())
    }
}

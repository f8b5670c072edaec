//! What authenticatorConfig sets, and a reset sets back.

use alloc::string::String;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use crate::authenticator::Authenticator;
use crate::config::Config;
use crate::records::{self, Batch, PinRecord};
use crate::refusal::Refusal;
use crate::store::Store;

/// The settings in force.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own in the standard")]
pub(crate) struct Settings {
    pub(crate) always_uv: bool,
    /// In code points.
    pub(crate) min_pin_length: u64,
    /// Relying parties that may learn it.
    pub(crate) min_pin_length_rp_ids: Vec<String>,
    pub(crate) long_touch_for_reset: bool,
    pub(crate) enterprise_attestation: bool,
    pub(crate) pin_complexity_policy: bool,
}

impl Settings {
    pub(crate) fn factory(config: &Config) -> Self {
        Self {
            always_uv: config.always_uv,
            min_pin_length: config.min_pin_length.into(),
            min_pin_length_rp_ids: Vec::new(),
            long_touch_for_reset: config.long_touch_for_reset && config.has_long_touch(),
            enterprise_attestation: false,
            pin_complexity_policy: false,
        }
    }

    /// Those that this configuration knows: what another one has set is not in force.
    pub(crate) fn within(self, config: &Config) -> Self {
        Self {
            always_uv: self.always_uv && config.can_always_verify(),
            min_pin_length: self.min_pin_length.min(config.max_pin_length.into()),
            long_touch_for_reset: self.long_touch_for_reset && config.has_long_touch(),
            pin_complexity_policy: self.pin_complexity_policy && config.pin_complexity_policy,
            ..self
        }
    }

    pub(crate) fn record(&self) -> records::Settings<'_> {
        records::Settings {
            always_uv: self.always_uv,
            min_pin_length: self.min_pin_length,
            min_pin_length_rp_ids: self.min_pin_length_rp_ids.iter().map(String::as_str).collect(),
            long_touch_for_reset: self.long_touch_for_reset,
            enterprise_attestation: Some(self.enterprise_attestation),
            pin_complexity_policy: Some(self.pin_complexity_policy),
        }
    }
}

impl From<&records::Settings<'_>> for Settings {
    fn from(record: &records::Settings<'_>) -> Self {
        Self {
            always_uv: record.always_uv,
            min_pin_length: record.min_pin_length,
            min_pin_length_rp_ids: record.min_pin_length_rp_ids.iter().map(String::from).collect(),
            long_touch_for_reset: record.long_touch_for_reset,
            enterprise_attestation: record.enterprise_attestation == Some(true),
            pin_complexity_policy: record.pin_complexity_policy == Some(true),
        }
    }
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Stores settings and the PIN's state in one commit, then takes them over.
    pub(crate) fn store_settings(
        &mut self,
        settings: Settings,
        pin: PinRecord,
    ) -> Result<(), Refusal> {
        let mut batch = Batch::default();
        batch.put(records::SETTINGS, &settings.record());
        batch.put_pin(&pin, self.tries);
        self.records.commit(&mut self.rng, batch)?;
        self.settings = settings;
        self.pin = pin;
        Ok(())
    }
}

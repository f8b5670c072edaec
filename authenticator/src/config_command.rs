//! authenticatorConfig: enterprise attestation, alwaysUv, the rules for PINs, the long touch for a reset, and commands of
//! a pretended vendor's.

use alloc::string::String;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::Command;
use softkey_ctap::cbor::{Decode, Decoder, List, RawMap};
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::config::{Request, SetMinPinLength, VendorPrototype, subcommand};

use crate::authenticator::{Authenticator, Outcome, Progress, parameters};
use crate::authorization::Param;
use crate::config::Config;
use crate::records::PinRecord;
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::store::Store;

/// How many relying parties setMinPINLength takes at most.
pub(crate) const MAX_RP_IDS: u8 = 8;

/// The subcommands offered.
pub(crate) fn subcommands(config: &Config) -> impl Iterator<Item = u64> {
    let all = [
        (subcommand::ENABLE_ENTERPRISE_ATTESTATION, config.enterprise.is_some()),
        (subcommand::TOGGLE_ALWAYS_UV, config.can_always_verify()),
        (subcommand::SET_MIN_PIN_LENGTH, config.extensions.min_pin_length),
        (subcommand::ENABLE_LONG_TOUCH_FOR_RESET, config.has_long_touch()),
        (subcommand::VENDOR_PROTOTYPE, config.vendor_commands.is_some()),
    ];
    all.into_iter().filter(|(_, offered)| *offered).map(|(subcommand, _)| subcommand)
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Is there anything to configure?
    pub(crate) fn offers_config(&self) -> bool {
        subcommands(&self.config).next().is_some()
    }

    /// May a token by built-in user verification configure (`uvAcfg`)? Only where no token by PIN ever could.
    pub(crate) fn configures_by_verification(&self) -> bool {
        let config = &self.config;
        let only_way = !config.client_pin && config.user_verification.is_some();
        self.offers_config() && only_way && config.has_tokens()
    }

    pub(crate) fn configure(&mut self, body: &[u8]) -> Progress {
        let request: Request<'_> = parameters(body)?;
        if !subcommands(&self.config).any(|offered| offered == request.sub_command) {
            return Err(not_offered(request.sub_command));
        }
        let order = Order::of(&request)?;
        let param = self.config_param(&request)?;
        let order = order.as_ref().ok_or(Refusal::MissingParameter)?;
        if let Some(param) = param {
            self.authorize_config(&request, param)?;
        }
        match order {
            Order::Setting(change) => {
                let mut settings = self.settings.clone();
                change(&mut settings);
                self.store_settings(settings, self.pin.clone())?;
            }
            Order::MinPinLength(params) => self.set_min_pin_length(params)?,
            Order::Vendor(command) => {
                let mut known = self.config.vendor_commands.iter().flatten();
                if !known.any(|known| known == command) {
                    return Err(Refusal::UnknownVendorCommand);
                }
            }
        }
        Ok(Outcome::Reply(Vec::new()))
    }

    /// The param, if one is needed: not while nothing is set up that could make one.
    fn config_param<'b>(&self, request: &Request<'b>) -> Result<Option<Param<'b>>, Refusal> {
        let toggles_off =
            request.sub_command == subcommand::TOGGLE_ALWAYS_UV && self.settings.always_uv;
        if !self.is_protected() && (toggles_off || !self.settings.always_uv) {
            return Ok(None);
        }
        let param = request.pin_uv_auth_param.ok_or(Refusal::TokenRequired)?;
        Param::of(&self.config, Some(param), request.pin_uv_auth_protocol)
    }

    fn authorize_config(&mut self, request: &Request<'_>, param: Param<'_>) -> Result<(), Refusal> {
        let sub_command = u8::try_from(request.sub_command).unwrap_or_default();
        let params = request.sub_command_params.map_or(&[][..], |params| params.0);
        let message = [&[0xff; 32][..], &[Command::CONFIG.0, sub_command], params];
        let need = Permissions::AUTHENTICATOR_CONFIG;
        self.tokens.verify(param.protocol, &message, param.bytes, need).map(drop)
    }

    /// All checks come before the first change: a refused command changes nothing.
    fn set_min_pin_length(&mut self, params: &SetMinPinLength<'_>) -> Result<(), Refusal> {
        let current = self.settings.min_pin_length;
        let min_pin_length = params.new_min_pin_length.unwrap_or(current);
        if !(current..=self.config.max_pin_length.into()).contains(&min_pin_length) {
            return Err(Refusal::MinPinLength);
        }
        let force = params.force_change_pin == Some(true);
        if force && self.pin.hash.is_none() {
            return Err(Refusal::PinNotSet);
        }
        let mut settings = Settings { min_pin_length, ..self.settings.clone() };
        if let Some(rp_ids) = params.min_pin_length_rp_ids.as_ref().filter(|ids| !ids.is_empty()) {
            settings.min_pin_length_rp_ids = stored(rp_ids, self.config.max_rp_ids)?;
        }
        if self.config.pin_complexity_policy && params.pin_complexity_policy == Some(true) {
            settings.pin_complexity_policy = true;
        }
        // A PIN of which it is not known whether it satisfies the policy must be changed too.
        let too_weak = settings.pin_complexity_policy && self.pin.complies != Some(true);
        let too_short = self.pin.code_points < min_pin_length;
        let breaks_rules = self.pin.hash.is_some() && (too_short || too_weak);
        let force_change = self.pin.force_change || force || breaks_rules;
        let mut pin = PinRecord { force_change, ..self.pin.clone() };
        if force_change {
            pin.persistent_token = None;
        }
        self.store_settings(settings, pin)?;
        if force_change {
            self.tokens.reset();
            self.walk = None;
        }
        Ok(())
    }
}

/// What a request asks for.
enum Order<'b> {
    /// A setting is to be another one.
    Setting(fn(&mut Settings)),
    MinPinLength(SetMinPinLength<'b>),
    /// A command of the vendor's.
    Vendor(u64),
}

impl<'b> Order<'b> {
    /// The types of the parameters are judged while decoding, before anything else of the request; nothing if the
    /// subcommand needs some and there are none.
    fn of(request: &Request<'b>) -> Result<Option<Self>, Refusal> {
        let params = request.sub_command_params;
        Ok(match request.sub_command {
            subcommand::SET_MIN_PIN_LENGTH => decoded(params)?.map(Self::MinPinLength),
            subcommand::VENDOR_PROTOTYPE => decoded(params)?
                .map(|params: VendorPrototype| Self::Vendor(params.vendor_command_id)),
            subcommand::ENABLE_ENTERPRISE_ATTESTATION => {
                Some(Self::Setting(|settings| settings.enterprise_attestation = true))
            }
            subcommand::TOGGLE_ALWAYS_UV => {
                Some(Self::Setting(|settings| settings.always_uv = !settings.always_uv))
            }
            _ => Some(Self::Setting(|settings| settings.long_touch_for_reset = true)),
        })
    }
}

/// The refusal of a subcommand that is not offered.
const fn not_offered(subcommand: u64) -> Refusal {
    match subcommand {
        subcommand::ENABLE_ENTERPRISE_ATTESTATION
        | subcommand::TOGGLE_ALWAYS_UV
        | subcommand::SET_MIN_PIN_LENGTH
        | subcommand::VENDOR_PROTOTYPE => Refusal::SubcommandNotOffered,
        _ => Refusal::UnknownSubcommand,
    }
}

fn decoded<'b, T: Decode<'b>>(raw: Option<RawMap<'b>>) -> Result<Option<T>, Refusal> {
    Ok(raw.map(|raw| T::decode(&mut Decoder::new(raw.0))).transpose()?)
}

/// The list to store. Domain names have at most 253 bytes; together the list must fit a record.
fn stored(rp_ids: &List<'_, &str>, most: u8) -> Result<Vec<String>, Refusal> {
    const MAX_RP_ID: usize = 255;
    if rp_ids.len() > usize::from(most) || rp_ids.iter().any(|id| id.len() > MAX_RP_ID) {
        return Err(Refusal::RpIdListFull);
    }
    Ok(rp_ids.iter().map(String::from).collect())
}

//! What the owner sets on a key for good: authenticatorConfig (`CTAP` 2.3 section 6.11).

use softkey_ctap::cbor::{self, RawMap};
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::config::{Request, SetMinPinLength, subcommand};
use softkey_ctap::{Command, StatusCode};

use crate::cause::{Cause, OwnerFault, PinRule};
use crate::ceremony::Ceremony;
use crate::entropy::Entropy;
use crate::info::Info;
use crate::session::{Reach, Session};
use crate::token::Wanted;

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// alwaysUv is on, or off. Nothing is sent if it is so already.
    AlwaysUv(bool),
    /// Enterprise attestation is on; only a reset turns it off.
    EnterpriseAttestation,
    /// A reset wants a long touch; only that reset turns it off.
    LongTouchForReset,
    /// The PIN must be changed before it is used again.
    ForceChangePin,
    /// New PINs have at least so many code points; a reset alone makes them fewer again.
    MinPinLength {
        /// In code points; nothing leaves it as it is.
        length: Option<u64>,
        /// The relying parties that may learn it; none leaves the list as it is.
        rp_ids: Vec<String>,
    },
    /// New PINs are held to more than their length (pinComplexityPolicy); only a reset ends that.
    PinComplexityPolicy,
    /// What a vendor's command does, whatever that is (vendorPrototype).
    Vendor {
        /// The command's number.
        command: u64,
        /// Its subCommandParams, an encoded map, with the number as the member 1.
        params: Vec<u8>,
    },
}

/// Changes a setting.
///
/// Fails with [`Cause::NoSuchCommand`] if the key does not have it.
#[must_use]
pub fn set(setting: Setting, reach: Reach, entropy: Entropy) -> Ceremony<()> {
    Ceremony::new(async move |desk| {
        let mut session = Session::new(desk, entropy);
        let info = session.ctap2_info(reach).await?;
        let options = &info.options;
        let offered = options.authnr_cfg == Some(true)
            && match &setting {
                Setting::AlwaysUv(_) => options.always_uv.is_some(),
                Setting::EnterpriseAttestation => options.ep.is_some(),
                Setting::LongTouchForReset => info.long_touch_for_reset.is_some(),
                Setting::ForceChangePin | Setting::MinPinLength { .. } => {
                    options.set_min_pin_length == Some(true)
                }
                Setting::PinComplexityPolicy => {
                    options.set_min_pin_length == Some(true) && info.pin_complexity_policy.is_some()
                }
                // The list of commands may be shorter than the truth.
                Setting::Vendor { .. } => info.vendor_commands.is_some(),
            };
        if !offered {
            return Err(Cause::NoSuchCommand);
        }
        if matches!(setting, Setting::AlwaysUv(on) if options.always_uv == Some(on)) {
            return Ok(());
        }
        let (number, params) = setting.message();
        let params = params.as_deref();
        let protected = info.is_protected();
        let mut request = Request {
            sub_command: number.into(),
            sub_command_params: params.map(RawMap),
            pin_uv_auth_protocol: None,
            pin_uv_auth_param: None,
        };
        let param;
        if protected {
            let permissions = Permissions::AUTHENTICATOR_CONFIG;
            let token = session.owner_token(&info, Wanted { permissions, rp_id: None }).await?;
            let covered: [&[u8]; 3] =
                [&[0xff; 32], &[Command::CONFIG.0, number], params.unwrap_or_default()];
            param = token.authenticate(&covered);
            request.pin_uv_auth_protocol = Some(token.protocol_number());
            request.pin_uv_auth_param = Some(&param);
        }
        match session.sized(&info, Command::CONFIG, &request).await {
            Ok(_) => Ok(()),
            Err(Cause::Refused(status)) => Err(refused(status, &setting, &info)),
            Err(cause) => Err(cause),
        }
    })
}

/// What a status means as the answer to this setting.
fn refused(status: StatusCode, setting: &Setting, info: &Info) -> Cause {
    match (status, setting) {
        (StatusCode::PIN_POLICY_VIOLATION, Setting::MinPinLength { length: Some(length), .. }) => {
            match *length {
                length if length < info.min_pin_length => {
                    PinRule::MinimumOnlyRises(info.min_pin_length).into()
                }
                length if length > info.max_pin_length => {
                    OwnerFault::MinimumTooHigh(info.max_pin_length).into()
                }
                _ => Cause::Refused(status),
            }
        }
        (StatusCode::KEY_STORE_FULL, Setting::MinPinLength { rp_ids, .. })
            if !rp_ids.is_empty() =>
        {
            OwnerFault::PartiesFull.into()
        }
        (StatusCode::OPERATION_DENIED, Setting::AlwaysUv(false)) => {
            OwnerFault::AlwaysUvStays.into()
        }
        (StatusCode::PIN_NOT_SET, _) => Cause::PinNotSet,
        (StatusCode::INVALID_PARAMETER, setting) if is_unlisted(info, setting) => {
            Cause::NoSuchCommand
        }
        _ => Cause::Refused(status),
    }
}

/// Is it a vendor's command that the key does not tell of?
fn is_unlisted(info: &Info, setting: &Setting) -> bool {
    let listed = info.vendor_commands.as_deref().unwrap_or_default();
    matches!(setting, Setting::Vendor { command, .. } if !listed.contains(command))
}

impl Setting {
    /// The subcommand and its parameters.
    fn message(&self) -> (u8, Option<Vec<u8>>) {
        let (number, params) = match self {
            Self::AlwaysUv(_) => (subcommand::TOGGLE_ALWAYS_UV, None),
            Self::EnterpriseAttestation => (subcommand::ENABLE_ENTERPRISE_ATTESTATION, None),
            Self::LongTouchForReset => (subcommand::ENABLE_LONG_TOUCH_FOR_RESET, None),
            Self::ForceChangePin => {
                let params =
                    SetMinPinLength { force_change_pin: Some(true), ..SetMinPinLength::default() };
                (subcommand::SET_MIN_PIN_LENGTH, Some(cbor::encode(&params)))
            }
            Self::MinPinLength { length, rp_ids } => {
                let listed = rp_ids.iter().map(String::as_str).collect();
                let params = SetMinPinLength {
                    new_min_pin_length: *length,
                    min_pin_length_rp_ids: (!rp_ids.is_empty()).then_some(listed),
                    ..SetMinPinLength::default()
                };
                (subcommand::SET_MIN_PIN_LENGTH, Some(cbor::encode(&params)))
            }
            Self::PinComplexityPolicy => {
                let pin_complexity_policy = Some(true);
                let params =
                    SetMinPinLength { pin_complexity_policy, ..SetMinPinLength::default() };
                (subcommand::SET_MIN_PIN_LENGTH, Some(cbor::encode(&params)))
            }
            Self::Vendor { params, .. } => (subcommand::VENDOR_PROTOTYPE, Some(params.clone())),
        };
        (u8::try_from(number).unwrap_or_default(), params)
    }
}

//! authenticatorGetInfo: everything in it is computed from what this authenticator can do.

use alloc::vec;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::cbor::List;
use softkey_ctap::entities::{PUBLIC_KEY, Parameters};
use softkey_ctap::get_info::{Options, Response};
use softkey_ctap::pin_uv::Protocol;

use crate::algorithm::Algorithm;
use crate::attestation::Format;
use crate::authenticator::{Authenticator, MAX_MSG_SIZE, Outcome, reply};
use crate::authorization::MAX_LIST;
use crate::extensions;
use crate::pin::MAX_PIN_LENGTH;
use crate::store::Store;

/// The longest credential identifier that can be one of ours, with room to grow, in bytes.
const MAX_CREDENTIAL_ID: u64 = 255;

const USB: &str = "usb";

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    pub(crate) fn get_info(&self) -> Outcome {
        let method = self.config.user_verification;
        reply(&Response {
            versions: versions(self.config.always_uv).into(),
            extensions: Some(extensions::LISTED.into_iter().collect()),
            aaguid: self.config.aaguid,
            options: Some(self.options()),
            max_msg_size: Some(to_u64(MAX_MSG_SIZE)),
            pin_uv_auth_protocols: Some(Protocol::ALL.iter().rev().map(|p| p.number()).collect()),
            max_credential_count_in_list: Some(to_u64(MAX_LIST)),
            max_credential_id_length: Some(MAX_CREDENTIAL_ID),
            transports: Some(vec![USB].into()),
            algorithms: Some(algorithms()),
            max_serialized_large_blob_array: None,
            force_pin_change: Some(self.pin.force_change),
            min_pin_length: Some(self.min_pin_length()),
            firmware_version: Some(self.config.firmware_version),
            max_cred_blob_length: None,
            max_rp_ids_for_set_min_pin_length: None,
            preferred_platform_uv_attempts: method.map(|method| method.tries_per_request.into()),
            uv_modality: method.map(|method| method.modality),
            certifications: None,
            remaining_discoverable_credentials: Some(self.remaining_discoverable()),
            vendor_prototype_config_commands: None,
            attestation_formats: Some(Format::LISTED.iter().map(|format| format.name()).collect()),
            uv_count_since_last_pin_entry: None,
            long_touch_for_reset: None,
            enc_identifier: None,
            transports_for_reset: Some(vec![USB].into()),
            pin_complexity_policy: None,
            pin_complexity_policy_url: None,
            max_pin_length: Some(MAX_PIN_LENGTH),
            enc_cred_store_state: None,
            authenticator_config_commands: None,
        })
    }

    fn options(&self) -> Options {
        let always_uv = self.config.always_uv;
        Options {
            rk: Some(true),
            up: Some(true),
            uv: self.config.user_verification.map(|_| true),
            plat: Some(false),
            always_uv: always_uv.then_some(true),
            client_pin: Some(self.pin.hash.is_some()),
            pin_uv_auth_token: Some(true),
            make_cred_uv_not_rqd: Some(!always_uv),
            ..Options::default()
        }
    }
}

/// The levels that are finished. `FIDO_2_1` and what follows it ask for credential management where there are
/// discoverable credentials, which is not there yet.
fn versions(always_uv: bool) -> Vec<&'static str> {
    if always_uv { vec!["FIDO_2_0"] } else { vec!["U2F_V2", "FIDO_2_0"] }
}

fn algorithms() -> List<'static, Parameters<'static>> {
    let entry = |algorithm: &Algorithm| Parameters { alg: algorithm.id(), kind: PUBLIC_KEY };
    Algorithm::LISTED.iter().map(entry).collect()
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

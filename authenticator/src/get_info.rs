//! authenticatorGetInfo: everything in it is computed from what this authenticator can do.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::cbor::{Encoder, List, RawMap};
use softkey_ctap::entities::{PUBLIC_KEY, Parameters};
use softkey_ctap::get_info::{Options, Response};
use softkey_ctap::pin_uv::{Protocol, StateKind, encrypt_state};

use crate::algorithm::Algorithms;
use crate::attestation::Format;
use crate::authenticator::{Authenticator, Progress, reply};
use crate::authorization::MAX_LIST;
use crate::config::LargeBlobs;
use crate::config_command::{MAX_RP_IDS, subcommands};
use crate::extensions::{self, MAX_CRED_BLOB};
use crate::large_blobs::MAX_ARRAY;
use crate::pin::MAX_PIN_LENGTH;
use crate::refusal::Refusal;
use crate::store::Store;

/// The longest credential identifier that can be one of ours, with room to grow, in bytes.
const MAX_CREDENTIAL_ID: u64 = 255;

const USB: &str = "usb";

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    pub(crate) fn get_info(&mut self) -> Progress {
        let keys = self.records.keys();
        let (identifier, state) = (keys.device_identifier(), keys.store_state(self.totals.changes));
        let enc_identifier = self.for_token_holders(StateKind::Identifier, identifier)?;
        let enc_cred_store_state = self.for_token_holders(StateKind::CredStoreState, state)?;
        let (method, always_uv) = (self.config.user_verification, self.settings.always_uv);
        let preview =
            self.config.credential_management_preview || self.config.previews_bio_enrollment();
        let certifications = certifications(&self.config.certifications);
        let url = self.config.pin_complexity_policy_url.as_deref().map(str::as_bytes);
        let array = self.config.large_blobs == LargeBlobs::Array;
        Ok(reply(&Response {
            versions: versions(always_uv, preview).into(),
            extensions: Some(extensions::listed(&self.config).into()),
            aaguid: self.config.aaguid,
            options: Some(self.options()),
            max_msg_size: Some(self.config.max_msg_size.into()),
            pin_uv_auth_protocols: Some(Protocol::ALL.iter().rev().map(|p| p.number()).collect()),
            max_credential_count_in_list: Some(to_u64(MAX_LIST)),
            max_credential_id_length: Some(MAX_CREDENTIAL_ID),
            transports: Some(vec![USB].into()),
            algorithms: Some(algorithms(&self.config.algorithms)),
            max_serialized_large_blob_array: array.then(|| to_u64(MAX_ARRAY)),
            force_pin_change: Some(self.pin.force_change),
            min_pin_length: Some(self.min_pin_length()),
            firmware_version: Some(self.config.firmware_version),
            max_cred_blob_length: Some(to_u64(MAX_CRED_BLOB)),
            max_rp_ids_for_set_min_pin_length: Some(to_u64(MAX_RP_IDS)),
            preferred_platform_uv_attempts: method.map(|method| method.tries_per_request.into()),
            uv_modality: method.map(|method| method.modality),
            certifications: certifications.as_deref().map(RawMap),
            remaining_discoverable_credentials: Some(self.remaining_discoverable()),
            vendor_prototype_config_commands: None,
            attestation_formats: Some(Format::LISTED.iter().map(|format| format.name()).collect()),
            uv_count_since_last_pin_entry: method.map(|_| self.pin.uv_attempts.unwrap_or_default()),
            long_touch_for_reset: Some(self.settings.long_touch_for_reset),
            enc_identifier,
            transports_for_reset: Some(vec![USB].into()),
            pin_complexity_policy: self.pin_complexity_policy(),
            pin_complexity_policy_url: url.filter(|_| self.config.pin_complexity_policy),
            max_pin_length: Some(MAX_PIN_LENGTH),
            enc_cred_store_state,
            authenticator_config_commands: Some(subcommands(&self.config).collect()),
        }))
    }

    /// What only holders of the persistent token can read; nothing while there is none.
    fn for_token_holders(
        &mut self,
        kind: StateKind,
        value: [u8; 16],
    ) -> Result<Option<[u8; 32]>, Refusal> {
        let Some(token) = &self.pin.persistent_token else {
            return Ok(None);
        };
        let encrypted = encrypt_state(&mut self.rng, token, kind, value);
        encrypted.map(Some).map_err(|_| Refusal::Entropy)
    }

    fn options(&self) -> Options {
        let always_uv = self.settings.always_uv;
        let sensor = self.config.fingerprint_sensor();
        let enrolled = !self.fingers.is_empty();
        Options {
            ep: self.enterprise_attestation(),
            rk: Some(true),
            up: Some(true),
            uv: self.config.user_verification.map(|_| self.verifies_users()),
            plat: Some(false),
            always_uv: Some(always_uv),
            cred_mgmt: Some(true),
            authnr_cfg: Some(true),
            bio_enroll: sensor.map(|_| enrolled),
            uv_bio_enroll: sensor.filter(|sensor| sensor.by_verification).map(|_| true),
            user_verification_mgmt_preview: self
                .config
                .previews_bio_enrollment()
                .then_some(enrolled),
            large_blobs: (self.config.large_blobs == LargeBlobs::Array).then_some(true),
            per_cred_mgmt_ro: Some(true),
            set_min_pin_length: Some(true),
            client_pin: Some(self.pin.hash.is_some()),
            pin_uv_auth_token: Some(true),
            make_cred_uv_not_rqd: Some(!always_uv),
            credential_mgmt_preview: self.config.credential_management_preview.then_some(true),
            ..Options::default()
        }
    }
}

/// The levels that are finished. `FIDO_2_1` and `FIDO_2_3` ask for hmac-secret, credProtect, tokens with
/// permissions, protocol two, credential management beside discoverable credentials, and minPinLength beside
/// setMinPINLength; all of them are always there.
fn versions(always_uv: bool, preview: bool) -> Vec<&'static str> {
    // U2F cannot verify the user.
    let u2f = (!always_uv).then_some("U2F_V2");
    let preview = preview.then_some("FIDO_2_1_PRE");
    u2f.into_iter().chain(["FIDO_2_0"]).chain(preview).chain(["FIDO_2_1", "FIDO_2_3"]).collect()
}

/// A map in canonical order: shorter names first, then bytewise. Nothing if it would be empty.
fn certifications(given: &[(String, u64)]) -> Option<Vec<u8>> {
    let mut sorted: Vec<&(String, u64)> = given.iter().collect();
    sorted.sort_by_key(|(name, _)| (name.len(), name.as_bytes()));
    sorted.dedup_by_key(|(name, _)| name);
    let mut encoder = Encoder::new();
    encoder.map(sorted.len());
    for (name, level) in &sorted {
        encoder.text(name);
        encoder.unsigned(*level);
    }
    (!sorted.is_empty()).then(|| encoder.into_bytes())
}

fn algorithms(algorithms: &Algorithms) -> List<'static, Parameters<'static>> {
    let listed = algorithms.listed().iter();
    listed.map(|algorithm| Parameters { alg: algorithm.id(), kind: PUBLIC_KEY }).collect()
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

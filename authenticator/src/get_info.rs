//! authenticatorGetInfo: everything in it is computed from what this authenticator can do.

use alloc::string::String;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::cbor::{Encoder, List, RawMap};
use softkey_ctap::entities::{PUBLIC_KEY, Parameters};
use softkey_ctap::get_info::{Options, Response};
use softkey_ctap::pin_uv::{StateKind, encrypt_state};

use crate::algorithm::Algorithms;
use crate::attestation::Format;
use crate::authenticator::{Authenticator, Progress, reply};
use crate::config::LargeBlobs;
use crate::config_command::subcommands;
use crate::extensions;
use crate::refusal::Refusal;
use crate::store::Store;
use crate::versions::{self, Features};

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    pub(crate) fn get_info(&mut self) -> Progress {
        let keys = self.records.keys();
        let (identifier, state) = (keys.device_identifier(), keys.store_state(self.totals.change));
        let enc_identifier = self.for_token_holders(StateKind::Identifier, identifier)?;
        let enc_cred_store_state = self.for_token_holders(StateKind::CredStoreState, state)?;
        let config = &self.config;
        let (method, pin) = (config.user_verification, config.client_pin);
        let certifications = certifications(&config.certifications);
        let array = config.large_blobs == LargeBlobs::Array;
        let transports = || config.transports.iter().map(|transport| transport.name()).collect();
        let (extensions, options) = (extensions::listed(config), self.options());
        let versions = versions::claimed(&Features::of(config, &options, &extensions));
        let response = Response {
            versions: versions.into(),
            extensions: (!extensions.is_empty()).then(|| extensions.into()),
            aaguid: config.aaguid,
            options: Some(options),
            max_msg_size: Some(config.max_msg_size.into()),
            pin_uv_auth_protocols: config
                .has_client_pin_command()
                .then(|| config.pin_uv_auth_protocols.iter().map(|p| p.number()).collect()),
            max_credential_count_in_list: Some(config.max_list.into()),
            max_credential_id_length: Some(config.max_credential_id_length.into()),
            transports: Some(transports()),
            algorithms: Some(algorithms(&config.algorithms)),
            max_serialized_large_blob_array: array.then(|| config.max_large_blob_array.into()),
            force_pin_change: pin.then_some(self.pin.force_change),
            min_pin_length: pin.then(|| self.min_pin_length()),
            firmware_version: Some(config.firmware_version),
            max_cred_blob_length: config.extensions.cred_blob.then(|| config.max_cred_blob.into()),
            max_rp_ids_for_set_min_pin_length: config
                .extensions
                .min_pin_length
                .then(|| config.max_rp_ids.into()),
            preferred_platform_uv_attempts: method.map(|method| method.tries_per_request.into()),
            uv_modality: method.map(|method| method.modality),
            certifications: certifications.as_deref().map(RawMap),
            remaining_discoverable_credentials: (config.max_discoverable > 0)
                .then(|| self.remaining_discoverable()),
            vendor_prototype_config_commands: config
                .vendor_commands
                .as_ref()
                .map(|commands| commands.iter().copied().collect()),
            attestation_formats: Some(Format::listed(&self.config).into()),
            uv_count_since_last_pin_entry: method.map(|_| self.tries.uv_attempts.into()),
            long_touch_for_reset: Some(self.settings.long_touch_for_reset),
            enc_identifier,
            transports_for_reset: Some(transports()),
            pin_complexity_policy: self.pin_complexity_policy(),
            pin_complexity_policy_url: config
                .pin_complexity_policy_url
                .as_deref()
                .map(str::as_bytes),
            max_pin_length: pin.then(|| config.max_pin_length.into()),
            enc_cred_store_state,
            authenticator_config_commands: self
                .offers_config()
                .then(|| subcommands(config).collect()),
        };
        Ok(reply(&config.generation.members_of(response)))
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
        let config = &self.config;
        let (always_uv, manages) = (self.settings.always_uv, config.manages_credentials());
        let discoverable = config.max_discoverable > 0;
        let sensor = config.fingerprint_sensor();
        let enrolled = !self.fingers.is_empty();
        Options {
            ep: self.enterprise_attestation(),
            rk: Some(discoverable),
            up: Some(true),
            uv: config.user_verification.map(|_| self.verifies_users()),
            plat: Some(false),
            uv_acfg: self.configures_by_verification().then_some(true),
            always_uv: config.can_always_verify().then_some(always_uv),
            cred_mgmt: manages.then_some(true),
            authnr_cfg: self.offers_config().then_some(true),
            bio_enroll: sensor.map(|_| enrolled),
            uv_bio_enroll: sensor.filter(|sensor| sensor.by_verification).map(|_| true),
            user_verification_mgmt_preview: config.previews_bio_enrollment().then_some(enrolled),
            large_blobs: (config.large_blobs == LargeBlobs::Array).then_some(true),
            per_cred_mgmt_ro: manages.then_some(true),
            set_min_pin_length: config.extensions.min_pin_length.then_some(true),
            client_pin: config.client_pin.then_some(self.pin.hash.is_some()),
            pin_uv_auth_token: config.has_tokens().then_some(true),
            make_cred_uv_not_rqd: Some(config.make_cred_uv_not_required && !always_uv),
            credential_mgmt_preview: config.credential_management_preview.then_some(true),
            ..Options::default()
        }
    }
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

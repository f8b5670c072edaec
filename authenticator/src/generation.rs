//! The generations of the protocol: what a key of an older one has not, and what it answers instead.

use alloc::string::String;
use alloc::vec::Vec;

use softkey_ctap::get_info::{Options, Response};
use softkey_ctap::pin_uv::Protocol;
use softkey_ctap::{Command, StatusCode};

use crate::config::{
    AAGUID, Attestation, AuthenticatorTransport, CERTIFICATIONS, Config, LargeBlobs,
};
use crate::config_command::MAX_RP_IDS;
use crate::credential::ID_LEN;
use crate::extensions::MAX_CRED_BLOB;
use crate::fingers::MAX_FINGERS;
use crate::large_blobs;
use crate::pin::{MAX_PIN_LENGTH, MIN_PIN_LENGTH};
use crate::refusal::Refusal;

/// Fingerprint, in the FIDO registry of user verification methods.
const FINGERPRINT: u64 = 0x02;

/// `passcode_external` and `pattern_external` there, of which neither is built in.
const EXTERNAL: u64 = 0x0800 | 0x1000;

/// A generation of the protocol. A later one has everything that an earlier one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// CTAP1 alone: no CTAP2 command is known.
    U2f,
    /// CTAP 2.0 of 2019: PIN protocol one, tokens without permissions, no credential management.
    Ctap20,
    /// CTAP 2.1 of 2021.
    Ctap21,
    /// CTAP 2.2 of 2025.
    Ctap22,
    /// CTAP 2.3 of 2026.
    Ctap23,
}

impl Generation {
    /// Does a key of this generation take CTAP2 commands? One that does not says so in its answer to CTAPHID INIT.
    #[must_use]
    pub const fn speaks_ctap2(self) -> bool {
        !matches!(self, Self::U2f)
    }

    /// Does a key of this generation know the command? The previews belong to none and are features of their own.
    pub(crate) fn knows(self, command: Command) -> bool {
        let since = match command {
            Command::BIO_ENROLLMENT
            | Command::CREDENTIAL_MANAGEMENT
            | Command::SELECTION
            | Command::LARGE_BLOBS
            | Command::CONFIG => Self::Ctap21,
            _ => Self::Ctap20,
        };
        self >= since
    }

    /// Has it tokens with permissions?
    pub(crate) fn has_permissions(self) -> bool {
        self >= Self::Ctap21
    }

    /// The status by which a key of this generation refuses. CTAP 2.0 has none above 0x3B.
    pub(crate) fn status(self, refusal: Refusal) -> StatusCode {
        let status = refusal.status();
        match status {
            StatusCode::INVALID_SUBCOMMAND if self < Self::Ctap21 => StatusCode::INVALID_PARAMETER,
            StatusCode::UV_BLOCKED | StatusCode::UV_INVALID if self < Self::Ctap21 => {
                StatusCode::OPERATION_DENIED
            }
            status => status,
        }
    }

    /// What getInfo says, without the members and options that came later than this generation.
    pub(crate) fn members_of(self, mut info: Response<'_>) -> Response<'_> {
        if self < Self::Ctap23 {
            info.enc_cred_store_state = None;
            info.authenticator_config_commands = None;
        }
        if self < Self::Ctap22 {
            info.attestation_formats = None;
            info.uv_count_since_last_pin_entry = None;
            info.long_touch_for_reset = None;
            info.enc_identifier = None;
            info.transports_for_reset = None;
            info.pin_complexity_policy = None;
            info.pin_complexity_policy_url = None;
            info.max_pin_length = None;
        }
        if self < Self::Ctap21 {
            info.max_credential_count_in_list = None;
            info.max_credential_id_length = None;
            info.transports = None;
            info.algorithms = None;
            info.max_serialized_large_blob_array = None;
            info.force_pin_change = None;
            info.min_pin_length = None;
            info.firmware_version = None;
            info.max_cred_blob_length = None;
            info.max_rp_ids_for_set_min_pin_length = None;
            info.preferred_platform_uv_attempts = None;
            info.uv_modality = None;
            info.certifications = None;
            info.remaining_discoverable_credentials = None;
        }
        info.options = info.options.map(|options| self.options_of(options));
        info
    }

    fn options_of(self, options: Options) -> Options {
        if self >= Self::Ctap21 {
            let per_cred_mgmt_ro = options.per_cred_mgmt_ro.filter(|_| self >= Self::Ctap22);
            return Options { per_cred_mgmt_ro, ..options };
        }
        Options {
            rk: options.rk,
            up: options.up,
            uv: options.uv,
            plat: options.plat,
            client_pin: options.client_pin,
            credential_mgmt_preview: options.credential_mgmt_preview,
            user_verification_mgmt_preview: options.user_verification_mgmt_preview,
            ..Options::default()
        }
    }
}

impl Config {
    /// The same without contradictions: numbers are brought into their bounds, and what the generation has not, or
    /// what needs something that is not there, is taken away. Authenticators are opened with this.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.bring_into_bounds();
        self.drop_what_came_later();
        self.drop_what_needs_more();
        self
    }

    fn bring_into_bounds(&mut self) {
        self.firmware_version = self.firmware_version.max(1);
        self.max_msg_size = self.max_msg_size.clamp(1024, 7609);
        self.max_request = self.max_request.clamp(self.max_msg_size, 7609);
        self.max_list = self.max_list.max(1);
        let own = u16::try_from(ID_LEN).unwrap_or(u16::MAX);
        self.max_credential_id_length = self.max_credential_id_length.clamp(own, 1023);
        self.max_pin_length = self.max_pin_length.clamp(8, MAX_PIN_LENGTH);
        self.min_pin_length = self.min_pin_length.clamp(MIN_PIN_LENGTH, self.max_pin_length);
        self.max_rp_ids = self.max_rp_ids.min(MAX_RP_IDS);
        self.max_cred_blob = self.max_cred_blob.clamp(32, MAX_CRED_BLOB);
        self.max_large_blob_array = self.max_large_blob_array.clamp(1024, large_blobs::MAX_ARRAY);
        self.large_blob_room = self.large_blob_room.min(self.max_large_blob_array);
        without_repetition(&mut self.transports);
        without_repetition(&mut self.pin_uv_auth_protocols);
        self.vendor_commands.iter_mut().for_each(without_repetition);
        self.settle_certifications();
        self.pin_complexity_policy_url.take_if(|url| url.is_empty());
        if self.transports.is_empty() {
            self.transports.push(AuthenticatorTransport::Usb);
        }
        if let Some(method) = &mut self.user_verification {
            method.modality &= !EXTERNAL;
            if method.modality == 0 {
                method.modality = FINGERPRINT;
            }
            method.max_retries = method.max_retries.clamp(1, 25);
            method.tries_per_request = method.tries_per_request.clamp(1, 5);
            if let Some(sensor) = &mut method.enrollment {
                sensor.samples = sensor.samples.max(1);
                sensor.max_fingers = sensor.max_fingers.clamp(1, MAX_FINGERS);
            }
        }
    }

    /// Names that the standard has not are dropped.
    fn settle_certifications(&mut self) {
        let mut settled: Vec<(String, u64)> = Vec::new();
        for (name, level) in core::mem::take(&mut self.certifications) {
            let known = CERTIFICATIONS.iter().find(|(known, _)| *known == name);
            if let Some((_, highest)) = known
                && settled.iter().all(|(before, _)| *before != name)
            {
                settled.push((name, level.clamp(1, *highest)));
            }
        }
        self.certifications = settled;
    }

    fn drop_what_came_later(&mut self) {
        let generation = self.generation;
        if generation < Generation::Ctap23 {
            self.certifications.retain(|(name, _)| name != "CCN-CPSTIC");
            if self.large_blobs == LargeBlobs::Extension {
                self.large_blobs = LargeBlobs::None;
            }
        }
        if generation < Generation::Ctap22 {
            self.extensions.hmac_secret_mc = false;
            self.extensions.third_party_payment = false;
            self.pin_complexity_policy = false;
            self.long_touch_for_reset = false;
            self.max_pin_length = MAX_PIN_LENGTH;
        }
        if generation < Generation::Ctap21 {
            self.pin_uv_auth_protocols.retain(|protocol| *protocol == Protocol::One);
            self.make_cred_uv_not_required = false;
            self.always_uv = false;
            self.min_pin_length = MIN_PIN_LENGTH;
            self.enterprise = None;
            self.certifications.clear();
            self.vendor_commands = None;
            self.large_blobs = LargeBlobs::None;
            self.extensions.min_pin_length = false;
            self.extensions.cred_blob = false;
            // The previews of 2.1 had credProtect already.
            self.extensions.cred_protect &= self.has_preview();
        }
        if generation < Generation::Ctap20 {
            self.u2f = true;
        }
    }

    fn drop_what_needs_more(&mut self) {
        if self.pin_uv_auth_protocols.is_empty() {
            self.client_pin = false;
            self.extensions.hmac_secret = false;
        }
        if !self.client_pin {
            self.extensions.min_pin_length = false;
        }
        if !self.extensions.min_pin_length {
            // setMinPINLength is what turns the policy on.
            self.pin_complexity_policy = false;
        }
        if !self.client_pin && self.user_verification.is_none() {
            self.always_uv = false;
        }
        let enrolls = self.generation >= Generation::Ctap21 || self.bio_enrollment_preview;
        if let Some(method) = &mut self.user_verification
            && !(self.client_pin && enrolls)
        {
            // Nobody could enroll a finger: that takes a token.
            method.enrollment = None;
        }
        if self.max_discoverable == 0 {
            self.large_blobs = LargeBlobs::None;
            self.extensions.cred_blob = false;
        }
        if !self.pin_complexity_policy {
            self.pin_complexity_policy_url = None;
        }
        // The batch certificate names the model that it is for.
        if self.aaguid != AAGUID && self.attestation == Attestation::Batch {
            self.attestation = Attestation::SelfAttestation;
        }
        self.credential_management_preview &= self.client_pin && self.max_discoverable > 0;
        self.extensions.cred_blob &= self.extensions.cred_protect;
        self.extensions.hmac_secret_mc &= self.extensions.hmac_secret;
    }

    /// Are tokens with permissions offered?
    pub(crate) fn has_tokens(&self) -> bool {
        let verifies = self.client_pin || self.user_verification.is_some();
        self.generation.has_permissions() && verifies && !self.pin_uv_auth_protocols.is_empty()
    }

    /// Is authenticatorCredentialManagement offered?
    pub(crate) fn manages_credentials(&self) -> bool {
        self.has_tokens() && self.max_discoverable > 0
    }

    /// Can user verification be asked for always?
    pub(crate) fn can_always_verify(&self) -> bool {
        self.generation >= Generation::Ctap21
            && (self.client_pin || self.user_verification.is_some())
    }

    /// Can a long touch be asked for before a reset?
    pub(crate) fn has_long_touch(&self) -> bool {
        self.generation >= Generation::Ctap22
    }

    /// Is there anything that authenticatorClientPIN is for? hmac-secret needs its key agreement.
    pub(crate) fn has_client_pin_command(&self) -> bool {
        self.client_pin || self.has_tokens() || self.extensions.hmac_secret
    }

    /// Is a preview of CTAP 2.1 offered?
    pub(crate) fn has_preview(&self) -> bool {
        self.credential_management_preview || self.previews_bio_enrollment()
    }

    /// The PIN/UV auth protocol with this number.
    pub(crate) fn protocol(&self, number: u64) -> Result<Protocol, Refusal> {
        let protocol = Protocol::from_number(number);
        let offered = protocol.filter(|protocol| self.pin_uv_auth_protocols.contains(protocol));
        offered.ok_or(Refusal::ProtocolUnsupported)
    }
}

/// Of what stands in a list more than once, the first is left.
fn without_repetition<T: PartialEq>(list: &mut Vec<T>) {
    let mut kept: Vec<T> = Vec::with_capacity(list.len());
    for item in list.drain(..) {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    *list = kept;
}

#[cfg(test)]
mod tests;

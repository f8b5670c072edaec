//! What a key says about itself in authenticatorGetInfo, owned, with the standard's defaults filled in.

use softkey_ctap::cbor::{Decode, Decoder, List};
use softkey_ctap::extensions::Identifiers;
use softkey_ctap::get_info::{Options, Response};
use softkey_ctap::pin_uv::Protocol;

use crate::cause::Cause;

/// The answer to authenticatorGetInfo (`CTAP` 2.3 section 6.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The versions of the standard that the key claims.
    pub versions: Vec<String>,
    /// The extensions it has.
    pub extensions: Vec<String>,
    /// Its model.
    pub aaguid: [u8; 16],
    /// What it can do and what is set up.
    pub options: Options,
    /// The longest request, in bytes.
    pub max_msg_size: usize,
    /// The PIN/UV auth protocols known at both ends, the key's favourite first.
    pub protocols: Vec<Protocol>,
    /// The longest list of credentials it takes; 1 if it does not say.
    pub max_credential_count_in_list: usize,
    /// The longest credential identifier, in bytes, if it says.
    pub max_credential_id_length: Option<usize>,
    /// How it can be reached; sorted, each once.
    pub transports: Vec<String>,
    /// The algorithms it has, best first; empty if it does not say.
    pub algorithms: Vec<i64>,
    /// The longest serialized large-blob array, in bytes, if it says.
    pub max_serialized_large_blob_array: Option<usize>,
    /// Must the PIN be changed before it is used again?
    pub force_pin_change: bool,
    /// Does a reset want a long touch? Nothing if the key cannot be told so.
    pub long_touch_for_reset: Option<bool>,
    /// Are new PINs held to more than their length? Nothing if the key cannot be told so.
    pub pin_complexity_policy: Option<bool>,
    /// The shortest new PIN, in code points.
    pub min_pin_length: u64,
    /// The longest new PIN, in code points.
    pub max_pin_length: u64,
    /// How often built-in user verification is worth trying before the PIN.
    pub uv_attempts: u64,
    /// The attestation statement formats it has, its favourite first; empty if it does not say, and then it takes no
    /// preference either.
    pub attestation_formats: Vec<String>,
    /// The commands of vendorPrototype that it tells of; nothing if it does not have that subcommand.
    pub vendor_commands: Option<Vec<u64>>,
    /// The answer as it came, without the status byte.
    pub bytes: Vec<u8>,
}

impl Info {
    /// Reads the answer, without the status byte. Older keys do not sort their maps, and nothing in this answer
    /// is signed, so it is read without the strictness of other messages.
    ///
    /// # Errors
    ///
    /// [`Cause::BadResponse`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Cause> {
        let response = Response::decode(&mut Decoder::new(&bytes))?;
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let mut transports = texts(response.transports.as_ref());
        transports.sort_unstable();
        transports.dedup();
        let listed = response.pin_uv_auth_protocols.iter().flat_map(List::iter);
        let algorithms = response.algorithms.iter().flat_map(List::iter);
        Ok(Self {
            versions: texts(Some(&response.versions)),
            extensions: texts(response.extensions.as_ref()),
            aaguid: response.aaguid,
            options: response.options.unwrap_or_default(),
            max_msg_size: response.max_msg_size.map_or(1024, number),
            protocols: listed.filter_map(Protocol::from_number).collect(),
            max_credential_count_in_list: response
                .max_credential_count_in_list
                .map_or(1, |count| number(count).max(1)),
            max_credential_id_length: response.max_credential_id_length.map(number),
            transports,
            algorithms: algorithms.map(|parameters| parameters.alg).collect(),
            max_serialized_large_blob_array: response.max_serialized_large_blob_array.map(number),
            force_pin_change: response.force_pin_change.unwrap_or(false),
            long_touch_for_reset: response.long_touch_for_reset,
            pin_complexity_policy: response.pin_complexity_policy,
            min_pin_length: response.min_pin_length.unwrap_or(4).max(4),
            max_pin_length: response.max_pin_length.unwrap_or(63).min(63),
            uv_attempts: response.preferred_platform_uv_attempts.unwrap_or(1).clamp(1, 25),
            attestation_formats: texts(response.attestation_formats.as_ref()),
            vendor_commands: response
                .vendor_prototype_config_commands
                .map(|commands| commands.iter().collect()),
            bytes,
        })
    }

    /// Does the key claim this version of the standard?
    #[must_use]
    pub fn has_version(&self, version: &str) -> bool {
        self.versions.iter().any(|claimed| claimed == version)
    }

    /// Does the key list this extension?
    #[must_use]
    pub fn has_extension(&self, identifier: &str) -> bool {
        self.extensions.iter().any(|listed| listed == identifier)
    }

    /// Is a PIN set?
    #[must_use]
    pub fn has_pin(&self) -> bool {
        self.options.client_pin == Some(true)
    }

    /// Is built-in user verification set up?
    #[must_use]
    pub fn has_built_in_uv(&self) -> bool {
        self.options.uv == Some(true)
    }

    /// Can the key verify its user, in whatever way?
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.has_pin() || self.has_built_in_uv()
    }
}

fn texts(list: Option<&Identifiers<'_>>) -> Vec<String> {
    list.iter().flat_map(|list| list.iter()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use softkey_ctap::cbor::DecodeError;

    /// `CTAP` 2.3 section 6.4: what is absent has the standard's default.
    #[test]
    fn absent_members_have_the_defaults_of_the_standard() {
        let mut bytes = b"\xa2\x01\x81\x68FIDO_2_0\x03\x50".to_vec();
        bytes.extend([7; 16]);
        let info = Info::from_bytes(bytes).unwrap();
        assert!(info.has_version("FIDO_2_0"));
        assert_eq!((info.max_msg_size, info.max_credential_count_in_list), (1024, 1));
        assert_eq!((info.min_pin_length, info.max_pin_length), (4, 63));
        assert!(!info.is_protected() && info.protocols.is_empty());
    }

    /// Keys of the first generation send unsorted maps.
    #[test]
    fn an_unsorted_map_is_read() {
        let mut bytes = b"\xa2\x03\x50".to_vec();
        bytes.extend([7; 16]);
        bytes.extend(b"\x01\x81\x68FIDO_2_0");
        assert_eq!(Info::from_bytes(bytes).unwrap().versions, ["FIDO_2_0"]);
        let missing = Info::from_bytes(vec![0xa0]);
        assert_eq!(missing, Err(Cause::BadResponse(DecodeError::Missing)));
    }
}

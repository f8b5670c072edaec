//! authenticatorCredentialManagement and its preview (`CTAP` 2.3).

use crate::cbor::{RawMap, Received};
use crate::codes::subcommands;
use crate::entities::{Descriptor, RelyingParty, User};
use crate::message;

message! {
    /// The parameters of authenticatorCredentialManagement.
    pub struct Request<'b>: Int {
        /// The subcommand ([`subcommand`]).
        1 => sub_command: required u64,
        /// The subcommand's parameters; the pinUvAuthParam covers their bytes as received.
        2 => sub_command_params: optional Received<'b, Params<'b>>,
        /// The PIN/UV auth protocol.
        3 => pin_uv_auth_protocol: optional u64,
        /// authenticate(token, subCommand, with subCommandParams behind it if there are any).
        4 => pin_uv_auth_param: optional &'b [u8],
    }
}

message! {
    /// The parameters of the subcommands.
    #[derive(Default)]
    pub struct Params<'b>: Int {
        /// SHA-256 of the relying party identifier.
        1 => rp_id_hash: optional [u8; 32],
        /// The credential meant.
        2 => credential_id: optional Descriptor<'b>,
        /// The new names.
        3 => user: optional User<'b>,
    }
}

message! {
    /// The response of authenticatorCredentialManagement, by subcommand.
    #[derive(Default)]
    pub struct Response<'b>: Int {
        /// Discoverable credentials there are.
        1 => existing_resident_credentials_count: optional u64,
        /// For how many more there is room.
        2 => max_possible_remaining_resident_credentials_count: optional u64,
        /// A relying party; its identifier may have been cut.
        3 => rp: optional RelyingParty<'b>,
        /// SHA-256 of the whole identifier.
        4 => rp_id_hash: optional [u8; 32],
        /// Relying parties in all; with the first only.
        5 => total_rps: optional u64,
        /// Whose credential it is, with all names stored.
        6 => user: optional User<'b>,
        /// The credential.
        7 => credential_id: optional Descriptor<'b>,
        /// Its public key, a `COSE_Key`.
        8 => public_key: optional RawMap<'b>,
        /// Credentials in all; with the first only.
        9 => total_credentials: optional u64,
        /// The level of protection, 1 to 3.
        10 => cred_protect: optional u64,
        /// Its key for the large-blob array.
        11 => large_blob_key: optional [u8; 32],
        /// Is it for third-party payment?
        12 => third_party_payment: optional bool,
    }
}

subcommands! {
    "authenticatorCredentialManagement"
    /// getCredsMetadata.
    GET_CREDS_METADATA = 0x01, "getCredsMetadata";
    /// enumerateRPsBegin.
    ENUMERATE_RPS_BEGIN = 0x02, "enumerateRPsBegin";
    /// enumerateRPsGetNextRP.
    ENUMERATE_RPS_GET_NEXT_RP = 0x03, "enumerateRPsGetNextRP";
    /// enumerateCredentialsBegin.
    ENUMERATE_CREDENTIALS_BEGIN = 0x04, "enumerateCredentialsBegin";
    /// enumerateCredentialsGetNextCredential.
    ENUMERATE_CREDENTIALS_GET_NEXT_CREDENTIAL = 0x05, "enumerateCredentialsGetNextCredential";
    /// deleteCredential.
    DELETE_CREDENTIAL = 0x06, "deleteCredential";
    /// updateUserInformation.
    UPDATE_USER_INFORMATION = 0x07, "updateUserInformation";
}

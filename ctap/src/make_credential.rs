//! authenticatorMakeCredential (`CTAP` 2.3).

use crate::cbor::{List, Raw};
use crate::entities::{Descriptor, Parameters, RelyingParty, User};
use crate::extensions::{MakeCredentialInputs, UnsignedOutputs};
use crate::message;

message! {
    /// The parameters of authenticatorMakeCredential.
    pub struct Request<'b>: Int {
        /// SHA-256 of the client data.
        1 => client_data_hash: required [u8; 32],
        /// For whom the credential is.
        2 => rp: required RelyingParty<'b>,
        /// Whose credential it is.
        3 => user: required User<'b>,
        /// Algorithms the relying party takes, best first.
        4 => pub_key_cred_params: required List<'b, Parameters<'b>>,
        /// Credentials whose presence forbids another one.
        5 => exclude_list: optional List<'b, Descriptor<'b>>,
        /// Extension inputs.
        6 => extensions: optional MakeCredentialInputs<'b>,
        /// Options.
        7 => options: optional Options,
        /// authenticate(pinUvAuthToken, clientDataHash): 16 or 32 bytes; none at all asks for a touch only.
        8 => pin_uv_auth_param: optional &'b [u8],
        /// The PIN/UV auth protocol of `pin_uv_auth_param`.
        9 => pin_uv_auth_protocol: optional u64,
        /// 1: vendor-facilitated, 2: platform-managed.
        10 => enterprise_attestation: optional u64,
        /// Attestation statement formats the relying party takes, best first.
        11 => attestation_formats_preference: optional List<'b, &'b str>,
    }
}

message! {
    /// The options of authenticatorMakeCredential and authenticatorGetAssertion.
    #[derive(Copy, Default)]
    pub struct Options: Text {
        /// Make a discoverable credential. Not for authenticatorGetAssertion.
        "rk" => rk: optional bool,
        /// Test user presence; true if absent.
        "up" => up: optional bool,
        /// Verify the user by the built-in method; false if absent.
        "uv" => uv: optional bool,
    }
}

message! {
    /// The response of authenticatorMakeCredential.
    pub struct Response<'b>: Int {
        /// The attestation statement format.
        1 => fmt: required &'b str,
        /// The authenticator data ([`AuthenticatorData`](crate::auth_data::AuthenticatorData)).
        2 => auth_data: required &'b [u8],
        /// The attestation statement, of a form that `fmt` names. Some authenticators leave it out for `none`.
        3 => att_stmt: optional Raw<'b>,
        /// Is it an enterprise attestation?
        4 => ep_att: optional bool,
        /// The credential's key for the large-blob array.
        5 => large_blob_key: optional [u8; 32],
        /// Unsigned extension outputs.
        6 => unsigned_extension_outputs: optional UnsignedOutputs<'b>,
    }
}

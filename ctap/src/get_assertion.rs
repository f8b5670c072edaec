//! authenticatorGetAssertion and authenticatorGetNextAssertion (`CTAP` 2.3).

use crate::cbor::{List, Raw};
use crate::entities::{Descriptor, RpId, User};
use crate::extensions::{GetAssertionInputs, UnsignedOutputs};
pub use crate::make_credential::Options;
use crate::message;

message! {
    /// The parameters of authenticatorGetAssertion. authenticatorGetNextAssertion has none.
    pub struct Request<'b>: Int {
        /// For whom to sign.
        1 => rp_id: required RpId<'b>,
        /// SHA-256 of the client data.
        2 => client_data_hash: required [u8; 32],
        /// The credentials to choose from; absent or empty: any discoverable one.
        3 => allow_list: optional List<'b, Descriptor<'b>>,
        /// Extension inputs.
        4 => extensions: optional GetAssertionInputs<'b>,
        /// Options.
        5 => options: optional Options,
        /// authenticate(pinUvAuthToken, clientDataHash): 16 or 32 bytes; none at all asks for a touch only.
        6 => pin_uv_auth_param: optional &'b [u8],
        /// The PIN/UV auth protocol of `pin_uv_auth_param`.
        7 => pin_uv_auth_protocol: optional u64,
        /// Enterprise attestation at sign-in, of drafts of `CTAP` 2.2. Whoever does not honour it takes any item.
        8 => enterprise_attestation: optional Raw<'b>,
        /// Attestation statement formats at sign-in, best first, likewise.
        9 => attestation_formats_preference: optional Raw<'b>,
    }
}

message! {
    /// The response of authenticatorGetAssertion and authenticatorGetNextAssertion.
    pub struct Response<'b>: Int {
        /// The credential used; some authenticators leave it out when only one was allowed.
        1 => credential: optional Descriptor<'b>,
        /// The authenticator data ([`AuthenticatorData`](crate::auth_data::AuthenticatorData)).
        2 => auth_data: required &'b [u8],
        /// The signature over authenticator data and client data hash.
        3 => signature: required &'b [u8],
        /// Whose credential it is; discoverable ones only.
        4 => user: optional User<'b>,
        /// How many accounts there are in all, if more than one.
        5 => number_of_credentials: optional u64,
        /// Did the user choose on the authenticator?
        6 => user_selected: optional bool,
        /// The credential's key for the large-blob array.
        7 => large_blob_key: optional [u8; 32],
        /// Unsigned extension outputs.
        8 => unsigned_extension_outputs: optional UnsignedOutputs<'b>,
        /// Is the attestation an enterprise's? Of drafts of `CTAP` 2.2; whoever did not ask takes any item.
        9 => ep_att: optional Raw<'b>,
        /// The attestation statement, likewise. Its format is not named.
        10 => att_stmt: optional Raw<'b>,
    }
}

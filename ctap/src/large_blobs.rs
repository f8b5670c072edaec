//! authenticatorLargeBlobs (`CTAP` 2.3).

use crate::message;

message! {
    /// The parameters of authenticatorLargeBlobs.
    pub struct Request<'b>: Int {
        /// How many bytes to read.
        1 => get: optional u64,
        /// Bytes to write.
        2 => set: optional &'b [u8],
        /// Where, in bytes from the start. Required, but its absence has a status of its own.
        3 => offset: optional u64,
        /// The length of the whole array, in bytes; with the first fragment written only.
        4 => length: optional u64,
        /// authenticate(token, 32 bytes of 0xff, 0x0c 0x00, the offset in four bytes, little-endian, SHA-256 of
        /// `set`).
        5 => pin_uv_auth_param: optional &'b [u8],
        /// The PIN/UV auth protocol.
        6 => pin_uv_auth_protocol: optional u64,
    }
}

message! {
    /// The response of authenticatorLargeBlobs to a read; a write has none.
    pub struct Response<'b>: Int {
        /// The bytes read.
        1 => config: optional &'b [u8],
    }
}

message! {
    /// An entry of the large-blob array, which platforms write and read.
    pub struct Entry<'b>: Int {
        /// The compressed data under AES-256-GCM, with the tag behind it.
        1 => ciphertext: required &'b [u8],
        /// The nonce.
        2 => nonce: required [u8; 12],
        /// The length of the data before compression, in bytes.
        3 => orig_size: required u64,
    }
}

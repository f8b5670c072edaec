//! Compression of large blobs: raw DEFLATE (RFC 1951), with the length before it kept beside the data.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// How well to compress: 0 to 10.
const EFFORT: u8 = 8;

/// The compressed data.
pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    compress_to_vec(data, EFFORT)
}

/// The data, if they are as long as is claimed. A claim alone takes no memory.
pub(crate) fn inflate(compressed: &[u8], claimed: u64) -> Option<Vec<u8>> {
    let length = usize::try_from(claimed).ok()?;
    let data = decompress_to_vec_with_limit(compressed, length).ok()?;
    (data.len() == length).then_some(data)
}

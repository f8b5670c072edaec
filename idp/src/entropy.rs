//! Names that nobody can guess: sessions, nonces, tickets.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of the system; nothing if it has none.
pub(crate) fn bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// 128 bits in base64url.
pub(crate) fn name() -> Option<String> {
    bytes::<16>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

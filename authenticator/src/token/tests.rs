//! What no message brings about: the source of entropy fails in the middle of issuing a token.

use core::fmt;

use rand_core::TryRng;

use super::*;

/// A source that gives sevens as long as it is told to.
struct Sevens {
    dry: bool,
}

impl TryRng for Sevens {
    type Error = fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, fmt::Error> {
        Err(fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, fmt::Error> {
        Err(fmt::Error)
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), fmt::Error> {
        into.fill(7);
        if self.dry { Err(fmt::Error) } else { Ok(()) }
    }
}

impl TryCryptoRng for Sevens {}

/// resetPinUvAuthToken comes before beginUsingPinUvAuthToken: where the second fails, the former token is dead all the
/// same. ST-08.
#[test]
fn the_former_token_is_dead_though_no_new_one_could_be_made() {
    let grant = Grant {
        protocol: Protocol::Two,
        permissions: Permissions::GET_ASSERTION,
        rp_id_hash: None,
        user_present: false,
        serves_previews: false,
        lasting: false,
        method: Method::Pin,
    };
    let (now, need) = (Instant::from_millis(0), Permissions::GET_ASSERTION);
    let mut tokens = Tokens::default();
    assert!(tokens.issue(&mut Sevens { dry: false }, now, &grant).is_ok());
    let param = Protocol::Two.authenticate(&[7; 32], &[b"message"]);
    assert!(tokens.verify(Protocol::Two, &[b"message"], &param, need).is_ok());
    let failed = tokens.issue(&mut Sevens { dry: true }, now, &grant).err();
    assert_eq!(failed, Some(Refusal::Entropy));
    let refused = tokens.verify(Protocol::Two, &[b"message"], &param, need).err();
    assert_eq!(refused, Some(Refusal::TokenInvalid));
}

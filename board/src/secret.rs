//! The device's secret: a page of its own, apart from the records that are sealed under it.
//!
//! ```text
//! 0   the secret, 32 bytes
//! 32  the first 32 bytes of SHA-256 over a label and the secret
//! ```
//!
//! It is made at the first start and never changed: a reset makes a new epoch among the records instead. What a loss of
//! power leaves of the page while it is written is noticed by the hash, and no record can exist by then.

use embedded_storage::nor_flash::NorFlash;
use rand_core::TryCryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Bytes of the page that are in use.
const LEN: usize = 64;

/// Why there is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretError<F, R> {
    /// The page holds no whole secret, but there are records sealed under one.
    Lost,
    /// What the flash says.
    Flash(F),
    /// What the source of randomness says.
    Random(R),
}

/// The secret of a device.
type DeviceSecret = Zeroizing<[u8; 32]>;

/// The secret in the flash page that begins at `page`. If there is none, makes one; `in_use` says that records exist, so
/// that its absence is a loss and not the first start.
///
/// # Errors
///
/// [`SecretError`].
pub fn device_secret<F: NorFlash, R: TryCryptoRng>(
    flash: &mut F,
    page: u32,
    in_use: bool,
    rng: &mut R,
) -> Result<DeviceSecret, SecretError<F::Error, R::Error>> {
    let mut stored = Zeroizing::new([0; LEN]);
    flash.read(page, stored.as_mut_slice()).map_err(SecretError::Flash)?;
    if let Some(secret) = whole(&stored) {
        return Ok(secret);
    }
    if in_use {
        return Err(SecretError::Lost);
    }
    let (secret, check) = stored.split_at_mut(LEN / 2);
    rng.try_fill_bytes(secret).map_err(SecretError::Random)?;
    check.copy_from_slice(&hash(secret));
    let end = page + u32::try_from(F::ERASE_SIZE).unwrap_or(u32::MAX);
    flash.erase(page, end).map_err(SecretError::Flash)?;
    flash.write(page, stored.as_slice()).map_err(SecretError::Flash)?;
    // What counts is what lies there.
    flash.read(page, stored.as_mut_slice()).map_err(SecretError::Flash)?;
    whole(&stored).ok_or(SecretError::Lost)
}

fn whole(stored: &[u8; LEN]) -> Option<DeviceSecret> {
    let (secret, check) = stored.split_first_chunk::<32>()?;
    (check == hash(secret)).then(|| Zeroizing::new(*secret))
}

fn hash(secret: &[u8]) -> [u8; 32] {
    Sha256::new_with_prefix(b"softkey/1 device secret").chain_update(secret).finalize().into()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use chacha20::ChaCha20Rng;
    use rand_core::SeedableRng as _;
    use softkey_flash_store::Page;
    use softkey_flash_store::ram::RamFlash;

    use super::*;

    const PAGE: u32 = Page::LEN;

    fn rng(seed: u8) -> ChaCha20Rng {
        ChaCha20Rng::from_seed([seed; 32])
    }

    #[test]
    fn the_first_start_makes_it_and_later_ones_find_it() {
        let mut flash = RamFlash::new(3);
        let made = device_secret(&mut flash, PAGE, false, &mut rng(1)).unwrap();
        assert_ne!(*made, [0; 32]);
        for in_use in [false, true] {
            assert_eq!(device_secret(&mut flash, PAGE, in_use, &mut rng(2)).unwrap(), made);
        }
        let bytes = flash.bytes_mut();
        assert!(
            bytes[..PAGE as usize]
                .iter()
                .chain(&bytes[2 * PAGE as usize..])
                .all(|byte| *byte == 0xff)
        );
    }

    #[test]
    fn a_lost_secret_is_told_and_not_replaced() {
        let mut flash = RamFlash::new(2);
        device_secret(&mut flash, PAGE, false, &mut rng(1)).unwrap();
        flash.bytes_mut()[PAGE as usize + 5] ^= 1;
        let damaged = flash.clone();
        assert_eq!(device_secret(&mut flash, PAGE, true, &mut rng(2)), Err(SecretError::Lost));
        assert_eq!(flash, damaged);
        let mut erased = RamFlash::new(2);
        assert_eq!(device_secret(&mut erased, PAGE, true, &mut rng(2)), Err(SecretError::Lost));
    }

    /// ST-01. Wherever the power goes while the page is written, the next start makes a secret or finds the whole one.
    #[test]
    fn a_first_start_without_power_is_made_up_for() {
        let mut whole = RamFlash::new(2);
        let made = device_secret(&mut whole, PAGE, false, &mut rng(1)).unwrap();
        for written in 0..=LEN {
            let mut flash = RamFlash::new(2);
            let page = PAGE as usize..PAGE as usize + written;
            let part = whole.bytes_mut()[page.clone()].to_vec();
            flash.bytes_mut()[page].copy_from_slice(&part);
            let found = device_secret(&mut flash, PAGE, false, &mut rng(2)).unwrap();
            assert_eq!(found == made, written == LEN, "{written} bytes were written");
            assert_eq!(device_secret(&mut flash, PAGE, true, &mut rng(3)).unwrap(), found);
        }
    }
}

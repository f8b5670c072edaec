//! From a flash and a source of noise to a key that works.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use rand_core::TryRng as _;
#[cfg(feature = "ml-dsa")]
use softkey_authenticator::{Algorithm, Algorithms};
use softkey_authenticator::{Authenticator, Config, RootKey};
use softkey_ctap::Instant;
use softkey_flash_store::FlashStore;

use crate::back::Back;
use crate::entropy::{Drbg, Noise};
use crate::secret::device_secret;

/// Where a board's flash holds what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    /// The page of the device's secret.
    pub secret: u32,
    /// The pages of the records.
    pub records: Range<u32>,
}

impl Regions {
    /// Bytes of the records: room for 300 credentials with names as sites give them, or for 254 with the longest.
    const RECORDS: u32 = 128 << 10;
    /// Bytes of the secret's page.
    const SECRET: u32 = 4 << 10;
    /// Bytes of both.
    pub const LEN: u32 = Self::SECRET + Self::RECORDS;

    /// The last [`Regions::LEN`] bytes, 132 KiB, before this address.
    #[must_use]
    pub const fn before(end: u32) -> Self {
        let start = end - Self::RECORDS;
        Self { secret: start - Self::SECRET, records: start..end }
    }
}

/// The key of a board with this flash and this source of noise.
pub type Key<F, N> = Back<FlashStore<F>, Drbg<N>>;

/// Why a key does not start. Its user sees no more than a lamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The source of entropy fails its test.
    Noise,
    /// The records are damaged, or the flash is.
    Records,
    /// The device's secret is gone, and with it all that was sealed under it.
    Secret,
    /// The authenticator finds its state damaged.
    State,
}

/// Starts the key: up to 300 discoverable credentials, and a reset takes a press of five seconds. Also gives a number for
/// the channels of CTAPHID to begin with.
///
/// # Errors
///
/// [`Broken`].
pub fn start<F: NorFlash, N: Noise>(
    flash: F,
    noise: N,
    regions: &Regions,
    now: Instant,
) -> Result<(Key<F, N>, u32), Broken> {
    start_behind(flash, noise, regions, now, u16::MAX)
}

/// The same behind something that may lose parts of a request of more than so many bytes: the key announces no more.
///
/// # Errors
///
/// [`Broken`].
pub fn start_behind<F: NorFlash, N: Noise>(
    flash: F,
    noise: N,
    regions: &Regions,
    now: Instant,
    max_msg_size: u16,
) -> Result<(Key<F, N>, u32), Broken> {
    let mut rng = Drbg::start(noise, &[]).map_err(|_| Broken::Noise)?;
    let store = open(flash, regions)?;
    let in_use = store.used() > 0;
    let mut flash = store.into_flash();
    let secret =
        device_secret(&mut flash, regions.secret, in_use, &mut rng).map_err(|_| Broken::Secret)?;
    rng.reseed(secret.as_slice()).map_err(|_| Broken::Noise)?;
    let channel_seed = rng.try_next_u32().map_err(|_| Broken::Noise)?;
    let store = open(flash, regions)?;
    let authenticator =
        Authenticator::open(store, RootKey::new(*secret), rng, config(max_msg_size), now);
    Ok((Back::new(authenticator.map_err(|_| Broken::State)?), channel_seed))
}

fn config(max_msg_size: u16) -> Config {
    let config = Config::default();
    let config = Config {
        max_discoverable: 300,
        long_touch_for_reset: true,
        max_msg_size: config.max_msg_size.min(max_msg_size),
        ..config
    };
    #[cfg(feature = "ml-dsa")]
    let config = {
        let listed = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::MlDsa44];
        Config { algorithms: Algorithms::new(&listed).unwrap_or_default(), ..config }
    };
    config
}

fn open<F: NorFlash>(flash: F, regions: &Regions) -> Result<FlashStore<F>, Broken> {
    FlashStore::open(flash, regions.records.clone()).map_err(|_| Broken::Records)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use chacha20::ChaCha20Rng;
    use rand_core::{Rng as _, SeedableRng as _};
    use softkey_flash_store::Page;
    use softkey_flash_store::ram::RamFlash;

    use super::*;
    use crate::entropy::Claim;

    struct Good(ChaCha20Rng);

    impl Noise for Good {
        const CLAIM: Claim = Claim::ONE_BIT;

        fn draw(&mut self, raw: &mut [u8]) {
            self.0.fill_bytes(raw);
        }
    }

    struct Stuck;

    impl Noise for Stuck {
        const CLAIM: Claim = Claim::ONE_BIT;

        fn draw(&mut self, raw: &mut [u8]) {
            raw.fill(0);
        }
    }

    const PAGES: u32 = 40;
    const END: u32 = PAGES * Page::LEN;

    fn noise() -> Good {
        Good(ChaCha20Rng::from_seed([1; 32]))
    }

    /// A flash that tests look into after the key has had it.
    fn started() -> RamFlash {
        let mut flash = RamFlash::new(PAGES as usize);
        let shared = std::cell::RefCell::new(&mut flash);
        start(Lent(&shared), noise(), &Regions::before(END), Instant::default()).ok().unwrap();
        flash
    }

    struct Lent<'f>(&'f std::cell::RefCell<&'f mut RamFlash>);

    impl embedded_storage::nor_flash::ErrorType for Lent<'_> {
        type Error = softkey_flash_store::ram::Misuse;
    }

    impl embedded_storage::nor_flash::ReadNorFlash for Lent<'_> {
        const READ_SIZE: usize = RamFlash::READ_SIZE;

        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
            self.0.borrow_mut().read(offset, bytes)
        }

        fn capacity(&self) -> usize {
            self.0.borrow().capacity()
        }
    }

    impl NorFlash for Lent<'_> {
        const WRITE_SIZE: usize = RamFlash::WRITE_SIZE;
        const ERASE_SIZE: usize = RamFlash::ERASE_SIZE;

        fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
            self.0.borrow_mut().erase(from, to)
        }

        fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
            self.0.borrow_mut().write(offset, bytes)
        }
    }

    fn restart(flash: RamFlash) -> Option<Broken> {
        start(flash, noise(), &Regions::before(END), Instant::default()).err()
    }

    #[test]
    fn a_key_announces_what_the_way_to_it_carries() {
        assert_eq!(config(u16::MAX).max_msg_size, 7609);
        assert_eq!(config(1768).max_msg_size, 1768);
        // What arrives whole is taken all the same.
        assert_eq!(config(1768).max_request, 7609);
    }

    #[test]
    fn a_key_starts_again_with_what_it_has() {
        assert_eq!(restart(started()), None);
    }

    #[test]
    fn without_noise_there_is_no_key_and_nothing_is_written() {
        let mut flash = RamFlash::new(PAGES as usize);
        let shared = std::cell::RefCell::new(&mut flash);
        let broken = start(Lent(&shared), Stuck, &Regions::before(END), Instant::default()).err();
        assert_eq!(broken, Some(Broken::Noise));
        assert_eq!(flash, RamFlash::new(PAGES as usize));
    }

    #[test]
    fn records_without_their_secret_are_not_taken_for_a_new_key() {
        let mut flash = started();
        let secret = Regions::before(END).secret as usize;
        flash.bytes_mut()[secret] ^= 1;
        assert_eq!(restart(flash), Some(Broken::Secret));
    }

    #[test]
    fn records_under_another_secret_are_damage() {
        let mut flash = started();
        let mut other = RamFlash::new(PAGES as usize);
        let regions = Regions::before(END);
        device_secret(&mut other, regions.secret, false, &mut ChaCha20Rng::from_seed([9; 32]))
            .unwrap();
        let page = regions.secret as usize..regions.records.start as usize;
        let foreign = other.bytes_mut()[page.clone()].to_vec();
        flash.bytes_mut()[page].copy_from_slice(&foreign);
        assert_eq!(restart(flash), Some(Broken::State));
    }
}

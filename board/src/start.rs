//! From a flash and a source of noise to a key that works.

#[cfg(test)]
mod tests;

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
    /// Bytes of the records: room for 300 credentials with names as sites give them, or for 232 with the longest.
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
        // What every authenticator is to have room for, however long the names in it are.
        large_blob_room: 1024,
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

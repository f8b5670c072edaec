//! Keys that start, and those that do not.

extern crate std;

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use softkey_flash_store::Page;
use softkey_flash_store::ram::RamFlash;

use super::*;
use crate::entropy::{Claim, NoiseFailed};

struct Good(ChaCha20Rng);

impl Noise for Good {
    const CLAIM: Claim = Claim::ONE_BIT;

    fn draw(&mut self, raw: &mut [u8]) -> Result<(), NoiseFailed> {
        self.0.fill_bytes(raw);
        Ok(())
    }
}

/// A source that gives always the same, or says that it gives nothing.
#[derive(Clone, Copy)]
enum Bad {
    Stuck,
    Silent,
}

impl Noise for Bad {
    const CLAIM: Claim = Claim::ONE_BIT;

    fn draw(&mut self, raw: &mut [u8]) -> Result<(), NoiseFailed> {
        raw.fill(0);
        match self {
            Self::Stuck => Ok(()),
            Self::Silent => Err(NoiseFailed),
        }
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
    for bad in [Bad::Stuck, Bad::Silent] {
        let mut flash = RamFlash::new(PAGES as usize);
        let shared = std::cell::RefCell::new(&mut flash);
        let broken = start(Lent(&shared), bad, &Regions::before(END), Instant::default()).err();
        assert_eq!(broken, Some(Broken::Noise));
        assert_eq!(flash, RamFlash::new(PAGES as usize));
    }
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
    device_secret(&mut other, regions.secret, false, &mut ChaCha20Rng::from_seed([9; 32])).unwrap();
    let page = regions.secret as usize..regions.records.start as usize;
    let foreign = other.bytes_mut()[page.clone()].to_vec();
    flash.bytes_mut()[page].copy_from_slice(&foreign);
    assert_eq!(restart(flash), Some(Broken::State));
}

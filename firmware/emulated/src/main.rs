//! The key on a Cortex-M4 that QEMU emulates (mps2-an386): one loop over the mailbox.
//!
//! The same core, transport and store as on a real board; only USB, button, clock, entropy and flash are the shared
//! memory of `shared.rs`. Key operations run inside the loop, so no keepalive leaves meanwhile.
#![no_std]
#![no_main]

extern crate alloc;

mod shared;

use core::mem::MaybeUninit;
use core::panic::PanicInfo;

use chacha20::ChaCha20Rng;
use cortex_m as _;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use embedded_alloc::LlffHeap;
use rand_core::SeedableRng as _;
use softkey_authenticator::hid::Attendant;
use softkey_authenticator::{Answer, Ask, Authenticator, Config, Question, RootKey};
use softkey_ctap::Instant;
use softkey_ctap_hid::{Application as _, Device, DeviceConfig};
use softkey_flash_store::FlashStore;

use shared::SharedFlash;

/// Of 64 KiB of RAM the rest is for the stack.
const HEAP: usize = 40 << 10;

#[global_allocator]
static ALLOCATOR: LlffHeap = LlffHeap::empty();

static mut ARENA: MaybeUninit<[u8; HEAP]> = MaybeUninit::uninit();

#[entry]
fn main() -> ! {
    // SAFETY: called once, before anything is allocated, with memory that nothing else refers to.
    unsafe { ALLOCATOR.init(&raw mut ARENA as usize, HEAP) }
    let store = match FlashStore::open(SharedFlash, 0..SharedFlash::LEN) {
        Ok(store) => store,
        Err(error) => stop(format_args!("the flash cannot be opened: {error:?}")),
    };
    let rng = ChaCha20Rng::from_seed(shared::entropy());
    let root_key = RootKey::new(shared::secret());
    let config = Config { max_discoverable: 300, ..Config::default() };
    let opened = Authenticator::open(store, root_key, rng, config, shared::now());
    let authenticator = match opened {
        Ok(authenticator) => authenticator,
        Err(error) => stop(format_args!("the key does not start: {error:?}")),
    };
    let mut key = Attendant::new(authenticator, touched);
    let mut device = Device::new(DeviceConfig { max_channels: 32, ..DeviceConfig::default() }, 1);
    shared::announce();
    loop {
        let now = shared::now();
        device.handle_timeout(now);
        if let Some(report) = shared::receive() {
            device.receive(now, &report);
        }
        key.attend(now, &mut device);
        if shared::may_send()
            && let Some(outgoing) = device.poll_report()
        {
            shared::send(&outgoing.report);
        }
    }
}

/// The button is the user's only word: yes.
fn touched(_: Instant, ask: &Ask) -> Option<Answer> {
    let held = shared::button()?;
    let enough = match ask.question {
        Question::Presence => true,
        Question::LongPresence => held,
        _ => false,
    };
    if !enough {
        return None;
    }
    shared::release_button();
    Some(Answer::Yes)
}

/// Ends the emulation with a failure.
fn stop(why: core::fmt::Arguments<'_>) -> ! {
    hprintln!("{}", why);
    loop {
        debug::exit(debug::EXIT_FAILURE);
    }
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    stop(format_args!("{info}"))
}

//! The key on embassy, for any chip: [`usb`](usb::serve) belongs to an executor in an interrupt, [`key`](key::work) to
//! thread mode. A board brings its drivers, its pins and its memory, and nothing else.
#![no_std]

extern crate alloc;

pub mod heap;
pub mod key;
pub mod usb;

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::SCB;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use softkey_board::{Notice, Order};
use softkey_ctap::Instant;

/// What joins both halves of the key.
pub struct Link {
    orders: Channel<CriticalSectionRawMutex, Order, 4>,
    notices: Channel<CriticalSectionRawMutex, Notice, 4>,
    turns: AtomicU32,
}

impl Link {
    /// A link with nothing under way.
    #[must_use]
    pub const fn new() -> Self {
        Self { orders: Channel::new(), notices: Channel::new(), turns: AtomicU32::new(0) }
    }

    /// Thread mode gets on with its work. It alone counts, so no update can be lost between reading and writing; a
    /// Cortex-M0+ has no other way.
    fn turned(&self) {
        self.turns.store(self.turns.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

/// The version that `CTAPHID_INIT` tells.
const VERSION: [u8; 3] = [0, 1, 0];

/// The clock's reading.
#[must_use]
pub fn now() -> Instant {
    Instant::from_millis(embassy_time::Instant::now().as_millis())
}

/// Starts the chip anew: there is no other way to go on.
pub fn restart() -> ! {
    SCB::sys_reset()
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    restart()
}

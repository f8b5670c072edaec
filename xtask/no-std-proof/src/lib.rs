//! Links the core crates into a library that brings its own panic handler and allocator.
//!
//! If any of them, or anything they depend on, drags in the standard library, the linker is offered two panic
//! handlers and rustc refuses. The library is built, never run.
#![no_std]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;

use softkey_authenticator::{Change, Key, MemoryStore, Store};
use softkey_ctap::Instant;
use softkey_ctap_hid::{Device, DeviceConfig, REPORT_LEN};

#[cfg(feature = "planted-std")]
use planted_std as _;

/// Uses each crate enough to be linked.
#[unsafe(no_mangle)]
pub extern "C" fn proof(millis: u64) -> bool {
    let now = Instant::from_millis(millis);
    let mut device = Device::new(DeviceConfig::default(), 1);
    device.receive(now, &[0; REPORT_LEN]);
    let mut store = MemoryStore::default();
    let kept = Key::new(b"n").is_ok_and(|key| store.commit(&[Change::Put(key, &[1])]).is_ok());
    kept && device.poll_report().is_some()
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

struct NoMemory;

// SAFETY: a null pointer is the allowed answer to every request, and nothing handed out ever comes back.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

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
use softkey_ctap_hid as _;

#[cfg(feature = "planted-std")]
use planted_std as _;

/// Uses each crate enough to be linked.
#[unsafe(no_mangle)]
pub extern "C" fn proof(millis: u64) -> u64 {
    let mut store = MemoryStore::default();
    let Ok(key) = Key::new(b"n") else { return 0 };
    let change = Change::Put(key, &[1]);
    if store.commit(&[change]).is_err() {
        return 0;
    }
    Instant::from_millis(millis).as_millis()
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

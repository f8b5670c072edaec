//! Links the core crates into a library that brings its own panic handler and allocator.
//!
//! If any of them, or anything they depend on, drags in the standard library, the linker is offered two panic
//! handlers and rustc refuses. The library is built, never run.
#![no_std]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::convert::Infallible;
use core::panic::PanicInfo;

use rand_core::{TryCryptoRng, TryRng};
use softkey_authenticator::{
    Authenticator, Config, MemoryStore, RootKey, Session, Step, Transport, Via,
};
use softkey_ctap::Instant;
use softkey_ctap_hid::{Device, DeviceConfig, REPORT_LEN};

#[cfg(feature = "planted-std")]
use planted_std as _;

/// Takes a report to a job and the job's bytes to an answer, so that the whole core is linked.
#[unsafe(no_mangle)]
pub extern "C" fn proof(report: &[u8; REPORT_LEN]) -> bool {
    let now = Instant::from_millis(0);
    let mut device = Device::new(DeviceConfig::default(), 1);
    device.receive(now, report);
    let Some(job) = device.poll_job() else { return false };
    let opened = Authenticator::open(
        MemoryStore::default(),
        RootKey::new([0; 32]),
        Zeros,
        Config::default(),
        now,
    );
    let Ok(mut authenticator) = opened else { return false };
    let via = Via { transport: Transport::Usb, session: Session(1) };
    if let Step::Reply(answer) = authenticator.begin(now, via, &job.bytes) {
        device.answer(now, job.id, &answer);
    }
    device.poll_report().is_some()
}

/// Entropy for a library that is never run.
struct Zeros;

impl TryRng for Zeros {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        into.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Zeros {}

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

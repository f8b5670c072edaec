//! The heap of a board.

use core::mem::MaybeUninit;

use embedded_alloc::LlffHeap;

/// The heap of the emulated board, where it is measured, is 26 KiB at its fullest. With the other statics and the stack as
/// deep as it gets there, the whole stays below 64 KiB; what USB's interrupts take of the stack is not measured.
#[cfg(not(feature = "ml-dsa"))]
const LEN: usize = 38 << 10;
/// There it is 92 KiB at its fullest with ML-DSA-44.
#[cfg(feature = "ml-dsa")]
const LEN: usize = 96 << 10;

#[global_allocator]
static ALLOCATOR: LlffHeap = LlffHeap::empty();

static mut ARENA: MaybeUninit<[u8; LEN]> = MaybeUninit::uninit();

/// Gives the heap its memory.
///
/// # Safety
///
/// To be called once, before anything is allocated.
pub unsafe fn init() {
    // SAFETY: called once, before anything is allocated, with memory that nothing else refers to.
    unsafe { ALLOCATOR.init(&raw mut ARENA as usize, LEN) }
}

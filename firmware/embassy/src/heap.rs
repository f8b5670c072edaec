//! The heap of a board.

use core::mem::MaybeUninit;

use embedded_alloc::LlffHeap;

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

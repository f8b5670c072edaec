//! How much memory the firmware takes while it runs: the heap at its fullest, the stack at its deepest.

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use embedded_alloc::LlffHeap;

/// The rest of the RAM is for the stack.
#[cfg(not(feature = "ml-dsa"))]
pub(crate) const HEAP: usize = 40 << 10;
#[cfg(feature = "ml-dsa")]
pub(crate) const HEAP: usize = 102 << 10;
/// With what the stack is painted before `main`.
const PAINT: u32 = 0xCCCC_CCCC;

#[global_allocator]
static ALLOCATOR: Counted = Counted { heap: LlffHeap::empty(), peak: AtomicUsize::new(0) };

static mut ARENA: MaybeUninit<[u8; HEAP]> = MaybeUninit::uninit();

/// A heap that remembers how full it was.
struct Counted {
    heap: LlffHeap,
    peak: AtomicUsize,
}

// SAFETY: everything is the inner heap's doing.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that the heap wants.
        let given = unsafe { self.heap.alloc(layout) };
        self.peak.fetch_max(self.heap.used(), Ordering::Relaxed);
        given
    }

    unsafe fn dealloc(&self, given: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.heap.dealloc(given, layout) }
    }
}

/// Gives the heap its memory; to be called once, before anything is allocated.
pub(crate) fn init() {
    // SAFETY: called once, before anything is allocated, with memory that nothing else refers to.
    unsafe { ALLOCATOR.heap.init(&raw mut ARENA as usize, HEAP) }
}

/// The most bytes that were allocated at once.
pub(crate) fn heap_peak() -> u32 {
    u32::try_from(ALLOCATOR.peak.load(Ordering::Relaxed)).unwrap_or(u32::MAX)
}

/// The bytes of stack that were ever in use, and all that there are.
pub(crate) fn stack_peak() -> (u32, u32) {
    unsafe extern "C" {
        /// The linker's names for both ends.
        static _stack_end: u32;
        static _stack_start: u32;
    }
    let bottom = (&raw const _stack_end) as usize;
    let top = (&raw const _stack_start) as usize;
    let painted = |at: &usize| {
        // SAFETY: an aligned word between the ends of the stack.
        (unsafe { ptr::read_volatile(*at as *const u32) }) == PAINT
    };
    let clean = (bottom..top).step_by(4).take_while(painted).count() * 4;
    let size = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    (size(top - bottom - clean), size(top - bottom))
}

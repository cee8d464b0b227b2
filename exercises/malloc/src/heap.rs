//! The heap: ties free blocks and memory from the kernel together, and is what `lib.rs` calls. Begin here.
//!
//! What must hold at every stage: each byte of the heap is in one block, or in your bookkeeping. A block is
//! handed out, or it is free and can be found. When memory cannot be had, nothing has changed.

use std::ptr::NonNull;

use crate::real_programs::Lock;

/// The one heap of the process. `HEAP.with(|heap| …)` is the way to it.
pub static HEAP: Lock<Heap> = Lock::new(Heap::empty());

/// Memory for `request` bytes; `None` if there is none.
pub fn malloc(request: usize) -> Option<NonNull<u8>> {
    todo!("stage 1: a free block that is large enough, or new memory")
}

/// Takes memory back.
///
/// # Safety
///
/// `payload` came from this allocator, and nobody uses it any more.
pub unsafe fn free(payload: NonNull<u8>) {
    todo!("stage 1: its block can be found again")
}

/// What the allocator remembers between two calls.
#[derive(Debug)]
pub struct Heap {
    // Your fields: a free list, to begin with.
}

// SAFETY: whoever has the heap has all that its addresses lead to.
unsafe impl Send for Heap {}

impl Heap {
    /// A heap without memory.
    pub const fn empty() -> Heap {
        Heap {}
    }
}

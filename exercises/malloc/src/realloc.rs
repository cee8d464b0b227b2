//! Stage 5: memory that is zeroed, and memory that changes its size.
//!
//! What must hold: on failure the old block is as it was, and live. What both sizes share is kept. Recycled
//! memory holds what its last owner wrote. A block grows in place when what follows is free, and large enough.
//!
//! What `lib.rs` calls: null and a size of 0 have been dealt with there.

use std::ptr::NonNull;

/// Zeroed memory for `count` elements of `size` bytes; `None` if there is none.
pub fn calloc(count: usize, size: usize) -> Option<NonNull<u8>> {
    todo!("stage 5: zeros, whatever was there")
}

/// Memory for `request` bytes with the contents of `payload`, which is then gone; `None` if there is none,
/// and then `payload` is as before.
///
/// # Safety
///
/// `payload` came from this allocator and was not freed; nobody uses it any more once this returns memory.
pub unsafe fn realloc(payload: NonNull<u8>, request: usize) -> Option<NonNull<u8>> {
    todo!("stage 5: in place if it can be, else somewhere else")
}

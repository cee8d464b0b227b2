//! Stage 4: from any number a caller may pass to a block's size, or to a no.
//!
//! What must hold: a block has room for header and request, and its size is such that the next payload is
//! aligned when this one is. No sum wraps, here or in anything that is computed from what is returned.

/// The size of the block that serves a request; `None` if none can.
pub fn block_size(request: usize) -> Option<usize> {
    todo!("stage 1: room for header and request, rounded up; from stage 4 none above PTRDIFF_MAX")
}

/// The size in bytes of an array; `None` if no `usize` can say it.
pub fn array_size(count: usize, size: usize) -> Option<usize> {
    todo!("stage 5: the product, unless it wraps")
}

//! Stage 5: memory that is zeroed, and memory that changes its size.
//!
//! ```text
//!   realloc   same place?   smaller: cut         larger: the next block is free, or the heap ends here
//!             new place     a mapping: the kernel moves its pages       else: allocate, copy, free
//! ```
//!
//! Invariants: on failure the old block is as it was, so it is freed last. What is copied is the smaller of
//! both payloads. Recycled memory holds what its last owner wrote; only a new mapping is known to be zero.

use std::ptr::NonNull;

use crate::block::{Block, HEADER, MIN};
use crate::edges;
use crate::heap::{self, HEAP};
use crate::real_programs::Cache;
use crate::utilisation_and_speed::{map, remap};

/// From this size on, a block that has to move because it grew becomes a mapping: it would leave a hole each time, and
/// what grew once is likely to grow again. From then on the kernel moves its pages, not we its bytes.
const GROWS_APART: usize = 64 * 1024;

/// Zeroed memory for `count` elements of `size` bytes; `None` if there is none.
pub fn calloc(count: usize, size: usize) -> Option<NonNull<u8>> {
    let bytes = edges::array_size(count, size)?;
    let payload = heap::malloc(bytes)?;
    // SAFETY: it was allocated a line ago.
    let block = unsafe { Block::of(payload) };
    if !block.is_mapped() {
        // SAFETY: the payload has at least as many bytes as were asked for.
        unsafe { payload.write_bytes(0, bytes) };
    }
    Some(payload)
}

/// Memory for `request` bytes with the contents of `payload`, which is then gone; `None` if there is none,
/// and then `payload` is as before.
///
/// # Safety
///
/// `payload` came from this allocator and was not freed; nobody uses it any more once this returns memory.
pub unsafe fn realloc(payload: NonNull<u8>, request: usize) -> Option<NonNull<u8>> {
    let size = edges::block_size(request)?;
    // SAFETY: what came from here and was not freed is the payload of a block in use.
    let block = unsafe { Block::of(payload) };
    if let Some(resized) = resize(block, size) {
        return Some(resized.payload());
    }
    let new = grown_apart(size).or_else(|| heap::malloc(request))?;
    let kept = request.min(block.size() - HEADER);
    // SAFETY: both are payloads of that many bytes, of two blocks in use, which are disjoint.
    unsafe { payload.copy_to_nonoverlapping(new, kept) };
    // SAFETY: by the caller; it was copied, and nobody uses it any more.
    unsafe { heap::free(payload) };
    Some(new)
}

/// A mapping for a block that has to move, if it is large enough.
fn grown_apart(size: usize) -> Option<NonNull<u8>> {
    if size < GROWS_APART { None } else { map(size).map(Block::payload) }
}

/// Resizes a block without copying it, if that can be done.
fn resize(block: Block, size: usize) -> Option<Block> {
    if block.is_mapped() {
        // The kernel may refuse even to take pages back; then the block is larger than it need be.
        return remap(block, size).or_else(|| (size <= block.size()).then_some(block));
    }
    if size <= block.size() && block.size() - size < MIN {
        // Large enough, and what is too much would be a sliver.
        return Some(block);
    }
    if HEAP.with(|heap| heap.resize(block, size)) {
        return Some(block);
    }
    // What is in the way may be free already, and only wait in the cache.
    let cache = Cache::of_this_thread()?;
    HEAP.with(|heap| {
        loop {
            let obstacle = heap.obstacle(block);
            if !cache.withdraw(obstacle) {
                return None;
            }
            heap.free(obstacle);
            if heap.resize(block, size) {
                return Some(block);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(payload: NonNull<u8>, bytes: usize) {
        for offset in 0..bytes {
            // SAFETY: the callers pass payloads of as many bytes.
            let byte = unsafe { payload.add(offset) };
            // SAFETY: as above.
            unsafe { byte.write(offset as u8 | 1) };
        }
    }

    fn is_filled(payload: NonNull<u8>, bytes: usize) -> bool {
        // SAFETY: the callers pass payloads of as many bytes.
        let slice = unsafe { std::slice::from_raw_parts(payload.as_ptr(), bytes) };
        slice.iter().enumerate().all(|(offset, &byte)| byte == offset as u8 | 1)
    }

    /// The trap: the old block is freed, or its mapping gone, before it is known that there is a new one.
    #[test]
    fn a_failed_realloc_leaves_the_block_as_it_was() {
        for bytes in [1, 100, 5000, 3 << 20] {
            let payload = heap::malloc(bytes).unwrap();
            fill(payload, bytes);
            for too_much in [usize::MAX, isize::MAX as usize, 1 << 60] {
                // SAFETY: it is live, and stays so since this fails.
                assert_eq!(unsafe { realloc(payload, too_much) }, None);
            }
            assert!(is_filled(payload, bytes), "{bytes} bytes");
            // SAFETY: it is live.
            unsafe { heap::free(payload) };
        }
    }

    /// The traps: header or neighbour copied along, or a prefix of the wrong length.
    #[test]
    fn what_both_sizes_share_is_kept() {
        for from in [0, 24, 25, 1000, 70_000, 3 << 20] {
            for to in [1, 24, 25, 999, 200_000, 5 << 20] {
                let payload = heap::malloc(from).unwrap();
                let in_the_way = heap::malloc(from).unwrap();
                fill(payload, from);
                // SAFETY: it is live, and from here on only what is returned is used.
                let resized = unsafe { realloc(payload, to).unwrap() };
                assert!(is_filled(resized, from.min(to)), "{from} to {to}");
                for live in [resized, in_the_way] {
                    // SAFETY: both are live.
                    unsafe { heap::free(live) };
                }
            }
        }
    }

    #[test]
    fn recycled_memory_is_zeroed_and_an_overflow_refused() {
        for bytes in [1, 500, 5000] {
            let dirty = heap::malloc(bytes).unwrap();
            fill(dirty, bytes);
            // SAFETY: it is live.
            unsafe { heap::free(dirty) };
            let zeroed = calloc(bytes, 1).unwrap();
            // SAFETY: it has that many bytes.
            let slice = unsafe { std::slice::from_raw_parts(zeroed.as_ptr(), bytes) };
            assert!(slice.iter().all(|&byte| byte == 0), "{bytes} bytes");
            // SAFETY: it is live.
            unsafe { heap::free(zeroed) };
        }
        assert_eq!(calloc(usize::MAX / 2 + 2, 2), None, "2 bytes, if it wrapped");
    }
}

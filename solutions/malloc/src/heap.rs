//! The heap: ties free blocks and memory from the kernel together, and is what `lib.rs` calls.
//!
//! ```text
//!   region  │ block │ block │ block │ … │ block │ fence │      fence │ block │ … │ fence │ not ours │ …
//!           ▲ says that the one before is in use    ▲ a header in use, of no size
//! ```
//!
//! A region is a stretch of memory of ours. Usually there is one, and the break is its end: when it grows,
//! the fence becomes a block's header. When somebody else has moved the break, or `sbrk` is refused and a
//! mapping has to do, a new region begins, and fences keep blocks from merging across what lies between.
//!
//! Invariants: (H1) blocks fill a region; each is in use, or in a bin. (H2) No two free blocks are
//! neighbours. (H3) Memory is asked for only when neither a bin nor this thread's cache can serve.

use std::ptr::NonNull;

use crate::block::{ALIGN, Block, HEADER};
use crate::coalescing::coalesce;
use crate::edges;
use crate::os::{self, PAGE};
use crate::real_programs::{Cache, Lock};
use crate::splitting::split;
use crate::utilisation_and_speed::{self as large, Bins, LARGE, TRIM_ABOVE, TRIM_KEEPS};

/// The break is moved by multiples of this: each call costs as much as many mallocs.
const STEP: usize = 64 * 1024;
/// Mappings that stand in for the break are at least so large: nothing merges across their borders.
const LEAST_MAPPED_REGION: usize = 1024 * 1024;
/// What a region loses at most: to rounding at both ends, before the first header, and to the fence.
const REGION_OVERHEAD: usize = 4 * ALIGN;

/// The one heap of the process.
pub static HEAP: Lock<Heap> = Lock::new(Heap::empty());

/// Memory for `request` bytes; `None` if there is none.
pub fn malloc(request: usize) -> Option<NonNull<u8>> {
    let size = edges::block_size(request)?;
    let mut cache = Cache::of_this_thread();
    if let Some(block) = cache.as_mut().and_then(|cache| cache.take(size)) {
        return Some(block.payload());
    }
    HEAP.with(|heap| heap.allocate(size, cache)).map(Block::payload)
}

/// Takes memory back.
///
/// # Safety
///
/// `payload` came from this allocator, and nobody uses it any more.
pub unsafe fn free(payload: NonNull<u8>) {
    // SAFETY: what came from here and was not freed is the payload of a block in use.
    let block = unsafe { Block::of(payload) };
    debug_assert!(block.is_in_use(), "freed twice, or never allocated");
    if block.is_mapped() {
        return large::unmap(block);
    }
    if !Cache::of_this_thread().is_some_and(|cache| cache.put(block)) {
        HEAP.with(|heap| heap.free(block));
    }
}

/// All blocks that are not mappings of their own.
#[derive(Debug)]
pub struct Heap {
    bins: Bins,
    /// The free block before `fence`, if there is one. It is in no bin, since it comes last: what is cut from
    /// it brings the day nearer on which the heap must grow.
    top: Option<Block>,
    /// The fence of the region that the break ends,
    fence: Option<Block>,
    /// and where the break was when we last moved it.
    end: usize,
}

impl Heap {
    /// A heap without memory.
    pub const fn empty() -> Heap {
        Heap { bins: Bins::empty(), top: None, fence: None, end: 0 }
    }

    /// A block in use of at least `size`. `cache` is the calling thread's.
    pub(crate) fn allocate(&mut self, size: usize, cache: Option<&mut Cache>) -> Option<Block> {
        let mut found = self.take(size);
        if let (None, Some(cache)) = (found, cache)
            && cache.flush(self)
        {
            found = self.take(size);
        }
        if found.is_none() && size >= LARGE {
            // Refused, it may still fit the heap: the kernel limits mappings and the break apart.
            if let Some(block) = large::map(size) {
                return Some(block);
            }
        }
        let block = match found {
            Some(block) => block,
            None => self.grow(size)?,
        };
        // What was free had no free neighbours, and neither has its rest.
        if let Some(rest) = split(block, size) {
            self.shelve(rest);
        }
        block.set_in_use();
        Some(block)
    }

    /// Takes a block out of use, and gives back to the kernel what is too much at the end.
    pub(crate) fn free(&mut self, block: Block) {
        let free = self.insert(block);
        if free.size() > TRIM_ABOVE && self.top == Some(free) {
            self.trim(free);
        }
    }

    /// Makes a block in use larger or smaller where it is; whether it could.
    pub(crate) fn resize(&mut self, block: Block, size: usize) -> bool {
        if block.size() < size {
            return self.absorb_next(block, size);
        }
        if let Some(rest) = split(block, size) {
            self.free(rest);
        }
        true
    }

    /// The block in use that keeps `block` from growing.
    pub(crate) fn obstacle(&self, block: Block) -> Block {
        let next = block.next();
        if next.is_in_use() { next } else { next.next() }
    }

    /// A free block of at least `size`, which is then in no bin.
    fn take(&mut self, size: usize) -> Option<Block> {
        self.bins.take(size).or_else(|| self.top.take_if(|top| top.size() >= size))
    }

    /// Makes a block that is in no bin free, merged with its neighbours.
    fn insert(&mut self, block: Block) -> Block {
        let merged = coalesce(block, &mut |neighbour| self.remove(neighbour));
        merged.set_free();
        self.shelve(merged);
        merged
    }

    /// Puts a free block, which has no free neighbours, where it will be found.
    fn shelve(&mut self, block: Block) {
        if Some(block.next()) == self.fence {
            self.top = Some(block);
        } else {
            self.bins.insert(block);
        }
    }

    /// Takes a free block out of its bin.
    fn remove(&mut self, block: Block) {
        if self.top == Some(block) {
            self.top = None;
        } else {
            self.bins.remove(block);
        }
    }

    /// Lets a block grow into what is free behind it, and beyond the break if the region ends there.
    fn absorb_next(&mut self, block: Block, size: usize) -> bool {
        let room = |next: Block| if next.is_in_use() { 0 } else { next.size() };
        if block.size() + room(block.next()) < size
            && Some(self.obstacle(block)) == self.fence
            && let Some(new) = self.raise_break(size - block.size())
        {
            self.insert(new);
        }
        let next = block.next();
        if block.size() + room(next) < size {
            return false;
        }
        self.remove(next);
        if let Some(rest) = split(next, size - block.size()) {
            self.shelve(rest);
        }
        block.set_size(block.size() + next.size());
        block.set_in_use();
        true
    }

    /// A free block of at least `size`, in no bin, for which there must be new memory.
    fn grow(&mut self, size: usize) -> Option<Block> {
        if let Some(new) = self.raise_break(size) {
            self.insert(new);
        }
        // Refused, or less than asked for, because somebody moved the break in between.
        self.take(size).or_else(|| {
            let bytes = (size + REGION_OVERHEAD).next_multiple_of(PAGE).max(LEAST_MAPPED_REGION);
            let start = os::map(bytes)?;
            let (new, _) = region(start, bytes);
            self.insert(new);
            self.take(size)
        })
    }

    /// Moves the break so that `wanted` bytes are free at the end of the heap; returns those that are new.
    fn raise_break(&mut self, wanted: usize) -> Option<Block> {
        let ours = self.fence.filter(|_| self.ends_at_break());
        let missing = match (ours, self.top) {
            (Some(_), Some(top)) => wanted.saturating_sub(top.size()),
            _ => wanted + REGION_OVERHEAD,
        };
        let bytes = missing.max(1).next_multiple_of(STEP);
        let start = NonNull::new(os::sbrk(bytes)?)?;
        let adjacent = start.addr().get() == self.end;
        let (block, fence) = match ours {
            Some(fence) if adjacent => extend(fence, bytes),
            _ => {
                // The end of the region before is no longer the end of the heap.
                if let Some(top) = self.top.take() {
                    self.bins.insert(top);
                }
                region(start, bytes)
            }
        };
        self.fence = Some(fence);
        self.end = start.addr().get() + bytes;
        Some(block)
    }

    /// Whether nobody has moved the break since we did.
    fn ends_at_break(&self) -> bool {
        os::current_break().is_some_and(|at| at.addr() == self.end)
    }

    /// Moves the break back. `top` is the free block at the end.
    fn trim(&mut self, top: Block) {
        if !self.ends_at_break() {
            return;
        }
        let excess = (top.size() - TRIM_KEEPS) / PAGE * PAGE;
        // SAFETY: the break is where we left it, so that what lies below is the fence's, and before it free.
        if unsafe { os::sbrk_back(excess) } {
            top.set_size(top.size() - excess);
            // SAFETY: where the last block ends now there was free memory of ours, aligned as blocks are.
            self.fence = Some(unsafe { Block::create(top.end(), 0) });
            self.end -= excess;
        }
        top.set_free();
    }
}

/// Makes a region: one block, not yet free, and its fence.
fn region(start: NonNull<u8>, bytes: usize) -> (Block, Block) {
    let padding = start.align_offset(ALIGN);
    let size = (bytes - padding - 2 * HEADER) / ALIGN * ALIGN;
    // SAFETY: a region has room for both headers.
    let header = unsafe { start.add(padding + HEADER) };
    // SAFETY: the header is 8 past a multiple of 16; the block ends 8 bytes or more before the region does.
    let block = unsafe { Block::create(header, size) };
    // SAFETY: those 8 bytes are the fence's, and nothing stands behind it.
    let fence = unsafe { Block::create(block.end(), 0) };
    (block, fence)
}

/// Turns a fence into a block, not yet free, of the memory that is new behind it, and makes a new fence.
fn extend(fence: Block, bytes: usize) -> (Block, Block) {
    fence.set_size(bytes / ALIGN * ALIGN);
    // SAFETY: the fence was the last header of its region, and the region is `bytes` longer.
    let new_fence = unsafe { Block::create(fence.end(), 0) };
    (fence, new_fence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::tests::row;

    /// The trap: a rest that is lost, a block that is listed twice, or a neighbour that is not merged.
    #[test]
    fn what_was_one_block_is_one_again() {
        let mut heap = Heap::empty();
        let whole = heap.insert(row(&[1 << 16])[0]);
        let mut live: Vec<Block> = (0..200).map(|n| heap.allocate(32 + n % 7 * 48, None).unwrap()).collect();
        // Every third first, so that some have two neighbours in use, some one, some none.
        for step in [3, 2, 1] {
            for at in (0..live.len()).rev().step_by(step) {
                heap.free(live.remove(at));
            }
        }
        assert_eq!(whole.size(), 1 << 16);
        assert!(!whole.is_in_use());
    }

    /// The trap: new memory is taken for the old heap's continuation, whoever owns what is between.
    #[test]
    fn memory_that_somebody_else_took_is_left_alone() {
        let mut live = Vec::new();
        for _ in 0..20 {
            // With the lock, since two threads must not move the break at once.
            let foreign = HEAP.with(|_| NonNull::new(os::sbrk(1000).unwrap()).unwrap());
            // SAFETY: these 1000 bytes are ours, and the heap does not know it.
            unsafe { foreign.write_bytes(0xAB, 1000) };
            let payload = malloc(STEP).unwrap();
            // SAFETY: so many were asked for.
            unsafe { payload.write_bytes(0xCD, STEP) };
            live.push((foreign, payload));
        }
        for (foreign, payload) in live {
            // SAFETY: it is live, and this is its only mention from here on.
            unsafe { free(payload) };
            // SAFETY: written above.
            let slice = unsafe { std::slice::from_raw_parts(foreign.as_ptr(), 1000) };
            assert!(slice.iter().all(|&byte| byte == 0xAB), "somebody wrote to {foreign:?}");
        }
    }
}

//! What the heap is made of: blocks, end to end, each with its size written down at its border.
//!
//! What must hold: from a payload its header can be found, since `free` is told nothing else. Where one block
//! ends another header stands, or the end of your memory. Nobody but its owner writes to a block in use.
//!
//! ```text
//!  header    payload                           header    payload
//! ┌─────────┬─────────────────────────────────┬─────────┬──────────────────
//! │ size, … │ the caller's, all of it         │ size, … │
//! └─────────┴─────────────────────────────────┴─────────┴──────────────────
//!           ▲ what malloc returns
//! ```
//!
//! Draw here what your blocks look like, in use and free.

use std::ptr::NonNull;

/// Payloads begin at multiples of this, and blocks have multiples of it. (Until stage 3, 8 would do.)
pub const ALIGN: usize = 16;
/// What a block has before its payload. What else it needs, it may need only while it is free.
pub const HEADER: usize = 8;
/// The least block: once free, it must have room for all that you write into it. (How much is that?)
pub const MIN: usize = 32;

/// A block, by the address of its header. Copies of it are names for the same memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    header: NonNull<u8>,
}

// SAFETY: an address is no thread's own. Who may use what lies there is for the heap and its lock to say.
unsafe impl Send for Block {}

impl Block {
    /// Writes the header of a block in use, with another in use before it.
    ///
    /// # Safety
    ///
    /// `header` lies 8 below a multiple of 16, with `size` bytes (0 or a multiple of 16, and the header at
    /// least) that the caller owns, and a header of ours, or the end of a mapping, stands behind them.
    pub unsafe fn create(header: NonNull<u8>, size: usize) -> Block {
        todo!("stage 1: a header that says how large the block is, and that it is in use")
    }

    /// Writes header and footer of a free block, with one in use before it. The next block knows already: this
    /// one is the rest of a free block.
    ///
    /// # Safety
    ///
    /// As for [`Block::create`]; and the bytes are at least [`MIN`], and nobody else's.
    pub unsafe fn create_free(header: NonNull<u8>, size: usize) -> Block {
        todo!("stage 3: what `set_free` writes into the block itself")
    }

    /// The block with that payload.
    ///
    /// # Safety
    ///
    /// It is the payload of a block in use.
    pub unsafe fn of(payload: NonNull<u8>) -> Block {
        todo!("stage 1: the way back from `payload`")
    }

    /// What the caller gets.
    pub fn payload(self) -> NonNull<u8> {
        todo!("stage 1: right behind the header")
    }

    /// The whole block in bytes, header included.
    pub fn size(self) -> usize {
        todo!("stage 1: what the header says")
    }

    /// Whether it is handed out (or lies in a thread's cache, which is the same to its neighbours).
    pub fn is_in_use(self) -> bool {
        todo!("stage 2: what the header says")
    }

    /// Whether it is a mapping of its own, with no neighbours.
    pub fn is_mapped(self) -> bool {
        todo!("stage 7: what the header says")
    }

    /// Where it ends: where the next header stands, or will.
    pub fn end(self) -> NonNull<u8> {
        todo!("stage 2: as far behind its beginning as it is large")
    }

    /// The block behind it.
    pub fn next(self) -> Block {
        todo!("stage 2: the one whose header stands where this one ends")
    }

    /// The block before it, if that is free: only then does it have a footer to find its header by.
    pub fn free_before(self) -> Option<Block> {
        todo!("stage 2: none if it is in use, for then what lies before the header is its owner's")
    }

    /// Changes the size, and nothing else. The next block is then another one.
    pub fn set_size(self, size: usize) {
        todo!("stage 2: what else the header says stays")
    }

    /// Says, here and in the next block, that this one is in use.
    pub fn set_in_use(self) {
        todo!("stage 2: both neighbours can tell")
    }

    /// Says, here, in the footer and in the next block, that this one is free.
    pub fn set_free(self) {
        todo!("stage 2: both neighbours can tell, and the next one can find where it begins")
    }

    /// Says that it is a mapping of its own.
    pub fn set_mapped(self) {
        todo!("stage 7: `is_mapped` from now on")
    }

    /// The first link of an unused block: the next in its list.
    pub fn link_next(self) -> Option<Block> {
        todo!("stage 1: what was set last")
    }

    /// The second link of an unused block: the previous one in its list.
    pub fn link_previous(self) -> Option<Block> {
        todo!("stage 2: what was set last")
    }

    /// Sets the first link of an unused block.
    pub fn set_link_next(self, next: Option<Block>) {
        todo!("stage 1: nobody uses the payload of a free block")
    }

    /// Sets the second link of an unused block.
    pub fn set_link_previous(self, previous: Option<Block>) {
        todo!("stage 2: behind the first")
    }
}

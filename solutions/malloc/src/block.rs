//! What the heap is made of: blocks, end to end, each with its size written down at its border.
//!
//! ```text
//!                 in use                           free
//!  block ───► ┌──────────────┬───────┐       ┌──────────────┬───────┐
//!             │ size         │ m p u │       │ size         │ m p u │ header, 8 bytes
//! payload ──► ├──────────────┴───────┤       ├──────────────┴───────┤ at a multiple of 16
//!             │ the caller's, up to  │       │ next and previous    │ links, 16
//!             │ the next header      │       │ … size once more     │ footer, 8
//!   next ───► └──────────────────────┘       └──────────────────────┘
//! ```
//!
//! Flags: `u` this block is in use, `p` the one before is, `m` it is a mapping of its own. Invariants:
//! (B1) a [`Block`] stands for a header in memory of ours; where one block ends, another header stands.
//! (B2) `p` says what `u` of the block before says. (B3) Who holds an unused block writes to all of it.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Payloads begin at multiples of this, and blocks have multiples of it: what the x86-64 ABI wants of malloc.
pub const ALIGN: usize = 16;
/// What a block has before its payload. The footer costs a block in use nothing: it lies in the payload.
pub const HEADER: usize = 8;
/// The least block: once free, it must have room for header, two links and footer.
pub const MIN: usize = 32;

const IN_USE: usize = 1;
const PREVIOUS_IN_USE: usize = 2;
const MAPPED: usize = 4;
/// Sizes are multiples of 16, so that their four low bits are free for flags.
const FLAGS: usize = ALIGN - 1;

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
        let block = Block { header };
        block.write(size | IN_USE | PREVIOUS_IN_USE);
        block
    }

    /// Writes header and footer of a free block, with one in use before it. The next block knows already: this
    /// one is the rest of a free block.
    ///
    /// # Safety
    ///
    /// As for [`Block::create`]; and the bytes are at least [`MIN`], and nobody else's.
    pub unsafe fn create_free(header: NonNull<u8>, size: usize) -> Block {
        let block = Block { header };
        block.write(size | PREVIOUS_IN_USE);
        block.write_footer(size);
        block
    }

    /// The block with that payload.
    ///
    /// # Safety
    ///
    /// It is the payload of a block in use.
    pub unsafe fn of(payload: NonNull<u8>) -> Block {
        // SAFETY: the header stands right before the payload.
        Block { header: unsafe { payload.sub(HEADER) } }
    }

    /// What the caller gets.
    pub fn payload(self) -> NonNull<u8> {
        self.at(HEADER)
    }

    /// The whole block in bytes, header included.
    pub fn size(self) -> usize {
        self.read() & !FLAGS
    }

    /// Whether it is handed out (or lies in a thread's cache, which is the same to its neighbours).
    pub fn is_in_use(self) -> bool {
        self.read() & IN_USE != 0
    }

    /// Whether it is a mapping of its own, with no neighbours.
    pub fn is_mapped(self) -> bool {
        self.read() & MAPPED != 0
    }

    /// Where it ends: where the next header stands, or will.
    pub fn end(self) -> NonNull<u8> {
        self.at(self.size())
    }

    /// The block behind it.
    pub fn next(self) -> Block {
        Block { header: self.end() }
    }

    /// The block before it, if that is free: only then does it have a footer to find its header by.
    pub fn free_before(self) -> Option<Block> {
        if self.read() & PREVIOUS_IN_USE != 0 {
            return None;
        }
        // SAFETY: by B2 the block before is free, and its footer the eight bytes before this header.
        let footer = unsafe { self.header.cast::<usize>().sub(1) };
        // SAFETY: a footer is aligned as headers are, and was written when the block became free.
        let size = unsafe { footer.read() };
        // SAFETY: that block begins as many bytes before this one as its footer says.
        Some(Block { header: unsafe { self.header.sub(size) } })
    }

    /// Changes the size, and nothing else. The next block is then another one.
    pub fn set_size(self, size: usize) {
        self.write(size | self.read() & FLAGS);
    }

    /// Says, here and in the next block, that this one is in use.
    pub fn set_in_use(self) {
        self.write(self.read() | IN_USE);
        let next = self.next();
        next.write(next.read() | PREVIOUS_IN_USE);
    }

    /// Says, here, in the footer and in the next block, that this one is free.
    pub fn set_free(self) {
        let size = self.size();
        self.write(self.read() & !IN_USE);
        self.write_footer(size);
        let next = self.next();
        next.write(next.read() & !PREVIOUS_IN_USE);
    }

    /// Says that it is a mapping of its own.
    pub fn set_mapped(self) {
        self.write(self.read() | MAPPED);
    }

    /// The first link of an unused block: the next in its list.
    pub fn link_next(self) -> Option<Block> {
        // SAFETY: by B3; whoever puts a block into a list sets its links first.
        unsafe { self.link(0).read() }
    }

    /// The second link of an unused block: the previous one in its list.
    pub fn link_previous(self) -> Option<Block> {
        // SAFETY: as in `link_next`.
        unsafe { self.link(1).read() }
    }

    /// Sets the first link of an unused block.
    pub fn set_link_next(self, next: Option<Block>) {
        // SAFETY: by B3, and MIN leaves room for two links.
        unsafe { self.link(0).write(next) };
    }

    /// Sets the second link of an unused block.
    pub fn set_link_previous(self, previous: Option<Block>) {
        // SAFETY: as in `set_link_next`.
        unsafe { self.link(1).write(previous) };
    }

    fn write_footer(self, size: usize) {
        let footer = self.at(size - HEADER).cast::<usize>();
        // SAFETY: by B3 the block, which has MIN bytes or more, is ours to write; footers are aligned.
        unsafe { footer.write(size) };
    }

    fn link(self, index: usize) -> NonNull<Option<Block>> {
        self.at(HEADER + index * size_of::<Option<Block>>()).cast()
    }

    fn at(self, offset: usize) -> NonNull<u8> {
        // SAFETY: no offset that is asked for in here goes past the next header, which by B1 is ours.
        unsafe { self.header.add(offset) }
    }

    /// Headers are atomics for stage 6: a thread reads the size in its own block's header while another, who
    /// holds the lock, changes the flag that speaks of the neighbour. Relaxed, that is a plain load.
    fn header(&self) -> &AtomicUsize {
        // SAFETY: by B1 a header stands there, aligned, and only this function touches it.
        unsafe { AtomicUsize::from_ptr(self.header.cast().as_ptr()) }
    }

    fn read(self) -> usize {
        self.header().load(Relaxed)
    }

    fn write(self, header: usize) {
        self.header().store(header, Relaxed);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Blocks of those sizes, in use, end to end as in a region, with a fence behind them; in leaked memory.
    pub(crate) fn row(sizes: &[usize]) -> Vec<Block> {
        let bytes = sizes.iter().sum::<usize>() + ALIGN;
        let memory: &'static mut [u128] = Vec::leak(vec![0; bytes / ALIGN]);
        let start = NonNull::from(memory).cast::<u8>();
        let mut at = HEADER;
        let mut create = |size: usize| {
            // SAFETY: all sizes, the fence's 0 among them, fit the memory after the first 8 bytes.
            let header = unsafe { start.add(at) };
            at += size;
            // SAFETY: as above; the next header, or the end, is behind it.
            unsafe { Block::create(header, size) }
        };
        let blocks = sizes.iter().map(|&size| create(size)).collect();
        create(0);
        blocks
    }

    /// The trap: one flag is forgotten, and a neighbour believes a footer that is the caller's payload.
    #[test]
    fn a_block_s_neighbours_know_whether_it_is_free() {
        let [left, middle, right] = row(&[32, 48, 64])[..] else { unreachable!() };
        assert_eq!((left.next(), middle.next()), (middle, right));
        assert_eq!(right.free_before(), None);
        middle.set_free();
        assert_eq!(right.free_before(), Some(middle));
        assert_eq!((middle.size(), right.size()), (48, 64), "flags are no part of the size");
        middle.set_in_use();
        assert_eq!(right.free_before(), None);
        assert_eq!(middle.payload().align_offset(ALIGN), 0);
    }
}

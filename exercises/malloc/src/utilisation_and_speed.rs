//! Stage 7: many free lists instead of one, so that a good block is found at once; and large blocks.
//!
//! What must hold: a block is in the list that its size belongs to. The time to find one does not grow with
//! the number of free blocks. What is asked of the kernel stays near what the program has at its peak.

use crate::block::Block;

/// From this size on a block is a mapping of its own. (What is wasted if it is too small, and what if it is
/// too large?)
pub const LARGE: usize = 1024 * 1024;
/// So much free memory at the heap's end is given back to the kernel,
pub const TRIM_ABOVE: usize = 8 * 1024 * 1024;
/// but for so much. (What would happen without?)
pub const TRIM_KEEPS: usize = 1024 * 1024;

/// All free blocks, by size.
#[derive(Debug)]
pub struct Bins {
    // Your fields.
}

impl Bins {
    /// No blocks.
    pub const fn empty() -> Bins {
        Bins {}
    }

    /// Takes a block of at least `size` out, of the smallest bin that has one.
    pub fn take(&mut self, size: usize) -> Option<Block> {
        todo!("stage 7: a good fit, in a time that does not depend on how many there are")
    }

    /// Puts a free block in.
    pub fn insert(&mut self, block: Block) {
        todo!("stage 7: into the bin of its size")
    }

    /// Takes out that block.
    pub fn remove(&mut self, block: Block) {
        todo!("stage 7: from the bin of its size, which may be empty then")
    }
}

/// A block that is a mapping of its own.
pub fn map(size: usize) -> Option<Block> {
    todo!("stage 7: aligned as any other")
}

/// Gives such a block back to the kernel.
pub fn unmap(block: Block) {
    todo!("stage 7: all of the mapping, and nothing else")
}

/// Makes such a block larger or smaller, in a new place if need be: the kernel moves pages without copying.
pub fn remap(block: Block, size: usize) -> Option<Block> {
    todo!("stage 7: the block, wherever it is now")
}

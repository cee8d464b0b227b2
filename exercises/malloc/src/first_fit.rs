//! Stage 1: the free list, and how to find a block in it.
//!
//! What must hold: a block is in one list or in none, and every block in one is free. The list needs no memory
//! of its own: its links lie in blocks that nobody uses.
//!
//! From stage 2 on blocks leave it from the middle, when a neighbour absorbs them. (What does that ask of the
//! links?) Stage 7 has many of these lists.

use crate::block::Block;

/// Free blocks, in an order of your choice.
#[derive(Debug)]
pub struct FreeList {
    // Your fields.
}

impl FreeList {
    /// An empty list.
    pub const fn empty() -> FreeList {
        FreeList {}
    }

    /// The first block of at least `size` bytes. It stays in the list.
    pub fn first_fit(&self, size: usize) -> Option<Block> {
        todo!("stage 1: none if all are smaller, however many there are")
    }

    /// Puts a block in.
    pub fn push(&mut self, block: Block) {
        todo!("stage 1: it is found from now on, and so are all that were")
    }

    /// Takes a block out that is in this list.
    pub fn remove(&mut self, block: Block) {
        todo!("stage 1: it is found no more, and all others are; from the beginning, the middle or the end")
    }

    /// All blocks, first to last.
    pub fn iter(&self) -> impl Iterator<Item = Block> {
        std::iter::from_fn(|| todo!("stage 7: each of them once"))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        todo!("stage 7: whether every block that was put in has left")
    }
}

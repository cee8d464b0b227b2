//! Stage 1: the free list, and how to find a block in it.
//!
//! ```text
//!   first ──► ┌───────┐ ──► ┌───────┐ ──► ┌───────┐ ◄── last
//!             │ 48    │     │ 1024  │     │ 32    │
//!             └───────┘ ◄── └───────┘ ◄── └───────┘
//! ```
//!
//! A free block is memory that nobody uses: the list's links lie inside, and the list costs nothing.
//! Doubly linked, since from stage 2 on blocks leave it from the middle: their neighbour absorbs them.
//!
//! Invariants: a block is in one list or in none; every block in one is free.

use crate::block::Block;

/// A queue of free blocks: in at the end, out anywhere.
///
/// The block that has waited longest is found first. A stack would hand out what is still in the
/// processor's cache, but a block that waits longer is likelier to be merged, and memory stays in larger pieces.
#[derive(Debug)]
pub struct FreeList {
    first: Option<Block>,
    last: Option<Block>,
}

impl FreeList {
    /// An empty list.
    pub const fn empty() -> FreeList {
        FreeList { first: None, last: None }
    }

    /// The first block of at least `size` bytes. It stays in the list.
    pub fn first_fit(&self, size: usize) -> Option<Block> {
        self.iter().find(|block| block.size() >= size)
    }

    /// Puts a block at the end.
    pub fn push(&mut self, block: Block) {
        block.set_link_next(None);
        block.set_link_previous(self.last);
        match self.last {
            Some(last) => last.set_link_next(Some(block)),
            None => self.first = Some(block),
        }
        self.last = Some(block);
    }

    /// Takes a block out that is in this list.
    pub fn remove(&mut self, block: Block) {
        let (next, previous) = (block.link_next(), block.link_previous());
        match previous {
            Some(previous) => previous.set_link_next(next),
            None => self.first = next,
        }
        match next {
            Some(next) => next.set_link_previous(previous),
            None => self.last = previous,
        }
    }

    /// All blocks, first to last.
    pub fn iter(&self) -> impl Iterator<Item = Block> {
        std::iter::successors(self.first, |block| block.link_next())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::tests::row;

    /// The trap: the first or the last block leaves, and the list's own ends still point to it.
    #[test]
    fn a_block_leaves_from_anywhere() {
        for leaving in 0..3 {
            let mut rest = row(&[32, 48, 64]);
            let mut list = FreeList::empty();
            rest.iter().for_each(|&block| list.push(block));
            list.remove(rest.remove(leaving));
            assert!(list.iter().eq(rest.iter().copied()), "block {leaving} left");
            let late = row(&[96])[0];
            list.push(late);
            assert!(
                list.iter().eq(rest.into_iter().chain([late])),
                "and one came after block {leaving} left"
            );
        }
    }

    #[test]
    fn the_first_that_is_large_enough_is_found_and_stays() {
        let blocks = row(&[32, 96, 64]);
        let mut list = FreeList::empty();
        blocks.iter().for_each(|&block| list.push(block));
        for _ in 0..2 {
            assert_eq!(list.first_fit(48), Some(blocks[1]));
        }
        assert_eq!(list.first_fit(112), None);
    }
}

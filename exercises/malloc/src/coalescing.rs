//! Stage 2: a freed block and its free neighbours become one.
//!
//! What must hold: no two free blocks are neighbours (or, if you merge later, none when a request would need
//! new memory). Nothing merges with memory that is not yours: a heap's first block has nothing before it, its
//! last one nothing behind, and what `sbrk` returns need not continue what it returned before.

use crate::block::Block;

/// Merges an unused block, which is in no list, with the free blocks beside it; `unlink` takes those out of
/// theirs. What it returns is yet to be marked free.
pub fn coalesce(block: Block, unlink: &mut impl FnMut(Block)) -> Block {
    todo!("stage 2: one block of up to three, in whatever order they were freed")
}

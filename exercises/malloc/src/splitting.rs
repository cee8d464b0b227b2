//! Stage 3: a block that is larger than asked for is cut in two.
//!
//! What must hold: the rest is a block like any other, and no byte is lost between the two. No block is
//! smaller than [`MIN`](crate::block::MIN): a rest that would be (a *sliver*) stays where it is.

use crate::block::Block;

/// Cuts a block down to `size`. The rest, if it is worth a block, is returned as one, in no list: free if the
/// block was, in use if it was.
pub fn split(block: Block, size: usize) -> Option<Block> {
    todo!("stage 3: block and rest fill what the block filled")
}

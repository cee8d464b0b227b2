//! Stage 3: a block that is larger than asked for is cut in two.
//!
//! ```text
//!   │ 1024                            │   ──►   │ 96 │ 928                       │
//!                                               block  rest
//! ```
//!
//! Without it the first small request takes the largest block, and nothing is left of it.
//!
//! Invariant: no block is smaller than [`MIN`]. A rest that would be (a *sliver*) stays with the block: it is
//! waste, but inside, and comes back when the block is freed.

use crate::block::{Block, MIN};

/// Cuts a block down to `size`. The rest, if it is worth a block, is returned as one, in no list: free if the
/// block was, in use if it was. The block is about to be used, and so it is left without a footer.
pub fn split(block: Block, size: usize) -> Option<Block> {
    let rest_size = block.size() - size;
    if rest_size < MIN {
        return None;
    }
    block.set_size(size);
    if block.is_in_use() {
        // SAFETY: the rest is part of a block that the caller owns; sizes are multiples of 16, and so the rest
        // is as aligned as the block; behind it stands the header that stood behind the block.
        Some(unsafe { Block::create(block.end(), rest_size) })
    } else {
        // Nothing is read at the far end: that memory may not have been touched for long, and is slow to come.
        // SAFETY: as above; the rest has MIN bytes, and what was behind the block knows that it is free.
        Some(unsafe { Block::create_free(block.end(), rest_size) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::tests::row;

    /// The trap: a rest of 16 bytes, whose links and footer lie in the next block.
    #[test]
    fn a_rest_is_a_block_or_stays() {
        for (size, rest) in [(128, None), (112, None), (96, Some(32)), (32, Some(96))] {
            let [block, next] = row(&[128, 32])[..] else { unreachable!() };
            let cut = split(block, size);
            assert_eq!(cut.map(Block::size), rest, "cut to {size}");
            assert_eq!(cut.unwrap_or(block).next(), next, "no byte is lost, cut to {size}");
        }
    }
}

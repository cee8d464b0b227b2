//! Stage 2: a freed block and its free neighbours become one.
//!
//! ```text
//!   │ free 64 │ freed 32 │ free 48 │ in use      ──►     │ free 144                   │ in use
//!   ▲ found by its footer           ▲ is told                ▲ the only header left
//! ```
//!
//! Without it memory ends up in crumbs: enough of it, and no piece large enough. To do it at once and in
//! constant time is what the tags at both borders are for.
//!
//! Invariant: no two free blocks are neighbours. Memory that is not ours looks like a block in use: each
//! region begins with "the one before is in use" and ends with a header that is (see `heap`).

use crate::block::Block;

/// Merges an unused block, which is in no list, with the free blocks beside it; `unlink` takes those out of
/// theirs. What it returns is yet to be marked free.
pub fn coalesce(block: Block, unlink: &mut impl FnMut(Block)) -> Block {
    let mut merged = block;
    let next = block.next();
    if !next.is_in_use() {
        unlink(next);
        merged.set_size(block.size() + next.size());
    }
    // The one before is last: the header that remains is its own, and it must count all there is.
    if let Some(before) = block.free_before() {
        unlink(before);
        before.set_size(before.size() + merged.size());
        merged = before;
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::tests::row;

    /// The trap: merging one side only, or before counting what the other side brought.
    #[test]
    fn three_blocks_become_one_in_whatever_order_they_are_freed() {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let blocks = row(&[48, 32, 48, 64, 32]);
            let mut free = Vec::new();
            for index in order {
                // The outer two stay in use.
                let merged =
                    coalesce(blocks[index + 1], &mut |neighbour| free.retain(|&block| block != neighbour));
                merged.set_free();
                free.push(merged);
            }
            assert_eq!(free, [blocks[1]], "freed as {order:?}");
            assert_eq!(blocks[1].size(), 32 + 48 + 64, "freed as {order:?}");
            assert_eq!(blocks[4].free_before(), Some(blocks[1]), "freed as {order:?}");
        }
    }
}

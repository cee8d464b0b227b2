//! Stage 2: free neighbours become one block. A student at this stage does not split yet, so what is merged is asked
//! for whole: groups of four blocks are freed, with a live one between any two groups.

use harness::{Check, Context, Judged, Stage};

use crate::{
    first_fit::{frees, mallocs},
    footprint::{self, Pattern},
    player::{EIGHT, Player},
    random::{self, Functions, Sizes},
    trace::{Op, Trace},
};

pub(crate) const STAGE: Stage = Stage {
    number: 2,
    slug: "coalescing",
    bonus: false,
    checks: &[
        Check::new("blocks_freed_first_to_last_merge", blocks_freed_first_to_last_merge)
            .points(3)
            .must("adjacent blocks that are freed in the order of their addresses serve a request for all of them")
            .why("A block that is freed behind a free one has to find it: its neighbour is the one *before* it in memory."),
        Check::new("blocks_freed_last_to_first_merge", blocks_freed_last_to_first_merge)
            .points(3)
            .must("adjacent blocks that are freed against the order of their addresses serve a request for all of them")
            .why("A block that is freed before a free one has to find it: its neighbour is the one *behind* it in memory."),
        Check::new("a_block_between_two_free_ones_merges_with_both", a_block_between_two_free_ones_merges_with_both)
            .points(3)
            .must("a block that is freed between two free ones makes one of the three")
            .why("Merging with one neighbour and forgetting the other leaves two free blocks side by side for ever."),
        Check::new("blocks_freed_in_any_order_merge", blocks_freed_in_any_order_merge)
            .points(2)
            .must("adjacent blocks serve a request for all of them, in whatever order they were freed")
            .why("Programs free in no order. Fragments that could be one block are memory that is lost while it is free."),
        Check::new("merging_stops_where_somebody_else_begins", merging_stops_where_somebody_else_begins)
            .points(3)
            .must("blocks on two sides of memory that is not the allocator's never become one")
            .why("sbrk is shared: a thread library, a plug-in, libc itself may move the break between two of your calls."),
        Check::new("merged_blocks_are_one_block", merged_blocks_are_one_block)
            .points(3)
            .must("no call changes a byte of a live block, in any order of calls, while neighbours merge")
            .why("A block that is merged and still in the free list is given to two owners."),
    ],
};

/// Blocks of a group, which are freed and asked for as one.
const GROUP: usize = 4;

/// Groups of blocks with a live one behind each; the freed ones in the order that `order` makes of them.
fn groups(blocks: usize, size: usize, order: impl Fn(&mut Vec<usize>)) -> Pattern {
    let groups = (blocks / (GROUP + 1)).max(1);
    let mut first: Vec<_> = mallocs(0..groups * (GROUP + 1), size).collect();
    let mut freed: Vec<_> = (0..groups * (GROUP + 1)).filter(|slot| slot % (GROUP + 1) < GROUP).collect();
    order(&mut freed);
    first.extend(frees(freed));
    Pattern { first, then: mallocs((0..groups).map(|group| group * (GROUP + 1)), GROUP * size).collect() }
}

fn blocks_freed_first_to_last_merge(context: &Context) -> Judged {
    let build = |blocks, size| groups(blocks, size, |_| {});
    let likely = "a block that is freed does not merge with the free one before it in memory";
    footprint::stays(&mut Player::new(context)?, EIGHT, build, likely)
}

fn blocks_freed_last_to_first_merge(context: &Context) -> Judged {
    let build = |blocks, size| groups(blocks, size, |freed| freed.reverse());
    let likely = "a block that is freed does not merge with the free one behind it in memory";
    footprint::stays(&mut Player::new(context)?, EIGHT, build, likely)
}

fn a_block_between_two_free_ones_merges_with_both(context: &Context) -> Judged {
    let build = |blocks, size| {
        groups(blocks, size, |freed| {
            freed.sort_by_key(|slot| slot % (GROUP + 1) % 2);
        })
    };
    let likely = "a block between two free ones merges with one of them only";
    footprint::stays(&mut Player::new(context)?, EIGHT, build, likely)
}

fn blocks_freed_in_any_order_merge(context: &Context) -> Judged {
    let seed = context.seed();
    let build = |blocks, size| groups(blocks, size, |freed| fastrand::Rng::with_seed(seed).shuffle(freed));
    footprint::stays(&mut Player::new(context)?, EIGHT, build, "free blocks that touch are not merged")
}

fn merging_stops_where_somebody_else_begins(context: &Context) -> Judged {
    const PAGE: usize = 4096;
    const PARTS: usize = 8;
    let mut player = Player::new(context)?;
    // Small steps meet a gap within a few blocks, large ones only within many.
    for (blocks, size) in [(4_usize, 1_000), (40, 1_000), (80, 12_000), (8_000, 12_000)] {
        let part = blocks.div_ceil(PARTS).max(1);
        let mut ops = Vec::new();
        for slot in 0..blocks {
            ops.push(Op::Malloc { slot, size });
            if slot % part == part - 1 {
                ops.push(Op::MoveBreak { bytes: PAGE });
            }
        }
        ops.extend(frees(0..blocks));
        // As much again, in pieces that would have to reach across.
        ops.extend(mallocs(0..blocks / 4, 4 * size));
        let trace = Trace::new(ops);
        let seen = player.play(&if blocks > 1_000 { trace.watched_seldom() } else { trace }, EIGHT)?;
        if seen.largest_step() < size * part {
            break;
        }
    }
    Ok(())
}

fn merged_blocks_are_one_block(context: &Context) -> Judged {
    random::keeps_to_the_rules(context, 200, EIGHT, Sizes::Multiples, Functions::Two)
}

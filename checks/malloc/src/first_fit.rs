//! Stage 1: blocks that can be used, and used again. A student at this stage neither merges nor splits, so blocks of
//! one size are freed between others that live.

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    footprint::{self, Pattern},
    player::{EIGHT, Player},
    random::{self, Functions, Sizes},
    trace::{Op, Trace},
    words,
};

pub(crate) const STAGE: Stage = Stage {
    number: 1,
    slug: "first-fit",
    bonus: false,
    checks: &[
        Check::new("a_block_is_writable_to_its_last_byte", a_block_is_writable_to_its_last_byte)
            .points(2)
            .must("malloc(size) gives a block of at least size bytes, apart from every other live block")
            .why("The size that a program asks for is all that it knows about a block. It will use every byte."),
        Check::new("blocks_are_aligned_to_8", blocks_are_aligned_to_8)
            .must("every address is a multiple of 8")
            .why("Processors read a word in one go only where it does not straddle two; C's types rely on it."),
        Check::new("memory_comes_from_the_os", memory_comes_from_the_os)
            .points(2)
            .must("blocks lie in memory that the library got from the operating system, not in libc's heap, the stack or an array, and in private mappings")
            .why("An allocator is what stands under malloc: it cannot stand on it."),
        Check::new("free_of_null_does_nothing", free_of_null_does_nothing)
            .must("free(NULL) does nothing")
            .why("Programs free what they may never have allocated; the standard lets them."),
        Check::new("a_freed_block_is_used_again", a_freed_block_is_used_again)
            .points(3)
            .must("what is allocated and freed again and again needs no more memory than it did once")
            .why("A program that runs for a month frees what it does not need. Without reuse it needs a month of memory."),
        Check::new("every_freed_block_is_found_again", every_freed_block_is_found_again)
            .points(3)
            .must("a free block that is large enough serves a request, wherever it stands in the free list")
            .why("A search that gives up early, or a list that loses entries, is a leak inside the allocator."),
        Check::new("the_footprint_stays_flat_under_churn", the_footprint_stays_flat_under_churn)
            .points(3)
            .must("with as many live blocks as before, of the same size, the heap does not grow")
            .why("Allocators are judged by what they do in the second hour, not in the first minute."),
        Check::new("what_a_user_writes_is_not_taken_for_a_header", what_a_user_writes_is_not_taken_for_a_header)
            .points(2)
            .must("whatever bytes a program leaves in a block mean nothing to the allocator, while it lives and after it is freed")
            .why("Headers, footers and links stand beside bytes that anybody may write. The allocator trusts only its own."),
        Check::new("live_blocks_keep_their_bytes", live_blocks_keep_their_bytes)
            .points(3)
            .must("no call changes a byte of a live block, in any order of calls")
            .why("The shortest story that breaks an allocator is one that nobody would have written down."),
    ],
};

/// Blocks into slots, one size for all.
pub(crate) fn mallocs(slots: impl IntoIterator<Item = usize>, size: usize) -> impl Iterator<Item = Op> {
    slots.into_iter().map(move |slot| Op::Malloc { slot, size })
}

/// Frees of slots.
pub(crate) fn frees(slots: impl IntoIterator<Item = usize>) -> impl Iterator<Item = Op> {
    slots.into_iter().map(|slot| Op::Free { slot })
}

fn a_block_is_writable_to_its_last_byte(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    // A few at first, since the failure that is shown is the first.
    for sizes in [vec![1, 8, 24, 100], (1..=300).collect(), vec![1_000, 4_096, 10_000, 65_536, 300_000]] {
        let mut ops: Vec<_> =
            sizes.iter().enumerate().map(|(slot, &size)| Op::Malloc { slot, size }).collect();
        ops.extend(frees(0..sizes.len()));
        player.play(&Trace::new(ops), EIGHT)?;
    }
    Ok(())
}

fn blocks_are_aligned_to_8(context: &Context) -> Judged {
    let ops = (1..=64).map(|size| Op::Malloc { slot: size - 1, size }).collect();
    Player::new(context)?.play(&Trace::new(ops), EIGHT).map(drop)
}

fn memory_comes_from_the_os(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    for size in [24, 5_000, 300_000, 3_000_000] {
        let mut ops: Vec<_> = mallocs(0..20, size).collect();
        ops.extend(frees(0..20));
        let trace = Trace::new(ops);
        if player.play(&trace, EIGHT)?.shared_calls() > 0 {
            let halt = Halt::fail("mappings that are private (MAP_PRIVATE)", "a shared one (MAP_SHARED)");
            return Err(halt
                .did(words::steps(&trace.ops))
                .likely("what a forked child writes to its blocks its parent would find in its own"));
        }
    }
    Ok(())
}

fn free_of_null_does_nothing(context: &Context) -> Judged {
    let mut ops = vec![Op::FreeNull, Op::Malloc { slot: 0, size: 24 }, Op::FreeNull];
    ops.extend([Op::Malloc { slot: 1, size: 24 }, Op::Free { slot: 0 }, Op::FreeNull]);
    ops.extend(mallocs(2..6, 24));
    ops.extend(frees(1..6));
    Player::new(context)?.play(&Trace::new(ops), EIGHT).map(drop)
}

fn a_freed_block_is_used_again(context: &Context) -> Judged {
    let build = |blocks: usize, size: usize| {
        let round = [Op::Malloc { slot: 0, size }, Op::Free { slot: 0 }];
        Pattern { first: round.to_vec(), then: round.repeat(blocks) }
    };
    let mut player = Player::new(context)?;
    let likely = "free does nothing, or malloc never looks at what was freed";
    footprint::stays_at_every_size(&mut player, EIGHT, build, likely)?;
    // Two of them, for whoever keeps one for the next request.
    let build = |blocks: usize, size: usize| {
        let mut round: Vec<_> = mallocs(0..2, size).collect();
        round.extend(frees([1, 0]));
        Pattern { then: round.repeat(blocks / 2), first: round }
    };
    let likely =
        "large blocks are mappings of their own that nobody takes away, or that are never used again";
    footprint::stays_with_huge_blocks(&mut player, EIGHT, build, likely)
}

/// Blocks of many sizes, freed in no order, are asked for again, the largest first: whoever splits none of them has to
/// find for each request the one block that fits.
fn every_freed_block_is_found_again(context: &Context) -> Judged {
    let seed = context.seed();
    let build = |blocks: usize, size: usize| {
        // Fewer and larger: a list is searched for each of them.
        let (blocks, size) = (blocks.div_ceil(3), 3 * size);
        let sized = |slot: usize| size / 2 + 8 * (slot * size / 8 / blocks);
        let mut first = Vec::new();
        for slot in 0..blocks {
            first.push(Op::Malloc { slot, size: sized(slot) });
            first.push(Op::Malloc { slot: blocks + slot, size: 16 });
        }
        let mut order: Vec<_> = (0..blocks).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut order);
        first.extend(frees(order));
        Pattern {
            first,
            then: (0..blocks).rev().map(|slot| Op::Malloc { slot, size: sized(slot) }).collect(),
        }
    };
    let likely = "the search ends before the list does, or free loses what was in the list";
    footprint::stays(&mut Player::new(context)?, EIGHT, build, likely)
}

/// The first part is one round of what the second does again and again: what a cache of bounded size holds is in it.
fn the_footprint_stays_flat_under_churn(context: &Context) -> Judged {
    const ROUNDS: usize = 12;
    const MANY: usize = 15_000;
    let seed = context.seed();
    let build = |blocks: usize, size: usize| {
        let mut rng = fastrand::Rng::with_seed(seed);
        // Even slots live on, so that no two free blocks are neighbours.
        let mut odd: Vec<_> = (1..blocks).step_by(2).collect();
        let mut first: Vec<_> = mallocs(0..blocks, size).collect();
        first.extend(frees(odd.clone()));
        first.extend(mallocs(odd.clone(), size));
        let mut then = Vec::new();
        // Where there is much of everything a few rounds say as much.
        for _ in 0..if blocks > MANY { ROUNDS / 4 } else { ROUNDS } {
            let some = rng.usize(1..=odd.len());
            rng.shuffle(&mut odd);
            then.extend(frees(odd[..some].to_vec()));
            rng.shuffle(&mut odd[..some]);
            then.extend(mallocs(odd[..some].to_vec(), size));
        }
        Pattern { first, then }
    };
    let likely = "some of what is freed is never used again";
    footprint::stays_at_every_size(&mut Player::new(context)?, EIGHT, build, likely)
}

fn what_a_user_writes_is_not_taken_for_a_header(context: &Context) -> Judged {
    const BLOCKS: usize = 12;
    let mut player = Player::new(context)?;
    for size in [24, 40, 100, 256, 1_000] {
        let mut ops = Vec::new();
        for round in 0..4 {
            ops.extend(mallocs((0..BLOCKS).filter(|slot| round == 0 || slot % 2 == 1), size));
            ops.extend((0..BLOCKS).map(|slot| Op::FillWithHeaders { slot }));
            ops.extend(frees((1..BLOCKS).step_by(2)));
        }
        ops.extend(frees((0..BLOCKS).step_by(2)));
        player.play(&Trace::new(ops), EIGHT)?;
    }
    Ok(())
}

fn live_blocks_keep_their_bytes(context: &Context) -> Judged {
    random::keeps_to_the_rules(context, 150, EIGHT, Sizes::Same, Functions::Two)
}

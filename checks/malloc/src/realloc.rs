//! Stage 5: calloc and realloc. What is zero, what is kept, and what is left alone when it fails.

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    edges::{hungry_program, survives_any_refusal},
    first_fit::{frees, mallocs},
    footprint::{self, Pattern},
    picture,
    player::{Player, SIXTEEN},
    random::{self, Functions, Sizes},
    rules,
    trace::{FOREVER, Op, Trace},
    words,
};

pub(crate) const STAGE: Stage = Stage {
    number: 5,
    slug: "realloc",
    bonus: true,
    checks: &[
        Check::new("calloc_gives_zeros", calloc_gives_zeros)
            .points(2)
            .must("every byte of calloc's block is zero, in memory that was used before as well")
            .why("Fresh memory from the OS is zero, which hides the mistake until the heap has been used for a while."),
        Check::new("calloc_refuses_what_does_not_fit", calloc_refuses_what_does_not_fit)
            .points(2)
            .must("calloc(n, size) gives null when n times size does not fit into a size")
            .why("2^33 records of 2^33 bytes multiply to a small number. The caller will write them all."),
        Check::new("calloc_survives_a_refusal", calloc_survives_a_refusal)
            .points(2)
            .must("whichever request to the OS is refused, calloc returns null and clears nothing")
            .why("malloc has an answer for a full machine, and calloc writes zeros to it, unless it looks first."),
        Check::new("realloc_keeps_what_fits", realloc_keeps_what_fits)
            .points(3)
            .must("realloc's block begins with the bytes of the old one, as many as both have")
            .why("Growing a buffer is what realloc is for; the bytes are the point."),
        Check::new("realloc_reads_no_further_than_the_old_block", realloc_reads_no_further_than_the_old_block)
            .points(2)
            .must("realloc reads what the old block holds and nothing behind it")
            .why("Copying the new size reads what lies behind the old block: somebody's secrets, or no memory at all."),
        Check::new("realloc_of_null_and_of_nothing_works", realloc_of_null_and_of_nothing_works)
            .must("realloc(NULL, n) is malloc(n); realloc(p, 0) frees p, and gives null or a block of no bytes")
            .why("Loops that grow a buffer begin with null. What realloc(p, 0) does was never agreed on: C23 gave up."),
        Check::new("a_failed_realloc_leaves_the_block", a_failed_realloc_leaves_the_block)
            .points(3)
            .must("when realloc gives null the old block is as it was, and still the caller's")
            .why("`q = realloc(p, n); if (!q) use(p);` is the only correct way to call it."),
        Check::new("realloc_grows_into_a_free_neighbour", realloc_grows_into_a_free_neighbour)
            .points(3)
            .must("a block grows into free memory right behind it, even when the OS gives no more")
            .why("Growing in place costs no copy and no second block. Where memory is short it is the only way."),
        Check::new("shrinking_never_fails", shrinking_never_fails)
            .points(2)
            .must("realloc to a smaller size gives a block, even when the heap is full and the OS gives no more")
            .why("Whoever needs less has what it takes already. Programs do not expect a null here, and lose the block."),
        Check::new("a_block_that_shrinks_gives_the_rest_back", a_block_that_shrinks_gives_the_rest_back)
            .points(2)
            .must("what a block no longer needs after realloc serves other requests")
            .why("A buffer that was large once would hold its memory for ever."),
        Check::new("a_growing_block_leaves_no_trail", a_growing_block_leaves_no_trail)
            .points(2)
            .must("blocks that grow step by step and are freed leave all memory that they ever had to the next that do")
            .why("Each step gives up the block before it. What is forgotten there is forgotten at each step."),
        Check::new("all_four_functions_keep_live_bytes", all_four_functions_keep_live_bytes)
            .points(3)
            .must("no call changes a byte of a live block, in any order of the four functions")
            .why("The shortest story that breaks an allocator is one that nobody would have written down."),
    ],
};

fn calloc_gives_zeros(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    for size in [24, 100, 1_000, 10_000, 200_000, 3_000_000] {
        let mut ops = vec![Op::Calloc { slot: 9, count: 1, size }];
        ops.extend(mallocs(0..6, size));
        ops.extend(frees(0..6));
        ops.extend((0..6).map(|slot| Op::Calloc {
            slot,
            count: if slot % 2 == 0 { 1 } else { size / 8 },
            size: if slot % 2 == 0 { size } else { 8 },
        }));
        player.play(&Trace::new(ops), SIXTEEN)?;
    }
    // No bytes in all, whichever of the two is 0.
    let nothing = [(0, 8), (8, 0), (0, 0), (0, usize::MAX), (usize::MAX, 0)];
    let mut ops: Vec<_> = nothing
        .into_iter()
        .enumerate()
        .map(|(slot, (count, size))| Op::Calloc { slot, count, size })
        .collect();
    ops.extend(frees(0..nothing.len()));
    player.play(&Trace::new(ops), SIXTEEN).map(drop)
}

fn calloc_refuses_what_does_not_fit(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    let half = 1 << (usize::BITS / 2);
    for (count, size) in [
        (usize::MAX, 2),
        (2, usize::MAX),
        (half, half),
        (half + 1, half),
        (usize::MAX / 16 + 1, 16),
        (usize::MAX / 24 + 2, 24),
        (usize::MAX, usize::MAX),
        // These wrap around to 44, 104, 4,384 and 2: likely sizes, and no less than one of the factors.
        (5, usize::MAX / 5 + 9),
        (usize::MAX / 8 + 14, 8),
        (1_000, usize::MAX / 1_000 + 5),
        (usize::MAX / 2 + 2, 2),
    ] {
        let mut ops: Vec<_> = mallocs(0..2, 40).collect();
        ops.extend([Op::Calloc { slot: 2, count, size }, Op::Free { slot: 0 }]);
        ops.extend(mallocs(3..6, 40));
        let trace = Trace::new(ops);
        let seen = player.watch(&trace)?;
        rules::judge_refusal(&trace, &seen, 2, SIXTEEN, "the product wraps around to a small number")?;
    }
    Ok(())
}

fn calloc_survives_a_refusal(context: &Context) -> Judged {
    let program = hungry_program().into_iter().map(|op| match op {
        Op::Malloc { slot, size } => Op::Calloc { slot, count: size / 4, size: 4 },
        other => other,
    });
    survives_any_refusal(context, &program.collect::<Vec<_>>())
}

fn realloc_keeps_what_fits(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    let sizes = [1, 24, 25, 100, 16, 1_000, 4_096, 40, 70_000, 500, 600_000, 3_000_000, 100_000, 8];
    for neighbour in [false, true] {
        let mut ops = vec![Op::Malloc { slot: 0, size: sizes[0] }];
        for (number, size) in sizes.into_iter().enumerate().skip(1) {
            if neighbour {
                ops.push(Op::Malloc { slot: number, size: 24 });
            }
            ops.push(Op::Realloc { slot: 0, size });
        }
        ops.extend(frees(0..sizes.len()));
        player.play(&Trace::new(ops), SIXTEEN)?;
    }
    Ok(())
}

fn realloc_reads_no_further_than_the_old_block(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    for size in [1 << 20, 100 << 20] {
        // Something lives behind the block, so that it has to move.
        let ops = vec![
            Op::Malloc { slot: 0, size: 1_000 },
            Op::Malloc { slot: 1, size: 24 },
            Op::Realloc { slot: 0, size },
            Op::Free { slot: 0 },
        ];
        player.play(&Trace::new(ops).with_guard_pages(), SIXTEEN)?;
    }
    Ok(())
}

fn realloc_of_null_and_of_nothing_works(context: &Context) -> Judged {
    let mut ops = Vec::new();
    for size in [1, 24, 1_000, 300_000] {
        ops.push(Op::Realloc { slot: 0, size });
        ops.extend(mallocs(1..3, 24));
        ops.push(Op::Realloc { slot: 0, size: 0 });
        ops.extend(mallocs(3..6, 24));
        ops.extend(frees(0..6));
    }
    let mut player = Player::new(context)?;
    player.play(&Trace::new(ops), SIXTEEN)?;
    let build = |blocks: usize, size: usize| {
        let slots = 0..blocks.div_ceil(4);
        let mut first: Vec<_> = mallocs(slots.clone(), size).collect();
        first.extend(slots.clone().map(|slot| Op::Realloc { slot, size: 0 }));
        // What is no null is a block of no bytes.
        first.extend(frees(slots));
        Pattern { then: first.repeat(2), first }
    };
    let likely = "realloc(p, 0) returns null, as if it had freed p, and has not";
    footprint::stays_at_every_size(&mut player, SIXTEEN, build, likely)?;
    footprint::stays_with_huge_blocks(&mut player, SIXTEEN, build, likely)
}

fn a_failed_realloc_leaves_the_block(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    for (old, new) in
        [(100, usize::MAX), (100, usize::MAX - 8), (24, 1 << 29), (1_000, 1 << 29), (300_000, 1 << 29)]
    {
        let ops = vec![
            Op::Malloc { slot: 0, size: old },
            Op::Malloc { slot: 1, size: 24 },
            Op::FailGrowth { after: 0, count: FOREVER },
            Op::LimitMemory,
            Op::Realloc { slot: 0, size: new },
            Op::LiftLimit,
            Op::FailGrowth { after: 0, count: 0 },
            Op::Malloc { slot: 2, size: old },
            Op::Malloc { slot: 3, size: old },
            Op::Sweep,
            Op::Free { slot: 0 },
            Op::Malloc { slot: 4, size: old },
        ];
        let trace = Trace::new(ops);
        let seen = player.play(&trace, SIXTEEN.may_refuse())?;
        if let Some(record) = seen.record(4).filter(|record| record.pointer != 0) {
            let halt = Halt::fail(format!("{} gives null", trace.ops[4]), format!("{:#x}", record.pointer));
            return Err(halt.did(words::steps(&trace.ops[..=4])));
        }
    }
    Ok(())
}

/// What a heap is filled with: so many blocks of this size at most,
const SIZE: usize = 8_000;
const BLOCKS: usize = 10_000;
/// and so many of each smaller size, down to the smallest: no hole may be left that a copy could go to.
const SMALLER: [usize; 8] = [4_000, 2_000, 1_000, 500, 200, 100, 40, 16];
const OF_EACH: usize = 40;
/// The first slot that is not used for it.
const FILLED: usize = BLOCKS + SMALLER.len() * OF_EACH;

/// Fills the heap until nothing more is to be had; from then on the OS gives none.
fn fill_the_heap() -> Vec<Op> {
    let mut fill: Vec<_> = mallocs(0..3, SIZE).collect();
    fill.push(Op::FailGrowth { after: 0, count: FOREVER });
    fill.push(Op::LimitMemory);
    fill.extend(mallocs(3..BLOCKS, SIZE));
    for (round, size) in SMALLER.into_iter().enumerate() {
        fill.extend(mallocs(BLOCKS + OF_EACH * round..BLOCKS + OF_EACH * (round + 1), size));
    }
    fill
}

/// Frees one block of a full heap, and lets the one before it grow.
fn realloc_grows_into_a_free_neighbour(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    let mut fill = fill_the_heap();
    let seen = player.play(&Trace::new(fill.clone()).watched_seldom(), SIXTEEN.may_refuse())?;
    // Two blocks that are neighbours in memory, wherever the library put them.
    let mut placed: Vec<_> = fill
        .iter()
        .zip(seen.records())
        .filter_map(|(op, record)| match op {
            Op::Malloc { slot, size: SIZE } if record.pointer != 0 => Some((record.pointer, *slot)),
            _ => None,
        })
        .collect();
    placed.sort_unstable();
    let touching = placed.windows(2).find(|pair| pair[1].0 - pair[0].0 < SIZE + 64);
    let Some(&[(_, grows), (_, goes)]) = touching.and_then(|pair| pair.first_chunk()) else { return Ok(()) };
    fill.extend([Op::Free { slot: goes }, Op::Realloc { slot: grows, size: SIZE + SIZE / 2 }]);
    let last = fill.len() - 1;
    let trace = Trace::new(fill);
    let seen = player.play(&trace.clone().watched_seldom(), SIXTEEN.may_refuse())?;
    // An allocator that places blocks by chance may have placed them elsewhere this time.
    let place =
        |slot| picture::live_after(&trace, &seen, last - 1).into_iter().find(|block| block.slot == slot);
    let still_touch = place(grows)
        .zip(place(goes))
        .is_some_and(|(grows, goes)| goes.start > grows.start && goes.start - grows.start < SIZE + 64);
    if still_touch && seen.record(last).is_some_and(|record| record.pointer == 0) {
        let expected = format!("{}: the {SIZE} bytes behind it are free", trace.ops[last]);
        let likely = "realloc always looks for another block, and never at the neighbour";
        return Err(Halt::fail(expected, "null").did(words::steps(&trace.ops)).likely(likely));
    }
    Ok(())
}

fn shrinking_never_fails(context: &Context) -> Judged {
    const LARGE: [usize; 3] = [100_000, 1_000_000, 5_000_000];
    let mut ops: Vec<_> = LARGE
        .into_iter()
        .enumerate()
        .map(|(number, size)| Op::Malloc { slot: FILLED + number, size })
        .collect();
    ops.extend(fill_the_heap());
    let shrinks = ops.len();
    // By little first: what is given up soon makes room for a copy.
    for slot in 0..3 {
        ops.extend([7_900, 6_000, 1_000, 40].map(|size| Op::Realloc { slot, size }));
    }
    for (number, size) in LARGE.into_iter().enumerate() {
        let slot = FILLED + number;
        ops.extend([size - size / 10, size / 2, size / 20, 40].map(|size| Op::Realloc { slot, size }));
    }
    let trace = Trace::new(ops).watched_seldom();
    let seen = Player::new(context)?.play(&trace, SIXTEEN.may_refuse())?;
    let refused = seen.records().skip(shrinks).position(|record| record.pointer == 0);
    if let Some(index) = refused {
        let at = shrinks + index;
        let expected = format!("{}, which is less than it had, gives a block", trace.ops[at]);
        let likely = "realloc to less looks for another block, and has nowhere to look";
        return Err(Halt::fail(expected, "null").did(words::steps(&trace.ops[..=at])).likely(likely));
    }
    Ok(())
}

fn a_block_that_shrinks_gives_the_rest_back(context: &Context) -> Judged {
    const PARTS: usize = 4;
    let build = |blocks: usize, size: usize| {
        let large = (blocks / PARTS).max(1);
        let mut first: Vec<_> = mallocs(0..large, PARTS * size).collect();
        first.extend((0..large).map(|slot| Op::Realloc { slot, size: size / 2 }));
        Pattern { first, then: mallocs(large..large + 2 * large, size).collect() }
    };
    footprint::stays(&mut Player::new(context)?, SIXTEEN, build, "a block keeps its size when it shrinks")
}

/// Buffers that double again and again, in turns, so that each is in the way of another. One round of that may leave the
/// heap in pieces; the next finds them.
fn a_growing_block_leaves_no_trail(context: &Context) -> Judged {
    let build = |blocks: usize, size: usize| {
        let buffers = || 0..blocks.div_ceil(4);
        let mut round: Vec<_> = mallocs(buffers(), size / 8).collect();
        for part in [4, 2, 1] {
            round.extend(buffers().map(|slot| Op::Realloc { slot, size: size / part }));
        }
        round.extend(frees(buffers()));
        Pattern { first: round.repeat(2), then: round.repeat(3) }
    };
    let likely = "the old block is not freed after it was copied";
    let mut player = Player::new(context)?;
    footprint::stays_at_every_size(&mut player, SIXTEEN, build, likely)?;
    footprint::stays_with_huge_blocks(&mut player, SIXTEEN, build, likely)
}

fn all_four_functions_keep_live_bytes(context: &Context) -> Judged {
    random::keeps_to_the_rules(context, 250, SIXTEEN, Sizes::OrNone, Functions::Four)
}

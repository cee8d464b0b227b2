//! Stage 5: calloc and realloc. What is zero, what is kept, and what is left alone when it fails.

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    first_fit::{frees, mallocs},
    footprint::{self, Pattern},
    picture,
    player::{Player, SIXTEEN},
    random::{self, Functions, Sizes},
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
        Check::new("a_block_that_shrinks_gives_the_rest_back", a_block_that_shrinks_gives_the_rest_back)
            .points(2)
            .must("what a block no longer needs after realloc serves other requests")
            .why("A buffer that was large once would hold its memory for ever."),
        Check::new("a_growing_block_leaves_no_trail", a_growing_block_leaves_no_trail)
            .points(2)
            .must("a block that grows step by step needs no more than a few times its own size")
            .why("Each step frees the block before it. The holes that they leave have to add up to something."),
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
    Ok(())
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
    ] {
        let mut ops: Vec<_> = mallocs(0..2, 40).collect();
        ops.extend([Op::Calloc { slot: 2, count, size }, Op::Free { slot: 0 }]);
        ops.extend(mallocs(3..6, 40));
        let trace = Trace::new(ops);
        // What is not null is written to, and may be found out by that first.
        let seen = player.watch(&trace)?;
        if let Some(pointer) = seen
            .record(2)
            .map(|record| record.pointer)
            .or(Some(seen.last_pointer()))
            .filter(|&pointer| pointer != 0 && seen.finished() >= 2)
        {
            let halt = Halt::fail(format!("{} gives null", trace.ops[2]), format!("{pointer:#x}"));
            let likely = "the product wraps around to a small number";
            return Err(halt.did(words::steps(&trace.ops[..=2])).likely(likely));
        }
        player.play(&trace, SIXTEEN)?;
    }
    Ok(())
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
    Player::new(context)?.play(&Trace::new(ops), SIXTEEN).map(drop)
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

/// Fills the heap until nothing more is to be had, frees one block, and lets the one before it grow.
fn realloc_grows_into_a_free_neighbour(context: &Context) -> Judged {
    const SIZE: usize = 8_000;
    const BLOCKS: usize = 10_000;
    let mut player = Player::new(context)?;
    let mut fill: Vec<_> = mallocs(0..3, SIZE).collect();
    fill.push(Op::FailGrowth { after: 0, count: FOREVER });
    fill.push(Op::LimitMemory);
    fill.extend(mallocs(3..BLOCKS, SIZE));
    // Down to the smallest: no hole may be left that a copy could go to.
    for (round, size) in [4_000, 2_000, 1_000, 500, 200, 100, 40, 16].into_iter().enumerate() {
        fill.extend(mallocs(BLOCKS + 40 * round..BLOCKS + 40 * (round + 1), size));
    }
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

fn a_growing_block_leaves_no_trail(context: &Context) -> Judged {
    const STEP: usize = 20_000;
    const MOST: usize = 64 << 20;
    const TIMES: usize = 4;
    let grow = (1..).map(|step: usize| STEP * step * step).take_while(|&size| size < MOST);
    let mut ops = vec![Op::Malloc { slot: 0, size: STEP }];
    for (number, size) in grow.enumerate() {
        ops.extend([Op::Realloc { slot: 0, size }, Op::Malloc { slot: number + 1, size: 24 }]);
    }
    let trace = Trace::new(ops);
    let seen = Player::new(context)?.play(&trace, SIXTEEN)?;
    let (peak, live) = (seen.peak_footprint(0..trace.ops.len()), trace.peak_live_bytes());
    if peak > TIMES * live {
        let expected =
            format!("at most {} MB for a block of {} MB", TIMES * live / 1_000_000, live / 1_000_000);
        let halt = Halt::fail(expected, format!("{} MB", peak / 1_000_000)).did(words::steps(&trace.ops));
        return Err(halt.likely("the old block is not freed after it was copied"));
    }
    Ok(())
}

fn all_four_functions_keep_live_bytes(context: &Context) -> Judged {
    random::keeps_to_the_rules(context, 250, SIXTEEN, Sizes::OrNone, Functions::Four)
}

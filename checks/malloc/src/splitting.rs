//! Stage 3: a request takes what it needs of a free block, and leaves a block for the next.

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    first_fit::{frees, mallocs},
    footprint::{self, Pattern},
    picture::{self, Block},
    player::{EIGHT, Player},
    random::{self, Functions, Sizes},
    seen::Seen,
    trace::{Op, Trace, name},
    words,
};

pub(crate) const STAGE: Stage = Stage {
    number: 3,
    slug: "splitting",
    bonus: false,
    checks: &[
        Check::new("a_large_free_block_serves_small_requests", a_large_free_block_serves_small_requests)
            .points(3)
            .must("small requests share a large free block")
            .why("A block of 48 KiB for a request of 12 is three quarters of internal fragmentation."),
        Check::new("what_is_left_of_a_block_is_a_block", what_is_left_of_a_block_is_a_block)
            .points(3)
            .must("whatever a request takes of a free block, the rest is a sound block for the next, or too small for one")
            .why("A rest that is too small for a header and links is no block: writing them there ruins the neighbour."),
        Check::new("pieces_become_whole_again", pieces_become_whole_again)
            .points(3)
            .must("pieces of a block that are all freed serve a request for the whole, again and again")
            .why("Splitting makes neighbours that merging has to find. Each must understand what the other leaves."),
        Check::new("a_mixed_program_needs_no_more_the_second_time", a_mixed_program_needs_no_more_the_second_time)
            .points(3)
            .must("a program of mixed sizes that frees everything needs no more memory when it runs again, and again")
            .why("A heap that is given back whole has no memory of what it went through."),
        Check::new("what_is_free_before_a_gap_is_used_again", what_is_free_before_a_gap_is_used_again)
            .points(2)
            .must("what is free at the end of the heap serves requests after somebody else has moved the break")
            .why("The heap goes on elsewhere then. What it leaves behind is free memory like any other."),
        Check::new("blocks_of_any_size_keep_their_bytes", blocks_of_any_size_keep_their_bytes)
            .points(3)
            .must("no call changes a byte of a live block, in any order of calls and sizes")
            .why("The shortest story that breaks an allocator is one that nobody would have written down."),
    ],
};

fn a_large_free_block_serves_small_requests(context: &Context) -> Judged {
    const PARTS: usize = 4;
    let build = |blocks: usize, size: usize| {
        let large = (blocks / PARTS).max(1);
        let mut first = Vec::new();
        for slot in 0..large {
            first.push(Op::Malloc { slot: 2 * slot, size: PARTS * size });
            first.push(Op::Malloc { slot: 2 * slot + 1, size: 16 });
        }
        first.extend(frees((0..large).map(|slot| 2 * slot)));
        // Half of what would fit without headers: sizes may be rounded to powers of two.
        Pattern { first, then: mallocs(2 * large..2 * large + PARTS / 2 * large, size).collect() }
    };
    let likely = "a request takes the whole of a free block that is much larger";
    footprint::stays(&mut Player::new(context)?, EIGHT, build, likely)
}

fn what_is_left_of_a_block_is_a_block(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    for hole in [64, 120, 256, 1_000] {
        for holes in [1, MORE_THAN_A_CACHE_HOLDS] {
            player.play(&Trace::new(cuts(hole, holes)), EIGHT)?;
        }
    }
    let likely = "what a request leaves of a free block is put where no request finds it";
    footprint::stays(&mut player, EIGHT, rests_are_used, likely)
}

/// Freed blocks of one size may wait in a cache, where nothing is cut.
const MORE_THAN_A_CACHE_HOLDS: usize = 40;

/// Holes between live blocks, requests for a little less than each of them, and small ones for what that leaves; the
/// more holes there are the fewer the differences.
fn cuts(hole: usize, holes: usize) -> Vec<Op> {
    const RESTS: usize = 6;
    let (walls, cut, rests) = (holes..2 * holes, 2 * holes..3 * holes, 3 * holes..(3 + RESTS) * holes);
    let mut ops = Vec::new();
    for less in (0..=64.min(hole - 1)).step_by(if holes == 1 { 1 } else { 8 }) {
        for slot in 0..holes {
            ops.extend([Op::Malloc { slot, size: hole }, Op::Malloc { slot: holes + slot, size: 24 }]);
        }
        ops.extend(frees(0..holes));
        ops.extend(mallocs(cut.clone(), hole - less));
        ops.extend(mallocs(rests.clone(), 1));
        ops.extend(frees(cut.clone()));
        ops.extend(frees(walls.clone()));
        ops.extend(frees(rests.clone()));
    }
    ops
}

/// Free blocks, some more than are asked for, since caches may hold them back whole; a request for a good quarter of
/// each, and two small ones that find room in what it leaves, even if all sizes are rounded to powers of two.
fn rests_are_used(blocks: usize, size: usize) -> Pattern {
    const PARTS: usize = 4;
    const SPARED: usize = 8;
    let holes = (blocks / PARTS).max(1);
    let all = holes + holes / SPARED;
    let mut first = Vec::new();
    for slot in 0..all {
        first.extend([
            Op::Malloc { slot: 2 * slot, size: PARTS * size },
            Op::Malloc { slot: 2 * slot + 1, size: 16 },
        ]);
    }
    first.extend(frees((0..all).map(|slot| 2 * slot)));
    let mut then: Vec<_> = mallocs(2 * all..2 * all + holes, size + size / PARTS).collect();
    then.extend(mallocs(2 * all + holes..2 * all + 3 * holes, size / 2));
    Pattern { first, then }
}

fn pieces_become_whole_again(context: &Context) -> Judged {
    const PARTS: usize = 4;
    let build = |blocks: usize, size: usize| {
        let large = (blocks / PARTS).max(1);
        let whole = |slot: usize| slot * (PARTS + 2);
        let mut first = Vec::new();
        for slot in 0..large {
            first.extend([
                Op::Malloc { slot: whole(slot), size: PARTS * size },
                Op::Malloc { slot: whole(slot) + 1, size: 16 },
            ]);
        }
        let wholes = || (0..large).map(whole);
        let pieces = || wholes().flat_map(|whole| whole + 2..whole + 2 + PARTS / 2);
        let mut then = Vec::new();
        for _ in 0..2 {
            then.extend(frees(wholes()));
            then.extend(mallocs(pieces(), size));
            then.extend(frees(pieces()));
            then.extend(mallocs(wholes(), PARTS * size));
        }
        Pattern { first, then }
    };
    let likely = "what a split leaves is not found by a merge, or the other way round";
    footprint::stays(&mut Player::new(context)?, EIGHT, build, likely)
}

fn a_mixed_program_needs_no_more_the_second_time(context: &Context) -> Judged {
    const ROUNDS: usize = 8;
    const MANY: usize = 15_000;
    let seed = context.seed();
    let build = |blocks: usize, size: usize| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut holds = vec![false; blocks];
        let mut round = Vec::new();
        for _ in 0..2 * blocks {
            let slot = rng.usize(..blocks);
            let size = rng.usize(size / 8..2 * size);
            round.push(if holds[slot] { Op::Free { slot } } else { Op::Malloc { slot, size } });
            holds[slot] = !holds[slot];
        }
        round.extend(frees((0..blocks).filter(|&slot| holds[slot])));
        // Where there is much of everything a few rounds say as much.
        let rounds = if blocks > MANY { ROUNDS / 2 } else { ROUNDS };
        Pattern { then: round.repeat(rounds), first: round }
    };
    let likely = "pieces are left behind that never become whole again";
    footprint::stays(&mut Player::new(context)?, EIGHT, build, likely)
}

/// Judged by a place that nobody has been at since it was freed. A library may have its reasons to ask for memory all the
/// same, once: it is wrong if it does for each of several sizes.
fn what_is_free_before_a_gap_is_used_again(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    let probe = Trace::new(mallocs(0..4, 1_000).collect());
    let step = player.play(&probe, EIGHT)?.largest_step();
    let mut forgotten = None;
    for less in [0, 1_000, 2_000] {
        let (trace, last) = at_the_end_before_a_gap(step, less);
        let seen = player.play(&trace.clone().watched_seldom(), EIGHT)?;
        let Some((at, bytes)) = taken_beside(&trace, &seen, last) else { return Ok(()) };
        let (op, place) = (trace.ops[at], name(last));
        let expected = format!("{op} finds room where {place} was: nobody has been there since");
        let got = format!("it takes {bytes} bytes more from the OS");
        let likely = "the free block at the end of the heap is forgotten when the heap goes on elsewhere";
        let halt = Halt::fail(expected, got).did(words::steps(&trace.ops[..=at])).likely(likely);
        forgotten = forgotten.or(Some(halt));
    }
    forgotten.map_or(Ok(()), Err)
}

/// What is asked for after the gap, and fits at the end of the heap.
const END: usize = 20_000;

/// Blocks that fill a step of the heap but for [`END`] bytes and some more, and one at its end; all are freed, and all but
/// the last are there again when the break is moved. The next is too large for the end, the others fit. With the last one's
/// slot.
fn at_the_end_before_a_gap(step: usize, less: usize) -> (Trace, usize) {
    const ROOM: usize = 30_000;
    const LARGEST: usize = 64_000;
    let before = step.saturating_sub(ROOM).max(ROOM + 10_000);
    let blocks = before.div_ceil(LARGEST);
    let size = before / blocks - less;
    let last = blocks;
    let mut ops: Vec<_> = mallocs(0..blocks, size).collect();
    ops.push(Op::Malloc { slot: last, size: END });
    ops.extend(frees((0..=last).rev()));
    ops.extend(mallocs(last + 1..=last + blocks, size));
    ops.extend([Op::MoveBreak { bytes: 4_096 }, Op::Malloc { slot: last + blocks + 1, size }]);
    ops.extend(mallocs(last + blocks + 2..last + 2 * blocks + 10, END));
    (Trace::new(ops), last)
}

/// The first operation after the gap for which memory was taken although the place of `last` is as it was left, and how much.
fn taken_beside(trace: &Trace, seen: &Seen, last: usize) -> Option<(usize, usize)> {
    let gap = trace.ops.iter().position(|op| matches!(op, Op::MoveBreak { .. }))?;
    let records: Vec<_> = seen.records().collect();
    let given_back = records[..gap].windows(2).any(|pair| pair[1].footprint < pair[0].footprint);
    let place = records[last].pointer;
    let at = (gap + 2..trace.ops.len()).find(|&at| records[at].footprint > records[at - 1].footprint)?;
    let meets = |block: &Block| block.start < place + END && place < block.start + block.size;
    let is_free = !picture::live_after(trace, seen, at).iter().any(meets);
    (is_free && !given_back).then(|| (at, records[at].footprint - records[at - 1].footprint))
}

fn blocks_of_any_size_keep_their_bytes(context: &Context) -> Judged {
    random::keeps_to_the_rules(context, 250, EIGHT, Sizes::Any, Functions::Two)
}

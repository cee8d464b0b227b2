//! Stage 4: the ends of the range. Sizes that nobody has, memory that is refused, and the alignment of the x86-64 ABI.

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    first_fit::{frees, mallocs},
    footprint::{self, Pattern},
    player::{Player, SIXTEEN},
    random::{self, Functions, Sizes},
    rules,
    seen::Seen,
    trace::{FOREVER, Op, Trace},
    words,
};

pub(crate) const STAGE: Stage = Stage {
    number: 4,
    slug: "edges",
    bonus: false,
    checks: &[
        Check::new("blocks_are_aligned_to_16", blocks_are_aligned_to_16)
            .points(2)
            .must("every address is a multiple of 16, whatever the size")
            .why("The x86-64 ABI promises it: compilers store 16 bytes at once where they know the block is malloc's."),
        Check::new("every_small_size_works", every_small_size_works)
            .points(2)
            .must("every size from 0 to 4,096 gives a block that can be used to its last byte")
            .why("Rounding has a boundary at every multiple. A table of sizes has one at every entry."),
        Check::new("powers_of_two_and_their_neighbours_work", powers_of_two_and_their_neighbours_work)
            .must("sizes of a power of two, one less and one more work up to 64 MiB")
            .why("Classes, pages and thresholds begin and end there."),
        Check::new("whole_pages_and_their_neighbours_work", whole_pages_and_their_neighbours_work)
            .must("sizes of a number of pages, and some bytes less or more, work up to 3 MiB")
            .why("What is rounded up to pages has room for a header, or just lacks it: here is where it does."),
        Check::new("nothing_is_asked_for_and_something_can_be_freed", nothing_is_asked_for_and_something_can_be_freed)
            .points(2)
            .must("malloc(0) is null or a block of its own, which can be freed, any number of times")
            .why("The standard allows both. It allows nothing that belongs to somebody else."),
        Check::new("impossible_sizes_are_refused", impossible_sizes_are_refused)
            .points(3)
            .must("a size above PTRDIFF_MAX, or so near to it that no machine has it, gives null, and the heap is as it was")
            .why("Adding a header to SIZE_MAX - 8 gives a small number. Heap overflows were sold on less."),
        Check::new("any_refusal_is_survived", any_refusal_is_survived)
            .points(3)
            .must("whichever request to the OS is refused, malloc returns null, nothing is lost, and later calls work")
            .why("Out of memory is not the end: the program frees something and goes on, if the heap is still sound."),
        Check::new("a_full_machine_is_survived", a_full_machine_is_survived)
            .points(3)
            .must("when the OS gives no more, freed memory still serves requests, and more comes when there is more")
            .why("A refusal is about one request at one moment. A heap that remembers it for ever is a second failure."),
        Check::new("blocks_of_no_bytes_disturb_nobody", blocks_of_no_bytes_disturb_nobody)
            .points(2)
            .must("no call changes a byte of a live block, in any order of calls and sizes, 0 among them")
            .why("The shortest story that breaks an allocator is one that nobody would have written down."),
    ],
};

/// Above this no object can be (C17 7.22.3, PTRDIFF_MAX): differences of pointers would not fit.
const LARGEST: usize = isize::MAX as usize;

fn blocks_are_aligned_to_16(context: &Context) -> Judged {
    let larger = [300, 5_000, 70_000, 1_000_000, 3_000_000, 40_000_000];
    let sizes = (1..=130).chain(larger).enumerate();
    let ops = sizes.map(|(slot, size)| Op::Malloc { slot, size }).collect();
    Player::new(context)?.play(&Trace::new(ops), SIXTEEN).map(drop)
}

fn every_small_size_works(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    for sizes in [0..=64_usize, 65..=1_024, 1_025..=4_096] {
        let step = if *sizes.start() < 65 { 1 } else { 7 };
        let sizes: Vec<_> = sizes.step_by(step).collect();
        let mut ops: Vec<_> =
            sizes.iter().enumerate().map(|(slot, &size)| Op::Malloc { slot, size }).collect();
        ops.extend(frees((0..sizes.len()).step_by(2)));
        ops.extend(frees((1..sizes.len()).step_by(2)));
        player.play(&Trace::new(ops), SIXTEEN)?;
    }
    // And those in between, one at a time.
    let one_by_one = (0..=4_096).flat_map(|size| [Op::Malloc { slot: 0, size }, Op::Free { slot: 0 }]);
    player.play(&Trace::new(one_by_one.collect()), SIXTEEN).map(drop)
}

fn powers_of_two_and_their_neighbours_work(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    let mut ops = Vec::new();
    for size in (1..=26).flat_map(|power| [(1_usize << power) - 1, 1 << power, (1 << power) + 1]) {
        ops.extend([Op::Malloc { slot: 0, size }, Op::Malloc { slot: 1, size: 24 }]);
        ops.extend([Op::Free { slot: 0 }, Op::Malloc { slot: 2, size: 24 }]);
        ops.extend(frees(1..=2));
    }
    player.play(&Trace::new(ops), SIXTEEN).map(drop)
}

/// Behind each mapping lies a page that cannot be touched: a block that is longer than its mapping meets it.
fn whole_pages_and_their_neighbours_work(context: &Context) -> Judged {
    const PAGE: usize = 4_096;
    let mut player = Player::new(context)?;
    let some = [20, 24, 32, 33, 48, 64, 100, 128, 129, 200, 256, 257, 300, 400, 512, 640, 768];
    for pages in (1..=16).chain(some) {
        let mut ops = Vec::new();
        for more in [-32, -24, -16, -8, 0, 8] {
            let size = (pages * PAGE).wrapping_add_signed(more);
            ops.extend([Op::Malloc { slot: 0, size }, Op::Malloc { slot: 1, size: 24 }]);
            ops.extend(frees(0..=1));
        }
        player.play(&Trace::new(ops).with_guard_pages(), SIXTEEN)?;
    }
    Ok(())
}

fn nothing_is_asked_for_and_something_can_be_freed(context: &Context) -> Judged {
    let mut ops: Vec<_> = mallocs(0..4, 24).collect();
    ops.extend(mallocs(4..12, 0));
    ops.extend(frees(4..8));
    ops.extend(mallocs(12..16, 24));
    ops.extend(frees(8..16));
    ops.extend(mallocs(16..20, 0));
    ops.extend(frees(0..4));
    let mut player = Player::new(context)?;
    player.play(&Trace::new(ops), SIXTEEN)?;
    let build = |blocks: usize, _| {
        let round = [Op::Malloc { slot: 0, size: 0 }, Op::Free { slot: 0 }];
        Pattern { first: round.to_vec(), then: round.repeat(blocks) }
    };
    let likely = "each malloc(0) uses up an address, which free does not give back";
    footprint::stays(&mut player, SIXTEEN, build, likely)
}

fn impossible_sizes_are_refused(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    let near_the_end = (0..=64).map(|less| usize::MAX - less);
    let near_the_middle = (LARGEST - 32)..=(LARGEST + 32);
    for size in near_the_end.chain(near_the_middle).chain([LARGEST - (1 << 20), usize::MAX / 4 * 3]) {
        is_refused(&mut player, 0, size)?;
    }
    // Taken for negative numbers these are not too large, and sbrk would give back as much of a heap that has it.
    for less in [4_096, 65_536, 1 << 20, 2 << 20] {
        for size in [usize::MAX - less, usize::MAX - less + 1, usize::MAX - less + 24] {
            is_refused(&mut player, 100, size)?;
        }
    }
    Ok(())
}

/// A request that nobody can meet, with live and free blocks around, and some larger ones besides.
fn is_refused(player: &mut Player<'_>, larger: usize, size: usize) -> Judged {
    let mut ops: Vec<_> = mallocs(8..8 + larger, 30_000).collect();
    ops.extend(mallocs(0..3, 40));
    ops.extend([Op::Free { slot: 1 }, Op::Malloc { slot: 3, size }]);
    let at = ops.len() - 1;
    ops.extend(mallocs(4..8, 40));
    let trace = Trace::new(ops);
    let seen = player.watch(&trace)?;
    let likely = "rounding up, or adding a header, wraps around to a small number, or one that is taken for a negative one";
    rules::judge_refusal(&trace, &seen, at, SIXTEEN, likely)
}

/// A program that needs memory of many sizes: small blocks, then larger, then some that may be mappings of their own.
pub(crate) fn hungry_program() -> Vec<Op> {
    let sizes = [24, 500, 4_000, 30_000, 200_000, 2_000_000];
    let mut ops = Vec::new();
    for (round, size) in sizes.into_iter().enumerate() {
        let slots = round * 4..(round + 1) * 4;
        ops.extend(mallocs(slots.clone(), size));
        ops.extend(frees(slots.step_by(2)));
    }
    ops
}

fn any_refusal_is_survived(context: &Context) -> Judged {
    survives_any_refusal(context, &hungry_program())
}

/// Plays a program again and again, with another call for more memory refused each time: its requests are met or get
/// null, and afterwards those of the program without a refusal are met.
#[track_caller]
pub(crate) fn survives_any_refusal(context: &Context, program: &[Op]) -> Judged {
    const MOST: usize = 64;
    let mut player = Player::new(context)?;
    for count in [1, FOREVER] {
        for after in 0..MOST {
            let mut ops = vec![Op::FailGrowth { after, count }];
            ops.extend(program);
            ops.push(Op::FailGrowth { after: 0, count: 0 });
            let again = ops.len();
            ops.extend(hungry_program().iter().filter_map(|op| match *op {
                Op::Malloc { slot, size } => Some(Op::Malloc { slot: 100 + slot, size }),
                _ => None,
            }));
            ops.extend(frees(0..124));
            let trace = Trace::new(ops);
            let seen = player.play(&trace, SIXTEEN.may_refuse())?;
            works_again(&trace, &seen, again)?;
            if seen.refused_calls() == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// From operation `from` on the OS gives memory again, so every request is met.
fn works_again(trace: &Trace, seen: &Seen, from: usize) -> Judged {
    for (index, record) in seen.records().enumerate().skip(from) {
        let op = trace.ops[index];
        if op.requested().is_some_and(|size| size > 0) && record.pointer == 0 {
            let halt = Halt::fail(format!("{op} gives a block, now that there is memory"), "null");
            return Err(halt
                .did(words::steps(&trace.ops[..=index]))
                .likely("a refusal is remembered, or left the heap in pieces"));
        }
    }
    Ok(())
}

fn a_full_machine_is_survived(context: &Context) -> Judged {
    const BLOCKS: usize = 40;
    let mut player = Player::new(context)?;
    for size in [1_000, 20_000] {
        for (full, empty) in [
            (Op::FailGrowth { after: 0, count: FOREVER }, Op::FailGrowth { after: 0, count: 0 }),
            (Op::LimitMemory, Op::LiftLimit),
        ] {
            let mut ops: Vec<_> = mallocs(0..BLOCKS, size).collect();
            ops.push(full);
            ops.extend(frees((0..BLOCKS).step_by(2)));
            // In the place of each freed block, one as large.
            let reused = ops.len();
            ops.extend(mallocs((0..BLOCKS).step_by(2), size));
            let beyond = ops.len();
            ops.extend(mallocs(BLOCKS..BLOCKS + 4, 1 << 28));
            ops.push(empty);
            let again = ops.len();
            ops.extend(mallocs(BLOCKS + 4..2 * BLOCKS, size));
            ops.extend(frees(0..2 * BLOCKS));
            let trace = Trace::new(ops);
            let seen = player.play(&trace, SIXTEEN.may_refuse())?;
            let refused = seen.records().take(beyond).skip(reused).position(|record| record.pointer == 0);
            if let Some(index) = refused {
                let at = reused + index;
                let expected = format!("{} takes the place of a block that was freed", trace.ops[at]);
                let likely = "malloc asks the OS first, or gave the freed block away when it was refused";
                return Err(Halt::fail(expected, "null").did(words::steps(&trace.ops[..=at])).likely(likely));
            }
            works_again(&trace, &seen, again)?;
        }
    }
    Ok(())
}

fn blocks_of_no_bytes_disturb_nobody(context: &Context) -> Judged {
    random::keeps_to_the_rules(context, 200, SIXTEEN, Sizes::OrNone, Functions::Two)
}

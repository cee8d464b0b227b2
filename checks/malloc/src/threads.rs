//! The checks of stage 6 in which threads play: several at once, each in a role, or one after the other. Blocks are judged
//! by their bytes, and memory by whether the footprint levels off.

use harness::{Context, Halt, Judged};

use crate::{
    player::Player,
    real_programs::has_all_four,
    rules,
    seen::Seen,
    wire::hand_over::{self, Kind},
};

const THREADS: usize = 8;

pub(crate) fn eight_threads_keep_their_blocks_apart(context: &Context) -> Judged {
    const OPERATIONS: usize = 20_000;
    let mut player = Player::new(context)?;
    has_all_four(&mut player)?;
    for round in 0..3 {
        hammer(&mut player, OPERATIONS, context.seed() + round)?;
    }
    Ok(())
}

pub(crate) fn what_another_thread_frees_is_used_again(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    has_all_four(&mut player)?;
    for kind in &hand_over::KINDS {
        for (number, &bytes) in VOLUMES.iter().enumerate() {
            let work = format!("hand-over:{}", kind.name);
            let story = passing_on(kind, bytes);
            let seen = judged(player.threads(&work, THREADS, bytes, context.seed()), &story)?;
            if seen.largest_step() * LARGE <= bytes || number + 1 == VOLUMES.len() {
                let likely = "a block that is freed by another thread than its owner is dropped, or is kept in a \
                              cache that only the freeing thread can empty, and that thread never allocates";
                levels_off(&seen, bytes / TOLERANCE).map_err(|halt| halt.did([story]).likely(likely))?;
                break;
            }
        }
    }
    Ok(())
}

/// How much is handed over. The first is far above what caches of a bounded size hold; the second is for libraries that
/// ask the OS for so much at once that they would not have to ask again.
const VOLUMES: [usize; 2] = [64 << 20, 256 << 20];

/// A volume is large if it is so many times the largest step.
const LARGE: usize = 4;

/// After it was warm the footprint may grow by this part of the volume, besides one step: blocks of many sizes lie better
/// at one moment than at another. It grows by all of it where nothing is used again that another thread freed.
const TOLERANCE: usize = 16;

pub(crate) fn what_a_thread_had_is_there_when_it_has_ended(context: &Context) -> Judged {
    let mut player = Player::new(context)?;
    has_all_four(&mut player)?;
    let [small, ..] = &hand_over::KINDS;
    let of_each = hand_over::OF_A_THREAD * small.sizes.iter().sum::<usize>() / small.sizes.len();
    for (number, &threads) in GENERATIONS.iter().enumerate() {
        let (of_a_thread, left, sizes) = (hand_over::OF_A_THREAD, hand_over::LEFT, sizes(small));
        let story = format!(
            "{threads} threads come and go, one after the other: each frees what the last has left, allocates \
             {of_a_thread} blocks of {sizes}, and frees all but {left}"
        );
        let seen = judged(player.threads("come-and-go", threads, 0, context.seed()), &story)?;
        if seen.largest_step() * LARGE <= threads * of_each || number + 1 == GENERATIONS.len() {
            let likely =
                "what a thread keeps for itself, in a cache or a heap of its own, is lost when it ends";
            return levels_off(&seen, threads * of_each / OF_A_THREAD_S_BLOCKS)
                .map_err(|halt| halt.did([story]).likely(likely));
        }
    }
    Ok(())
}

/// How many threads come and go, for libraries that ask for little and for much at once.
const GENERATIONS: [usize; 2] = [800, 3_200];

/// The part of what it had in use that a thread may take along, besides one step for all of them.
const OF_A_THREAD_S_BLOCKS: usize = 64;

/// Judges by how much the footprint grew after as much had been in use as ever is at once, and much had been freed.
#[track_caller]
fn levels_off(seen: &Seen, tolerance: usize) -> Judged {
    let (before, after) = (seen.peak_footprint(hand_over::FULL..hand_over::END), seen.highest_footprint());
    if after.saturating_sub(before) <= tolerance + seen.largest_step() {
        return Ok(());
    }
    let (before, after) = (amount(before), amount(after));
    let expected = format!("the footprint stays near the {before} that it had early on");
    Err(Halt::fail(expected, format!("it went to {after}, though no more was in use at once")))
}

/// Bytes in words.
fn amount(bytes: usize) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mebibytes => format!("{mebibytes} MiB"),
    }
}

fn passing_on(kind: &Kind, bytes: usize) -> String {
    let half = THREADS / 2;
    format!(
        "{half} threads allocate and fill blocks of {}, {half} others verify and free them: {} to warm up, then {}, and \
         at most {} blocks at once",
        sizes(kind),
        amount(bytes / hand_over::WARM_UP),
        amount(bytes),
        half * kind.in_use
    )
}

/// From the smallest to the largest.
fn sizes(kind: &Kind) -> String {
    let [smallest, .., largest] = kind.sizes;
    format!("{smallest} to {largest} bytes")
}

/// Has all threads do everything, and judges what was seen.
fn hammer(player: &mut Player<'_>, operations: usize, seed: u64) -> Judged {
    let story = format!(
        "{THREADS} threads allocate and free, {operations} times each, and hand blocks to each other"
    );
    judged(player.threads("hammer", THREADS, operations, seed), &story).map(drop)
}

/// Judges what threads did by the rules that hold for all of them.
fn judged(seen: Judged<Seen>, story: &str) -> Judged<Seen> {
    let did = || [story.to_owned()];
    let seen = seen.map_err(|halt| {
        halt.did(did()).likely("a lock that is taken twice by one thread, or never given back")
    })?;
    rules::judge_threads(&seen).map_err(|halt| halt.did(did()))?;
    Ok(seen)
}

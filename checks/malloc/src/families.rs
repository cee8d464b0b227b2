//! Generated traces of several characters, each with megabytes of payload: what programs do to an allocator, and what
//! an adversary would.

use crate::{
    first_fit::{frees, mallocs},
    trace::{Op, Trace},
};

/// A trace with the name of its character.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) trace: Trace,
}

/// Every family.
pub(crate) fn all(seed: u64) -> Vec<Family> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let rng = &mut rng;
    [
        ("small blocks", small(rng)),
        ("mixed sizes", mixed(rng)),
        ("last in, first out", stack(rng)),
        ("first in, first out", queue(rng)),
        ("long lives between short ones", long_and_short(rng)),
        ("growing buffers", growing()),
    ]
    .into_iter()
    .map(|(name, ops)| Family { name, trace: Trace::new(ops) })
    .collect()
}

/// Live blocks of nodes and short strings, a tenth of which come and go.
fn small(rng: &mut fastrand::Rng) -> Vec<Op> {
    const LIVE: usize = 40_000;
    let mut ops: Vec<_> = (0..LIVE).map(|slot| Op::Malloc { slot, size: rng.usize(16..=120) }).collect();
    for _ in 0..LIVE / 2 {
        let slot = rng.usize(..LIVE);
        ops.extend([Op::Free { slot }, Op::Malloc { slot, size: rng.usize(16..=120) }]);
    }
    ops
}

/// Sizes from 16 bytes to 16 KiB, each power of two as frequent as the next.
fn size_of_any_magnitude(rng: &mut fastrand::Rng) -> usize {
    let power = rng.u32(4..14);
    rng.usize(1 << power..2 << power)
}

/// Blocks of all magnitudes that come and go in no order, up to some ten megabytes.
fn mixed(rng: &mut fastrand::Rng) -> Vec<Op> {
    const SLOTS: usize = 6_000;
    let mut holds = vec![false; SLOTS];
    let mut ops = Vec::new();
    for _ in 0..8 * SLOTS {
        let slot = rng.usize(..SLOTS);
        ops.push(if holds[slot] {
            Op::Free { slot }
        } else {
            Op::Malloc { slot, size: size_of_any_magnitude(rng) }
        });
        holds[slot] = !holds[slot];
    }
    ops
}

/// A recursive program: what was allocated last is freed first.
fn stack(rng: &mut fastrand::Rng) -> Vec<Op> {
    const DEEPEST: usize = 20_000;
    let mut ops = Vec::new();
    let mut depth = 0;
    for target in [DEEPEST, DEEPEST / 3, DEEPEST, DEEPEST / 10, DEEPEST] {
        while depth < target {
            ops.push(Op::Malloc { slot: depth, size: rng.usize(16..600) });
            depth += 1;
        }
        ops.extend(frees((target..depth).rev()));
        depth = target;
    }
    ops
}

/// A program that passes messages on: what was allocated first is freed first.
fn queue(rng: &mut fastrand::Rng) -> Vec<Op> {
    const WAITING: usize = 10_000;
    let mut ops = Vec::new();
    for number in 0..5 * WAITING {
        let slot = number % WAITING;
        if number >= WAITING {
            ops.push(Op::Free { slot });
        }
        ops.push(Op::Malloc { slot, size: rng.usize(32..1_500) });
    }
    ops
}

/// A block that stays after every three that go; then as much again, of a size that fits the holes.
fn long_and_short(rng: &mut fastrand::Rng) -> Vec<Op> {
    const GROUPS: usize = 8_000;
    let mut ops = Vec::new();
    for group in 0..GROUPS {
        ops.extend(mallocs(4 * group..4 * group + 3, 200));
        ops.push(Op::Malloc { slot: 4 * group + 3, size: rng.usize(16..64) });
    }
    ops.extend(frees((0..4 * GROUPS).filter(|slot| slot % 4 < 3)));
    ops.extend((0..GROUPS).map(|group| Op::Malloc { slot: 4 * group, size: rng.usize(400..600) }));
    ops
}

/// A few buffers that grow by half again and again, in turns.
fn growing() -> Vec<Op> {
    const BUFFERS: usize = 8;
    const LARGEST: usize = 1 << 20;
    let mut ops: Vec<_> = mallocs(0..BUFFERS, 64).collect();
    let mut size = 64;
    while size < LARGEST {
        size += size / 2;
        ops.extend((0..BUFFERS).map(|slot| Op::Realloc { slot, size }));
    }
    ops
}

/// Tens of thousands of free blocks that fit no request, and then requests: of many sizes, for blocks that stay, so that
/// no cache has an answer and each of them has to be looked for.
pub(crate) fn saw() -> Trace {
    const TEETH: usize = 30_000;
    const REQUESTS: usize = 3_000;
    const SIZES: usize = 61;
    let mut ops: Vec<_> = mallocs(0..2 * TEETH, 48).collect();
    ops.extend(frees((0..2 * TEETH).step_by(2)));
    ops.extend(
        (0..REQUESTS)
            .map(|request| Op::Malloc { slot: 2 * TEETH + request, size: 400 + 16 * (request % SIZES) }),
    );
    Trace::new(ops)
}

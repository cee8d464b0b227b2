//! Traces: what is asked of an allocator, operation by operation.
//!
//! A *slot* is a variable that holds a pointer: null before its first block and after `free`. A trace names slots by
//! numbers; a student reads letters (`a`, `b`, … and from the 27th on `p26`, `p27`, …).

use std::fmt;

use crate::wire::{self, code, watch};

/// One operation, of the program or of somebody around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// `slot = malloc(size)`.
    Malloc { slot: usize, size: usize },
    /// The same, before the story that is told, so that it begins with little room.
    Filler { slot: usize, size: usize },
    /// `slot = calloc(count, size)`.
    Calloc { slot: usize, count: usize, size: usize },
    /// `slot = realloc(slot, size)`.
    Realloc { slot: usize, size: usize },
    /// `free(slot)`.
    Free { slot: usize },
    /// `free(NULL)`.
    FreeNull,
    /// The user fills a block with words that look like headers and links.
    FillWithHeaders { slot: usize },
    /// Somebody else moves the break up.
    MoveBreak { bytes: usize },
    /// After `after` more growth calls the next `count` fail.
    FailGrowth { after: usize, count: usize },
    /// From now on the kernel gives no more memory than this process has.
    LimitMemory,
    /// And now it does again.
    LiftLimit,
    /// Every live block is looked at.
    Sweep,
}

/// Never again, as far as a trace goes.
pub(crate) const FOREVER: usize = u32::MAX as usize;

/// A sequence of operations, and how closely it is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) ops: Vec<Op>,
    /// One more than the highest slot.
    slots: usize,
    watch: u64,
    /// Operations between two looks at every live block; 0 for one at the end.
    sweep_every: usize,
}

impl Trace {
    /// A trace of these operations, watched as closely as can be.
    pub(crate) fn new(ops: Vec<Op>) -> Self {
        let slots = ops.iter().filter_map(Op::slot).max().map_or(0, |last| last + 1);
        Self { ops, slots, watch: watch::NEIGHBOURS, sweep_every: 64 }
    }

    /// For long ones: every live block is looked at now and then, and its neighbours not at all.
    pub(crate) fn watched_seldom(mut self) -> Self {
        self.watch &= !watch::NEIGHBOURS;
        self.sweep_every = (self.ops.len() / 4).max(64);
        self
    }

    /// Behind each region that `mmap` returns lies a page that cannot be touched.
    pub(crate) fn with_guard_pages(mut self) -> Self {
        self.watch |= watch::GUARD_PAGES;
        self
    }

    /// For measuring: blocks are touched, not filled, and never looked at.
    pub(crate) fn unwatched(mut self) -> Self {
        self.watch = watch::NO_PATTERNS | watch::SELDOM_FOOTPRINT;
        self.sweep_every = 0;
        self
    }

    /// The trace with all that it leaves freed, over and over until there are as many operations as that.
    pub(crate) fn sustained(&self, operations: usize) -> Self {
        let mut holds = vec![false; self.slots];
        for op in &self.ops {
            if let Some(slot) = op.slot() {
                holds[slot] = !matches!(op, Op::Free { .. } | Op::Realloc { size: 0, .. });
            }
        }
        let left = (0..self.slots).filter(|&slot| holds[slot]);
        let mut round = self.ops.clone();
        round.extend(left.map(|slot| Op::Free { slot }));
        let times = operations.div_ceil(round.len().max(1));
        Self { ops: round.repeat(times), ..self.clone() }
    }

    /// As the player reads it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut words = vec![0; wire::TRACE_WORDS];
        words[..5].copy_from_slice(&[
            wire::MAGIC,
            self.ops.len() as u64,
            self.slots as u64,
            self.watch,
            self.sweep_every as u64,
        ]);
        words.extend(self.ops.iter().flat_map(Op::record));
        words.into_iter().flat_map(u64::to_ne_bytes).collect()
    }

    /// What a student reads for a slot.
    pub(crate) fn name(&self, slot: usize) -> String {
        let is_filler = |op: &Op| matches!(*op, Op::Filler { slot: other, .. } if other == slot);
        if self.ops.iter().any(is_filler) { FILLER.to_owned() } else { name(slot) }
    }

    /// The highest sum of the sizes of live blocks.
    pub(crate) fn peak_live_bytes(&self) -> usize {
        let mut sizes = vec![0; self.slots];
        let (mut live, mut peak) = (0, 0);
        for op in &self.ops {
            if let Some(slot) = op.slot() {
                let size =
                    op.requested().unwrap_or(if matches!(op, Op::Free { .. }) { 0 } else { sizes[slot] });
                live = live - sizes[slot] + size;
                sizes[slot] = size;
                peak = peak.max(live);
            }
        }
        peak
    }
}

impl Op {
    /// The slot that it is about.
    pub(crate) fn slot(&self) -> Option<usize> {
        match *self {
            Self::Malloc { slot, .. }
            | Self::Filler { slot, .. }
            | Self::Calloc { slot, .. }
            | Self::Realloc { slot, .. }
            | Self::Free { slot }
            | Self::FillWithHeaders { slot } => Some(slot),
            _ => None,
        }
    }

    /// How many bytes it asks for, if it asks for any.
    pub(crate) fn requested(&self) -> Option<usize> {
        match *self {
            Self::Malloc { size, .. } | Self::Filler { size, .. } | Self::Realloc { size, .. } => Some(size),
            Self::Calloc { count, size, .. } => Some(count.saturating_mul(size)),
            _ => None,
        }
    }

    fn record(&self) -> [u64; wire::RECORD_WORDS] {
        let (code, size, extra) = match *self {
            Self::Malloc { size, .. } | Self::Filler { size, .. } => (code::MALLOC, size, 0),
            Self::Calloc { count, size, .. } => (code::CALLOC, size, count),
            Self::Realloc { size, .. } => (code::REALLOC, size, 0),
            Self::Free { .. } => (code::FREE, 0, 0),
            Self::FreeNull => (code::FREE_NULL, 0, 0),
            Self::FillWithHeaders { .. } => (code::HOSTILE_FILL, 0, 0),
            Self::MoveBreak { bytes } => (code::MOVE_BREAK, bytes, 0),
            Self::FailGrowth { after, count } => (code::FAIL_GROWTH, after, count),
            Self::LimitMemory => (code::LIMIT_MEMORY, 0, 0),
            Self::LiftLimit => (code::LIMIT_MEMORY, 0, 1),
            Self::Sweep => (code::SWEEP, 0, 0),
        };
        [code | (self.slot().unwrap_or(0) as u64) << 8, size as u64, extra as u64]
    }
}

/// The name of the slot of [`Op::Filler`].
const FILLER: &str = "filler";

/// A slot's name, if it is no filler's.
pub(crate) fn name(slot: usize) -> String {
    match u8::try_from(slot) {
        Ok(letter @ 0..26) => char::from(b'a' + letter).to_string(),
        _ => format!("p{slot}"),
    }
}

/// A size as a student would write it.
pub(crate) fn size_text(size: usize) -> String {
    match usize::MAX - size {
        0 => "SIZE_MAX".to_owned(),
        below @ 1..4096 => format!("SIZE_MAX - {below}"),
        _ if size == isize::MAX as usize + 1 => "PTRDIFF_MAX + 1".to_owned(),
        _ => size.to_string(),
    }
}

/// As a student would write it.
impl fmt::Display for Op {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Malloc { slot, size } => write!(out, "{} = malloc({})", name(slot), size_text(size)),
            Self::Filler { size, .. } => write!(out, "{FILLER} = malloc({})", size_text(size)),
            Self::Calloc { slot, count, size } => {
                write!(out, "{} = calloc({}, {})", name(slot), size_text(count), size_text(size))
            }
            Self::Realloc { slot, size } => {
                write!(out, "{0} = realloc({0}, {1})", name(slot), size_text(size))
            }
            Self::Free { slot } => write!(out, "free({})", name(slot)),
            Self::FreeNull => write!(out, "free(NULL)"),
            Self::FillWithHeaders { slot } => write!(out, "fill {} with what looks like headers", name(slot)),
            Self::MoveBreak { bytes } => write!(out, "somebody else calls sbrk({bytes})"),
            Self::FailGrowth { after: 0, count: FOREVER } => write!(out, "the OS gives no more memory"),
            Self::FailGrowth { count: 0, .. } => write!(out, "the OS gives memory again"),
            Self::FailGrowth { after, count: 1 } => {
                write!(out, "the OS will refuse the {}", ordinal(after + 1))
            }
            Self::FailGrowth { after, .. } => {
                write!(out, "the OS will refuse the {} and all later ones", ordinal(after + 1))
            }
            Self::LimitMemory => write!(out, "the OS gives no more memory"),
            Self::LiftLimit => write!(out, "the OS gives memory again"),
            Self::Sweep => write!(out, "look at every live block"),
        }
    }
}

/// `1st request`, `22nd request`.
fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (1, not) if not != 11 => "st",
        (2, not) if not != 12 => "nd",
        (3, not) if not != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending} request for memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_counts_what_lives_at_one_time() {
        let trace = Trace::new(vec![
            Op::Malloc { slot: 0, size: 100 },
            Op::Malloc { slot: 1, size: 50 },
            Op::Free { slot: 0 },
            Op::Realloc { slot: 1, size: 120 },
            Op::Free { slot: 1 },
        ]);
        assert_eq!(trace.peak_live_bytes(), 150, "a and b live together; b alone is smaller");
    }

    #[test]
    fn sizes_near_the_end_of_the_range_are_named() {
        assert_eq!(size_text(usize::MAX - 8), "SIZE_MAX - 8");
        assert_eq!(size_text(24), "24");
    }
}

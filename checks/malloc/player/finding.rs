//! Why a trace goes on no further: the first thing that a correct allocator never does.

use crate::{
    pattern::Damage,
    seen::Seen,
    wire::{end, seen},
};

/// The slot of a finding that is about a gap beyond the break.
pub(crate) const GAP: usize = usize::MAX;

/// How it ended, and what a reader of the report wants to know about that.
pub(crate) struct Finding {
    end: u64,
    slot: usize,
    damage: Option<Damage>,
    foreign: u64,
    /// The first foreign byte of a block, and how far it reaches past the end of the library's memory.
    reach: (usize, usize),
}

impl Finding {
    /// `end` is one of [`end`], about `slot`.
    pub(crate) fn new(end: u64, slot: usize) -> Self {
        Self { end, slot, damage: None, foreign: 0, reach: (0, 0) }
    }

    /// Bytes that are not what they should be.
    pub(crate) fn damage(end: u64, slot: usize, damage: Damage) -> Self {
        Self { damage: Some(damage), ..Self::new(end, slot) }
    }

    /// A block in memory of that kind.
    pub(crate) fn foreign(kind: u64, slot: usize) -> Self {
        Self { foreign: kind, ..Self::new(end::FOREIGN, slot) }
    }

    /// A block that lies there from its byte `offset` on, `past_the_end` bytes past the end of the library's memory.
    pub(crate) fn reaching(self, (offset, past_the_end): (usize, usize)) -> Self {
        Self { reach: (offset, past_the_end), ..self }
    }

    /// Writes it down; only the first of all findings does, whether it was the first.
    pub(crate) fn tell(&self, seen: Seen<'_>) -> bool {
        let is_first = seen.end(self.end);
        if is_first {
            seen.set(seen::SLOT, self.slot as u64);
            seen.set(seen::FOREIGN, self.foreign);
            seen.set(seen::OFFSET, self.reach.0 as u64);
            seen.set(seen::REACHES, self.reach.1 as u64);
            if let Some(damage) = self.damage {
                seen.set(seen::OFFSET, damage.offset as u64);
                seen.set(seen::WANTED, damage.wanted.into());
                seen.set(seen::FOUND, damage.found.into());
                seen.set(seen::DAMAGED, damage.damaged as u64);
            }
        }
        is_first
    }
}

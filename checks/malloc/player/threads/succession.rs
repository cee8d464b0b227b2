//! Threads that come and go: each allocates, frees nearly all of it and what the one before has left, and ends.
//!
//! ```text
//!   thread 0   allocates ──> frees most, leaves some ──> ends
//!   thread 1                                                   frees those, allocates ──> frees most, leaves … ──> ends
//! ```
//!
//! There is never more than one of them, so that what is in use stays the same however many there were.

use super::calls::{Block, Calls};
use crate::{
    finding::Finding,
    pattern::mix,
    wire::{hand_over, seen},
};

/// What one thread leaves to the next.
pub(super) struct Succession<'a> {
    calls: Calls<'a>,
    random: u64,
    left: Vec<Block>,
}

/// Before any thread; room for all blocks is there before anything is measured.
pub(super) fn new(calls: Calls<'_>, seed: u64) -> Succession<'_> {
    Succession { calls, random: mix(seed), left: Vec::with_capacity(hand_over::OF_A_THREAD) }
}

impl Succession<'_> {
    /// What the next thread does.
    pub(super) fn next(&mut self) {
        let lived = self.live();
        self.calls.unless_found(lived);
    }

    /// Tells what the library took from libc so far.
    pub(super) fn tell_borrowed(&self) {
        self.calls.tell_borrowed();
    }

    fn live(&mut self) -> Result<(), Finding> {
        self.free_all_but(0)?;
        for _ in 0..hand_over::OF_A_THREAD {
            self.random = self.random.wrapping_add(1);
            let [small, ..] = &hand_over::KINDS;
            let block = self.calls.malloc(small.size(mix(self.random)))?;
            self.left.extend(block);
            self.calls.seen.add(seen::FINISHED, 1);
        }
        self.free_all_but(hand_over::LEFT)
    }

    fn free_all_but(&mut self, kept: usize) -> Result<(), Finding> {
        let freed = kept.min(self.left.len())..;
        self.left.drain(freed).try_for_each(|block| self.calls.free(block))
    }
}

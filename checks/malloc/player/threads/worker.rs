//! What one of several threads does that all allocate, free, and hand blocks to each other.

use std::sync::Barrier;

use super::{
    calls::{Block, Calls},
    mailbox::Mailbox,
};
use crate::{finding::Finding, last_words, pattern::mix, wire::seen};

/// Blocks that a thread keeps at most.
const KEPT: usize = 256;
/// Most blocks are up to this size, one in [`LARGE_EVERY`] up to [`LARGE`].
const SMALL: u64 = 1024;
const LARGE: u64 = 64 << 10;
const LARGE_EVERY: u64 = 64;

/// One thread.
pub(super) struct Worker<'a> {
    calls: Calls<'a>,
    mailboxes: &'a [Mailbox],
    random: u64,
    kept: Vec<Block>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(calls: Calls<'a>, mailboxes: &'a [Mailbox], seed: u64) -> Self {
        let random = mix(seed ^ mix(calls.index as u64));
        Self { calls, mailboxes, random, kept: Vec::with_capacity(KEPT) }
    }

    /// Plays so many operations, then frees all that is left.
    pub(super) fn run(mut self, operations: usize, barrier: &Barrier) {
        last_words::prepare_thread();
        barrier.wait();
        let played = (0..operations).try_for_each(|_| self.step());
        self.calls.unless_found(played);
        // Nobody sends any more.
        barrier.wait();
        self.calls.unless_found(self.empty());
        self.calls.tell_borrowed();
        barrier.wait();
    }

    fn step(&mut self) -> Result<(), Finding> {
        let random = self.next();
        if let Some(block) = self.mailboxes[self.calls.index].take(random) {
            self.keep(block)?;
        }
        match random >> 8 & 0xf {
            0 if !self.kept.is_empty() => self.realloc()?,
            0..8 => self.malloc()?,
            8..11 => self.send()?,
            _ => {
                if let Some(block) = self.pick() {
                    self.calls.free(block)?;
                }
            }
        }
        self.calls.seen.add(seen::FINISHED, 1);
        Ok(())
    }

    fn malloc(&mut self) -> Result<(), Finding> {
        let size = self.size();
        match self.calls.malloc(size)? {
            Some(block) => self.keep(block),
            None => Ok(()),
        }
    }

    fn realloc(&mut self) -> Result<(), Finding> {
        let Some(old) = self.pick() else { return Ok(()) };
        let size = self.size();
        let block = self.calls.realloc(old, size)?;
        self.keep(block.unwrap_or(old))
    }

    /// Leaves a block in another thread's mailbox.
    fn send(&mut self) -> Result<(), Finding> {
        let Some(block) = self.pick() else { return Ok(()) };
        let random = self.next();
        let others = self.mailboxes.len() - 1;
        let receiver = if others == 0 { 0 } else { self.calls.index + 1 + random as usize % others };
        let mailbox = &self.mailboxes[receiver % self.mailboxes.len()];
        if mailbox.put(random >> 32, block) { Ok(()) } else { self.keep(block) }
    }

    /// Frees all that this thread keeps, and all that was on its way to it.
    fn empty(&self) -> Result<(), Finding> {
        let waiting = self.mailboxes[self.calls.index].take_all();
        self.kept.iter().copied().chain(waiting).try_for_each(|block| self.calls.free(block))
    }

    fn keep(&mut self, block: Block) -> Result<(), Finding> {
        if self.kept.len() == KEPT {
            return self.calls.free(block);
        }
        self.kept.push(block);
        Ok(())
    }

    /// Any of the kept blocks, which is then kept no longer.
    fn pick(&mut self) -> Option<Block> {
        let random = self.next() as usize;
        match self.kept.len() {
            0 => None,
            count => Some(self.kept.swap_remove(random % count)),
        }
    }

    fn size(&mut self) -> usize {
        let random = self.next();
        let most = if (random >> 32).is_multiple_of(LARGE_EVERY) { LARGE } else { SMALL };
        1 + (random % most) as usize
    }

    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(1);
        mix(self.random)
    }
}

//! What one of several threads does.

use std::sync::Barrier;

use super::mailbox::{Block, Mailbox};
use crate::{
    borrowed,
    finding::Finding,
    kernel, last_words,
    maps::Maps,
    pattern::{Fill, mix},
    play::Stage,
    seen::Seen,
    wire::{end, foreign, phase, seen},
};

/// Blocks that a thread keeps at most.
const KEPT: usize = 256;
/// Most blocks are up to this size, one in [`LARGE_EVERY`] up to [`LARGE`].
const SMALL: u64 = 1024;
const LARGE: u64 = 64 << 10;
const LARGE_EVERY: u64 = 64;
/// What a pointer has to be a multiple of by the time that threads play.
const ALIGNMENT: usize = 16;

/// One thread.
pub(super) struct Worker<'a> {
    stage: &'a Stage,
    seen: Seen<'a>,
    mailboxes: &'a [Mailbox],
    index: usize,
    random: u64,
    /// Blocks asked for so far.
    sequence: u64,
    kept: Vec<Block>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        stage: &'a Stage,
        seen: Seen<'a>,
        mailboxes: &'a [Mailbox],
        index: usize,
        seed: u64,
    ) -> Self {
        let random = mix(seed ^ mix(index as u64));
        Self { stage, seen, mailboxes, index, random, sequence: 0, kept: Vec::with_capacity(KEPT) }
    }

    /// Plays so many operations, then frees all that is left.
    pub(super) fn run(mut self, operations: usize, barrier: &Barrier) {
        last_words::prepare_thread();
        barrier.wait();
        let played = (0..operations).try_for_each(|_| self.step());
        self.go_on_if(played);
        // Nobody sends any more.
        barrier.wait();
        self.go_on_if(self.empty());
        self.tell_borrowed();
        barrier.wait();
    }

    /// Ends the process at a finding.
    fn go_on_if(&self, result: Result<(), Finding>) {
        let Err(finding) = result else { return };
        self.tell_borrowed();
        while !finding.tell(self.seen) {
            // Another thread was first, and ends the process when it has told all.
            std::thread::yield_now();
        }
        // SAFETY: ends the process without running anything of it.
        unsafe { libc::_exit(0) };
    }

    fn tell_borrowed(&self) {
        let (kind, _) = borrowed::first();
        self.seen.set(seen::BORROWED_FIRST, kind);
        self.seen.set(seen::BORROWED, borrowed::calls());
    }

    fn step(&mut self) -> Result<(), Finding> {
        let random = self.next();
        if let Some(block) = self.mailboxes[self.index].take(random) {
            self.keep(block)?;
        }
        match random >> 8 & 0xf {
            0 if !self.kept.is_empty() => self.realloc()?,
            0..8 => self.malloc()?,
            8..11 => self.send()?,
            _ => {
                if let Some(block) = self.pick() {
                    self.free(block)?;
                }
            }
        }
        self.seen.add(seen::FINISHED, 1);
        Ok(())
    }

    fn malloc(&mut self) -> Result<(), Finding> {
        let size = self.size();
        let malloc = self.stage.library.malloc.ok_or_else(|| Finding::new(end::NO_SYMBOL, 0))?;
        let block = inside(|| {
            // SAFETY: foreign code, which may do anything: it is this child that it breaks.
            unsafe { malloc(size) }
        });
        match self.receive(block, size)? {
            Some(block) => {
                self.fill(block);
                self.keep(block)
            }
            None => Ok(()),
        }
    }

    fn realloc(&mut self) -> Result<(), Finding> {
        let (Some(realloc), Some(old)) = (self.stage.library.realloc, self.pick()) else { return Ok(()) };
        self.verify(old, old.address, old.size, end::DAMAGED)?;
        let size = self.size();
        let block = inside(|| {
            // SAFETY: see `malloc`; the old block came from there.
            unsafe { realloc(old.address as *mut u8, size) }
        });
        match self.receive(block, size)? {
            Some(block) => {
                self.verify(old, block.address, size.min(old.size), end::PREFIX_LOST)?;
                self.fill(block);
                self.keep(block)
            }
            None => self.keep(old),
        }
    }

    fn free(&self, block: Block) -> Result<(), Finding> {
        let free = self.stage.library.free.ok_or_else(|| Finding::new(end::NO_SYMBOL, 0))?;
        self.verify(block, block.address, block.size, end::DAMAGED)?;
        inside(|| {
            // SAFETY: see `malloc`; the block came from there, and is freed once.
            unsafe { free(block.address as *mut u8) }
        });
        Ok(())
    }

    /// Leaves a block in another thread's mailbox.
    fn send(&mut self) -> Result<(), Finding> {
        let Some(block) = self.pick() else { return Ok(()) };
        let random = self.next();
        let others = self.mailboxes.len() - 1;
        let receiver = if others == 0 { 0 } else { self.index + 1 + random as usize % others };
        let mailbox = &self.mailboxes[receiver % self.mailboxes.len()];
        if mailbox.put(random >> 32, block) { Ok(()) } else { self.keep(block) }
    }

    /// Frees all that this thread keeps, and all that was on its way to it.
    fn empty(&self) -> Result<(), Finding> {
        let waiting = self.mailboxes[self.index].take_all();
        self.kept.iter().copied().chain(waiting).try_for_each(|block| self.free(block))
    }

    fn keep(&mut self, block: Block) -> Result<(), Finding> {
        if self.kept.len() == KEPT {
            return self.free(block);
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

    /// What the library returned; None when it had nothing.
    fn receive(&mut self, block: *mut u8, size: usize) -> Result<Option<Block>, Finding> {
        let address = block.expose_provenance();
        if address == 0 {
            self.seen.add(seen::REFUSED, 1);
            return Ok(None);
        }
        if !address.is_multiple_of(ALIGNMENT) {
            self.seen.add(seen::MISALIGNED, 1);
        }
        let kind = if Maps::is_nowhere(address, size) {
            Some(foreign::NOWHERE)
        } else if borrowed::meets(address, address + size) {
            Some(foreign::LIBC_HEAP)
        } else {
            self.stage.maps.foreign(address, size)
        };
        if let Some(kind) = kind {
            return Err(Finding::foreign(kind, self.index));
        }
        self.sequence += 1;
        Ok(Some(Block { address, size, key: (self.index as u64) << 48 | self.sequence }))
    }

    fn fill(&self, block: Block) {
        last_words::thread_is(phase::FILLING);
        // SAFETY: nobody else's memory, as far as is known; two threads that were given it will tell.
        unsafe { self.stage.pattern.fill(block.address, block.size, Fill::Table(block.key)) };
        last_words::thread_is(phase::IDLE);
    }

    /// Whether the first `length` bytes at `address` are what `block` was filled with.
    fn verify(&self, block: Block, address: usize, length: usize, otherwise: u64) -> Result<(), Finding> {
        last_words::thread_is(phase::VERIFYING);
        let filled = (block.address, block.size, Fill::Table(block.key));
        // SAFETY: as in `fill`.
        let result = unsafe { self.stage.pattern.verify(address, length, filled) };
        last_words::thread_is(phase::IDLE);
        result.map_err(|damage| Finding::damage(otherwise, self.index, damage))
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

/// Calls the library.
fn inside<T>(call: impl FnOnce() -> T) -> T {
    last_words::thread_is(phase::INSIDE);
    let result = kernel::inside(call);
    last_words::thread_is(phase::IDLE);
    result
}

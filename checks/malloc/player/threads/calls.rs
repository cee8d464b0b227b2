//! One thread's calls of the library: a block is filled to its last byte when it comes, and verified before it goes.

use crate::{
    borrowed,
    finding::Finding,
    kernel, last_words,
    maps::Maps,
    pattern::Fill,
    play::Stage,
    seen::Seen,
    wire::{end, foreign, phase, seen},
};

/// What a pointer has to be a multiple of by the time that threads play.
const ALIGNMENT: usize = 16;

/// A block, and the key of what it was filled with.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) address: usize,
    pub(super) size: usize,
    pub(super) key: u64,
}

/// The calls of one thread.
pub(super) struct Calls<'a> {
    stage: &'a Stage,
    pub(super) seen: Seen<'a>,
    pub(super) index: usize,
    /// Blocks asked for so far.
    sequence: u64,
}

impl<'a> Calls<'a> {
    pub(super) fn new(stage: &'a Stage, seen: Seen<'a>, index: usize) -> Self {
        Self { stage, seen, index, sequence: 0 }
    }

    /// A new block, filled; None when the library had none.
    pub(super) fn malloc(&mut self, size: usize) -> Result<Option<Block>, Finding> {
        let malloc = self.stage.library.malloc.ok_or_else(|| Finding::new(end::NO_SYMBOL, 0))?;
        let address = inside(|| {
            // SAFETY: foreign code, which may do anything: it is this child that it breaks.
            unsafe { malloc(size) }
        });
        let block = self.receive(address, size)?;
        block.into_iter().for_each(|block| self.fill(block));
        Ok(block)
    }

    /// The block in another size, filled anew; None when the library refused, and left it as it was.
    pub(super) fn realloc(&mut self, old: Block, size: usize) -> Result<Option<Block>, Finding> {
        let realloc = self.stage.library.realloc.ok_or_else(|| Finding::new(end::NO_SYMBOL, 0))?;
        self.verify(old, old.address, old.size, end::DAMAGED)?;
        let address = inside(|| {
            // SAFETY: see `malloc`; the old block came from there.
            unsafe { realloc(old.address as *mut u8, size) }
        });
        let Some(block) = self.receive(address, size)? else { return Ok(None) };
        self.verify(old, block.address, size.min(old.size), end::PREFIX_LOST)?;
        self.fill(block);
        Ok(Some(block))
    }

    /// Gives a block back, whosever it was.
    pub(super) fn free(&self, block: Block) -> Result<(), Finding> {
        let free = self.stage.library.free.ok_or_else(|| Finding::new(end::NO_SYMBOL, 0))?;
        self.verify(block, block.address, block.size, end::DAMAGED)?;
        inside(|| {
            // SAFETY: see `malloc`; the block came from there, and is freed once.
            unsafe { free(block.address as *mut u8) }
        });
        Ok(())
    }

    /// What is there when nothing was found; ends the process at a finding.
    pub(super) fn unless_found<T>(&self, result: Result<T, Finding>) -> T {
        let finding = match result {
            Ok(value) => return value,
            Err(finding) => finding,
        };
        self.tell_borrowed();
        while !finding.tell(self.seen) {
            // Another thread was first, and ends the process when it has told all.
            std::thread::yield_now();
        }
        // SAFETY: ends the process without running anything of it.
        unsafe { libc::_exit(0) };
    }

    /// Tells what the library took from libc so far, in any thread.
    pub(super) fn tell_borrowed(&self) {
        let (kind, _) = borrowed::first();
        self.seen.set(seen::BORROWED_FIRST, kind);
        self.seen.set(seen::BORROWED, borrowed::calls());
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
}

/// Calls the library.
fn inside<T>(call: impl FnOnce() -> T) -> T {
    last_words::thread_is(phase::INSIDE);
    let result = kernel::inside(call);
    last_words::thread_is(phase::IDLE);
    result
}

//! The operations of a trace, each with the call that it is about.
//!
//! Nothing is written to a block before it is known not to meet a live one nor anybody else's memory: a wrong allocator
//! is to be caught, not to harm the player. Memory that is not there at all makes the player fault; the phase tells.

use std::io;

use super::{Block, Play};
use crate::{
    finding::Finding,
    kernel,
    pattern::{Fill, verify_zero},
    wire::{code, end, phase, seen},
};

impl Play<'_> {
    /// Plays one operation.
    pub(super) fn play(&mut self, word: u64, size: usize, extra: u64) -> Result<(), Finding> {
        let slot = (word >> 8) as usize;
        match word & 0xff {
            code::MALLOC => self.malloc(slot, size),
            code::FREE => self.free(slot),
            code::REALLOC => self.realloc(slot, size, extra == 1),
            code::CALLOC => self.calloc(slot, extra as usize, size),
            code::FREE_NULL => self.free_null(),
            code::HOSTILE_FILL => {
                self.hostile_fill(slot);
                Ok(())
            }
            code::MOVE_BREAK => {
                self.move_break(size);
                Ok(())
            }
            code::FAIL_GROWTH => {
                kernel::fail_growth(size as u64, extra);
                Ok(())
            }
            code::LIMIT_MEMORY => {
                self.limit_memory(size, extra == 1);
                Ok(())
            }
            code::SWEEP => self.sweep(),
            unknown => panic!("operation {} has an unknown code {unknown}", self.operation),
        }
    }

    /// Calls the library, or tells that it has no such function.
    fn call<F: Copy, T>(&self, function: Option<F>, call: impl FnOnce(F) -> T) -> Result<T, Finding> {
        let function = function.ok_or_else(|| Finding::new(end::NO_SYMBOL, 0))?;
        self.seen.set(seen::PHASE, phase::INSIDE);
        let result = kernel::inside(|| call(function));
        self.seen.set(seen::PHASE, phase::IDLE);
        Ok(result)
    }

    /// A block that the library returned: an address, 0 for null.
    fn result(&self, block: *mut u8) -> usize {
        let address = block.expose_provenance();
        self.seen.record(self.operation, 0, address as u64);
        address
    }

    fn malloc(&mut self, slot: usize, size: usize) -> Result<(), Finding> {
        self.leak(slot);
        let block = self.call(self.stage.library.malloc, |malloc| {
            // SAFETY: foreign code, which may do anything: it is this child that it breaks.
            unsafe { malloc(size) }
        })?;
        let address = self.result(block);
        if address == 0 {
            return Ok(());
        }
        let place = self.admit(slot, address, size)?;
        self.settle(slot, address, size, place);
        Ok(())
    }

    fn calloc(&mut self, slot: usize, count: usize, size: usize) -> Result<(), Finding> {
        self.leak(slot);
        let block = self.call(self.stage.library.calloc, |calloc| {
            // SAFETY: see `malloc`.
            unsafe { calloc(count, size) }
        })?;
        let address = self.result(block);
        if address == 0 {
            return Ok(());
        }
        // No block is large enough for a product that does not fit: this one is found to lie nowhere.
        let size = count.saturating_mul(size);
        let place = self.admit(slot, address, size)?;
        self.seen.set(seen::SLOT, slot as u64);
        self.seen.set(seen::PHASE, phase::VERIFYING);
        // SAFETY: `admit` has found nobody else's memory there.
        let zero = unsafe { verify_zero(address, size) };
        self.seen.set(seen::PHASE, phase::IDLE);
        zero.map_err(|damage| Finding::damage(end::NOT_ZERO, slot, damage))?;
        self.settle(slot, address, size, place);
        Ok(())
    }

    fn free(&mut self, slot: usize) -> Result<(), Finding> {
        let block = self.slots[slot];
        if block.address == 0 {
            return Ok(());
        }
        self.verify(slot)?;
        let place = self.leave(slot);
        self.call(self.stage.library.free, |free| {
            // SAFETY: see `malloc`; the block came from there, and is freed once.
            unsafe { free(block.address as *mut u8) }
        })?;
        self.verify_around(place)
    }

    fn free_null(&self) -> Result<(), Finding> {
        self.call(self.stage.library.free, |free| {
            // SAFETY: see `malloc`; free takes null.
            unsafe { free(std::ptr::null_mut()) }
        })
    }

    fn realloc(&mut self, slot: usize, size: usize, is_of_null: bool) -> Result<(), Finding> {
        if is_of_null {
            self.leak(slot);
        }
        let old = self.slots[slot];
        let is_null = old.address == 0;
        let mut place = None;
        if !is_null {
            self.verify(slot)?;
            place = Some(self.leave(slot));
        }
        let block = self.call(self.stage.library.realloc, |realloc| {
            // SAFETY: see `malloc`; the old block came from there, and is not used again if a new one comes.
            unsafe { realloc(old.address as *mut u8, size) }
        })?;
        let address = self.result(block);
        place.map_or(Ok(()), |place| self.verify_around(place))?;
        if address != 0 {
            let place = self.admit(slot, address, size)?;
            if !is_null {
                self.verify_prefix(slot, address, size, old)?;
            }
            self.settle(slot, address, size, place);
        } else if !is_null && size > 0 {
            self.stay(slot, old);
            self.verify(slot)?;
        }
        Ok(())
    }

    /// Whether the block that realloc returned begins with what the old one held.
    fn verify_prefix(&self, slot: usize, new: usize, size: usize, old: Block) -> Result<(), Finding> {
        self.seen.set(seen::SLOT, slot as u64);
        self.seen.set(seen::PHASE, phase::VERIFYING);
        let kept = size.min(old.size);
        // SAFETY: `admit` has found nobody else's memory at the new block.
        let prefix = unsafe { self.stage.pattern.verify(new, kept, (old.address, old.size, old.fill)) };
        self.seen.set(seen::PHASE, phase::IDLE);
        prefix.map_err(|damage| Finding::damage(end::PREFIX_LOST, slot, damage))
    }

    fn hostile_fill(&mut self, slot: usize) {
        let Block { address, size, .. } = self.slots[slot];
        if address != 0 {
            self.slots[slot].fill = Fill::Hostile(self.operation as u64);
            self.seen.set(seen::SLOT, slot as u64);
            // SAFETY: a live block is the player's to write.
            unsafe { self.stage.pattern.fill(address, size, self.slots[slot].fill) };
        }
    }

    fn move_break(&mut self, size: usize) {
        let Some(address) = kernel::move_break(size as isize) else { return };
        let fill = Fill::Table(u64::MAX - self.operation as u64);
        // SAFETY: memory that the kernel just gave to the player.
        unsafe { self.stage.pattern.fill(address, size, fill) };
        self.gaps.push(Block { address, size, fill });
        self.gap_bytes += size;
    }

    fn limit_memory(&self, more: usize, is_lifted: bool) {
        let mut limit = self.address_space_limit;
        if !is_lifted {
            let wanted = self.measures.footprint.address_space().saturating_add(more) as u64;
            limit.rlim_cur = wanted.min(limit.rlim_cur);
        }
        // SAFETY: `limit` is this function's own.
        if unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) } == -1 {
            panic!("cannot limit the address space: {}", io::Error::last_os_error());
        }
    }
}

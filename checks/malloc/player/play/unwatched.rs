//! Plays a trace as fast as can be: what is measured is to be the library's time, not the player's.
//!
//! Blocks are written to at their first and last byte. Nothing is looked at, and only the number of finished operations is
//! kept up to date; the footprint is read before the first and after the last. Compiled without optimisation, even a
//! method of a pointer costs a call: hence the plain indices and dereferences.

use super::Play;
use crate::{
    finding::Finding,
    kernel,
    library::Library,
    wire::{RECORD_WORDS, TRACE_WORDS, code, end, phase, seen},
};

impl Play<'_> {
    /// Plays all operations with their calls. Those that are for watching alone are left out.
    pub(super) fn unwatched(&mut self) -> Result<(), Finding> {
        let mut slots = vec![0_usize; self.slots.len()];
        self.seen.set(seen::PHASE, phase::INSIDE);
        let played = kernel::inside(|| self.rush(&mut slots));
        self.seen.set(seen::PHASE, phase::IDLE);
        if self.trace[1] > 0 {
            self.operation = self.trace[1] as usize - 1;
            self.measures.until_read = 1;
            self.measure();
        }
        played
    }

    fn rush(&self, slots: &mut [usize]) -> Result<(), Finding> {
        let Library { malloc: Some(malloc), free: Some(free), calloc, realloc } = self.stage.library else {
            return Err(Finding::new(end::NO_SYMBOL, 0));
        };
        let finished = self.seen.start().cast::<u64>().cast_mut();
        let (trace, operations) = (self.trace, self.trace[1]);
        let (mut at, mut operation) = (TRACE_WORDS, 0_u64);
        while operation < operations {
            let (slot, size) = ((trace[at] >> 8) as usize, trace[at + 1] as usize);
            match trace[at] & 0xff {
                code::MALLOC => {
                    // SAFETY: foreign code, which may do anything: it is this child that it breaks.
                    let block = unsafe { malloc(size) };
                    slots[slot] = block as usize;
                    touch(block, size);
                }
                code::FREE => {
                    // SAFETY: as above; the block came from there, and is freed once.
                    unsafe { free(slots[slot] as *mut u8) };
                    slots[slot] = 0;
                }
                code::REALLOC => {
                    let Some(realloc) = realloc else { return Err(Finding::new(end::NO_SYMBOL, 0)) };
                    let old = if trace[at + 2] == 1 { 0 } else { slots[slot] };
                    // SAFETY: as above.
                    let block = unsafe { realloc(old as *mut u8, size) };
                    if block as usize != 0 || size == 0 {
                        slots[slot] = block as usize;
                        touch(block, size);
                    }
                }
                code::CALLOC => {
                    let Some(calloc) = calloc else { return Err(Finding::new(end::NO_SYMBOL, 0)) };
                    let count = trace[at + 2] as usize;
                    // SAFETY: as above.
                    let block = unsafe { calloc(count, size) };
                    slots[slot] = block as usize;
                    touch(block, count.saturating_mul(size));
                }
                code::FREE_NULL => {
                    // SAFETY: as above; free takes null.
                    unsafe { free(std::ptr::null_mut()) };
                }
                _ => {}
            }
            at += RECORD_WORDS;
            operation += 1;
            // SAFETY: the header's first word; the parent reads it when this process has ended, the suite when it hangs.
            unsafe { *finished = operation };
        }
        Ok(())
    }
}

/// Writes to a block, if it is one.
fn touch(block: *mut u8, size: usize) {
    let start = block as usize;
    if start != 0 && size > 0 {
        // SAFETY: foreign memory, taken on trust.
        unsafe { *block = 1 };
        // SAFETY: as above.
        unsafe { *((start + (size - 1)) as *mut u8) = 1 };
    }
}

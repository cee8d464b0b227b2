//! What is looked at around a call: whether a new block may be used, and whether live ones are as their user left them.
//!
//! Blocks are half-open ranges. A block of no bytes still has an address, which is no other block's and lies inside none.

use super::{Block, NULL, Play};
use crate::{
    borrowed,
    finding::{Finding, GAP},
    live::Place,
    maps::Maps,
    pattern::Fill,
    wire::{end, foreign, phase, seen},
};

impl Play<'_> {
    /// Whether a new block may be touched at all, and its neighbours are unharmed.
    pub(super) fn admit(&self, slot: usize, address: usize, size: usize) -> Result<Place, Finding> {
        if Maps::is_nowhere(address, size) {
            return Err(Finding::foreign(foreign::NOWHERE, slot));
        }
        let place = self.find_room(address, size)?;
        if let Some(kind) = self.foreign(address, size) {
            return Err(Finding::foreign(kind, slot).reaching(self.reach(address, size)));
        }
        self.verify_around(place)?;
        Ok(place)
    }

    /// Where a new block belongs, if it meets no live one.
    fn find_room(&self, address: usize, size: usize) -> Result<Place, Finding> {
        let place = self.live.find(address);
        if let Some(above) = self.live.above(place) {
            let block = self.slots[above];
            if block.address == address || block.address < address + size {
                return Err(Finding::new(end::OVERLAP, above));
            }
        }
        if let Some(below) = self.live.below(place) {
            let block = self.slots[below];
            if block.address + block.size > address {
                return Err(Finding::new(end::OVERLAP, below));
            }
        }
        Ok(place)
    }

    fn foreign(&self, address: usize, size: usize) -> Option<u64> {
        let end = address + size.max(1);
        if borrowed::meets(address, end) {
            return Some(foreign::LIBC_HEAP);
        }
        if self.gaps.iter().any(|gap| address < gap.address + gap.size && end > gap.address) {
            return Some(foreign::BEYOND_GAP);
        }
        self.stage.maps.foreign(address, size)
    }

    /// The first foreign byte of a block that has one, and how far it reaches past the end of the memory that it begins
    /// in: 0 where that is not the library's, or has no end before foreign memory (which it may have been mapped over).
    fn reach(&self, address: usize, size: usize) -> (usize, usize) {
        let (mut own, mut too_many) = (0, size);
        while too_many - own > 1 {
            let middle = own.midpoint(too_many);
            *(if self.foreign(address, middle).is_none() { &mut own } else { &mut too_many }) = middle;
        }
        let end = Maps::end_of_mapped(address, address + own).filter(|_| own > 0);
        (own, end.map_or(0, |end| address + size - end))
    }

    /// Fills a new block to its last byte: from now on it lives.
    pub(super) fn settle(&mut self, slot: usize, address: usize, size: usize, place: Place) {
        let block = Block { address, size, fill: Fill::Table(self.operation as u64) };
        self.slots[slot] = block;
        self.seen.set(seen::SLOT, slot as u64);
        self.seen.set(seen::PHASE, phase::FILLING);
        // SAFETY: `admit` has found nobody else's memory there.
        unsafe { self.stage.pattern.fill(address, size, block.fill) };
        self.seen.set(seen::PHASE, phase::IDLE);
        self.live.insert(place, address, slot);
    }

    /// Takes a block out of the live ones; its former place.
    pub(super) fn leave(&mut self, slot: usize) -> Place {
        let block = std::mem::replace(&mut self.slots[slot], NULL);
        let place = self.live.find(block.address);
        self.live.remove(place)
    }

    /// Forgets the block of a slot that gets another: nobody will look at it again.
    pub(super) fn leak(&mut self, slot: usize) {
        if self.slots[slot].address != 0 {
            self.leave(slot);
        }
    }

    /// Puts a block back that was taken out, and was not moved after all.
    pub(super) fn stay(&mut self, slot: usize, block: Block) {
        self.slots[slot] = block;
        let place = self.live.find(block.address);
        self.live.insert(place, block.address, slot);
    }

    /// Whether a live block's bytes are what its user wrote.
    pub(super) fn verify(&self, slot: usize) -> Result<(), Finding> {
        self.verify_block(slot, self.slots[slot])
    }

    fn verify_block(&self, slot: usize, block: Block) -> Result<(), Finding> {
        self.seen.set(seen::SLOT, slot as u64);
        self.seen.set(seen::PHASE, phase::VERIFYING);
        let Block { address, size, fill } = block;
        // SAFETY: a live block, or a gap, is the player's to read.
        let result = unsafe { self.stage.pattern.verify(address, size, (address, size, fill)) };
        self.seen.set(seen::PHASE, phase::IDLE);
        result.map_err(|damage| Finding::damage(end::DAMAGED, slot, damage))
    }

    /// The same for the blocks on both sides of a place, if the trace asks for that.
    pub(super) fn verify_around(&self, place: Place) -> Result<(), Finding> {
        if !self.watches_neighbours {
            return Ok(());
        }
        if let Some(slot) = self.live.below(place) {
            self.verify(slot)?;
        }
        match self.live.above(place) {
            Some(slot) => self.verify(slot),
            None => Ok(()),
        }
    }

    /// The same for all live blocks, and for what lies in the gaps.
    pub(super) fn sweep(&self) -> Result<(), Finding> {
        for gap in &self.gaps {
            self.verify_block(GAP, *gap)?;
        }
        self.live.try_each(|slot| self.verify(slot))
    }
}

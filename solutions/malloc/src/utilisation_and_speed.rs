//! Stage 7: many free lists instead of one, so that a good block is found at once.
//!
//! ```text
//!   bitmap   0 0 1 0 1 … 0 1 … 1
//!   bin          2   4 … 64 … 255     a list each
//!   sizes        32  64  1024…1087   from 4 MiB on
//! ```
//!
//! Below 1 KiB each size has its bin, and any block in it fits exactly. Above, sixteen bins share a doubling,
//! so that blocks of one bin differ by 6 % at most. The first bin with a block that is large enough serves:
//! best fit in all but name, which leaves the least rests, in constant time. Large requests that no free
//! block serves are mappings of their own, since small ones would cut the hole that they leave to pieces.
//!
//! Invariant: a bin's bit is set if and only if its list is not empty.

use std::ptr::NonNull;

use crate::block::{ALIGN, Block, HEADER};
use crate::first_fit::FreeList;
use crate::os::{self, PAGE};

/// From this size on a block is a mapping of its own. Smaller, and rounding to pages would waste more than
/// it saves; larger, and holes of that size in the heap would.
pub const LARGE: usize = 1024 * 1024;
/// So much free memory at the heap's end is given back to the kernel,
pub const TRIM_ABOVE: usize = 8 * 1024 * 1024;
/// but for so much, lest a program that goes up and down by a block calls the kernel each time.
pub const TRIM_KEEPS: usize = 1024 * 1024;

const BINS: usize = 256;
const LAST_BIN: usize = BINS - 1;
/// Sizes below have a bin each.
const EXACT_BELOW: usize = 1024;
const EXACT_BINS: usize = EXACT_BELOW / ALIGN;
/// How many bins share a doubling above, as a power of two.
const LOG_BINS_PER_DOUBLING: u32 = 4;
/// How many blocks of a bin with several sizes are looked at: enough to find a good one, and no more, however
/// long the list is.
const LOOKS: usize = 8;

/// All free blocks, by size.
#[derive(Debug)]
pub struct Bins {
    lists: [FreeList; BINS],
    bitmap: [u64; BINS / 64],
}

impl Bins {
    /// No blocks.
    pub const fn empty() -> Bins {
        Bins { lists: [const { FreeList::empty() }; BINS], bitmap: [0; BINS / 64] }
    }

    /// Takes a block of at least `size` out, of the smallest bin that has one.
    pub fn take(&mut self, size: usize) -> Option<Block> {
        let own = bin_of(size);
        let found = if own < EXACT_BINS {
            self.best_in(self.occupied_from(own)?, size)
        } else {
            // Its own bin may hold blocks, and none that is large enough; any other does.
            self.best_in(own, size).or_else(|| self.best_in(self.occupied_from(own + 1)?, size))
        };
        let block = found?;
        self.remove(block);
        Some(block)
    }

    /// Puts a free block in.
    pub fn insert(&mut self, block: Block) {
        let bin = bin_of(block.size());
        self.lists[bin].push(block);
        self.bitmap[bin / 64] |= 1 << (bin % 64);
    }

    /// Takes out that block.
    pub fn remove(&mut self, block: Block) {
        let bin = bin_of(block.size());
        self.lists[bin].remove(block);
        if self.lists[bin].is_empty() {
            self.bitmap[bin / 64] &= !(1 << (bin % 64));
        }
    }

    /// The block of that bin, or of its first few, that leaves the least rest; of equals the lowest, so that
    /// what is in use gathers at the heap's beginning.
    fn best_in(&self, bin: usize, size: usize) -> Option<Block> {
        let list = &self.lists[bin];
        match bin {
            // One size: the first is as good as any.
            0..EXACT_BINS => list.first_fit(size),
            // No upper bound: it may be worth a longer search.
            LAST_BIN => list.first_fit(size),
            _ => {
                let fitting = list.iter().take(LOOKS).filter(|block| block.size() >= size);
                fitting.min_by_key(|block| (block.size(), block.payload()))
            }
        }
    }

    /// The first bin at or after `bin` that has a block.
    fn occupied_from(&self, bin: usize) -> Option<usize> {
        let mut word = bin / 64;
        // Of the first word only the bits from the bin's on count.
        let mut bits = self.bitmap.get(word)? & (!0 << (bin % 64));
        while bits == 0 {
            word += 1;
            bits = *self.bitmap.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }
}

/// The bin for blocks of that size; larger sizes never have smaller bins.
fn bin_of(size: usize) -> usize {
    if size < EXACT_BELOW {
        return size / ALIGN;
    }
    // Like a float: the exponent says which doubling, and the four bits below the leading one which sixteenth.
    let exponent = size.ilog2();
    let doubling = (exponent - EXACT_BELOW.ilog2()) as usize;
    let sixteenth = (size >> (exponent - LOG_BINS_PER_DOUBLING)) & ((1 << LOG_BINS_PER_DOUBLING) - 1);
    (EXACT_BINS + (doubling << LOG_BINS_PER_DOUBLING) + sixteenth).min(LAST_BIN)
}

/// A block that is a mapping of its own. Its header stands 8 bytes in, so that its payload is aligned, and
/// its size leaves out those 8 and the last 8, so that it is a multiple of 16.
pub fn map(size: usize) -> Option<Block> {
    let bytes = mapping_of(size);
    let start = os::map(bytes)?;
    Some(in_mapping(start, bytes))
}

/// Gives such a block back to the kernel.
pub fn unmap(block: Block) {
    // Refused or not, nobody can use it any more: there is nothing left to do about it.
    // SAFETY: a mapped block begins 8 bytes into a mapping of its size and 16; its owner gave it up.
    let _ = unsafe { os::unmap(start_of(block), block.size() + 2 * HEADER) };
}

/// Makes such a block larger or smaller, in a new place if need be: the kernel moves pages without copying.
pub fn remap(block: Block, size: usize) -> Option<Block> {
    let (old, new) = (block.size() + 2 * HEADER, mapping_of(size));
    if old == new {
        return Some(block);
    }
    // SAFETY: as in `unmap`; the caller goes on with the block that is returned.
    let start = unsafe { os::remap(start_of(block), old, new)? };
    Some(in_mapping(start, new))
}

/// How long a mapping must be for a block of `size`.
fn mapping_of(size: usize) -> usize {
    (size + 2 * HEADER).next_multiple_of(PAGE)
}

fn in_mapping(start: NonNull<u8>, bytes: usize) -> Block {
    // SAFETY: a mapping is at least a page long.
    let header = unsafe { start.add(HEADER) };
    // SAFETY: mappings begin at multiples of a page, and so the header is 8 below a multiple of 16; the last
    // 8 bytes of the mapping lie behind the block.
    let block = unsafe { Block::create(header, bytes - 2 * HEADER) };
    block.set_mapped();
    block
}

fn start_of(block: Block) -> NonNull<u8> {
    // SAFETY: see `in_mapping`: the payload of a mapped block lies 16 bytes into its mapping.
    unsafe { block.payload().sub(2 * HEADER) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trap: a size on the border of two bins, for which the bin that is looked up holds smaller blocks.
    #[test]
    fn larger_sizes_never_have_smaller_bins() {
        for size in (32..16 << 20).step_by(16) {
            assert!(bin_of(size) <= bin_of(size + 16), "{size}");
            assert!(size >= EXACT_BELOW || bin_of(size) != bin_of(size + 16), "{size} shares its bin");
        }
        assert_eq!(bin_of(1008), 63);
        assert_eq!(bin_of(1024), 64);
        assert_eq!(bin_of(isize::MAX as usize), LAST_BIN);
    }
}

//! Which live block has which number: a table in a mapping of its own.
//!
//! Open addressing with linear probing, as in the shim's table, for as many blocks as a program may have.

use std::{ptr, slice};

/// Places of the table: a power of two. Only those that are used cost real memory.
const PLACES: usize = 1 << 22;
/// Blocks at most; those beyond are not recorded.
const BLOCKS: usize = PLACES / 4 * 3;

/// Address 0 is an empty place.
pub(super) struct Numbers {
    places: &'static mut [(usize, usize)],
    count: usize,
}

impl Numbers {
    /// An empty table; None when there is no memory for it.
    pub(super) fn new() -> Option<Self> {
        let length = PLACES * size_of::<(usize, usize)>();
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists.
        let places = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
        if places == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: the mapping just made, which is zero and stays for good.
        let places = unsafe { slice::from_raw_parts_mut(places.cast(), PLACES) };
        Some(Self { places, count: 0 })
    }

    /// Gives the block at `address` a number; whether there was room.
    pub(super) fn insert(&mut self, address: usize, number: usize) -> bool {
        if self.count == BLOCKS {
            return false;
        }
        let index = self.index_of(address);
        self.count += usize::from(self.places[index].0 == 0);
        self.places[index] = (address, number);
        true
    }

    /// The number of the block at `address`, which then has none any more.
    pub(super) fn remove(&mut self, address: usize) -> Option<usize> {
        let mut hole = self.index_of(address);
        let (found, number) = self.places[hole];
        if found == 0 {
            return None;
        }
        self.count -= 1;
        let mut index = hole;
        loop {
            index = (index + 1) % PLACES;
            let (address, _) = self.places[index];
            if address == 0 {
                break;
            }
            // An entry may move up into the hole unless it would come to stand before its home.
            if index.wrapping_sub(home(address)) % PLACES >= index.wrapping_sub(hole) % PLACES {
                self.places[hole] = self.places[index];
                hole = index;
            }
        }
        self.places[hole].0 = 0;
        Some(number)
    }

    /// The index of `address`, or of the empty place where it belongs.
    fn index_of(&self, address: usize) -> usize {
        let mut index = home(address);
        while self.places[index].0 != 0 && self.places[index].0 != address {
            index = (index + 1) % PLACES;
        }
        index
    }
}

fn home(address: usize) -> usize {
    (address / 16).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - PLACES.trailing_zeros())
}

//! Live blocks in address order: who lies where, and who are a block's neighbours.
//!
//! ```text
//!   firsts    0x1000      0x8040      0xa010        the first address of each chunk
//!   chunks   [ ... ]     [ ... ]     [ ... ]        at most CHUNK entries each, sorted; none is empty
//! ```
//!
//! Two binary searches and a short memmove an operation. A BTreeMap takes several times as long here: the player is compiled
//! without optimisation, and a map's own code with it.

/// Entries of a chunk at most.
const CHUNK: usize = 256;

/// A live block.
#[derive(Clone, Copy)]
struct Entry {
    address: usize,
    slot: usize,
}

/// Between the entries below an address and the others.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    chunk: usize,
    index: usize,
}

/// All live blocks.
#[derive(Default)]
pub(crate) struct Live {
    firsts: Vec<usize>,
    chunks: Vec<Vec<Entry>>,
    /// Chunks that became empty, to be used again.
    spare: Vec<Vec<Entry>>,
}

impl Live {
    /// Where a block at `address` is, or belongs: all entries before have lower addresses.
    pub(crate) fn find(&self, address: usize) -> Place {
        let firsts = self.firsts.as_slice();
        let (mut low, mut high) = (0, firsts.len());
        while low < high {
            let middle = low.midpoint(high);
            if firsts[middle] <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let chunk = low.saturating_sub(1);
        let entries = match self.chunks.as_slice() {
            [] => return Place { chunk: 0, index: 0 },
            chunks => chunks[chunk].as_slice(),
        };
        let (mut low, mut high) = (0, entries.len());
        while low < high {
            let middle = low.midpoint(high);
            if entries[middle].address < address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Place { chunk, index: low }
    }

    /// The slot of the block just below `place`.
    pub(crate) fn below(&self, place: Place) -> Option<usize> {
        let chunks = self.chunks.as_slice();
        let entry = match place {
            Place { chunk: 0, index: 0 } => None,
            Place { chunk, index: 0 } => chunks[chunk - 1].last(),
            Place { chunk, index } => chunks[chunk].get(index - 1),
        };
        entry.map(|entry| entry.slot)
    }

    /// The slot of the first block at `place` or above.
    pub(crate) fn above(&self, place: Place) -> Option<usize> {
        let chunks = self.chunks.as_slice();
        let entry = match chunks.get(place.chunk)?.get(place.index) {
            None => chunks.get(place.chunk + 1)?.first(),
            entry => entry,
        };
        entry.map(|entry| entry.slot)
    }

    /// Adds a block at a place that [`find`](Self::find) gave for its address.
    pub(crate) fn insert(&mut self, place: Place, address: usize, slot: usize) {
        let Place { mut chunk, mut index } = place;
        if self.chunks.is_empty() {
            let entries = self.new_chunk();
            self.chunks.push(entries);
            self.firsts.push(address);
        }
        if self.chunks[chunk].len() == CHUNK {
            let mut upper = self.new_chunk();
            // A heap that grows upwards leaves full chunks behind.
            let is_last = chunk + 1 == self.chunks.len() && index == CHUNK;
            let half = if is_last { CHUNK } else { CHUNK / 2 };
            upper.extend_from_slice(&self.chunks[chunk][half..]);
            self.chunks[chunk].truncate(half);
            let first = upper.first().map_or(address, |entry| entry.address);
            self.chunks.insert(chunk + 1, upper);
            self.firsts.insert(chunk + 1, first);
            if index > half || is_last {
                index -= half;
                chunk += 1;
            }
        }
        self.chunks[chunk].insert(index, Entry { address, slot });
        if index == 0 {
            self.firsts[chunk] = address;
        }
    }

    /// Takes out the block at a place that [`find`](Self::find) gave for its address; the place then lies between its neighbours.
    pub(crate) fn remove(&mut self, place: Place) -> Place {
        let Place { chunk, index } = place;
        let entries = &mut self.chunks[chunk];
        entries.remove(index);
        match entries.first() {
            Some(first) => self.firsts[chunk] = first.address,
            None => {
                let empty = self.chunks.remove(chunk);
                self.spare.push(empty);
                self.firsts.remove(chunk);
                if chunk == self.chunks.len() && chunk > 0 {
                    return Place { chunk: chunk - 1, index: self.chunks[chunk - 1].len() };
                }
            }
        }
        place
    }

    /// The slots of all live blocks in address order, until `visit` fails.
    pub(crate) fn try_each<E>(&self, mut visit: impl FnMut(usize) -> Result<(), E>) -> Result<(), E> {
        for chunk in &self.chunks {
            for entry in chunk {
                visit(entry.slot)?;
            }
        }
        Ok(())
    }

    fn new_chunk(&mut self) -> Vec<Entry> {
        self.spare.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Blocks come and go at random, upwards first: chunks fill, split and empty.
    #[test]
    fn neighbours_are_those_of_a_map() {
        let (mut live, mut map) = (Live::default(), BTreeMap::new());
        for operation in 0..40_000_usize {
            let address = match operation {
                0..10_000 => operation * 16,
                _ => operation.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50 << 4,
            };
            let place = live.find(address);
            let place = if map.remove(&address).is_some() {
                live.remove(place)
            } else {
                live.insert(place, address, operation);
                map.insert(address, operation);
                let inserted = live.find(address);
                assert_eq!(live.above(inserted), Some(operation), "the block itself is found at {address}");
                inserted
            };
            let below = map.range(..address).next_back().map(|(_, slot)| *slot);
            assert_eq!(live.below(place), below, "below {address} after {operation} operations");
            let above = map.range(address..).next().map(|(_, slot)| *slot);
            assert_eq!(live.above(place), above, "at or above {address} after {operation} operations");
        }
        let mut slots = Vec::new();
        let all: Result<(), ()> = live.try_each(|slot| {
            slots.push(slot);
            Ok(())
        });
        assert_eq!((all, slots), (Ok(()), map.into_values().collect()), "all blocks in address order");
    }
}

//! Stage 2: the newest entries, sorted and in memory.
//!
//! What must hold: it is what its log replays to, so it can be thrown away at any time. It holds one entry
//! a key, the last one said; a tombstone is an entry like any other. (Why is it not enough to remove a
//! deleted key?)

use crate::append_log::Entry;

/// The most keys a memtable holds and need not be flushed.
pub const LIMIT: usize = 1000;

/// A sorted map from key to value or tombstone.
#[derive(Debug, Default)]
pub struct Memtable {
    // Your fields.
}

impl Memtable {
    /// Takes the entry in; it replaces what was said of the key before.
    pub fn insert(&mut self, entry: Entry<'_>) {
        todo!("stage 2: the last entry of a key counts, and only that")
    }

    /// What is said of `key` here: `None` if nothing, so that tables have to be asked; `Some(None)` if it is
    /// deleted, so that they must not be.
    pub fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        todo!("stage 2: a value, a tombstone, or nothing, and never one for the other")
    }

    /// All entries, tombstones included, in key order.
    pub fn entries(&self) -> Vec<Entry<'_>> {
        todo!("stage 3: sorted by key, as a table needs them")
    }

    /// The number of distinct keys.
    pub fn len(&self) -> usize {
        todo!("stage 3: an overwritten key counts once, a tombstone counts")
    }

    /// Whether there is nothing to flush.
    pub fn is_empty(&self) -> bool {
        todo!("stage 3: whether no key was said anything of")
    }

    /// Forgets everything: a table has it now.
    pub fn clear(&mut self) {
        todo!("stage 3: empty, as at the start")
    }
}

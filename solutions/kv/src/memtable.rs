//! Stage 2: the newest entries, sorted and in memory.
//!
//! ```text
//! put, delete ─► log (for a restart) ─► memtable (for reads) ── over 1000 keys ─► table
//! ```
//!
//! Invariants: the memtable is what its log replays to, so it can be thrown away at any time. It holds one
//! entry a key, the last; a tombstone is an entry like any other, because it has older tables to shadow.
//!
//! Left out on purpose: a limit in bytes. The specification counts entries, and the store bounds the log.

use std::collections::BTreeMap;

use crate::append_log::Entry;

/// The most keys a memtable holds and need not be flushed.
pub const LIMIT: usize = 1000;

/// A sorted map from key to value or tombstone.
#[derive(Debug, Default)]
pub struct Memtable {
    entries: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Memtable {
    /// Takes the entry in; it replaces what was said of the key before.
    pub fn insert(&mut self, entry: Entry<'_>) {
        let value = entry.value.map(<[u8]>::to_vec);
        // Looked up by slice first: overwriting a key needs no copy of it.
        match self.entries.get_mut(entry.key) {
            Some(slot) => *slot = value,
            None => {
                self.entries.insert(entry.key.to_vec(), value);
            }
        }
    }

    /// What is said of `key` here: `None` if nothing, so that tables have to be asked; `Some(None)` if it is
    /// deleted, so that they must not be.
    pub fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.entries.get(key).map(Option::as_deref)
    }

    /// All entries, tombstones included, in key order.
    pub fn entries(&self) -> Vec<Entry<'_>> {
        self.entries.iter().map(|(key, value)| Entry { key, value: value.as_deref() }).collect()
    }

    /// The number of distinct keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing to flush.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets everything: a table has it now.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trap: removing a deleted key from the map, which brings the value in an older table back.
    #[test]
    fn a_deleted_key_is_an_entry_and_an_overwritten_one_is_no_second() {
        let mut memtable = Memtable::default();
        for value in [Some(&b"1"[..]), Some(b"2"), None] {
            memtable.insert(Entry { key: b"a", value });
        }
        assert_eq!(memtable.get(b"a"), Some(None), "known to be deleted");
        assert_eq!(memtable.get(b"b"), None, "not known at all");
        assert_eq!(memtable.len(), 1, "one key, said three things of");
    }
}

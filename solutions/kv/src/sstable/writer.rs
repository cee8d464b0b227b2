//! Writes a table, entry by entry: a draft until it is complete, then a table for ever.
//!
//! ```text
//! add ─► block ── 4 KiB ─► draft …   finish ─► index, filter, footer ─► sync ─► rename ─► SsTable
//! ```
//!
//! Invariants: entries come in key order, one a key. What is held in memory is one block, the index and the
//! filter, however large the table. The table needs no reopening, which might fail once it has its name.

use std::path::PathBuf;

use super::bloom::Bloom;
use super::{MAGIC, Span, SsTable};
use crate::append_log::Entry;
use crate::durability::frame::seal;
use crate::durability::{Directory, Draft};
use crate::error::Error;

/// A block is closed once it is this long: small enough to read for one key, large enough for a small index.
const BLOCK_BYTES: usize = 4096;

/// What becomes of tombstones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tombstones {
    /// They are written: an older table may hold the keys that they shadow.
    Keep,
    /// They are left out: the table is going to be the oldest, with nothing beneath it to shadow.
    Drop,
}

/// A table in the making.
#[derive(Debug)]
pub struct TableWriter {
    span: Span,
    path: PathBuf,
    tombstones: Tombstones,
    draft: Draft,
    block: Vec<u8>,
    entries: u64,
    index: Vec<(Box<[u8]>, u64)>,
    filter: Bloom,
}

impl TableWriter {
    /// Starts the table of that span in `directory`, of at most `entries` entries.
    pub fn create(
        directory: &Directory,
        span: Span,
        entries: u64,
        tombstones: Tombstones,
    ) -> Result<TableWriter, Error> {
        Ok(TableWriter {
            span,
            path: directory.path(&span.file_name()),
            tombstones,
            draft: Draft::create(directory)?,
            block: Vec::new(),
            entries: 0,
            index: Vec::new(),
            filter: Bloom::for_keys(entries as usize),
        })
    }

    /// Adds an entry, whose key is greater than all before it.
    pub fn add(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        if entry.value.is_none() && self.tombstones == Tombstones::Drop {
            return Ok(());
        }
        if self.block.is_empty() {
            self.index.push((entry.key.into(), self.draft.size_bytes()));
        }
        entry.encode(&mut self.block);
        self.filter.insert(entry.key);
        self.entries += 1;
        if self.block.len() >= BLOCK_BYTES {
            self.draft.append(&seal(&self.block))?;
            self.block.clear();
        }
        Ok(())
    }

    /// Completes the table and publishes it. After an error there is no such table.
    pub fn finish(self) -> Result<SsTable, Error> {
        let TableWriter { span, path, mut draft, block, entries, index, filter, .. } = self;
        if !block.is_empty() {
            draft.append(&seal(&block))?;
        }
        let index_at = draft.size_bytes();
        draft.append(&seal(&encode_index(&index)))?;
        let filter_at = draft.size_bytes();
        draft.append(&seal(filter.bytes()))?;
        let footer = [MAGIC, span.first, span.last, entries, index_at, filter_at];
        draft.append(&seal(footer.map(u64::to_le_bytes).as_flattened()))?;

        let file = draft.publish(&path)?;
        Ok(SsTable { span, path, file, entries, index, blocks_end: index_at, filter })
    }
}

/// See the picture in [`sstable`](super). One frame a table, so a table's keys may fill 4 GiB of index.
fn encode_index(index: &[(Box<[u8]>, u64)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (first_key, offset) in index {
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(&(first_key.len() as u32).to_le_bytes());
        bytes.extend_from_slice(first_key);
    }
    bytes
}

//! Stage 3: writes a table, entry by entry.
//!
//! What must hold: until it is finished nobody can take it for a table, this program after a kill included.

use super::{Span, SsTable};
use crate::append_log::Entry;
use crate::durability::Directory;
use crate::error::Error;

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
    // Your fields.
}

impl TableWriter {
    /// Starts the table of that span in `directory`, of at most `entries` entries.
    pub fn create(
        directory: &Directory,
        span: Span,
        entries: u64,
        tombstones: Tombstones,
    ) -> Result<TableWriter, Error> {
        todo!("stage 3: a file that is not yet a table")
    }

    /// Adds an entry, whose key is greater than all before it.
    pub fn add(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        todo!("stage 3: the entry is in the table, its bytes as they are")
    }

    /// Completes the table and publishes it. After an error there is no such table.
    pub fn finish(self) -> Result<SsTable, Error> {
        todo!("stage 3: a table, complete from the moment it has its name")
    }
}

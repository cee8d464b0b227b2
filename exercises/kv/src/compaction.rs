//! Stage 4: several tables become one, so that a get asks few and what is overwritten gives its space back.
//!
//! What must hold: every answer is the same before, during and after, and after a kill anywhere in between.
//! Of a key's entries the newest is kept. A deleted key stays deleted, whatever is merged. Memory does not
//! grow with the tables, and their number does not grow with the puts.

use crate::durability::Directory;
use crate::error::Error;
use crate::sstable::writer::Tombstones;
use crate::sstable::{Span, SsTable};

/// Which tables are in force, oldest first, of those found in a directory: all but the inputs that outlived
/// their merge. `None` if the spans do not add up.
pub fn in_force(found: Vec<Span>) -> Option<Vec<Span>> {
    todo!("stage 4: no entry counts twice, and none that a merge dropped counts again")
}

/// Which merge is due, given each table's number of entries, oldest first: all tables from the returned
/// position on. The policy is yours.
pub fn due(entries: &[u64]) -> Option<usize> {
    todo!("stage 4: repeated until none is due, it leaves few tables, and seldom rewrites large ones")
}

/// Merges neighbouring tables, oldest first, into one that is published under their joint span.
pub fn merge(directory: &Directory, inputs: &[SsTable], tombstones: Tombstones) -> Result<SsTable, Error> {
    todo!("stage 4: the newest entry of each key, in key order")
}

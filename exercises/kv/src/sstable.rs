//! Stage 3: a sorted file that is written once and never changed.
//!
//! What must hold: its name ends in `.sst`, and from the moment it has that name not a byte of it changes.
//! It holds keys and values verbatim, in key order, one entry a key. Of several tables it is beyond doubt
//! which is newer (a hundred of them included), and the newest one that says anything of a key is right. A
//! get does not read a whole table, and does not hold a descriptor more than before. From stage 5 on,
//! damage is an error, never a wrong value.
//!
//! Draw your layout here.

pub mod bloom;
pub mod scan;
pub mod writer;

use crate::durability::Directory;
use crate::error::Error;
use scan::Scan;

/// Which memtables a table holds, numbered from 1 as they were flushed: one when it is fresh, several when it
/// was merged. One way to name tables so that they can be put in order; yours may be another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The oldest memtable in it.
    pub first: u64,
    /// The newest memtable in it.
    pub last: u64,
}

impl Span {
    /// The span that a file is named after; `None` if it is not a name that [`Span::file_name`] gives.
    pub fn parse(name: &str) -> Option<Span> {
        todo!("stage 3: the inverse of `file_name`, and nothing else passes")
    }

    /// The name of the table of this span.
    pub fn file_name(&self) -> String {
        todo!("stage 3: a name that ends in .sst, another for each span")
    }

    /// Whether a table of this span replaces one of `other`.
    pub fn supersedes(&self, other: Span) -> bool {
        todo!("stage 4: whether a merge that included the other made this one")
    }
}

/// An open table.
#[derive(Debug)]
pub struct SsTable {
    // Your fields.
}

impl SsTable {
    /// Opens the table of that span in `directory`.
    pub fn open(directory: &Directory, span: Span) -> Result<SsTable, Error> {
        todo!("stage 3: ready for gets, without having read it all")
    }

    /// What is said of `key` here: `None` if nothing, so that older tables have to be asked; `Some(None)` if
    /// it is deleted, so that they must not be.
    pub fn get(&self, key: &[u8]) -> Result<Option<Option<Vec<u8>>>, Error> {
        todo!("stage 3: every key that was added is found, the first and the last too, and no other")
    }

    /// A walk over all entries, in key order.
    pub fn scan(&self) -> Result<Scan<'_>, Error> {
        todo!("stage 4: a walk that stands at the first entry")
    }

    /// The number of entries, tombstones included.
    pub fn entries(&self) -> u64 {
        todo!("stage 4: as many as were added")
    }

    /// Which memtables it holds.
    pub fn span(&self) -> Span {
        todo!("stage 3: the span it was opened or written with")
    }
}

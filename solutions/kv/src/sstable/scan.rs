//! A walk over a table from its first key to its last, for merging: one block in memory at a time.

use super::SsTable;
use crate::append_log::Entry;
use crate::error::Error;

/// Where a walk has got to: at an entry, or past the last one.
#[derive(Debug)]
pub struct Scan<'a> {
    table: &'a SsTable,
    /// The block that is walked, and how much of it lies behind.
    block: Vec<u8>,
    behind: usize,
    next_block: usize,
}

impl<'a> Scan<'a> {
    /// A walk that stands at the table's first entry.
    pub(super) fn start(table: &'a SsTable) -> Result<Scan<'a>, Error> {
        let mut scan = Scan { table, block: Vec::new(), behind: 0, next_block: 0 };
        scan.advance()?;
        Ok(scan)
    }

    /// The entry it stands at; `None` past the last one.
    pub fn head(&self) -> Option<Entry<'_>> {
        Entry::decode(&self.block[self.behind..]).map(|(entry, _)| entry)
    }

    /// Goes on to the next entry, reading the next block if it has to.
    pub fn advance(&mut self) -> Result<(), Error> {
        if let Some((_, rest)) = Entry::decode(&self.block[self.behind..]) {
            self.behind = self.block.len() - rest.len();
        }
        if self.behind == self.block.len() && self.next_block < self.table.index.len() {
            self.block = self.table.read_block(self.next_block)?;
            self.behind = 0;
            self.next_block += 1;
        }
        Ok(())
    }
}

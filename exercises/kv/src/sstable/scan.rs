//! Stage 4: a walk over a table from its first key to its last, for merging.
//!
//! What must hold: every entry once, in key order, and little of the table in memory at a time.

use std::marker::PhantomData;

use super::SsTable;
use crate::append_log::Entry;
use crate::error::Error;

/// Where a walk has got to: at an entry, or past the last one.
#[derive(Debug)]
pub struct Scan<'a> {
    // Your fields; the table that is walked takes the place of this one.
    table: PhantomData<&'a SsTable>,
}

impl<'a> Scan<'a> {
    /// The entry it stands at; `None` past the last one.
    pub fn head(&self) -> Option<Entry<'_>> {
        todo!("stage 4: the same entry until `advance` is called")
    }

    /// Goes on to the next entry, reading the next block if it has to.
    pub fn advance(&mut self) -> Result<(), Error> {
        todo!("stage 4: past the last entry it stays there")
    }
}

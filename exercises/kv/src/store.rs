//! The store: ties everything together, and is what `main.rs` calls. Begin here.
//!
//! What must hold at every stage: when a method has returned `Ok`, what it did survives a SIGKILL; when it
//! has returned an error, the store still works, and nothing that it had acknowledged is lost.

use std::path::Path;

use crate::error::Error;

/// A persistent map from string to string, in a directory of its own.
#[derive(Debug)]
pub struct Store {
    // Your fields.
}

impl Store {
    /// Opens the store in `dir`, which is made if it is missing, with all that was acknowledged before.
    pub fn open(dir: &Path) -> Result<Store, Error> {
        todo!("stage 1: open the directory, and bring back what was acknowledged")
    }

    /// Sets the value of `key`. On an error it may or may not be set; nothing else changes.
    pub fn put(&mut self, key: &str, value: &str) -> Result<(), Error> {
        todo!("stage 1: what is put is there from now on, whatever happens to the process")
    }

    /// Removes `key`; no error if it is absent. On an error it may or may not be gone; nothing else changes.
    pub fn delete(&mut self, key: &str) -> Result<(), Error> {
        todo!("stage 1: what is deleted is absent, after a restart too")
    }

    /// The value of `key`, or `None` if it has none.
    pub fn get(&mut self, key: &str) -> Result<Option<String>, Error> {
        todo!("stage 1: the value that was put last; from stage 2 without reading the log")
    }

    /// Writes the memtable as a table. When it returns, the table is there.
    pub fn flush(&mut self) -> Result<(), Error> {
        todo!("stage 3: what the memtable held is in a table, and the log starts anew")
    }

    /// Merges everything into one table, and into none if nothing lives.
    pub fn compact(&mut self) -> Result<(), Error> {
        todo!("stage 4: at most one table is left, and every answer is the same as before")
    }
}

//! Stage 5: what survives what.
//!
//! What must hold: whatever instruction the process is killed at, opening finds the state after some prefix
//! of the operations that includes every acknowledged one. A damaged byte gives an error or an absence,
//! never a wrong value. A full disk gives an error, and nothing that was acknowledged is lost.
//!
//! Write your promise down here: what survives a kill, and what a power cut?

pub mod frame;

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The store's directory.
#[derive(Debug)]
pub struct Directory {
    // Your fields.
}

impl Directory {
    /// Opens the directory, making it if it is missing. It may be refused to a second process, but not
    /// because of anything that a killed one left behind.
    pub fn open(path: &Path) -> Result<Directory, Error> {
        todo!("stage 3: the directory is there; from stage 5 on without half a file from before")
    }

    /// The path of the file `name` in here.
    pub fn path(&self, name: &str) -> PathBuf {
        todo!("stage 3: the directory's path and the name, joined")
    }

    /// The names of all files, in no order. One that is not UTF-8 is none of ours.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        todo!("stage 3: all that is in the directory")
    }

    /// Waits until every rename and removal so far is on the disk.
    pub fn sync(&self) -> Result<(), Error> {
        todo!("stage 5: when it returns, a power cut cannot undo them")
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        todo!("stage 3: the file is gone")
    }
}

/// A file that nobody can mistake for a finished one. Dropped unpublished, it is gone, and its space free.
#[derive(Debug)]
pub struct Draft {
    // Your fields.
}

impl Draft {
    /// Starts an empty file in `directory`.
    pub fn create(directory: &Directory) -> Result<Draft, Error> {
        todo!("stage 3: an empty file under a name that no finished one has")
    }

    /// Adds `bytes` at its end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        todo!("stage 3: the bytes follow all before")
    }

    /// Bytes appended so far: where the next one goes.
    pub fn size_bytes(&self) -> u64 {
        todo!("stage 3: the length of all that was appended")
    }

    /// Gives the file the name `path`, complete and on the disk, and returns it open for reading.
    pub fn publish(&mut self, path: &Path) -> Result<File, Error> {
        todo!("stage 3: at no moment is there half a file under that name")
    }
}

//! What a process becomes: its words, where its program may lie, and what it means when it lies nowhere.
//!
//! What must hold: the words arrive byte for byte, CMD among them. A name without a slash is looked for in
//! the caller's PATH, *inside*. Not found is 127, found and not executable is 126.
//!
//! Between `clone` and `exec` a child should allocate nothing: what has to be made ready before, so that
//! `exec` is a few system calls and nothing else? And of several candidates that all fail, whose reason is
//! told?

use std::convert::Infallible;
use std::ffi::OsString;

use crate::error::{Error, Failure};

/// A command that is ready to be executed, without allocating.
#[derive(Debug)]
pub struct Command {
    // Your fields.
}

impl Command {
    /// The command of these words, at least one. It is looked for in the PATH that the caller has now.
    pub fn new(words: &[OsString]) -> Result<Command, Error> {
        todo!("stage 1: all that `exec` will need")
    }

    /// Becomes the command, with the environment that the process has. Comes back only if it could not.
    pub fn exec(&self) -> nix::Result<Infallible> {
        todo!("stage 1: the first candidate that can be executed; or why none can")
    }

    /// What a child's failure means for the caller.
    pub fn explain(&self, failure: Failure) -> Error {
        todo!("stage 1: not found, not executable, or a step that failed")
    }
}

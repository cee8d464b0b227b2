//! Between `clone` and `exec`: the child makes its world, one step after the other, and becomes the command.
//!
//! What must hold: no failure is passed over. The first one is reported and ends the child, so that a command
//! never runs half confined. Nothing here allocates or prints, or waits for what another thread may have
//! held.
//!
//! The order is most of what there is to know. For each step, ask: what must have happened before? What may
//! no longer be possible after? Write the answers down here as you find them.

use crate::command::Command;
use crate::filesystem::Root;
use crate::hardened::seccomp::Filter;
use crate::hostname::Hostname;
use crate::pipes::{Gate, Reporter};
use crate::whole::Signals;

/// What a child needs to know, made ready before there is one.
#[derive(Debug)]
pub struct Inside<'a> {
    /// What becomes `/`.
    pub root: &'a Root,
    /// The hostname, if it is to be changed.
    pub hostname: Option<&'a Hostname>,
    /// The caller's signals.
    pub signals: &'a Signals,
    /// What the command may not ask the kernel for.
    pub filter: &'a Filter,
    /// What the child becomes.
    pub command: &'a Command,
}

impl Inside<'_> {
    /// The child's life. It becomes the command, or reports why not and ends.
    pub fn enter(&self, gate: Gate, reporter: Reporter) -> ! {
        todo!("stage 1: a name, then the command; each later stage adds its steps")
    }
}

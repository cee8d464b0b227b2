//! Two pipes between the runtime and its child, each of which says more than its bytes.
//!
//! ```text
//!   gate     parent ── a byte ──► child       "go on": what only a parent can do is done
//!   report   parent ◄── bytes ─── child       "this step failed"; and if there are none?
//! ```
//!
//! What must hold: the parent knows whether the command runs, without guessing and without a time-out;
//! nothing that the command does later can be taken for a report. The child knows whether its parent is still
//! there.
//!
//! Who holds which end, and what closes it? The gate is not needed before stage 4, nor is the report before
//! something can fail.

use crate::error::Failure;

/// Where the child waits.
#[derive(Debug)]
pub struct Gate {
    // Your fields.
}

/// The parent's end of the gate.
#[derive(Debug)]
pub struct Opener {
    // Your fields.
}

/// What the child reports a failure to.
#[derive(Debug)]
pub struct Reporter {
    // Your fields.
}

/// The parent's end of the report.
#[derive(Debug)]
pub struct Listener {
    // Your fields.
}

/// A gate that is shut.
pub fn gate() -> nix::Result<(Opener, Gate)> {
    todo!("stage 4: a pipe that the command does not inherit")
}

/// A report that nothing was written to.
pub fn report() -> nix::Result<(Listener, Reporter)> {
    todo!("stage 1: a pipe that the command does not inherit")
}

impl Opener {
    /// Lets the child go on. That it is gone already is for the report to say.
    pub fn open(&self) {
        todo!("stage 4: a byte")
    }
}

impl Gate {
    /// Waits for the parent; an error if that has died.
    pub fn wait(self) -> nix::Result<()> {
        todo!("stage 4: until the byte has come; from stage 5 on: what if who wrote it is dead?")
    }
}

impl Reporter {
    /// Tells the parent. If it is gone, there is nobody to tell.
    pub fn tell(self, failure: Failure) {
        todo!("stage 1: the step and the reason")
    }
}

impl Listener {
    /// Waits until the child has become the command (none), or has failed.
    pub fn failure(self) -> Option<Failure> {
        todo!("stage 1: what was told before the end; what does an end alone mean?")
    }
}

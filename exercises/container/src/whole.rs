//! Stage 5: two processes that are to look like one, from outside and from inside.
//!
//! What must hold: signals that are sent to the runtime reach the command; the runtime lives as long as the
//! command, and the command no longer than the runtime. The command starts with the caller's signals,
//! blocked, ignored and all, and with descriptors 0, 1 and 2.
//!
//! A signal can come at any moment: before there is a child, while it is set up, when it has just ended. What
//! happens to each? What can a handler do about it, and what if there is none and signals are fetched instead
//! (sigwait(3), signalfd(2))?

use std::process::ExitStatus;

use crate::clone::Child;

/// Signals that are held back, and how the caller had them.
#[derive(Debug)]
pub struct Signals {
    // Your fields.
}

impl Signals {
    /// Holds back what is handed on, and SIGCHLD.
    pub fn hold() -> nix::Result<Signals> {
        todo!("stage 5: from here on none of them ends the runtime, and none is lost")
    }

    /// Gives the calling process, a child, the signals that the caller had.
    pub fn give_back(&self) -> nix::Result<()> {
        todo!("stage 5: what survives `exec` that the caller has not asked for?")
    }

    /// Hands on signals to the child until it has ended; how it did.
    pub fn forward_until_the_end(&self, child: Child) -> nix::Result<ExitStatus> {
        todo!("stage 5: no signal and no end is missed, in whatever order they come")
    }
}

/// The calling process is killed when its parent dies.
pub fn die_with_the_runtime() -> nix::Result<()> {
    todo!("stage 5: and if the parent has died before this call?")
}

/// Has `exec` close all descriptors but the first three.
pub fn close_descriptors_on_exec() -> nix::Result<()> {
    todo!("stage 5: those of the caller too, whatever their numbers")
}

//! Stage 4: not more memory than this, from the first instruction on.
//!
//! What must hold: the limit stands, and the command is under it, before the command runs; all its
//! descendants count together; swap is no way out. Each run has a cgroup of its own. A limit that cannot be
//! had is an error, not a warning.
//!
//! A cgroup is a directory, a limit a file in it, and a write can fail like any other. Which controllers may
//! a cgroup give its children while it has processes? So where can the new one be? (cgroups(7);
//! Documentation/admin-guide/cgroup-v2.rst.)

pub mod hierarchy;

use std::os::fd::BorrowedFd;

use nix::unistd::Pid;

use crate::error::Error;

/// A number of bytes that memory can be limited to: never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u64);

impl Limit {
    /// The limit that `text` is: a whole number of bytes, or of K, M or G, in powers of 1024.
    pub fn parse(text: &str) -> Option<Limit> {
        todo!("stage 4: 64M is 67,108,864; what is none, and what is too large?")
    }
}

/// A cgroup for one run, empty at first.
#[derive(Debug)]
pub struct Cgroup {
    // Your fields. From stage 5 on: what should happen to one that is dropped?
}

impl Cgroup {
    /// Makes a cgroup beside the runtime's own, with this limit.
    pub fn create(limit: Limit) -> Result<Cgroup, Error> {
        todo!("stage 4: an empty cgroup that nobody else has, and limits that stand")
    }

    /// What `clone3` wants.
    pub fn directory(&self) -> BorrowedFd<'_> {
        todo!("stage 4: its directory, open")
    }

    /// Moves a process in.
    pub fn add(&self, pid: Pid) -> Result<(), Error> {
        todo!("stage 4: for kernels that cannot make a child in a cgroup")
    }

    /// Removes it. Its processes have ended.
    pub fn remove(self) -> Result<(), Error> {
        todo!("stage 4: and if the kernel says that it is busy?")
    }
}

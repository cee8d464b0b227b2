//! The one call that makes a container: a child in namespaces, and from stage 4 on in a cgroup, of its own.
//!
//! What must hold: the parent stays where it was. The child never returns into its parent's code, whatever
//! goes wrong, a panic too: it has copies of all of the parent's values, and must not clean up with them.
//!
//! `clone3` is not in nix and has no function in libc: it is `libc::syscall`, with `libc::clone_args`. Old
//! kernels and filters answer ENOSYS; `clone` has been there for ever. (`nix::sched::clone` wants a stack of
//! its own; is there a way without? And `unshare`, then `fork`: what does it do to the parent?)

use std::process::ExitStatus;

use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::memory::Cgroup;

/// Which of the two processes this is.
#[derive(Debug)]
pub enum Cloned {
    /// The new one.
    Inside,
    /// The old one, with the new one as its child.
    Outside(Child, Joined),
}

/// Whether a child was made in its cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// It was, or there is none.
    Already,
    /// This kernel cannot: somebody has to move it.
    NotYet,
}

/// Makes a child in `namespaces` of its own, and in `cgroup` if there is one.
pub fn clone(namespaces: CloneFlags, cgroup: Option<&Cgroup>) -> nix::Result<Cloned> {
    todo!("stage 1: two processes return from here")
}

/// A child that nobody has waited for.
#[derive(Debug)]
pub struct Child {
    // Your fields. From stage 5 on: what should happen to one that is dropped?
}

impl Child {
    /// As the parent knows it. It belongs to this child for as long as that was not waited for.
    pub fn pid(&self) -> Pid {
        todo!("stage 1: the number that `clone` gave the parent")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> nix::Result<()> {
        todo!("stage 5: to this process, and to no other that has its number by now")
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> nix::Result<Option<ExitStatus>> {
        todo!("stage 5: without waiting; by an exit or by a signal, whichever of them")
    }

    /// Waits for the end of one that is about to end.
    pub fn reap(self) {
        todo!("stage 1: no zombie is left")
    }
}

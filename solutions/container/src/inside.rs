//! Between `clone` and `exec`: the child makes its world, one step after the other, and becomes the command.
//!
//! ```text
//!   tie, gate      who lives with whom            while the host is still in sight: /proc, /dev/null, the way to ROOTFS
//!   mounts         private, root, /proc, masks    ┘
//!   pivot, detach  the host is gone
//!   name, lo       what needs rights
//!   signals, fds   what is handed on
//!   rights         given up last
//!   exec
//! ```
//!
//! The order is most of what there is to know. `/proc` comes before the old root goes: in a user namespace
//! the kernel gives a new one only to who can see an old one in full. Rights go last, since every step needs
//! some; among them the bounding set before the capability to change it, and the filter after all that it
//! forbids.
//!
//! Invariants: nothing here allocates or prints (the crate's header says why), and no failure is passed over:
//! the first one is reported and ends the child, so that a command never runs half confined.

use std::convert::Infallible;

use crate::command::Command;
use crate::error::{Failure, Step};
use crate::filesystem::{self, Root};
use crate::hardened::{self, seccomp::Filter};
use crate::hostname::Hostname;
use crate::pipes::{Gate, Reporter};
use crate::processes;
use crate::whole::{self, Signals};

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
        let _never_back = NeverBack;
        let failure = match self.steps(gate) {
            Err(failure) => failure,
            Ok(never) => match never {},
        };
        reporter.tell(failure);
        exit(125)
    }

    fn steps(&self, gate: Gate) -> Result<Infallible, Failure> {
        Step::DieWithTheRuntime.of(whole::die_with_the_runtime())?;
        Step::Gate.of(gate.wait())?;

        Step::PrivateMounts.of(filesystem::make_mounts_private())?;
        Step::BindRoot.of(self.root.bind_on_itself())?;
        Step::ProcFolder.of(processes::find_proc_folder())?;
        Step::Proc.of(processes::mount_proc())?;
        Step::Masks.of(hardened::masks::cover())?;
        Step::Pivot.of(filesystem::pivot())?;
        Step::Detach.of(filesystem::detach_the_old_root())?;

        if let Some(hostname) = self.hostname {
            Step::Hostname.of(hostname.set())?;
        }
        Step::Loopback.of(hardened::network::raise_loopback())?;

        Step::CallersSignals.of(self.signals.give_back())?;
        Step::Descriptors.of(whole::close_descriptors_on_exec())?;

        Step::Capabilities.of(hardened::capabilities::drop_most())?;
        Step::NoNewPrivileges.of(nix::sys::prctl::set_no_new_privs())?;
        Step::Filter.of(self.filter.install())?;
        Step::Exec.of(self.command.exec())
    }
}

/// Ends the child when a panic unwinds: its parent's values, of which it has copies, are not its own to drop.
#[derive(Debug)]
struct NeverBack;

impl Drop for NeverBack {
    fn drop(&mut self) {
        exit(101)
    }
}

fn exit(status: libc::c_int) -> ! {
    // SAFETY: it takes a number, runs nothing of the process's own (no handlers, no destructors), and does
    // not return.
    unsafe { libc::_exit(status) }
}

//! Where a subject stands in the system beyond its folder and its stdio: who it is, which cgroup it is in, what else it
//! has open, and who decides about its calls. All of it is taken between fork and exec, by system calls alone.

use std::{
    fs::{File, OpenOptions},
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

use nix::{
    errno::Errno,
    sys::signal::{SigHandler, Signal, signal},
    unistd::{Gid, Uid, setgroups, setresgid, setresuid, write},
};

use crate::running::calls::{Held, Ward};

/// Nothing of it by default: a subject stands where the suite does.
#[derive(Debug, Default)]
pub(super) struct Standing {
    cgroup: Option<File>,
    user: Option<(Uid, Gid)>,
    inherited: Vec<(OwnedFd, i32)>,
    ignored: Vec<Signal>,
    ward: Option<Ward>,
}

impl Standing {
    pub(super) fn inherit(&mut self, descriptor: OwnedFd, number: i32) {
        self.inherited.push((descriptor, number));
    }

    pub(super) fn ignore(&mut self, signal: Signal) {
        self.ignored.push(signal);
    }

    pub(super) fn user(&mut self, user: u32, group: u32) {
        self.user = Some((Uid::from_raw(user), Gid::from_raw(group)));
    }

    /// Opened here: where it is started it may see other mounts.
    pub(super) fn cgroup(&mut self, folder: &Path) -> io::Result<()> {
        self.cgroup = Some(OpenOptions::new().write(true).open(folder.join("cgroup.procs"))?);
        Ok(())
    }

    pub(super) fn supervised(&mut self, ward: Ward) {
        self.ward = Some(ward);
    }

    /// For how long its calls are held: not at all, if nobody decides about them.
    pub(super) fn held(&self) -> Held {
        self.ward.as_ref().map(|ward| ward.held().clone()).unwrap_or_default()
    }

    /// Who it is, and what decides about it: first the cgroup, which asks for rights that a user may not have.
    pub(super) fn take_place(&self) -> io::Result<()> {
        if let Some(processes) = &self.cgroup {
            write(processes, b"0")?;
        }
        if let Some(ward) = &self.ward {
            ward.submit()?;
        }
        if let Some((user, group)) = self.user {
            setgroups(&[])?;
            setresgid(group, group, group)?;
            setresuid(user, user, user)?;
        }
        Ok(())
    }

    /// Leaves it what goes along through exec: what it ignores, and its descriptors, which exec closes until now. A number
    /// that one of the others has, waiting for its own turn, would be lost: numbers are chosen far above what a suite has
    /// open.
    pub(super) fn hand_over(&self) -> io::Result<()> {
        for (descriptor, number) in &self.inherited {
            // SAFETY: dup2 takes numbers; the new descriptor is the program's, and nothing of ours owns that number.
            Errno::result(unsafe { libc::dup2(descriptor.as_raw_fd(), *number) })?;
        }
        for ignored in &self.ignored {
            // SAFETY: no handler is installed.
            unsafe { signal(*ignored, SigHandler::SigIgn) }?;
        }
        Ok(())
    }
}

//! The one call that makes a container: a child in namespaces, and a cgroup, of its own.
//!
//! ```text
//!   clone3(flags, cgroup)  ──► parent: the child's pid, and it is in its cgroup
//!        └ ENOSYS              child: 0, on a copy of the parent's stack
//!   clone(flags)           ──► the same, but the cgroup is still the parent's: it has to be moved
//! ```
//!
//! `unshare` and then `fork` would do as well; but `unshare` moves its caller, and a runtime that is in a
//! namespace itself can no longer clean up outside. Moving a process into a cgroup is a lock for the whole
//! system; making it there is not.
//!
//! Invariants. The calling process has one thread, or the child may wait for ever for a lock that another
//! held. The child has copies of all of the parent's values and must drop none that means something: it never
//! returns to its caller.

use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::memory::Cgroup;

/// `linux/sched.h`; libc's constant has 32 bits, which is one too few.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

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
    match clone3(namespaces, cgroup) {
        // Older than Linux 5.3 (or 5.7, for the cgroup), or kept from it by a filter, as under Docker.
        Err(Errno::ENOSYS | Errno::E2BIG) => {}
        done => return done.map(|pid| cloned(pid, Joined::Already)),
    }
    let flags = namespaces.bits() | libc::SIGCHLD;
    // SAFETY: without CLONE_VM this is `fork`: the child has copies of everything, and of the only thread.
    // The other arguments are pointers for flags that are not set.
    let result = unsafe { libc::syscall(libc::SYS_clone, libc::c_long::from(flags), 0, 0, 0, 0) };
    let joined = if cgroup.is_some() { Joined::NotYet } else { Joined::Already };
    Errno::result(result).map(|pid| cloned(pid, joined))
}

fn clone3(namespaces: CloneFlags, cgroup: Option<&Cgroup>) -> nix::Result<libc::c_long> {
    // SAFETY: a structure of numbers, of which zero is the value that asks for nothing.
    let mut request: libc::clone_args = unsafe { mem::zeroed() };
    request.flags = u64::from(namespaces.bits().cast_unsigned());
    request.exit_signal = u64::from(libc::SIGCHLD.cast_unsigned());
    if let Some(cgroup) = cgroup {
        request.flags |= CLONE_INTO_CGROUP;
        request.cgroup = u64::from(cgroup.directory().as_raw_fd().cast_unsigned());
    }
    // SAFETY: as for `clone` above; the request outlives the call, and its size is the one that is given.
    let result =
        unsafe { libc::syscall(libc::SYS_clone3, &raw const request, mem::size_of::<libc::clone_args>()) };
    Errno::result(result)
}

fn cloned(result: libc::c_long, joined: Joined) -> Cloned {
    match result {
        0 => Cloned::Inside,
        // A pid has 22 bits at most.
        pid => Cloned::Outside(Child { pid: Pid::from_raw(pid as libc::pid_t), reaped: false }, joined),
    }
}

/// A child that nobody has waited for. Dropped, it is killed, and waited for: being a pid 1, it takes all of
/// its namespace with it, and the wait ends when the last of them has gone.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    reaped: bool,
}

impl Child {
    /// As the parent knows it. It belongs to this child for as long as that was not waited for.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> nix::Result<()> {
        kill(self.pid, signal)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> nix::Result<Option<ExitStatus>> {
        self.wait(libc::WNOHANG)
    }

    /// Waits for the end of one that is about to end.
    pub fn reap(self) {
        let mut child = self;
        let _ = child.wait(0);
    }

    /// Not nix's `waitpid`, which has no word for a death by a real-time signal.
    fn wait(&mut self, options: libc::c_int) -> nix::Result<Option<ExitStatus>> {
        let mut status = 0;
        // SAFETY: `status` is a number that the call may write.
        let result = unsafe { libc::waitpid(self.pid.as_raw(), &raw mut status, options) };
        match Errno::result(result)? {
            0 => Ok(None),
            _ => {
                self.reaped = true;
                Ok(Some(ExitStatus::from_raw(status)))
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.signal(Signal::SIGKILL);
            let _ = self.wait(0);
        }
    }
}

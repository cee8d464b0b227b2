//! A forked child that plays, and what its parent makes of its end.
//!
//! Every trace is played in a child of the loaded player: whatever the library did at load time is there, nothing of an
//! earlier trace is, and a crash costs the child alone.

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, RawFd},
    panic::{self, AssertUnwindSafe},
};

use crate::{
    last_words,
    seen::Seen,
    wire::{end, phase, seen},
};

/// The exit status of a child whose work failed by the player's own fault.
const OWN_FAULT: i32 = 101;

/// What a child is to have: no way to the suite but for files.
pub(crate) struct Surroundings {
    /// /dev/null, open for reading and writing.
    pub(crate) null: File,
    /// The player's line to the suite, which is none of the library's business.
    pub(crate) line: [RawFd; 2],
}

/// Does `work` in a child with `stderr`, waits for it, and completes what it could not tell itself.
pub(crate) fn run(
    surroundings: &Surroundings,
    stderr: &File,
    seen: Seen<'_>,
    work: impl FnOnce(),
) -> io::Result<()> {
    // SAFETY: asks for a number.
    let parent = unsafe { libc::getpid() };
    // SAFETY: this process has one thread, so the child is as good as its parent.
    let child = unsafe { libc::fork() };
    match child {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            settle(surroundings, stderr, parent);
            last_words::prepare(seen);
            let result = panic::catch_unwind(AssertUnwindSafe(work));
            let status = if result.is_ok() { 0 } else { OWN_FAULT };
            // SAFETY: ends the child without running what was meant for the parent's end.
            unsafe { libc::_exit(status) }
        }
        _ => conclude(seen, wait(child)?),
    }
}

/// Cuts the child off from the suite, and binds its life to its parent's.
fn settle(surroundings: &Surroundings, stderr: &File, parent: i32) {
    // SAFETY: a setting of the child's own.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    // SAFETY: asks for a number.
    if unsafe { libc::getppid() } != parent {
        // It died before the setting was made.
        // SAFETY: ends the child without running what was meant for the parent's end.
        unsafe { libc::_exit(OWN_FAULT) };
    }
    let null = surroundings.null.as_raw_fd();
    for (source, target) in [(null, 0), (null, 1), (stderr.as_raw_fd(), 2)] {
        // SAFETY: two open descriptors of this process.
        unsafe { libc::dup2(source, target) };
    }
    for descriptor in surroundings.line {
        // SAFETY: nothing in the child uses the line.
        unsafe { libc::close(descriptor) };
    }
}

/// Waits for the child; its wait status.
pub(crate) fn wait(child: i32) -> io::Result<i32> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is this function's own.
        if unsafe { libc::waitpid(child, &raw mut status, 0) } == child {
            return Ok(status);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Fills in what the child had no chance to.
fn conclude(seen: Seen<'_>, status: i32) -> io::Result<()> {
    if seen.get(seen::END) != end::NONE {
        return Ok(());
    }
    if libc::WIFSIGNALED(status) {
        seen.set(seen::SIGNAL, libc::WTERMSIG(status) as u64);
        seen.end(end::SIGNAL);
        return Ok(());
    }
    let status = libc::WEXITSTATUS(status);
    if seen.get(seen::PHASE) != phase::INSIDE && status == OWN_FAULT {
        return Err(io::Error::other("the player failed: see the file for its stderr"));
    }
    seen.set(seen::STATUS, status as u64);
    seen.end(end::EXITED);
    Ok(())
}

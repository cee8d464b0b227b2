//! Finding and killing what a subject leaves behind.
//!
//! Killing the process group gets most of it. What called `setsid` and was orphaned is still ours: the suite is a
//! *subreaper*, so orphans become its children, and every subject carries a marker in its environment that its
//! descendants inherit. One that also cleared its environment is caught at the end of the run, when anything that
//! still descends from the suite has to go.

use std::{
    fs,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};

use super::observe;

/// The environment variable that marks a subject and its descendants.
pub(super) const MARKER: &str = "GROUNDWORK_SUBJECT";

/// How long killing may take; a fork bomb that outruns it is caught by the next sweep.
const SWEEP: Duration = Duration::from_secs(5);

/// Makes orphans of subjects our children instead of init's.
pub(super) fn become_subreaper() -> nix::Result<()> {
    // SAFETY: prctl with PR_SET_CHILD_SUBREAPER takes one integer and touches no memory.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }).map(drop)
}

/// Kills every process whose marker begins with `marker`.
pub(super) fn kill_marked(marker: &str) {
    let wanted = format!("{MARKER}={marker}");
    let is_marked = |pid: i32| {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
            environment.split(|&byte| byte == 0).any(|variable| variable.starts_with(wanted.as_bytes()))
        })
    };
    sweep(|| observe::parents().into_iter().map(|(pid, _)| pid).filter(|&pid| is_marked(pid)).collect());
}

/// Kills every descendant of this process.
pub(super) fn kill_descendants() {
    let us = std::process::id() as i32;
    sweep(|| observe::family(us).into_iter().skip(1).collect());
}

/// Kills what `find` finds until it finds nothing more, since what it kills may have forked meanwhile.
fn sweep(find: impl Fn() -> Vec<i32>) {
    let end = Instant::now() + SWEEP;
    loop {
        let found = find();
        if found.is_empty() || Instant::now() > end {
            return;
        }
        for &pid in &found {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        for &pid in &found {
            // Not our child, or not yet: then its own parent reaps it, or the next round does.
            let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL));
        }
        std::thread::yield_now();
    }
}

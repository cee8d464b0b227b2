//! A process between xtask and a guest, which takes the whole guest with it when xtask dies, however it dies.
//!
//! ```text
//!   xtask ─► keeper ─► guest ─► its helpers          two process groups: the keeper's, and the guest's own
//! ```
//!
//! A guest of User-Mode Linux is many processes, and those that are left when its first is killed go on for ever. All are in
//! the group of that first one, which makes a session of its own. The keeper is told of its parent's death by the kernel,
//! and of its child's; at either it kills both groups, itself included. To be told to is the same: SIGTERM.
//! It is made between fork and exec, so that it makes only system calls: xtask has threads, and a lock that one of them
//! held at the fork stays held in the child for ever.

use std::{
    io,
    os::{fd::RawFd, unix::process::CommandExt},
    process::{Child, Command},
};

/// Starts a guest with a keeper, which is the child; it inherits the descriptor `inherited`.
pub(super) fn spawn(mut command: Command, inherited: RawFd) -> io::Result<Child> {
    // SAFETY: getpid takes nothing and touches no memory.
    let parent = unsafe { libc::getpid() };
    command.process_group(0);
    // SAFETY: `part` makes only system calls on values of its own stack, as the header asks.
    unsafe { command.pre_exec(move || part(parent, inherited)) };
    command.spawn()
}

/// Has a guest killed, whose keeper was not waited for yet.
pub(super) fn kill(keeper: &Child) {
    // SAFETY: kill takes two integers; the keeper has not been waited for, so its pid is still its own.
    unsafe { libc::kill(keeper.id() as libc::pid_t, libc::SIGTERM) };
}

/// In the child: becomes the keeper, and returns in a child of its own, which goes on to exec.
fn part(parent: libc::pid_t, inherited: RawFd) -> io::Result<()> {
    let watched = watched_signals()?;
    block(&watched)?;
    // SAFETY: prctl with PR_SET_PDEATHSIG takes one integer and touches no memory.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) })?;
    // SAFETY: getppid takes nothing and touches no memory.
    if unsafe { libc::getppid() } != parent {
        return Err(io::ErrorKind::Interrupted.into());
    }
    // SAFETY: both sides make only system calls from here to exec or to their end.
    match check(unsafe { libc::fork() })? {
        0 => {
            unblock_all()?;
            no_core_dump()?;
            // SAFETY: fcntl with F_SETFD takes integers and touches no memory.
            check(unsafe { libc::fcntl(inherited, libc::F_SETFD, 0) }).map(drop)
        }
        child => keep(&watched, child),
    }
}

/// Waits for the end of xtask or of the guest, and kills whatever is left.
fn keep(watched: &libc::sigset_t, guest: libc::pid_t) -> ! {
    // Whatever it inherited: pipes end when the guest ends, and std waits for one of them to learn of the exec.
    // SAFETY: close_range takes integers; nothing of this process uses a descriptor from here on.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 0_u32, u32::MAX, 0_u32) };
    if closed != 0 {
        // Kernels before 5.9.
        for descriptor in 0..1024 {
            // SAFETY: close takes an integer; nothing of this process uses a descriptor from here on.
            unsafe { libc::close(descriptor) };
        }
    }
    loop {
        let mut signal = 0;
        // SAFETY: sigwait reads a set and writes an integer, both of which live across the call.
        unsafe { libc::sigwait(watched, &raw mut signal) };
        if signal == libc::SIGTERM || has_ended(guest) {
            // SAFETY: kill takes two integers; the guest was not reaped, so its pid is still that of its group.
            unsafe { libc::kill(-guest, libc::SIGKILL) };
            // SAFETY: kill takes two integers; 0 is the caller's own group.
            unsafe { libc::kill(0, libc::SIGKILL) };
        }
    }
}

/// Whether a child has ended, without reaping it.
fn has_ended(child: libc::pid_t) -> bool {
    // SAFETY: every field of siginfo_t is an integer or an array of them, for which zeros are a value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: writes a structure that lives across the call.
    let done = unsafe { libc::waitid(libc::P_PID, child as libc::id_t, &raw mut info, options) };
    // Where none has ended it stays zero.
    done == 0 && info.si_signo == libc::SIGCHLD
}

/// SIGCHLD for the guest's end, SIGTERM for xtask's.
fn watched_signals() -> io::Result<libc::sigset_t> {
    // SAFETY: zeros are a value of sigset_t, which sigemptyset makes a set.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: writes to a set that lives across the call.
    check(unsafe { libc::sigemptyset(&raw mut set) })?;
    for signal in [libc::SIGCHLD, libc::SIGTERM] {
        // SAFETY: writes to a set that lives across the call.
        check(unsafe { libc::sigaddset(&raw mut set, signal) })?;
    }
    Ok(set)
}

fn block(set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: reads a set that lives across the call, and writes nothing.
    check(unsafe { libc::sigprocmask(libc::SIG_BLOCK, set, std::ptr::null_mut()) }).map(drop)
}

fn unblock_all() -> io::Result<()> {
    // SAFETY: zeros are the empty set on Linux.
    let none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: reads a set that lives across the call, and writes nothing.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) }).map(drop)
}

/// A kernel that panics as a process dumps all of its memory.
fn no_core_dump() -> io::Result<()> {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads a limit that lives across the call.
    check(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) }).map(drop)
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

//! Stage 5: two processes that are to look like one, from outside and from inside.
//!
//! ```text
//!   caller ── SIGTERM ─► runtime ── SIGTERM ─► command      handed on, until the command has ended
//!   caller ◄─ status ─── runtime ◄─ SIGCHLD ── command
//!   caller ── SIGKILL ─► runtime   ‥‥‥‥‥‥‥‥‥‥► command      cannot be handed on: the kernel does it
//! ```
//!
//! Signals are *held back* (blocked) from before there is anything to clean up, and fetched one by one: a
//! handler would have to know what it interrupts. A signal that comes early waits, and none is missed between
//! a look and a wait.
//!
//! Blocked and ignored signals survive `clone` and `exec`, so the child gives back what the caller had. So do
//! descriptors.

use std::process::ExitStatus;

use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};

use crate::clone::Child;

/// What is handed on: what people and programs send to make another stop, look again, or speak. Those of the
/// terminal's job control do to the runtime what they do to anybody.
const HANDED_ON: [Signal; 6] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2];

/// Signals that are held back, and how the caller had them.
#[derive(Debug)]
pub struct Signals {
    held: SigSet,
    callers_mask: SigSet,
    callers_sigchld: SigAction,
}

impl Signals {
    /// Holds back what is handed on, and SIGCHLD.
    pub fn hold() -> nix::Result<Signals> {
        let mut held: SigSet = HANDED_ON.into_iter().collect();
        held.add(Signal::SIGCHLD);
        let mut callers_mask = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&held), Some(&mut callers_mask))?;
        // A caller that ignores SIGCHLD has handed that on, and with it the kernel keeps no status for us.
        let callers_sigchld = set_action(Signal::SIGCHLD, &default_action())?;
        Ok(Signals { held, callers_mask, callers_sigchld })
    }

    /// Gives the calling process, a child, the signals that the caller had. All but one: std has set SIGPIPE
    /// to be ignored before `main`, and nobody knows what it was. Like std's own children, it gets the usual.
    pub fn give_back(&self) -> nix::Result<()> {
        set_action(Signal::SIGPIPE, &default_action())?;
        set_action(Signal::SIGCHLD, &self.callers_sigchld)?;
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.callers_mask), None)
    }

    /// Hands on signals to the child until it has ended; how it did.
    pub fn forward_until_the_end(&self, child: Child) -> nix::Result<ExitStatus> {
        let mut child = child;
        loop {
            match self.held.wait()? {
                // One may stand for several, and for a child that was there before us: look.
                Signal::SIGCHLD => {
                    if let Some(status) = child.ended()? {
                        return Ok(status);
                    }
                }
                signal => child.signal(signal)?,
            }
        }
    }
}

/// The calling process is killed when its parent dies. With it, a pid 1, dies its namespace.
///
/// A parent that has died before this call is not noticed by it, and in a new PID namespace `getppid` is 0
/// either way: the [gate](crate::pipes) tells. The kernel forgets the tie when a process gets rights or
/// another user; what the child does to itself later only takes rights away.
pub fn die_with_the_runtime() -> nix::Result<()> {
    set_pdeathsig(Signal::SIGKILL)
}

/// Has `exec` close all descriptors but the first three: those of the runtime, and what its caller let it
/// inherit. Not at once: the report is among them.
pub fn close_descriptors_on_exec() -> nix::Result<()> {
    // SAFETY: it takes three numbers, and closes nothing now.
    let result =
        unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    Errno::result(result).map(drop)
}

fn default_action() -> SigAction {
    SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty())
}

fn set_action(signal: Signal, action: &SigAction) -> nix::Result<SigAction> {
    // SAFETY: the action is the default, or what this process had before: no handler of ours, which might do
    // too much.
    unsafe { sigaction(signal, action) }
}

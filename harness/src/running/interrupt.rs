//! Ctrl-C, and the death of the front desk: subjects are killed, containers and the run's folder are removed, exit
//! status 130.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use nix::{
    errno::Errno,
    sys::signal::{SigSet, Signal},
};

use super::{strays, watchdog::Watchdog};

/// The exit status of an interrupted run: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Whether a signal is ending the run.
static ENDING: AtomicBool = AtomicBool::new(false);

/// The signals that end a run.
fn ending() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect()
}

/// Blocks the ending signals in this thread and those it starts, so that only [`watch_for`] sees them. Also asks
/// for SIGTERM when the front desk dies, however it dies.
pub(super) fn prepare() -> nix::Result<()> {
    // SAFETY: prctl with PR_SET_PDEATHSIG takes one integer and touches no memory.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) })?;
    ending().thread_block()
}

/// Waits in a thread of its own for a signal that ends the run, and ends it.
pub(super) fn watch_for(watchdog: Arc<Watchdog>, folder: PathBuf) {
    thread::spawn(move || {
        while ending().wait().is_err() {}
        ENDING.store(true, Ordering::SeqCst);
        watchdog.kill_all();
        strays::kill_descendants();
        #[cfg(feature = "docker")]
        super::docker::remove_all();
        let _ = fs::remove_dir_all(folder);
        std::process::exit(INTERRUPTED);
    });
}

/// Returns at once; but never while the run is being ended. What came of a subject that was killed for it is no
/// verdict, no other is to be started, and the exit status is not this thread's to choose.
pub(super) fn stand_aside() {
    while ENDING.load(Ordering::SeqCst) {
        thread::park();
    }
}

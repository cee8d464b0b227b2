//! Ctrl-C. The whole foreground group gets the signal: cargo stops by itself, a suite kills its subjects and removes
//! their folders. All that is left to do here is to outlive them and to exit with 130.

use std::sync::atomic::{AtomicBool, Ordering};

static HAPPENED: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt is noted instead of ending this process.
pub(crate) fn note_from_now_on() {
    extern "C" fn note(_: libc::c_int) {
        HAPPENED.store(true, Ordering::SeqCst);
    }
    // SAFETY: the handler does nothing but store to an atomic, which is async-signal-safe.
    unsafe { libc::signal(libc::SIGINT, note as *const () as libc::sighandler_t) };
}

/// Whether somebody pressed Ctrl-C.
pub(crate) fn happened() -> bool {
    HAPPENED.load(Ordering::SeqCst)
}

//! `SUITE init`: the first process of a throw-away kernel, the *lab*. Its root is the machine's own, read-only, so that
//! the suite, its subject and whatever they need lie at the same paths inside.
//!
//! ```text
//!   kernel ─► SUITE init ERRAND   sets the machine up, reaps orphans, says that it is alive
//!                └─ SUITE run     in a cgroup of its own; each event goes out over the serial line
//! ```
//!
//! Subjects are root here and may do anything to it. So this process does next to nothing: were it to run checks and to
//! die with one, the kernel would panic. Whatever ends the guest, its last word was either said or not.

mod cgroups;
mod line;
mod machine;
mod mounts;
mod supervisor;

use std::{ffi::OsString, fs, io, path::Path, process, sync::Arc};

use line::Line;
use nix::sys::reboot::{RebootMode, reboot};

use crate::guest::{Errand, Word};

/// Sets the guest up, runs the suite in it, says what it came to and switches it off.
///
/// # Errors
/// Only where this is no guest at all: the first process of a kernel has nobody to return to.
pub(super) fn init(errand: Option<OsString>) -> io::Result<()> {
    let Some(errand) = errand else { return Err(io::Error::other("init: name the file with the errand")) };
    if process::id() != 1 {
        let refusal = "init is for the first process of a throw-away kernel; `cargo xtask check` starts one";
        return Err(io::Error::other(refusal));
    }
    if let Err(error) = serve(Path::new(&errand)) {
        // Nobody can be told but whoever reads the kernel's log.
        eprintln!("the lab: {error}");
    }
    switch_off()
}

fn serve(path: &Path) -> io::Result<()> {
    let text = fs::read(path).map_err(step(format!("cannot read the errand {}", path.display())))?;
    let errand: Errand = serde_json::from_slice(&text)?;
    let kept = mounts::keep_open(&mounts::places(&errand));
    mounts::devices()?;
    let line = Arc::new(Line::open(&errand.line, errand.nonce.clone())?);
    if let Err(error) = set_up(&errand, kept) {
        return line.say(&Word::Failed(error.to_string()));
    }
    line.say(&Word::Begun)?;
    let status = supervisor::run_suite(&errand, &line)?;
    line.say(&Word::Ended(status))
}

/// Every step before the suite can run, in the order in which one needs the other.
fn set_up(errand: &Errand, kept: Vec<mounts::Kept>) -> io::Result<()> {
    mounts::kernel_file_systems()?;
    mounts::scratch()?;
    mounts::put_back(kept)?;
    mounts::writable(&errand.request.output, &errand.share)?;
    mounts::share_everything()?;
    cgroups::divide()?;
    machine::name_itself()?;
    machine::loopback_up()?;
    machine::allow_open_files()?;
    machine::swap_to(&errand.swap)
}

fn switch_off() -> ! {
    // What was said is on its way: a line is drained after each word.
    let error = reboot(RebootMode::RB_POWER_OFF).err();
    eprintln!("the lab: cannot switch itself off: {error:?}");
    // The kernel panics, which ends it as well.
    process::exit(70)
}

/// An error that says which step it was.
fn step(what: impl Into<String>) -> impl FnOnce(io::Error) -> io::Error {
    let what = what.into();
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}

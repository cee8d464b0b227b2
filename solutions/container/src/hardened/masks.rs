//! Parts of `/proc` that are the machine's and not the container's: some not to be read, some not to be
//! written.
//!
//! ```text
//!   hidden      /dev/null, bound on the file            reading gives nothing
//!   read-only   the path, bound on itself, read-only    writing is EROFS, whoever asks
//! ```
//!
//! `/proc/sys` looks at the uid and at nothing else: root inside, without any capability, may say which
//! program the kernel runs, as root and outside, when a process dumps core. So a mount has to say no; and the
//! command cannot take a mount away.
//!
//! A path that this kernel lacks is skipped. Any other refusal is an error: what cannot be covered must not
//! be seen.

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::unistd::{AccessFlags, access};

use crate::processes::PROC_FLAGS;

/// Physical memory, keys, timers of all processes: files, from the new root.
const HIDDEN: [&str; 3] = ["proc/kcore", "proc/keys", "proc/timer_list"];

/// Switches of the kernel and its drivers.
const READ_ONLY: [&str; 5] = ["proc/sys", "proc/sysrq-trigger", "proc/irq", "proc/bus", "proc/fs"];

/// Covers them, while the host's `/dev/null` is still in sight and the new root is the working directory.
pub fn cover() -> nix::Result<()> {
    for path in HIDDEN {
        if exists(path)? {
            bind("/dev/null", path)?;
        }
    }
    for path in READ_ONLY {
        if exists(path)? {
            bind(path, path)?;
            // The kernel looks at no other flag while it binds: what a mount may do is said in a second call.
            let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | PROC_FLAGS;
            mount(None::<&str>, path, None::<&str>, flags, None::<&str>)?;
        }
    }
    Ok(())
}

fn bind(what: &str, onto: &str) -> nix::Result<()> {
    mount(Some(what), onto, None::<&str>, MsFlags::MS_BIND, None::<&str>)
}

fn exists(path: &str) -> nix::Result<bool> {
    match access(path, AccessFlags::F_OK) {
        Err(Errno::ENOENT) => Ok(false),
        found => found.map(|()| true),
    }
}

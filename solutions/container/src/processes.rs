//! Stage 2: the command is pid 1, and knows of nobody else.
//!
//! ```text
//!   host's pids     … 4711 runtime ── 4712 command ── 4713 its child     each process has a pid in its own
//!   container's       (0 nobody)      1               2                  namespace and in all those above
//! ```
//!
//! `kill(2)` and `/proc` know processes by their pids, and who has none in a namespace cannot be named there.
//! That holds for processes that are made in it: a process's own pid never changes, so `unshare` alone makes
//! nobody pid 1.
//!
//! `/proc` is a view of one namespace: that of the process which mounts it. The host's would still show the
//! host. It must be mounted by the child, and where the host does not see it.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::mount::{MsFlags, mount};
use nix::sched::CloneFlags;
use nix::sys::stat::Mode;

/// What the child is made with. Its first process is pid 1: when that ends, the kernel kills the others, and
/// they are gone before its parent is told.
pub const NAMESPACE: CloneFlags = CloneFlags::CLONE_NEWPID;

/// How `/proc` is mounted, here and where parts of it are mounted again: nothing in it is a device or a
/// program.
pub const PROC_FLAGS: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

/// Makes sure that `proc` in the working directory is a directory, and no link to one of the host's: the root
/// is not changed yet, and whoever made ROOTFS need not be a friend.
pub fn find_proc_folder() -> nix::Result<()> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    match open("proc", flags, Mode::empty()) {
        Err(Errno::ELOOP) => Err(Errno::ENOTDIR),
        found => found.map(drop),
    }
}

/// Mounts the calling process's `/proc` on `proc` in the working directory.
pub fn mount_proc() -> nix::Result<()> {
    mount(Some("proc"), "proc", Some("proc"), PROC_FLAGS, None::<&str>)
}

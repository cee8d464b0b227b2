//! Stage 2: the command is pid 1, and knows of nobody else.
//!
//! What must hold: `getpid()` is 1 in the command itself; `/proc` lists its own tree and nobody else; the
//! host's `/proc` is what it was, for everybody else.
//!
//! A process's own pid never changes. So who is the first in a new PID namespace: the one who made it? And
//! whose processes does a `/proc` show: those of the one who mounts it, or of the one who looks? For whom is
//! it mounted, and where does the mount spread to?

use nix::mount::MsFlags;
use nix::sched::CloneFlags;

/// What the child is made with.
pub const NAMESPACE: CloneFlags = CloneFlags::empty(); // stage 2: which namespace?

/// How `/proc` is mounted, here and where parts of it are mounted again.
pub const PROC_FLAGS: MsFlags = MsFlags::empty(); // stage 2: what is never in a `/proc`?

/// Makes sure that `proc` in the working directory is a directory, and no link to one of the host's.
pub fn find_proc_folder() -> nix::Result<()> {
    todo!("stage 3: whoever made ROOTFS need not be a friend")
}

/// Mounts the calling process's `/proc` on `proc` in the working directory.
pub fn mount_proc() -> nix::Result<()> {
    todo!("stage 2: it shows this namespace, and is seen in no other")
}

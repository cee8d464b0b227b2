//! Stage 3: another root, and no way back to the old one.
//!
//! ```text
//!   clone       bind              pivot_root(".", ".")        detach
//!   /           /                 /  ROOTFS ◄ root, cwd       /  ROOTFS
//!   └ ROOTFS    └ ROOTFS          └─ / the old root, on top      └ proc
//!                 ╚ ROOTFS (mount)     └ …
//! ```
//!
//! A mount namespace is a copy of the mount table, and a copy of a *shared* mount is its peer: what is
//! mounted on one appears on the other. So the first thing is to end that, for every mount there is.
//!
//! `chroot` would move where paths begin, and leave the host in the table: root walks out of it with a second
//! `chroot`. `pivot_root` moves the table's own root. It asks for a mount, which ROOTFS becomes by being
//! bound on itself. And with "." for both words the old root needs no place in the new one, so that nothing
//! is made there and nothing is left.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::CloneFlags;
use nix::unistd::{chdir, pivot_root};

use crate::error::Error;

/// What the child is made with.
pub const NAMESPACE: CloneFlags = CloneFlags::CLONE_NEWNS;

/// The directory that becomes `/`, by its absolute path, without links. From "." no path leads to a mount
/// that was made on it, and a link might lead elsewhere a second time.
#[derive(Debug)]
pub struct Root {
    path: CString,
}

impl Root {
    /// Finds ROOTFS, as the caller sees it.
    pub fn find(rootfs: &Path) -> Result<Root, Error> {
        let refused = |source| Error::Rootfs(rootfs.to_path_buf(), source);
        let path = fs::canonicalize(rootfs).map_err(refused)?;
        if !path.is_dir() {
            return Err(refused(io::ErrorKind::NotADirectory.into()));
        }
        // A path that the kernel gave has no NUL.
        let path = CString::new(path.into_os_string().into_vec()).map_err(|error| refused(error.into()))?;
        Ok(Root { path })
    }

    /// Makes the directory a mount, with all that is mounted below it, and the working directory. Recursive,
    /// because in a user namespace the kernel lets nobody look below what somebody else has mounted.
    pub fn bind_on_itself(&self) -> nix::Result<()> {
        let path = self.path.as_c_str();
        mount(Some(path), path, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)?;
        chdir(path)
    }
}

/// Ends the exchange of mounts with the host, in both directions.
pub fn make_mounts_private() -> nix::Result<()> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
}

/// Makes the working directory the root. The old root is then mounted on top of it: `pivot_root(2)` explains
/// the trick.
pub fn pivot() -> nix::Result<()> {
    pivot_root(".", ".")
}

/// Takes the old root out of the table, with all that is mounted below it. Detached, not unmounted: it is in
/// use, by whoever has a working directory in it, and would be busy.
pub fn detach_the_old_root() -> nix::Result<()> {
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")
}

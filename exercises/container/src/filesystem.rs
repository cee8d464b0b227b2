//! Stage 3: another root, and no way back to the old one.
//!
//! What must hold: no path, no descriptor and no working directory leads out. Inside there are the root,
//! `/proc` and what you mount yourself; the host's mount table is the same before, during and after, byte for
//! byte.
//!
//! Draw the mount table after each step. What is a *shared* mount, and what happens on its peers? What does
//! `pivot_root(2)` ask of its two words, and what does its section NOTES say of "."? Where is the old root
//! then, and who still holds it?

use std::path::Path;

use nix::sched::CloneFlags;

use crate::error::Error;

/// What the child is made with.
pub const NAMESPACE: CloneFlags = CloneFlags::empty(); // stage 2: which namespace?

/// The directory that becomes `/`.
#[derive(Debug)]
pub struct Root {
    // Your fields.
}

impl Root {
    /// Finds ROOTFS, as the caller sees it.
    pub fn find(rootfs: &Path) -> Result<Root, Error> {
        todo!("stage 3: a directory, or an error that names it")
    }

    /// Makes the directory a mount, with all that is mounted below it, and the working directory.
    pub fn bind_on_itself(&self) -> nix::Result<()> {
        todo!("stage 3: what `pivot_root` asks for")
    }
}

/// Ends the exchange of mounts with the host, in both directions.
pub fn make_mounts_private() -> nix::Result<()> {
    todo!("stage 2: of every mount there is")
}

/// Makes the working directory the root.
pub fn pivot() -> nix::Result<()> {
    todo!("stage 3: paths begin here, for this process and its children")
}

/// Takes the old root out of the table, with all that is mounted below it.
pub fn detach_the_old_root() -> nix::Result<()> {
    todo!("stage 3: nothing of it is left, and the working directory is the new root")
}

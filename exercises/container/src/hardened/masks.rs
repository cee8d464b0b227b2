//! Parts of `/proc` that are the machine's and not the container's: some not to be read, some not to be
//! written.
//!
//! What must hold: what cannot be covered must not be seen. A path that this kernel lacks needs no cover.
//!
//! What can lie over a file? And how is a mount made read-only that is a part of another (mount(2),
//! "Remounting")?

/// Covers them, while the host is still in sight and the new root is the working directory.
pub fn cover() -> nix::Result<()> {
    todo!("stage 7: some paths are empty, others read-only")
}

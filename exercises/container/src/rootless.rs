//! Stage 6: root for everybody, inside.
//!
//! What must hold: the same as before, for a caller without rights. Inside there is one uid and one gid, and
//! both are the caller's own outside.
//!
//! Who may write the maps, what may stand in them, and what must be given up first (user_namespaces(7))? Who
//! is a process between its birth in a user namespace and its map, and what must it not do meanwhile?

use nix::sched::CloneFlags;
use nix::unistd::Pid;

/// What the child of a caller who is not root is made with, besides.
pub const NAMESPACE: CloneFlags = CloneFlags::empty(); // stage 6: which namespace?

/// What root's is made with, besides.
pub const NONE: CloneFlags = CloneFlags::empty();

/// The ids that become 0 inside.
#[derive(Debug, Clone, Copy)]
pub struct Maps {
    // Your fields.
}

impl Maps {
    /// What is needed for the caller: nothing, if that is root.
    pub fn of_the_caller() -> Option<Maps> {
        todo!("stage 6: who is the caller?")
    }

    /// Maps them, in the new user namespace of this process.
    pub fn write(&self, pid: Pid) -> nix::Result<()> {
        todo!("stage 6: three files, in the only order that works")
    }
}

//! Stage 6: root for everybody, inside.
//!
//! ```text
//!   user namespace         uid_map   0  1000  1      inside 0 is outside 1000, and no other number means anything
//!   what it owns           the uts, pid, mnt, net and ipc namespaces that were made with it, or after
//! ```
//!
//! The first process of a user namespace has all capabilities, over what that namespace owns and over nothing
//! else: it may mount in its own mount namespace, and name its own host. Files still see the user that it is
//! outside.
//!
//! Its ids are 65534, nobody's, until somebody writes the maps. Before that it must do nothing whose result
//! depends on who it is: it waits at the [gate](crate::pipes). A user without rights may map one id, their
//! own; and groups only after giving up `setgroups`, with which one could leave a group that a file is closed
//! to.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::unistd::{Gid, Pid, Uid, getegid, geteuid};

/// What the child of a caller who is not root is made with, besides. It comes first, whatever the order of
/// the flags.
pub const NAMESPACE: CloneFlags = CloneFlags::CLONE_NEWUSER;

/// What root's is made with, besides.
pub const NONE: CloneFlags = CloneFlags::empty();

/// The ids that become 0 inside.
#[derive(Debug, Clone, Copy)]
pub struct Maps {
    user: Uid,
    group: Gid,
}

impl Maps {
    /// What is needed for the caller: nothing, if that is root.
    pub fn of_the_caller() -> Option<Maps> {
        let (user, group) = (geteuid(), getegid());
        (!user.is_root()).then_some(Maps { user, group })
    }

    /// Maps them, in the new user namespace of this process.
    pub fn write(&self, pid: Pid) -> nix::Result<()> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let write = |file: &str, value: String| {
            // One write each: the kernel takes a map whole, and once.
            let written = File::options().write(true).open(folder.join(file));
            written.and_then(|mut file| file.write_all(value.as_bytes())).map_err(errno)
        };
        write("setgroups", "deny".into())?;
        write("uid_map", format!("0 {} 1\n", self.user))?;
        write("gid_map", format!("0 {} 1\n", self.group))
    }
}

fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

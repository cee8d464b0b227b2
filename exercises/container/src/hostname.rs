//! Stage 1: a name that is seen inside, and nowhere else.
//!
//! What must hold: inside, the name is the one that was asked for, from the command's first instruction on;
//! the host's never changes, not for a moment.
//!
//! A namespace is a copy of something that used to be global. Which copy does `sethostname` write, and who
//! must call it?

use nix::sched::CloneFlags;

/// What the child is made with.
pub const NAMESPACE: CloneFlags = CloneFlags::empty(); // stage 1: which namespace?

/// A hostname that the kernel will take: 1 to 64 bytes of letters, digits, `-` and `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostname(String);

impl Hostname {
    /// The hostname that `text` is, if it is one.
    pub fn parse(text: &str) -> Option<Hostname> {
        todo!("stage 1: 1 to 64 bytes of letters, digits, `-` and `.`")
    }

    /// Gives the calling process's UTS namespace this name.
    pub fn set(&self) -> nix::Result<()> {
        todo!("stage 1: this namespace, and no other, has the name")
    }
}

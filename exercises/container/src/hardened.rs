//! Stage 7: root inside is root still, for all that the kernel does not divide into namespaces. What it may
//! no longer do.
//!
//! What must hold: what the specification lists, always. And ordinary programs still work.
//!
//! Four doors, a file each. In which order are they closed, and which of them needs a right that another
//! takes away?

pub mod capabilities;
pub mod masks;
pub mod network;
pub mod seccomp;

use nix::sched::CloneFlags;

/// What the child is made with.
pub const NAMESPACES: CloneFlags = CloneFlags::empty(); // stage 7: which namespaces?

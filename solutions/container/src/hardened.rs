//! Stage 7: root inside is root still, for all that the kernel does not divide into namespaces. What it may
//! no longer do.
//!
//! ```text
//!   rights       capabilities    root's powers in 41 pieces: thirteen stay
//!                no_new_privs    and no program gives others
//!   surface      seccomp         calls that no ordinary program makes
//!                masks           files of /proc that belong to the whole machine
//!   separation   net, ipc        a network with `lo` alone; queues and shared memory of its own
//! ```
//!
//! None of these is enough, and each has been what held when another did not. Namespaces hide things; what is
//! not hidden (the clock, modules, keys, `/proc/sys`) is guarded by rights alone. And rights guard what the
//! kernel does right: a call that cannot be made cannot be exploited.
//!
//! Left out on purpose: a list of what is allowed instead of one of what is not (Docker's has some 350
//! calls), AppArmor and SELinux, a filter of devices (no node can be made instead), limits of processes.

pub mod capabilities;
pub mod masks;
pub mod network;
pub mod seccomp;

use nix::sched::CloneFlags;

/// What the child is made with.
pub const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWNET.union(CloneFlags::CLONE_NEWIPC);

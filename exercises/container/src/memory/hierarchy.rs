//! Where a new cgroup goes, from what the kernel says of the runtime's own.
//!
//! What must hold: it is found wherever cgroup2 is mounted, and however deep below it the runtime was
//! started.
//!
//! Nothing here touches a file: it is fed text, and can be tested with any machine's. Look at
//! `/proc/self/cgroup` and `/proc/self/mountinfo` of several: yours, one in a container, one with both
//! versions of cgroups.

use std::path::PathBuf;

/// The directory in which the runtime's cgroup lies; if that is all that can be seen, itself. None if the
/// runtime is in no cgroup of version 2 that can be seen.
pub fn home(cgroup: &str, mountinfo: &str) -> Option<PathBuf> {
    todo!("stage 4: the parent of the runtime's own cgroup, as a path")
}

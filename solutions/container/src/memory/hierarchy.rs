//! Where a new cgroup goes, from what the kernel says of the runtime's own.
//!
//! ```text
//!   /proc/self/cgroup      0::/user.slice/session-2.scope           version 2 is the hierarchy of number 0
//!   /proc/self/mountinfo   … 0:26 / /sys/fs/cgroup … - cgroup2 …    the cgroup "/" is there
//!                                 └ root └ mount point
//!   home                   /sys/fs/cgroup/user.slice                the parent of the runtime's own
//! ```
//!
//! Beside and not below: a cgroup with processes cannot give its children controllers (*no internal
//! processes*), and the runtime's has one, the runtime. Only the very top may have both, where there is no
//! beside.
//!
//! Nothing here touches a file: it is fed text.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The directory in which the runtime's cgroup lies; if that is all that can be seen, itself. None if the
/// runtime is in no cgroup of version 2 that can be seen.
pub fn home(cgroup: &str, mountinfo: &str) -> Option<PathBuf> {
    let own = Path::new(cgroup.lines().find_map(|line| line.strip_prefix("0::"))?);
    mountinfo.lines().filter_map(Mount::parse).find_map(|mount| {
        let below = own.strip_prefix(&mount.root).ok()?;
        match below.parent() {
            Some(parent) => Some(mount.point.join(parent)),
            None => Some(mount.point),
        }
    })
}

/// A mount of the version 2 hierarchy, or of a part of it.
#[derive(Debug)]
struct Mount {
    /// The cgroup that is there.
    root: PathBuf,
    /// Where.
    point: PathBuf,
}

impl Mount {
    /// A line of mountinfo, if it is one of these: see `proc_pid_mountinfo(5)`.
    fn parse(line: &str) -> Option<Mount> {
        let (here, what) = line.split_once(" - ")?;
        let mut here = here.split(' ').skip(3);
        let (root, point) = (here.next()?, here.next()?);
        let kind = what.split(' ').next()?;
        (kind == "cgroup2").then(|| Mount { root: unescape(root), point: unescape(point) })
    }
}

/// A path of mountinfo, in which a space, a tab, a line break and a backslash are three octal digits after a
/// backslash.
fn unescape(field: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) if byte == b'\\' => {
                bytes.push(escaped);
                rest = &after[3..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cgroup: &str, mount: &str, expected: Option<&str>) {
        let mountinfo = format!(
            "22 1 0:21 / /proc rw - proc proc rw\n31 23 0:26 {mount} rw shared:9 - cgroup2 cgroup2 rw\n"
        );
        assert_eq!(home(cgroup, &mountinfo).as_deref(), expected.map(Path::new), "{cgroup:?} in {mount:?}");
    }

    #[test]
    fn the_new_cgroup_goes_beside_the_runtimes() {
        check("0::/user.slice/session-2.scope\n", "/ /sys/fs/cgroup", Some("/sys/fs/cgroup/user.slice"));
        check("0::/lab\n", "/ /sys/fs/cgroup", Some("/sys/fs/cgroup"));
        // The top has no beside.
        check("0::/\n", "/ /sys/fs/cgroup", Some("/sys/fs/cgroup"));
        // On a machine with both versions.
        check(
            "4:memory:/old\n0::/new/leaf\n",
            "/ /sys/fs/cgroup/unified",
            Some("/sys/fs/cgroup/unified/new"),
        );
    }

    #[test]
    fn a_part_of_the_hierarchy_may_be_mounted_and_anywhere() {
        check("0::/a/b/c\n", "/a /mnt/my\\040groups", Some("/mnt/my groups/b"));
        check("0::/a\n", "/a /mnt", Some("/mnt"));
        check("0::/elsewhere\n", "/a /mnt", None);
        check("4:memory:/old\n", "/ /mnt", None);
    }
}

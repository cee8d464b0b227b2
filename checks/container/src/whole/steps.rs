//! Which system calls of a runtime are steps, and what they are called in evidence.

use std::path::Path;

use harness::calls::Call;

use crate::memory::file_of;

/// Which system calls count as steps.
pub(crate) struct Steps {
    /// Those that are told by their names and arguments.
    named: &'static [i64],
    /// Those that are steps only by what they are about: see [`other_name`].
    others: &'static [i64],
}

/// Those that make a namespace, a mount, a root, a name, a limit.
pub(crate) const CONFINING: Steps = Steps {
    named: &[
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_sethostname,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_open_tree,
        libc::SYS_move_mount,
        libc::SYS_fsopen,
        libc::SYS_fsconfig,
        libc::SYS_fsmount,
        libc::SYS_mount_setattr,
        libc::SYS_mkdirat,
        libc::SYS_mkdir,
    ],
    // Of files those count by which the kernel confines somebody.
    others: &[libc::SYS_clone, libc::SYS_clone3, libc::SYS_write, libc::SYS_openat],
};

/// Those of which a kernel may say that it knows no such thing, or that something is in use.
pub(crate) const UNSUITABLE: Steps = Steps {
    named: &[
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_unshare,
        libc::SYS_move_mount,
        libc::SYS_mount_setattr,
    ],
    others: &[libc::SYS_clone, libc::SYS_clone3],
};

/// Those that take rights away, separate from the host's network and queues, and cover files of the kernel's.
pub(crate) const RIGHTS: Steps = Steps {
    named: &[
        libc::SYS_mount,
        libc::SYS_open_tree,
        libc::SYS_move_mount,
        libc::SYS_mount_setattr,
        libc::SYS_unshare,
        libc::SYS_capset,
        libc::SYS_seccomp,
        libc::SYS_ioctl,
    ],
    others: &[libc::SYS_clone, libc::SYS_clone3, libc::SYS_prctl],
};

/// Those between which a runtime may be killed; among them the one that ties the command to it.
pub(super) const TELLING: Steps = Steps {
    named: &[
        libc::SYS_prctl,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_sethostname,
        libc::SYS_unshare,
    ],
    others: &[libc::SYS_clone, libc::SYS_clone3],
};

/// What the calls are called that are told by their names.
const NAMES: [(i64, &str); 19] = [
    (libc::SYS_mount, "mount"),
    (libc::SYS_umount2, "umount2"),
    (libc::SYS_pivot_root, "pivot_root"),
    (libc::SYS_chroot, "chroot"),
    (libc::SYS_sethostname, "sethostname"),
    (libc::SYS_unshare, "unshare"),
    (libc::SYS_setns, "setns"),
    (libc::SYS_open_tree, "open_tree"),
    (libc::SYS_move_mount, "move_mount"),
    (libc::SYS_fsopen, "fsopen"),
    (libc::SYS_fsconfig, "fsconfig"),
    (libc::SYS_fsmount, "fsmount"),
    (libc::SYS_mount_setattr, "mount_setattr"),
    (libc::SYS_mkdirat, "mkdirat"),
    (libc::SYS_mkdir, "mkdir"),
    (libc::SYS_capset, "capset"),
    (libc::SYS_seccomp, "seccomp"),
    (libc::SYS_ioctl, "ioctl"),
    (libc::SYS_prctl, "prctl"),
];

impl Steps {
    /// The calls that have to be looked at.
    pub(super) fn numbers(&self) -> Vec<i64> {
        [self.named, self.others].concat()
    }

    /// What a call is called, if it is a step.
    pub(super) fn name(&self, call: &Call) -> Option<String> {
        if !self.named.contains(&call.number) {
            return other_name(call);
        }
        let (_, name) = NAMES.iter().find(|(number, _)| *number == call.number)?;
        let text =
            |argument| format!("{:?}", String::from_utf8_lossy(&call.text(argument).unwrap_or_default()));
        let shown = match call.number {
            libc::SYS_mount | libc::SYS_pivot_root => format!("{}, {}", text(0), text(1)),
            libc::SYS_umount2
            | libc::SYS_chroot
            | libc::SYS_sethostname
            | libc::SYS_mkdir
            | libc::SYS_fsopen => text(0),
            libc::SYS_mkdirat | libc::SYS_open_tree => text(1),
            libc::SYS_unshare => namespaces(call.args[0]).join(" | "),
            libc::SYS_move_mount => format!("{}, {}", text(1), text(3)),
            libc::SYS_prctl if call.args[0] != libc::PR_SET_PDEATHSIG as u64 => return None,
            libc::SYS_prctl => "PR_SET_PDEATHSIG".to_owned(),
            // Questions about descriptors are no steps.
            libc::SYS_ioctl if call.args[1] != libc::SIOCSIFFLAGS => return None,
            libc::SYS_ioctl => "SIOCSIFFLAGS".to_owned(),
            _ => String::new(),
        };
        Some(format!("{name}({shown})"))
    }
}

/// The same of calls that are steps only sometimes.
fn other_name(call: &Call) -> Option<String> {
    let text = |argument| String::from_utf8_lossy(&call.text(argument).unwrap_or_default()).into_owned();
    match call.number {
        libc::SYS_clone => makes_namespaces(call.args[0]).then(|| "clone(CLONE_NEW…)".to_owned()),
        libc::SYS_clone3 => {
            let flags = call.memory(call.args[0], 8)?;
            let flags = u64::from_ne_bytes(flags.try_into().ok()?);
            makes_namespaces(flags).then(|| "clone3(CLONE_NEW…)".to_owned())
        }
        libc::SYS_write => {
            let file = file_of(call)?;
            confines(&file).then(|| format!("write to {}", file.display()))
        }
        libc::SYS_prctl => {
            // One capability stands for all of them.
            const SYS_ADMIN: u64 = 21;
            let named = [
                (libc::PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS"),
                (libc::PR_SET_SECCOMP, "PR_SET_SECCOMP"),
                (libc::PR_CAPBSET_DROP, "PR_CAPBSET_DROP"),
            ];
            let (_, name) = named.iter().find(|(option, _)| *option as u64 == call.args[0])?;
            let is_another = call.args[0] == libc::PR_CAPBSET_DROP as u64 && call.args[1] != SYS_ADMIN;
            (!is_another).then(|| format!("prctl({name})"))
        }
        libc::SYS_openat => {
            // Only to write: low bits are the way of access.
            let path = text(1);
            (call.args[2] & 3 != 0 && confines(Path::new(&path)))
                .then(|| format!("open {path:?} for writing"))
        }
        _ => None,
    }
}

fn makes_namespaces(flags: u64) -> bool {
    !namespaces(flags).is_empty()
}

/// The flags among these that ask for a namespace.
fn namespaces(flags: u64) -> Vec<&'static str> {
    let kinds = [
        (libc::CLONE_NEWNS, "CLONE_NEWNS"),
        (libc::CLONE_NEWUTS, "CLONE_NEWUTS"),
        (libc::CLONE_NEWPID, "CLONE_NEWPID"),
        (libc::CLONE_NEWUSER, "CLONE_NEWUSER"),
        (libc::CLONE_NEWNET, "CLONE_NEWNET"),
        (libc::CLONE_NEWIPC, "CLONE_NEWIPC"),
        (libc::CLONE_NEWCGROUP, "CLONE_NEWCGROUP"),
    ];
    let asked = kinds.iter().filter(|(kind, _)| flags & u64::from(kind.cast_unsigned()) != 0);
    asked.map(|(_, name)| *name).collect()
}

/// Whether a file is one by which the kernel is told to confine somebody.
fn confines(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("cgroup.")
        || name.starts_with("memory.")
        || ["uid_map", "gid_map", "setgroups"].contains(&&*name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_that_is_told_by_its_name_has_one() {
        for number in [&CONFINING, &UNSUITABLE, &RIGHTS, &TELLING].into_iter().flat_map(|steps| steps.named) {
            assert!(NAMES.iter().any(|(named, _)| named == number), "system call {number}");
        }
    }

    #[test]
    fn files_that_confine_are_known_by_their_names() {
        for path in ["/sys/fs/cgroup/x/memory.max", "cgroup.procs", "/proc/7/uid_map", "/proc/self/setgroups"]
        {
            assert!(confines(Path::new(path)), "{path}");
        }
        for path in ["/dev/null", "/tmp/memory", "/etc/cgroup", "/"] {
            assert!(!confines(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_thread_is_no_namespace() {
        assert!(makes_namespaces(libc::CLONE_NEWUSER as u32 as u64 | 17), "a user namespace");
        assert!(!makes_namespaces(0x3d0f00), "a thread, as libc makes it");
    }
}

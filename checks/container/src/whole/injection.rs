//! Steps that fail: the same call of the runtime again and again, each time with another one of its system calls refused.
//!
//! ```text
//!   run 0   mkdir  write  clone3  mount  mount  pivot_root  …     counted, all done
//!   run 1     ✗
//!   run 2            ✗
//!   run 3                   ✗        …                            until none is left
//! ```
//!
//! Which calls there are, and how many, the runtime decides: refused is whichever comes as number k. What is done after
//! the command is executed is the command's, and not counted.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use harness::{
    Judged,
    calls::{Call, Supervisor, Then},
};

use crate::{
    call,
    host::{FileId, Host, Root},
    memory::written_to,
    run::{Ended, Inside, Run},
};

/// More steps than any runtime takes: what goes on and on is not tried to its end.
const MOST: usize = 80;

/// What a run with a refused step came to.
pub(crate) enum Outcome<'h, 'c> {
    /// The command runs nevertheless.
    Runs(Inside<'h, 'c>),
    /// It does not, and the runtime has ended.
    Ended(Ended),
}

/// Calls the runtime with each of its steps refused in turn. `call` makes the same call each time; `judge` gets the
/// name of what was refused and what came of it.
///
/// # Errors
/// Those of `judge`, and of a runtime that hangs.
pub(crate) fn injected<'h, 'c>(
    host: &'h Host<'c>,
    call: impl Fn() -> Judged<call::Call<'h, 'c>>,
    mut judge: impl FnMut(&str, Outcome<'h, 'c>) -> Judged,
) -> Judged {
    for number in 0..MOST {
        host.forget();
        let call = call()?;
        let refused = Arc::new(Mutex::new(None));
        let supervisor = Supervisor::begin(&numbers(), refuse(host, call.root(), number, Arc::clone(&refused))?)?;
        let run = call.start_supervised(&supervisor)?;
        let outcome = match run.serves_or_ends()? {
            Ok(inside) => Outcome::Runs(inside),
            Err(ended) => Outcome::Ended(ended),
        };
        let Some(step) = lock(&refused).take() else {
            // There are no more: this one went through undisturbed, which others check.
            return Ok(());
        };
        host.tell(format!("refused, with EPERM: {step}"));
        judge(&step, outcome)?;
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Decides: the step of this number is refused, and its name is kept.
pub(super) fn refuse(
    host: &Host<'_>,
    root: &Root,
    number: usize,
    refused: Arc<Mutex<Option<String>>>,
) -> Judged<Box<harness::calls::Decide>> {
    at_step(host, root, number, move |_, step| {
        *lock(&refused) = Some(step);
        Then::Fail(libc::EPERM)
    })
}

/// Does something at the step of this number, and lets all others be done.
pub(super) fn at_step(
    host: &Host<'_>,
    root: &Root,
    number: usize,
    mut act: impl FnMut(&Call, String) -> Then + Send + 'static,
) -> Judged<Box<harness::calls::Decide>> {
    let probes = [root.probe, FileId::of(&host.probe())?];
    let mut count = 0;
    Ok(Box::new(move |call| {
        let Some(step) = step(call) else { return Then::GoOn };
        let program = fs::metadata(format!("/proc/{}/exe", call.pid));
        if program.is_ok_and(|file| probes.contains(&FileId { device: file.dev(), inode: file.ino() })) {
            return Then::GoOn;
        }
        count += 1;
        if count == number + 1 { act(call, step) } else { Then::GoOn }
    }))
}

/// The calls that steps are made of; those of files count where the file is one of the kernel's that confine.
pub(super) fn numbers() -> Vec<i64> {
    let named = NAMED.iter().map(|(number, _)| *number);
    named.chain([libc::SYS_clone, libc::SYS_clone3, libc::SYS_write, libc::SYS_openat]).collect()
}

const NAMED: [(i64, &str); 17] = [
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
];

/// What a call is called, if it is a step.
fn step(call: &Call) -> Option<String> {
    let text = |argument| String::from_utf8_lossy(&call.text(argument).unwrap_or_default()).into_owned();
    if let Some((_, name)) = NAMED.iter().find(|(number, _)| *number == call.number) {
        let shown = match call.number {
            libc::SYS_mount | libc::SYS_pivot_root => format!("{:?}, {:?}", text(0), text(1)),
            libc::SYS_umount2 | libc::SYS_chroot | libc::SYS_sethostname | libc::SYS_mkdir => format!("{:?}", text(0)),
            libc::SYS_mkdirat => format!("{:?}", text(1)),
            _ => String::new(),
        };
        return Some(format!("{name}({shown})"));
    }
    match call.number {
        libc::SYS_clone => makes_namespaces(call.args[0]).then(|| "clone(CLONE_NEW…)".to_owned()),
        libc::SYS_clone3 => {
            let flags = call.memory(call.args[0], 8)?;
            let flags = u64::from_ne_bytes(flags.try_into().ok()?);
            makes_namespaces(flags).then(|| "clone3(CLONE_NEW…)".to_owned())
        }
        libc::SYS_write => {
            let file = written_to(call)?;
            confines(&file).then(|| format!("write to {}", file.display()))
        }
        libc::SYS_openat => {
            // Only to write: low bits are the way of access.
            let path = text(1);
            (call.args[2] & 3 != 0 && confines(Path::new(&path))).then(|| format!("open {path:?} for writing"))
        }
        _ => None,
    }
}

fn makes_namespaces(flags: u64) -> bool {
    let kinds = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWCGROUP,
    ];
    kinds.iter().any(|&kind| flags & kind as u32 as u64 != 0)
}

/// Whether a file is one by which the kernel is told to confine somebody.
fn confines(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("cgroup.") || name.starts_with("memory.") || ["uid_map", "gid_map", "setgroups"].contains(&&*name)
}

impl<'h, 'c> Run<'h, 'c> {
    /// Waits for the probe's first line, or for the end of the runtime.
    ///
    /// # Errors
    /// Timeout when neither comes.
    #[track_caller]
    pub(crate) fn serves_or_ends(self) -> Judged<Result<Inside<'h, 'c>, Ended>> {
        if self.says_something()? { self.serves().map(Ok) } else { self.ends().map(Err) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_confine_are_known_by_their_names() {
        for path in ["/sys/fs/cgroup/x/memory.max", "cgroup.procs", "/proc/7/uid_map", "/proc/self/setgroups"] {
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

//! Which system calls change files, and what they say about themselves.

use std::{
    ffi::c_long,
    fmt, fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use nix::{sys::ptrace, unistd::Pid};

/// A system call that is about to change something in the subject's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    call: &'static str,
    target: String,
    bytes: Option<u64>,
    /// Whether half of it can be done: a plain write of at least two bytes.
    pub can_tear: bool,
}

/// As a student would say it: `write 41 bytes to kv.log`, `rename 3.tmp to 3.sst`.
impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bytes {
            Some(bytes) => write!(out, "{} of {bytes} bytes to {}", self.call, self.target),
            None => write!(out, "{} {}", self.call, self.target),
        }
    }
}

/// A system call at its entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) number: c_long,
    pub(super) args: [u64; 6],
}

/// The system call that a stopped tracee is about to make; `None` when it is just coming out of one.
pub(super) fn entry(pid: Pid) -> Option<Call> {
    let info = ptrace::syscall_info(pid).ok()?;
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    // SAFETY: `op` says which member of the union the kernel filled in.
    let entry = unsafe { info.u.entry };
    Some(Call { number: entry.nr as c_long, args: entry.args })
}

/// What a call's arguments are about.
enum Shape {
    /// The first argument is a descriptor; the third a count of bytes in one buffer.
    Write,
    /// The first argument is a descriptor.
    Descriptor,
    /// These arguments are addresses of paths.
    Paths(&'static [usize]),
    /// An open: a path, and where its flags are.
    Open { path: usize, flags: usize },
}

const CREATING: u64 = (libc::O_CREAT | libc::O_TRUNC) as u64;

/// The calls that change files. `fsync` is not among them: a killed process loses nothing that it wrote.
fn shape(number: c_long) -> Option<(&'static str, Shape)> {
    Some(match number {
        libc::SYS_write => ("write", Shape::Write),
        libc::SYS_pwrite64 => ("pwrite", Shape::Write),
        libc::SYS_writev => ("writev to", Shape::Descriptor),
        libc::SYS_pwritev | libc::SYS_pwritev2 => ("pwritev to", Shape::Descriptor),
        libc::SYS_ftruncate => ("truncate", Shape::Descriptor),
        libc::SYS_fallocate => ("allocate space for", Shape::Descriptor),
        libc::SYS_sendfile => ("sendfile to", Shape::Descriptor),
        libc::SYS_truncate => ("truncate", Shape::Paths(&[0])),
        libc::SYS_openat => ("create or truncate", Shape::Open { path: 1, flags: 2 }),
        libc::SYS_renameat | libc::SYS_renameat2 => ("rename", Shape::Paths(&[1, 3])),
        libc::SYS_linkat => ("link", Shape::Paths(&[1, 3])),
        libc::SYS_unlinkat => ("remove", Shape::Paths(&[1])),
        libc::SYS_mkdirat => ("make the directory", Shape::Paths(&[1])),
        _ => return older(number),
    })
}

/// Calls without a directory argument, which newer architectures left out.
#[cfg(target_arch = "x86_64")]
fn older(number: c_long) -> Option<(&'static str, Shape)> {
    Some(match number {
        libc::SYS_open => ("create or truncate", Shape::Open { path: 0, flags: 1 }),
        libc::SYS_creat => ("create or truncate", Shape::Paths(&[0])),
        libc::SYS_rename => ("rename", Shape::Paths(&[0, 1])),
        libc::SYS_link => ("link", Shape::Paths(&[0, 1])),
        libc::SYS_unlink | libc::SYS_rmdir => ("remove", Shape::Paths(&[0])),
        libc::SYS_mkdir => ("make the directory", Shape::Paths(&[0])),
        _ => return None,
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn older(_: c_long) -> Option<(&'static str, Shape)> {
    None
}

impl Change {
    /// The change that a call makes below `folder`, if it makes one.
    pub(super) fn of(pid: Pid, call: &Call, folder: &Path) -> Option<Self> {
        let (name, shape) = shape(call.number)?;
        let target = match &shape {
            Shape::Write | Shape::Descriptor => inside(&descriptor_path(pid, call.args[0])?, folder)?,
            Shape::Open { flags, .. } if call.args[*flags] & CREATING == 0 => return None,
            Shape::Open { path, .. } => inside(&path_at(pid, call.args[*path])?, folder)?,
            Shape::Paths(paths) => {
                let names = paths.iter().map(|&index| inside(&path_at(pid, call.args[index])?, folder));
                names.collect::<Option<Vec<_>>>()?.join(" to ")
            }
        };
        let bytes = matches!(shape, Shape::Write).then_some(call.args[2]);
        Some(Self { call: name, target, bytes, can_tear: bytes.is_some_and(|bytes| bytes > 1) })
    }
}

/// `path` as seen from `folder`; `None` when it lies elsewhere. A relative path counts from the folder, where the
/// subject was started, or from a descriptor of a directory in it.
fn inside(path: &Path, folder: &Path) -> Option<String> {
    let below = if path.is_absolute() { path.strip_prefix(folder).ok()? } else { path };
    // The store's own directory inside the folder says nothing to a reader; the file's name does.
    Some(
        below
            .file_name()
            .map_or_else(|| below.display().to_string(), |name| name.to_string_lossy().into_owned()),
    )
}

/// The file behind a descriptor of the tracee.
pub(super) fn descriptor_path(pid: Pid, descriptor: u64) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/fd/{}", descriptor as i32)).ok()
}

/// The path that stands at an address in the tracee.
fn path_at(pid: Pid, address: u64) -> Option<PathBuf> {
    let bytes = memory(pid, address, libc::PATH_MAX as usize)?;
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some(PathBuf::from(String::from_utf8_lossy(&bytes[..end]).into_owned()))
}

/// Up to `length` bytes of the tracee's memory; fewer where its mapping ends.
pub(super) fn memory(pid: Pid, address: u64, length: usize) -> Option<Vec<u8>> {
    let file = fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, address).ok()?;
    bytes.truncate(read);
    Some(bytes)
}

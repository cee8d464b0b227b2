//! System calls that std does not offer, declared by hand: the probe has no dependencies.
//!
//! Every wrapper here is safe: it gives the kernel numbers, and pointers only to what lives until it returns.

#![expect(clippy::cast_possible_truncation, reason = "numbers of the kernel's fit where it puts them")]

use std::{
    ffi::{CString, c_char, c_int, c_long, c_void},
    fs::File,
    io,
    os::fd::AsRawFd,
    sync::atomic::{AtomicU64, Ordering},
};

pub(crate) const EPERM: i32 = 1;
pub(crate) const EINVAL: i32 = 22;
const ENOSYS: i32 = 38;
pub(crate) const SIGSEGV: i32 = 11;
pub(crate) const SIGSTOP: i32 = 19;
pub(crate) const MNT_DETACH: c_int = 2;
pub(crate) const CLONE_NEWUSER: i64 = 0x1000_0000;
pub(crate) const CLONE_NEWNS: i64 = 0x0002_0000;

/// More descriptors than any limit of the suite's lets it have.
pub(crate) const DESCRIPTORS: i32 = 1024;

/// The numbers of all signals that a handler can have.
pub(crate) const SIGNALS: std::ops::RangeInclusive<i32> = 1..=64;

mod c {
    use super::{c_char, c_int, c_long, c_void};

    unsafe extern "C" {
        pub(super) fn syscall(number: c_long, ...) -> c_long;
        pub(super) fn fork() -> c_int;
        pub(super) fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
        pub(super) fn _exit(status: c_int) -> !;
        pub(super) fn kill(pid: c_int, signal: c_int) -> c_int;
        pub(super) fn signal(signal: c_int, handler: usize) -> usize;
        pub(super) fn sigprocmask(how: c_int, set: *const u64, old: *mut [u64; 16]) -> c_int;
        pub(super) fn sigaction(signal: c_int, new: *const c_void, old: *mut [usize; 32]) -> c_int;
        pub(super) fn fchdir(descriptor: c_int) -> c_int;
        pub(super) fn chroot(path: *const c_char) -> c_int;
        pub(super) fn mount(
            source: *const c_char,
            place: *const c_char,
            kind: *const c_char,
            flags: usize,
            options: *const c_char,
        ) -> c_int;
        pub(super) fn umount2(path: *const c_char, flags: c_int) -> c_int;
        pub(super) fn sethostname(name: *const c_char, length: usize) -> c_int;
        pub(super) fn gethostname(name: *mut c_char, length: usize) -> c_int;
        pub(super) fn setns(descriptor: c_int, kind: c_int) -> c_int;
        pub(super) fn setsid() -> c_int;
        pub(super) fn getpid() -> c_int;
        pub(super) fn getppid() -> c_int;
        pub(super) fn getuid() -> c_int;
        pub(super) fn geteuid() -> c_int;
        pub(super) fn getgid() -> c_int;
        pub(super) fn getegid() -> c_int;
        pub(super) fn pause() -> c_int;
        pub(super) fn setgroups(count: usize, groups: *const u32) -> c_int;
        pub(super) fn setgid(id: c_int) -> c_int;
        pub(super) fn setuid(id: c_int) -> c_int;
        pub(super) fn shmget(key: c_int, size: usize, flags: c_int) -> c_int;
        pub(super) fn ptrace(request: c_long, ...) -> c_long;
    }
}

/// What a call returned, or its errno.
fn checked(result: c_long) -> io::Result<i64> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Its own pid, as it sees it.
pub(crate) fn pid() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { c::getpid() }
}

/// Every id that it has.
pub(crate) fn ids() -> [(&'static str, i64); 6] {
    // SAFETY: takes nothing and cannot fail, as all of these.
    let parent = unsafe { c::getppid() };
    // SAFETY: as above.
    let uid = unsafe { c::getuid() };
    // SAFETY: as above.
    let euid = unsafe { c::geteuid() };
    // SAFETY: as above.
    let gid = unsafe { c::getgid() };
    // SAFETY: as above.
    let egid = unsafe { c::getegid() };
    [("pid", pid()), ("parent", parent), ("uid", uid), ("euid", euid), ("gid", gid), ("egid", egid)]
        .map(|(name, id)| (name, id.into()))
}

/// The name of its machine.
pub(crate) fn hostname() -> io::Result<Vec<u8>> {
    let mut name = [0_u8; 256];
    // SAFETY: the buffer is as long as is said.
    checked(unsafe { c::gethostname(name.as_mut_ptr().cast(), name.len()) }.into())?;
    let length = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    Ok(name[..length].to_vec())
}

/// Sets the name of its machine.
pub(crate) fn set_hostname(name: &str) -> io::Result<i64> {
    // SAFETY: the name is as long as is said.
    checked(unsafe { c::sethostname(name.as_ptr().cast(), name.len()) }.into())
}

/// A child that does this, and then ends with what it returns. It has one thread, so it may do anything.
pub(crate) fn child(act: impl FnOnce() -> i32) -> io::Result<i32> {
    // SAFETY: the probe has one thread, so nothing that another one held is held for ever in the child.
    let pid = checked(unsafe { c::fork() }.into())?;
    if pid == 0 {
        let status = act();
        // SAFETY: ends the process; nothing of std's has to be flushed.
        unsafe { c::_exit(status) }
    }
    Ok(pid as i32)
}

/// Waits for a child; its status as wait(2) has it.
pub(crate) fn wait_for(pid: i32) -> io::Result<i32> {
    let mut status = 0;
    // SAFETY: the status lives until the call returns.
    checked(unsafe { c::waitpid(pid, &raw mut status, 0) }.into())?;
    Ok(status)
}

/// Sends a signal.
pub(crate) fn kill(pid: i32, signal: i32) -> io::Result<i64> {
    // SAFETY: takes numbers alone.
    checked(unsafe { c::kill(pid, signal) }.into())
}

/// Has a signal call this from now on.
pub(crate) fn handle(signal: i32, handler: extern "C" fn(c_int)) -> io::Result<()> {
    // SAFETY: the handler does nothing that a handler may not do: it adds to an atomic number.
    let before = unsafe { c::signal(signal, handler as *const () as usize) };
    if before == usize::MAX { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Puts a signal back to what it does by itself.
pub(crate) fn reset(signal: i32) {
    // SAFETY: SIG_DFL is 0, and no handler at all.
    unsafe { c::signal(signal, 0) };
}

/// The signals that are blocked.
pub(crate) fn blocked() -> io::Result<Vec<i32>> {
    let mut set = [0_u64; 16];
    // SAFETY: the set is as large as glibc's, and nothing is set.
    checked(unsafe { c::sigprocmask(0, std::ptr::null(), &raw mut set) }.into())?;
    Ok(SIGNALS.filter(|number| set[0] & (1 << (number - 1)) != 0).collect())
}

/// The signals that were ignored when the program began, a bit each: std ignores SIGPIPE before `main`.
static IGNORED: AtomicU64 = AtomicU64::new(0);

/// What libc calls before std is there.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_STD: extern "C" fn() = remember_ignored;

extern "C" fn remember_ignored() {
    const SIG_IGN: usize = 1;
    for number in SIGNALS {
        let mut action = [0_usize; 32];
        // SAFETY: the action is larger than glibc's, whose first word is the handler, and nothing is set.
        let result = unsafe { c::sigaction(number, std::ptr::null(), &raw mut action) };
        if result == 0 && action[0] == SIG_IGN {
            IGNORED.fetch_or(1 << (number - 1), Ordering::Relaxed);
        }
    }
}

/// The signals that were ignored when the program began.
pub(crate) fn ignored() -> Vec<i32> {
    let set = IGNORED.load(Ordering::Relaxed);
    SIGNALS.filter(|number| set & (1 << (number - 1)) != 0).collect()
}

/// Moves to an open folder.
pub(crate) fn enter(descriptor: i32) -> io::Result<i64> {
    // SAFETY: takes a number alone.
    checked(unsafe { c::fchdir(descriptor) }.into())
}

/// Changes the root.
pub(crate) fn chroot(path: &str) -> io::Result<i64> {
    let path = CString::new(path)?;
    // SAFETY: the path ends with a zero and lives until the call returns.
    checked(unsafe { c::chroot(path.as_ptr()) }.into())
}

/// Mounts an empty file system.
pub(crate) fn mount_tmpfs(path: &str) -> io::Result<i64> {
    let (kind, path) = (c"tmpfs".as_ptr(), CString::new(path)?);
    // SAFETY: all three end with a zero and live until the call returns; tmpfs needs no options.
    checked(unsafe { c::mount(kind, path.as_ptr(), kind, 0, std::ptr::null()) }.into())
}

/// Unmounts what is uppermost at a path.
pub(crate) fn unmount(path: &str) -> io::Result<i64> {
    let path = CString::new(path)?;
    // SAFETY: the path ends with a zero and lives until the call returns.
    checked(unsafe { c::umount2(path.as_ptr(), MNT_DETACH) }.into())
}

/// Enters a mount namespace, at its own root.
pub(crate) fn enter_mounts(namespace: &File) -> io::Result<i64> {
    // SAFETY: takes numbers alone.
    checked(unsafe { c::setns(namespace.as_raw_fd(), CLONE_NEWNS as c_int) }.into())
}

/// Leaves the session and the terminal.
pub(crate) fn new_session() {
    // SAFETY: takes nothing.
    unsafe { c::setsid() };
}

/// Waits for a signal that has a handler, for ever if need be.
pub(crate) fn pause() {
    // SAFETY: takes nothing.
    unsafe { c::pause() };
}

/// Becomes another user, of another group, for good.
pub(crate) fn become_user(id: i32) -> io::Result<()> {
    // SAFETY: with a count of 0 no groups are read.
    checked(unsafe { c::setgroups(0, std::ptr::null()) }.into())?;
    // SAFETY: takes a number alone.
    checked(unsafe { c::setgid(id) }.into())?;
    // SAFETY: takes a number alone.
    checked(unsafe { c::setuid(id) }.into()).map(drop)
}

/// Makes a node of a device, by the call `mknod` or by `mknodat`. Small numbers are put together as here.
pub(crate) fn make_device(call: &str, kind: &str, path: &str, numbers: (i64, i64)) -> io::Result<i64> {
    const S_IFCHR: i64 = 0o020_000;
    const S_IFBLK: i64 = 0o060_000;
    const AT_FDCWD: i64 = -100;
    let mode = 0o600 | if kind == "block" { S_IFBLK } else { S_IFCHR };
    let device = numbers.0 << 8 | numbers.1;
    let name = CString::new(path)?;
    let path = name.as_ptr() as i64;
    match call {
        // x86-64's; newer architectures have `mknodat` alone.
        "mknod" if cfg!(target_arch = "x86_64") => self::call(133, [path, mode, device, 0, 0]),
        "mknod" => Err(io::Error::from_raw_os_error(ENOSYS)),
        _ if cfg!(target_arch = "x86_64") => self::call(259, [AT_FDCWD, path, mode, device, 0]),
        _ => self::call(33, [AT_FDCWD, path, mode, device, 0]),
    }
}

/// The shared memory of a key, if there is one.
pub(crate) fn shared_memory(key: i64) -> io::Result<i64> {
    // SAFETY: takes numbers alone, and attaches nothing.
    checked(unsafe { c::shmget(key as c_int, 0, 0) }.into())
}

/// Asks the parent to trace this process.
pub(crate) fn trace_me() -> io::Result<()> {
    // SAFETY: takes a number alone.
    checked(unsafe { c::ptrace(0, 0_i64, 0_i64, 0_i64) }).map(drop)
}

/// Lets a traced child go on.
pub(crate) fn go_on(pid: i32) -> io::Result<()> {
    const PTRACE_CONT: c_long = 7;
    // SAFETY: takes numbers alone; 0 is no signal.
    checked(unsafe { c::ptrace(PTRACE_CONT, i64::from(pid), 0_i64, 0_i64) }).map(drop)
}

/// Any system call, with numbers alone or pointers to what lives meanwhile.
pub(crate) fn call(number: i64, args: [i64; 5]) -> io::Result<i64> {
    let [a, b, c, d, e] = args;
    // SAFETY: callers pass numbers, null, or addresses of statics, as their header says.
    checked(unsafe { c::syscall(number, a, b, c, d, e, 0) })
}

/// The same by the door of 32-bit programs; its numbers are others. What it returns is the negative errno.
#[cfg(target_arch = "x86_64")]
pub(crate) fn call_by_int80(number: i32, args: [i32; 3]) -> i32 {
    let [b, c, d] = args;
    let mut result = number;
    // SAFETY: the kernel saves all but the result and r8 to r11; rbx, which the compiler keeps for itself, is put back.
    unsafe {
        std::arch::asm!(
            "push rbx", "mov ebx, {b:e}", "int 0x80", "pop rbx",
            b = in(reg) b, inout("eax") result, in("ecx") c, in("edx") d,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    result
}

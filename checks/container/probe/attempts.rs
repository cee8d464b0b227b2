//! System calls that a hardened container refuses, each tried in a child of its own: one may be killed for trying.
//!
//! Their arguments let a call do nothing where it is not refused (no descriptor, nothing to read), and give another error then.

use std::io::{self, Read, Write};

use crate::{answer::Answer, sys};

/// An argument.
#[derive(Clone, Copy)]
enum Arg {
    /// A number.
    N(i64),
    /// The path of the root.
    Root,
    /// Zeros, of 64 bytes.
    Zeros,
}

use Arg::{N, Root, Zeros};

/// A system call, by its number of the 64-bit ABI and that of the 32-bit one, 0 where it has none.
struct Call {
    name: &'static str,
    wide: i64,
    narrow: i32,
    args: &'static [Arg],
}

const fn call(name: &'static str, wide: i64, narrow: i32, args: &'static [Arg]) -> Call {
    Call { name, wide, narrow, args }
}

/// No descriptor at all.
const NONE: Arg = N(-1);
const AT_FDCWD: Arg = N(-100);

const CALLS: &[Call] = &[
    call("mount", 165, 21, &[Root, Root, Root, N(0x1000), N(0)]),
    call("umount2", 166, 52, &[Root, N(0)]),
    call("pivot_root", 155, 217, &[Root, Root]),
    call("open_tree", 428, 428, &[AT_FDCWD, Root, N(0)]),
    call("move_mount", 429, 429, &[NONE, Root, NONE, Root, N(0)]),
    call("fsopen", 430, 430, &[Root, N(0)]),
    call("fsconfig", 431, 431, &[NONE, N(0), N(0), N(0), N(0)]),
    call("fsmount", 432, 432, &[NONE, N(0), N(0)]),
    call("fspick", 433, 433, &[NONE, Root, N(0)]),
    call("mount_setattr", 442, 442, &[NONE, Root, N(0), Zeros, N(32)]),
    call("setns", 308, 346, &[NONE, N(0)]),
    call("unshare", 272, 310, &[N(sys::CLONE_NEWUSER)]),
    // Were it one of a set that a filter compares as a whole, another beside it would open the door.
    call("unshare-more", 272, 310, &[N(sys::CLONE_NEWUSER | sys::CLONE_NEWNS)]),
    call("clone", 56, 120, &[N(sys::CLONE_NEWUSER | 17), N(0), N(0), N(0), N(0)]),
    call("clone-wide", 56, 0, &[N(1 << 32 | sys::CLONE_NEWUSER | 17), N(0), N(0), N(0), N(0)]),
    call("clone3", 435, 435, &[N(0), N(0)]),
    call("init_module", 175, 128, &[N(0), N(0), N(0)]),
    call("finit_module", 313, 350, &[NONE, N(0), N(0)]),
    call("delete_module", 176, 129, &[N(0), N(0)]),
    call("kexec_load", 246, 283, &[N(0), N(0), N(0), N(0)]),
    call("kexec_file_load", 320, 0, &[NONE, NONE, N(0), N(0), N(0)]),
    call("reboot", 169, 88, &[N(0), N(0), N(0), N(0)]),
    call("swapon", 167, 87, &[N(0), N(0)]),
    call("swapoff", 168, 115, &[N(0)]),
    call("bpf", 321, 357, &[N(0), N(0), N(0)]),
    call("perf_event_open", 298, 336, &[N(0), N(0), NONE, NONE, N(0)]),
    call("userfaultfd", 323, 374, &[N(-1)]),
    call("io_uring_setup", 425, 425, &[N(1), N(0)]),
    call("keyctl", 250, 288, &[N(0), N(-3), N(0), N(0), N(0)]),
    call("add_key", 248, 286, &[N(0), N(0), N(0), N(0), N(0)]),
    call("request_key", 249, 287, &[N(0), N(0), N(0), N(0)]),
    call("open_by_handle_at", 304, 342, &[NONE, N(0), N(0)]),
    call("settimeofday", 164, 79, &[N(0), N(0)]),
    call("clock_settime", 227, 264, &[N(0), N(0)]),
    call("acct", 163, 51, &[N(0)]),
    call("quotactl", 179, 131, &[N(0), N(0), N(0), N(0)]),
    call("syslog", 103, 103, &[N(10), N(0), N(0)]),
    call("tiocsti", 16, 54, &[N(0), N(0x5412), N(0)]),
    call("tioclinux", 16, 54, &[N(0), N(0x541c), N(0)]),
    // The kernel reads 32 bits of the command; a filter that compares 64 lets this one pass.
    call("tiocsti-wide", 16, 0, &[N(0), N(0x1_0000_5412), N(0)]),
    call("tioclinux-wide", 16, 0, &[N(0), N(0x1_0000_541c), N(0)]),
    // Nothing that anybody refuses: whether a door is there at all.
    call("getppid", 110, 64, &[]),
];

/// x32's calls have this bit in their number.
const X32: i64 = 0x4000_0000;

static ROOT: &std::ffi::CStr = c"/";
static ZEROS: [u64; 8] = [0; 8];

/// Tries a call by one of the kernel's doors (`x32`, `i386`, or the ordinary one): `{"returned": N}`, negative for an
/// error, or `{"died-of": SIGNAL}`.
pub(crate) fn attempt(name: &str, door: &str) -> io::Result<Answer> {
    let call = CALLS.iter().find(|call| call.name == name);
    let call = call.ok_or_else(|| io::Error::from_raw_os_error(sys::EINVAL))?;
    let (mut told, teller) = io::pipe()?;
    let pid = sys::child(|| {
        let us = sys::pid();
        let returned = by_door(call, door);
        // A clone that was let pass: its child says nothing.
        if sys::pid() == us {
            i32::from((&teller).write_all(returned.to_string().as_bytes()).is_err())
        } else {
            0
        }
    })?;
    drop(teller);
    let mut returned = String::new();
    told.read_to_string(&mut returned)?;
    let status = sys::wait_for(pid)?;
    Ok(match returned.parse() {
        Ok(number) => Answer::object([("returned", Answer::Number(number))]),
        Err(_) => Answer::object([("died-of", Answer::Number((status & 0x7f).into()))]),
    })
}

/// What the kernel returned, negative for an error.
fn by_door(call: &Call, door: &str) -> i64 {
    let value = |index: usize| match call.args.get(index) {
        None => 0,
        Some(N(number)) => *number,
        Some(Root) => ROOT.as_ptr() as i64,
        Some(Zeros) => ZEROS.as_ptr() as i64,
    };
    let args = std::array::from_fn(value);
    let wide = |number| match sys::call(number, args) {
        Ok(result) => result,
        Err(error) => -i64::from(error.raw_os_error().unwrap_or(0)),
    };
    match door {
        "x32" if call.name.starts_with("tioc") => wide(X32 | 514),
        "x32" => wide(X32 | call.wide),
        #[cfg(target_arch = "x86_64")]
        "i386" => {
            i64::from(sys::call_by_int80(call.narrow, [args[0], args[1], args[2]].map(|arg| arg as i32)))
        }
        _ => wide(call.wide),
    }
}

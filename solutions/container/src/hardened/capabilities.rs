//! Root's powers, in pieces: which stay, and from which of the five sets the others must go.
//!
//! ```text
//!   effective     what the kernel asks for            ┐
//!   permitted     what effective may be raised to     ├ what stays
//!   bounding      what exec can still give            ┘   exec as uid 0 gives: permitted = bounding
//!   inheritable   what exec may keep for a file that asks for it        nothing
//!   ambient       what exec keeps for who is not root                   nothing
//! ```
//!
//! To clear the effective set alone is to ask the command to be so kind. To leave the bounding set is to give
//! everything back at the next `exec`, and that is the one that starts the command.
//!
//! Permitted and bounding become the same set. If permitted were less, `exec` would raise it, and the kernel
//! takes that for new rights: it would forget that the process dies with the runtime.

use std::mem;

use nix::errno::Errno;

/// By number, what stays: Docker's fourteen (capability.h), less one. Docker lets root inside make device
/// nodes, and has a filter for which of them can be opened; here there is none, and a node of the host's disk
/// would be the host's disk.
const KEPT: [(u8, &str); 13] = [
    (0, "chown"),
    (1, "dac_override"),
    (3, "fowner"),
    (4, "fsetid"),
    (5, "kill"),
    (6, "setgid"),
    (7, "setuid"),
    (8, "setpcap"),
    (10, "net_bind_service"),
    (13, "net_raw"),
    (18, "sys_chroot"),
    (29, "audit_write"),
    (31, "setfcap"),
];

/// `_LINUX_CAPABILITY_VERSION_3`: sets of 64 bits, in two halves.
const VERSION_3: u32 = 0x2008_0522;

/// The kernel's `__user_cap_header_struct`; pid 0 is the calling thread.
#[derive(Debug)]
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// The kernel's `__user_cap_data_struct`, of which there are two: the lower halves of the sets, and the upper
/// ones.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up all that does not stay, for good.
pub fn drop_most() -> nix::Result<()> {
    let mut halves = [Half::default(); 2];
    capabilities(libc::SYS_capget, &mut halves)?;
    let permitted = u64::from(halves[0].permitted) | u64::from(halves[1].permitted) << 32;
    // Not more than there is: in a container, root may have less.
    let kept = permitted & KEPT.iter().fold(0, |set, (number, _)| set | 1 << number);
    // First what needs a capability that may go next.
    lower_bounding_set(kept)?;
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL.cast_unsigned().into())?;
    let half = |bits: u64| {
        let bits = (bits & u64::from(u32::MAX)) as u32;
        Half { effective: bits, permitted: bits, inheritable: 0 }
    };
    capabilities(libc::SYS_capset, &mut [half(kept), half(kept >> 32)])
}

/// Takes from the bounding set all but `kept`, up to the last capability that this kernel knows: there it is
/// EINVAL.
fn lower_bounding_set(kept: u64) -> nix::Result<()> {
    for number in 0..u64::from(u64::BITS) {
        match prctl(libc::PR_CAPBSET_READ, number) {
            Err(Errno::EINVAL) => break,
            Ok(1) if kept & 1 << number == 0 => drop(prctl(libc::PR_CAPBSET_DROP, number)?),
            read => drop(read?),
        }
    }
    Ok(())
}

fn prctl(option: libc::c_int, argument: libc::c_ulong) -> nix::Result<libc::c_int> {
    let none: libc::c_ulong = 0;
    // SAFETY: the options used here take numbers, and no pointer.
    let result = unsafe { libc::prctl(option, argument, none, none, none) };
    Errno::result(result)
}

/// `capget` or `capset`, for which libc has no functions.
fn capabilities(call: libc::c_long, halves: &mut [Half; 2]) -> nix::Result<()> {
    let mut header = Header { version: VERSION_3, pid: 0 };
    // SAFETY: both calls take a header, which they may write, and with this version two halves, which
    // `capget` writes and `capset` reads. The types have the kernel's layout.
    let result = unsafe { libc::syscall(call, &raw mut header, halves.as_mut_ptr()) };
    debug_assert_eq!(mem::size_of_val(halves), 24);
    Errno::result(result).map(drop)
}

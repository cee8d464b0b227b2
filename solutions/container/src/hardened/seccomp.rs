//! System calls that the command cannot make: a program for the kernel, run before each call.
//!
//! ```text
//!   seccomp_data    nr │ arch │ instruction pointer │ arguments, six of 64 bits
//!   the filter      another architecture? ENOSYS      its numbers mean other calls
//!                   a number of x32?      ENOSYS      the same calls, by other numbers
//!                   one of these?         EPERM
//!                   these flags?          EPERM       numbers only: what a pointer points to cannot be seen
//!                   else                  allowed
//! ```
//!
//! It is a machine of one register (classic BPF) that can jump forwards only. Here no jump is longer than one
//! test: each test skips what belongs to it, or falls through to the next.
//!
//! `clone3` takes its flags through a pointer, so it does not exist: libc then uses `clone`, whose flags are
//! a number.
//!
//! Invariant: `install` hands the kernel a program that outlives the call. The filter cannot be taken away
//! again, survives `exec`, and is inherited.

use std::mem::offset_of;

use libc::{c_long, seccomp_data, sock_filter, sock_fprog};
use nix::errno::Errno;

/// How the kernel names the architecture that this is compiled for (`AUDIT_ARCH_…`).
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

/// From here on x86-64 has x32's numbers; other architectures have none.
const X32: u32 = 0x4000_0000;

/// Refused, whatever the arguments.
const REFUSED: [c_long; 32] = [
    // Mounts, the old way and the new one.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // Other namespaces.
    libc::SYS_setns,
    // The kernel itself, and ways to run code in it.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    // What is in no namespace: keys, file handles, the clock, accounting, quotas, the kernel's log.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_open_by_handle_at,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
];

/// Refused when an argument says so: the call, which argument, and what. Of these the kernel reads 32 bits
/// alone, so the filter must not look at the others.
const REFUSED_WITH: [(c_long, usize, Says); 4] = [
    // A new user namespace makes its owner root once more, and that is where most ways out of a container
    // begin.
    (libc::SYS_unshare, 0, Says::Bits(libc::CLONE_NEWUSER.cast_unsigned())),
    (libc::SYS_clone, 0, Says::Bits(libc::CLONE_NEWUSER.cast_unsigned())),
    // Types for whoever reads from the terminal next: the caller's shell, when the container has ended.
    (libc::SYS_ioctl, 1, Says::Number(libc::TIOCSTI as u32)),
    (libc::SYS_ioctl, 1, Says::Number(libc::TIOCLINUX as u32)),
];

/// What an argument is compared with.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// This number.
    Number(u32),
    /// Any of these bits.
    Bits(u32),
}

/// A filter that is ready to be installed.
#[derive(Debug)]
pub struct Filter {
    program: Vec<sock_filter>,
}

impl Filter {
    /// The filter for this architecture.
    #[expect(clippy::new_without_default, reason = "a filter that nobody asked for is a surprise")]
    pub fn new() -> Filter {
        let number = load(offset_of!(seccomp_data, nr));
        let mut program = vec![load(offset_of!(seccomp_data, arch))];
        program.extend([jump(libc::BPF_JEQ, ARCHITECTURE, 1, 0), refuse(Errno::ENOSYS)]);
        program.extend([number, jump(libc::BPF_JGE, X32, 0, 1), refuse(Errno::ENOSYS)]);
        program.extend([jump(libc::BPF_JEQ, libc::SYS_clone3 as u32, 0, 1), refuse(Errno::ENOSYS)]);
        for call in REFUSED {
            program.extend([jump(libc::BPF_JEQ, call as u32, 0, 1), refuse(Errno::EPERM)]);
        }
        for (call, argument, says) in REFUSED_WITH {
            let test = match says {
                Says::Number(number) => jump(libc::BPF_JEQ, number, 0, 1),
                Says::Bits(bits) => jump(libc::BPF_JSET, bits, 0, 1),
            };
            // The lower half of an argument comes first: both architectures are little-endian.
            let argument = load(offset_of!(seccomp_data, args) + 8 * argument);
            let body = [argument, test, refuse(Errno::EPERM), number];
            program.push(jump(libc::BPF_JEQ, call as u32, 0, body.len() as u8));
            program.extend(body);
        }
        program.push(give(libc::SECCOMP_RET_ALLOW));
        Filter { program }
    }

    /// Puts the calling thread under it. It needs `no_new_privs`: else a filter could deceive a program with
    /// more rights.
    pub fn install(&self) -> nix::Result<()> {
        // The kernel only reads the program; the type says otherwise.
        let program = sock_fprog { len: self.program.len() as u16, filter: self.program.as_ptr().cast_mut() };
        // SAFETY: the program outlives the call, and is as long as it says.
        let result =
            unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
        Errno::result(result).map(drop)
    }
}

/// Loads 32 bits of the call into the register.
fn load(offset: usize) -> sock_filter {
    sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: offset as u32 }
}

/// Compares the register with `k`, and skips so many instructions if it holds (`jt`), or if not (`jf`).
fn jump(comparison: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | comparison | libc::BPF_K) as u16, jt, jf, k }
}

/// Ends the program with this verdict.
fn give(verdict: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: verdict }
}

fn refuse(errno: Errno) -> sock_filter {
    give(libc::SECCOMP_RET_ERRNO | errno as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel does with the program, for the instructions that are used here.
    fn verdict(arch: u32, call: u32, args: [u64; 2]) -> u32 {
        let mut data = [call, arch, 0, 0].map(u32::to_le_bytes).concat();
        data.extend(args.map(u64::to_le_bytes).concat());
        let (mut at, mut register) = (0, 0);
        let program = Filter::new().program;
        loop {
            let sock_filter { code, jt, jf, k } = program[at];
            let (class, operation) = (u32::from(code) & 0x07, u32::from(code) & 0xf0);
            let holds = match operation {
                libc::BPF_JEQ => register == k,
                libc::BPF_JGE => register >= k,
                _ => register & k != 0,
            };
            match class {
                libc::BPF_LD => {
                    let four = data[k as usize..][..4].try_into().unwrap();
                    register = u32::from_le_bytes(four);
                }
                libc::BPF_JMP => at += usize::from(if holds { jt } else { jf }),
                _ => return k,
            }
            at += 1;
        }
    }

    fn check(call: c_long, args: [u64; 2], expected: Option<Errno>) {
        let expected =
            expected.map_or(libc::SECCOMP_RET_ALLOW, |errno| libc::SECCOMP_RET_ERRNO | errno as u32);
        assert_eq!(verdict(ARCHITECTURE, call as u32, args), expected, "call {call} with {args:x?}");
    }

    #[test]
    fn what_is_refused_is_refused_and_nothing_else() {
        for call in REFUSED {
            check(call, [0, 0], Some(Errno::EPERM));
        }
        check(libc::SYS_clone3, [0, 0], Some(Errno::ENOSYS));
        for call in [libc::SYS_read, libc::SYS_execve, libc::SYS_ptrace, libc::SYS_exit_group] {
            check(call, [u64::MAX, u64::MAX], None);
        }
    }

    #[test]
    fn arguments_are_read_as_the_kernel_reads_them() {
        let user = u64::from(libc::CLONE_NEWUSER.cast_unsigned());
        check(libc::SYS_clone, [user | 0x11, 0], Some(Errno::EPERM));
        check(libc::SYS_clone, [0x11, user], None);
        check(libc::SYS_unshare, [user, 0], Some(Errno::EPERM));
        // A filter that compares all 64 bits is passed by with one of those that the kernel does not read.
        check(libc::SYS_ioctl, [0, 1 << 32 | libc::TIOCSTI], Some(Errno::EPERM));
        check(libc::SYS_ioctl, [0, libc::TIOCGWINSZ], None);
    }

    #[test]
    fn there_is_no_second_door() {
        let enosys = libc::SECCOMP_RET_ERRNO | Errno::ENOSYS as u32;
        let i386 = 0x4000_0003;
        assert_eq!(verdict(i386, libc::SYS_read as u32, [0, 0]), enosys);
        assert_eq!(verdict(ARCHITECTURE, X32 | libc::SYS_mount as u32, [0, 0]), enosys);
    }
}

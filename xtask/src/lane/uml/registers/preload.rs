//! Stands before libc's `ptrace` in User-Mode Linux, and completes registers that are written back only in part. Compiled
//! by itself: see `registers.rs`.
//!
//! ```text
//!   PTRACE_SETREGSET(NT_X86_XSTATE, the first 2,696 bytes)  ─► EFAULT
//!   PTRACE_GETREGSET(…, all of them)  ─► the first replaced by those  ─► PTRACE_SETREGSET(…, all of them)
//! ```
//!
//! What lies behind are the tiles of AMX, which no guest can enable: they stay what they are. Only one thread of User-Mode
//! Linux traces, and no interrupt handler of it does, so one buffer is enough; its stacks would be too small for it.

#![no_std]

use core::{
    arch::asm,
    ffi::{c_int, c_long},
    ptr,
};

const SYS_PTRACE: isize = 101;
const PEEKS: core::ops::RangeInclusive<c_long> = 1..=3;
const GETREGSET: c_long = 0x4204;
const SETREGSET: c_long = 0x4205;
const NT_X86_XSTATE: usize = 0x202;
const EFAULT: isize = 14;

/// Where the header of an XSAVE area says which parts of it are in use.
const IN_USE_AT: usize = 512;
/// The parts that lie in the first 2,696 bytes: x87 to the protection keys.
const KNOWN_PARTS: u64 = (1 << 10) - 1;
/// More than any processor's registers.
const ROOM: usize = 32 << 10;

#[repr(C)]
struct IoVec {
    base: *mut u8,
    length: usize,
}

#[repr(C, align(64))]
struct Registers([u8; ROOM]);

static mut WHOLE: Registers = Registers([0; ROOM]);

unsafe extern "C" {
    fn __errno_location() -> *mut c_int;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// ptrace(2) as libc has it.
///
/// # Safety
/// As of libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ptrace(request: c_long, pid: c_long, address: usize, data: usize) -> c_long {
    // The system call stores what it peeks at; libc's function returns it.
    let mut peeked: usize = 0;
    let peeks = PEEKS.contains(&request);
    let target = if peeks { &raw mut peeked as usize } else { data };
    // SAFETY: the caller's own request, but for a place to store a word that lives across the call.
    let mut result = unsafe { call(request, pid, address, target) };
    if request == SETREGSET && address == NT_X86_XSTATE && result == -EFAULT {
        // SAFETY: for this request the caller passes an iovec.
        result = unsafe { write_whole(pid, &*(data as *const IoVec)) };
    }
    // SAFETY: libc's own place for this thread's error.
    let error = unsafe { &mut *__errno_location() };
    match result {
        ..0 => {
            *error = -result as c_int;
            -1
        }
        _ if peeks => {
            *error = 0;
            peeked as c_long
        }
        _ => result as c_long,
    }
}

/// Writes all registers, of which `given` are the first.
///
/// # Safety
/// `given` names readable memory, and no other thread is in here.
unsafe fn write_whole(pid: c_long, given: &IoVec) -> isize {
    let whole = (&raw mut WHOLE).cast::<u8>();
    let mut all = IoVec { base: whole, length: ROOM };
    // SAFETY: the kernel writes at most ROOM bytes to the buffer, and how many to the iovec.
    let read = unsafe { call(GETREGSET, pid, NT_X86_XSTATE, &raw mut all as usize) };
    if read < 0 || given.length > all.length {
        return if read < 0 { read } else { -EFAULT };
    }
    // SAFETY: within the buffer, which is aligned for it.
    let in_use = unsafe { whole.add(IN_USE_AT) }.cast::<u64>();
    // SAFETY: as above; the buffer is initialised.
    let further = unsafe { in_use.read() } & !KNOWN_PARTS;
    // SAFETY: `given` is no longer than the buffer, and lies elsewhere.
    unsafe { ptr::copy_nonoverlapping(given.base, whole, given.length) };
    // SAFETY: as above.
    unsafe { in_use.write(in_use.read() & KNOWN_PARTS | further) };
    // SAFETY: the kernel reads what it wrote itself, with the caller's registers in it.
    unsafe { call(SETREGSET, pid, NT_X86_XSTATE, &raw mut all as usize) }
}

/// The system call itself.
///
/// # Safety
/// As of the request.
unsafe fn call(request: c_long, pid: c_long, address: usize, data: usize) -> isize {
    let result;
    // SAFETY: the calling convention of x86-64 Linux.
    unsafe {
        asm!("syscall", inlateout("rax") SYS_PTRACE => result, in("rdi") request, in("rsi") pid,
             in("rdx") address, in("r10") data, out("rcx") _, out("r11") _, options(nostack));
    }
    result
}

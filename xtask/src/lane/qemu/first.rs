//! The first program of an emulated machine: makes the machine outside its root, and becomes the suite there. Compiled by
//! itself, without libc: see `initramfs.rs`.
//!
//! ```text
//!   kernel ─► /init SUITE init ERRAND     in the initramfs
//!               load /0.ko, /1.ko, …      whatever it takes to reach the root
//!               mount 9p on /root; move it to /; chroot
//!             SUITE init ERRAND           the same process
//! ```
//!
//! A kernel's first process may not end. So each step that fails ends the machine with a word on its console, and with
//! a panic.

#![no_std]
#![no_main]

use core::{
    arch::{asm, global_asm},
    ffi::{CStr, c_char},
    ptr,
};

const SYS_WRITE: usize = 1;
const SYS_OPEN: usize = 2;
const SYS_EXECVE: usize = 59;
const SYS_EXIT: usize = 60;
const SYS_CHDIR: usize = 80;
const SYS_CHROOT: usize = 161;
const SYS_MOUNT: usize = 165;
const SYS_FINIT_MODULE: usize = 313;

const MS_RDONLY: usize = 1;
const MS_MOVE: usize = 8192;

// The kernel hands over the arguments on the stack, which `start` takes as its own argument.
global_asm!(".globl _start", "_start:", "mov rdi, rsp", "and rsp, -16", "call {start}", "ud2", start = sym start);

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    fail(c"panicked")
}

/// # Safety
/// `stack` is what the kernel leaves there: a count, that many strings, and an end.
unsafe extern "C" fn start(stack: *const *const c_char) -> ! {
    load_modules();
    check(
        call(SYS_MOUNT, [at(c"root"), at(c"/root"), at(c"9p"), MS_RDONLY, at(OPTIONS)]),
        c"cannot mount the root",
    );
    check(call(SYS_CHDIR, [at(c"/root"), 0, 0, 0, 0]), c"cannot enter the root");
    check(call(SYS_MOUNT, [at(c"."), at(c"/"), 0, MS_MOVE, 0]), c"cannot move the root");
    check(call(SYS_CHROOT, [at(c"."), 0, 0, 0, 0]), c"cannot change the root");
    // SAFETY: behind the count and this program's own name stands the suite's.
    let arguments = unsafe { stack.add(2) };
    let nothing: *const c_char = ptr::null();
    // SAFETY: the kernel passes a suite, or the end of its list.
    let suite = unsafe { *arguments };
    call(SYS_EXECVE, [suite as usize, arguments as usize, &raw const nothing as usize, 0, 0]);
    fail(c"cannot execute the suite")
}

const OPTIONS: &CStr = c"trans=virtio,version=9p2000.L,msize=262144,cache=loose";

/// Modules are numbered in the order in which one needs the other.
fn load_modules() {
    let mut path = *b"/00.ko\0";
    for number in 0..100 {
        (path[1], path[2]) = (b'0' + number / 10, b'0' + number % 10);
        let file = call(SYS_OPEN, [path.as_ptr() as usize, 0, 0, 0, 0]);
        if file < 0 {
            return;
        }
        check(call(SYS_FINIT_MODULE, [file as usize, at(c""), 0, 0, 0]), c"cannot load a module");
    }
}

fn check(result: isize, problem: &CStr) {
    if result < 0 {
        fail(problem);
    }
}

fn fail(problem: &CStr) -> ! {
    for text in [c"the lab: ", problem, c"\n"] {
        call(SYS_WRITE, [1, at(text), text.count_bytes(), 0, 0]);
    }
    loop {
        call(SYS_EXIT, [70, 0, 0, 0, 0]);
    }
}

fn at(text: &CStr) -> usize {
    text.as_ptr() as usize
}

fn call(number: usize, arguments: [usize; 5]) -> isize {
    let [a, b, c, d, e] = arguments;
    let result;
    // SAFETY: the calling convention of x86-64 Linux; every pointer that is passed here lives as long as the process.
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result, in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d,
             in("r8") e, out("rcx") _, out("r11") _, options(nostack));
    }
    result
}

//! A shortcut for Rust libraries: a panic cannot leave an `extern "C"` function, so the runtime panics about that as
//! well, prints a backtrace of everything, and aborts. Looking up its symbols takes a second; what there is to say was
//! said before, so the process aborts as soon as that second panic is announced.

use std::ffi::c_void;

/// What the runtime says of a panic that would leave an `extern "C"` function.
const CONSEQUENCE: &[u8] = b"panic in a function that cannot unwind";

/// write(2), for the library and everybody else in this process.
///
/// # Safety
/// As for libc's.
// SAFETY: takes the place of libc's function, and does what that does.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(descriptor: i32, bytes: *const c_void, count: usize) -> isize {
    // SAFETY: the caller's promise; the kernel checks the range.
    let written = unsafe { libc::syscall(libc::SYS_write, descriptor, bytes, count) };
    if descriptor == libc::STDERR_FILENO && usize::try_from(written) == Ok(count) {
        // SAFETY: the kernel has just read as many bytes from there.
        let text = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) };
        if text.windows(CONSEQUENCE.len()).any(|window| window == CONSEQUENCE) {
            // SAFETY: takes no lock; the handler, if there is one, has the last words.
            unsafe { libc::abort() };
        }
    }
    written as isize
}

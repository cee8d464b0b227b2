//! Preloaded into real programs: their malloc becomes the subject's, or their requests are recorded.
//!
//! ```text
//!   LD_PRELOAD="libsubject.so libmalloc_preload.so" ls        malloc -> shim     -> my_malloc of the subject
//!   LD_PRELOAD=libmalloc_preload.so GROUNDWORK_RECORD=f ls    malloc -> recorder -> libc, and a line in f.PID
//!   LD_PRELOAD=libmalloc_preload.so ls                        malloc -> libc
//! ```
//!
//! These functions are called before the program's first line, by the loader itself: nothing here has to be set up, and
//! nothing allocates. That rules out most of std, panics included.

mod libc_heap;
mod recorder;
mod shim;

use std::{
    ffi::{c_int, c_void},
    ptr,
};

/// Alignment that is promised to everybody who does not ask for more: `max_align_t` on 64-bit systems.
const ALIGNMENT: usize = 16;

/// The system's page size, or one that is a multiple of it: what `valloc` aligns to.
const PAGE: usize = 4096;

// SAFETY: the same signature and meaning as libc's (malloc(3)); so for all the symbols below.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    match shim::subject() {
        Some(subject) => shim::malloc(subject, size),
        None => recorder::malloc(size, libc_heap::malloc),
    }
}

// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn free(block: *mut c_void) {
    match shim::subject() {
        Some(subject) => shim::free(subject, block),
        None => recorder::free(block),
    }
}

// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    match shim::subject() {
        Some(subject) => shim::calloc(subject, count, size),
        None => recorder::calloc(count, size),
    }
}

// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    match shim::subject() {
        Some(subject) => shim::realloc(subject, block, size),
        None => recorder::realloc(block, size),
    }
}

// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        Some(total) => realloc(block, total),
        None => no_memory(),
    }
}

// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
    match shim::subject() {
        Some(subject) => shim::memalign(subject, alignment, size),
        None => recorder::malloc(size, |size| libc_heap::memalign(alignment, size)),
    }
}

// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    memalign(alignment, size)
}

// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn posix_memalign(to: *mut *mut c_void, alignment: usize, size: usize) -> c_int {
    if !alignment.is_power_of_two() || alignment < size_of::<usize>() {
        return libc::EINVAL;
    }
    let block = memalign(alignment, size);
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller's pointer to a variable of its own.
    unsafe { *to = block };
    0
}

// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn valloc(size: usize) -> *mut c_void {
    memalign(PAGE, size)
}

// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn pvalloc(size: usize) -> *mut c_void {
    match size.checked_next_multiple_of(PAGE) {
        Some(pages) => memalign(PAGE, pages),
        None => no_memory(),
    }
}

// SAFETY: see `malloc`. A program may use no more than this says, and has what it asked for in any case.
#[unsafe(no_mangle)]
extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    match shim::subject() {
        Some(_) => shim::usable_size(block),
        None => libc_heap::usable_size(block),
    }
}

/// Null, for the reason that there is no memory.
fn no_memory() -> *mut c_void {
    set_errno(libc::ENOMEM);
    ptr::null_mut()
}

fn errno() -> c_int {
    let errno = errno_location();
    // SAFETY: this thread's errno stands as long as the thread.
    unsafe { *errno }
}

fn set_errno(value: c_int) {
    let errno = errno_location();
    // SAFETY: as above.
    unsafe { *errno = value };
}

fn errno_location() -> *mut c_int {
    // SAFETY: asks for a pointer.
    unsafe { libc::__errno_location() }
}

//! malloc on top of `my_malloc`: what a program may ask for and the subject's contract does not have.
//!
//! ```text
//!   base (from my_malloc)         place                         a block aligned to more than 16 bytes is cut out of
//!   │ up to alignment - 16 bytes │ size bytes           │       a larger one; `cuts` knows place -> base, size
//! ```
//!
//! A request for no bytes asks the subject for one: null would mean failure to many programs.

mod cuts;

use std::{arch::global_asm, ffi::c_void, ptr};

use cuts::Cut;

use crate::{ALIGNMENT, errno, no_memory, set_errno};

type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);
type Calloc = unsafe extern "C" fn(usize, usize) -> *mut c_void;
type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;

/// The subject's functions.
#[repr(C)]
pub(super) struct Subject {
    malloc: Option<Malloc>,
    free: Option<Free>,
    calloc: Option<Calloc>,
    realloc: Option<Realloc>,
}

// The loader fills this in before anything runs. dlsym may allocate: the first malloc would come too soon for it.
// A weak symbol that nobody defines is null.
global_asm!(
    ".weak my_malloc",
    ".weak my_free",
    ".weak my_calloc",
    ".weak my_realloc",
    ".pushsection .data.rel.ro.groundwork_subject, \"aw\"",
    ".globl groundwork_subject",
    ".hidden groundwork_subject",
    ".balign 8",
    "groundwork_subject:",
    ".quad my_malloc",
    ".quad my_free",
    ".quad my_calloc",
    ".quad my_realloc",
    ".popsection",
);

unsafe extern "C" {
    #[link_name = "groundwork_subject"]
    static SUBJECT: Subject;
}

/// The subject, if one is preloaded too.
pub(super) fn subject() -> Option<&'static Subject> {
    // SAFETY: nothing writes to it once the loader has.
    let subject = unsafe { &SUBJECT };
    subject.malloc.is_some().then_some(subject)
}

/// A function of the subject's; a program cannot run without any of them.
fn known<F>(function: Option<F>, name: &str) -> F {
    let Some(function) = function else {
        for text in ["the library has no ", name, "\n"] {
            // SAFETY: a pointer and its length.
            unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
        }
        // SAFETY: ends the process without running anything of it.
        unsafe { libc::_exit(127) }
    };
    function
}

fn or_no_memory(block: *mut c_void) -> *mut c_void {
    if block.is_null() { no_memory() } else { block }
}

pub(super) fn malloc(subject: &Subject, size: usize) -> *mut c_void {
    let malloc = known(subject.malloc, "my_malloc");
    // SAFETY: the contract: any size may be asked for.
    or_no_memory(unsafe { malloc(size.max(1)) })
}

pub(super) fn calloc(subject: &Subject, count: usize, size: usize) -> *mut c_void {
    let calloc = known(subject.calloc, "my_calloc");
    let (count, size) = if count == 0 || size == 0 { (1, 1) } else { (count, size) };
    // SAFETY: the contract: any product may be asked for.
    or_no_memory(unsafe { calloc(count, size) })
}

/// As glibc's, it leaves errno as it is.
pub(super) fn free(subject: &Subject, block: *mut c_void) {
    let free = known(subject.free, "my_free");
    let base = cuts::remove(block).map_or(block, |cut| ptr::with_exposed_provenance_mut(cut.base));
    let before = errno();
    // SAFETY: the program's block, which came from the subject, or null.
    unsafe { free(base) };
    set_errno(before);
}

pub(super) fn realloc(subject: &Subject, block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return malloc(subject, size);
    }
    let Some(cut) = cuts::find(block) else {
        let realloc = known(subject.realloc, "my_realloc");
        // SAFETY: the program's block, which came from the subject.
        let new = unsafe { realloc(block, size) };
        return if size == 0 { new } else { or_no_memory(new) };
    };
    let new = malloc(subject, size);
    if !new.is_null() {
        // SAFETY: both blocks are at least as large as the smaller size, and live.
        unsafe { ptr::copy_nonoverlapping(block.cast::<u8>(), new.cast(), size.min(cut.size)) };
        free(subject, block);
    }
    new
}

pub(super) fn memalign(subject: &Subject, alignment: usize, size: usize) -> *mut c_void {
    let Some(alignment) = alignment.checked_next_power_of_two() else { return no_memory() };
    if alignment <= ALIGNMENT {
        return malloc(subject, size);
    }
    let Some(room) = size.checked_add(alignment - ALIGNMENT) else { return no_memory() };
    let base = malloc(subject, room);
    let place = base.map_addr(|address| address.wrapping_add(alignment - 1) & !(alignment - 1));
    if base.is_null() || place == base {
        return base;
    }
    if !cuts::insert(place, Cut { base: base.expose_provenance(), size }) {
        free(subject, base);
        return no_memory();
    }
    place
}

/// What is known to be usable: of blocks that were cut alone. 0 makes no program use more than it asked for.
pub(super) fn usable_size(block: *mut c_void) -> usize {
    cuts::find(block).map_or(0, |cut| cut.size)
}

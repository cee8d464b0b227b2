//! Your allocator. The specification is in this crate's README.md, and each stage has a page in `stages/`.
//!
//! What is graded is the library, and so the four functions below, which are given, as is `os.rs`: they turn
//! C's pointers into Rust's and call your functions. Begin in `heap.rs`. The other modules are a suggestion,
//! one a stage, with the types and verbs that the reference solution has; a stage needs none of those that
//! come later. Change them, or do it your way: the grader looks at what the library returns, at what becomes
//! of the bytes, and at what it asks of the kernel.
//!
//! In these modules nothing may allocate: no `Vec`, no `Box`, no `String`, no `println!`. `eprintln!` is fine.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

// What the kernel offers (given), and what the heap is made of.
pub mod block;
pub mod os;

// Stage 1: what is free is in a list.
pub mod first_fit;

// Stage 2: what is free and adjacent is one block.
pub mod coalescing;

// Stage 3: what is too large is cut.
pub mod splitting;

// Stage 4: what cannot be is refused.
pub mod edges;

// Stage 5: what was allocated changes its size.
pub mod realloc;

// Stage 6: what is used by many threads is locked, and what is used by one is not.
pub mod real_programs;

// Stage 7: what fits is found at once.
pub mod utilisation_and_speed;

// All of them, tied together. Begin here.
pub mod heap;

/// `void *my_malloc(size_t size)`: memory for `size` bytes, aligned to 16; null if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn my_malloc(size: usize) -> *mut c_void {
    to_c(heap::malloc(size))
}

/// `void my_free(void *payload)`: takes memory back; nothing if it is null.
///
/// # Safety
///
/// `payload` is null, or came from these functions and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn my_free(payload: *mut c_void) {
    if let Some(payload) = NonNull::new(payload) {
        // SAFETY: the caller's promise, and it is not null.
        unsafe { heap::free(payload.cast()) };
    }
}

/// `void *my_calloc(size_t count, size_t size)`: zeroed memory for an array; null if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn my_calloc(count: usize, size: usize) -> *mut c_void {
    to_c(realloc::calloc(count, size))
}

/// `void *my_realloc(void *payload, size_t size)`: the same contents in memory of another size; null if
/// there is none, and then `payload` is as before. From null it allocates; to 0 it frees, and returns null.
///
/// # Safety
///
/// `payload` is null, or came from these functions and was not freed. Once memory is returned, or `size` is
/// 0, it is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn my_realloc(payload: *mut c_void, size: usize) -> *mut c_void {
    let Some(old) = NonNull::new(payload) else { return my_malloc(size) };
    if size == 0 {
        // SAFETY: the caller's promise.
        unsafe { my_free(payload) };
        return ptr::null_mut();
    }
    // SAFETY: the caller's promise, and it is not null.
    to_c(unsafe { realloc::realloc(old.cast(), size) })
}

/// C says null where Rust says `None`.
fn to_c(payload: Option<NonNull<u8>>) -> *mut c_void {
    payload.map_or(ptr::null_mut(), |payload| payload.as_ptr().cast())
}

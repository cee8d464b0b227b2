//! A memory allocator: memory from the kernel comes in large pieces and stays; programs want small ones, in
//! any order, and give them back in any other. In between lies the heap, and its whole art is to know what is
//! free, and to keep it in large pieces.
//!
//! # The life of a request
//!
//! 1. [`my_malloc`] has [`edges`] make a block size of it: room for a header, aligned, or too large.
//! 2. The thread's [`Cache`](real_programs::Cache) may have just such a block: done, without a lock.
//! 3. Else [`Bins`](utilisation_and_speed::Bins) finds a free block, [`split`](splitting::split) cuts it to
//!    size, and the rest goes back into its bin.
//! 4. Only when there is none is the kernel asked, by [`Heap`](heap::Heap): a large block is a mapping of its
//!    own; else the break moves.
//!
//! # And of a block
//!
//! [`my_free`] finds its header 8 bytes before the address, and leaves it to the cache. When that is full it
//! goes to the heap, where [`coalesce`](coalescing::coalesce) makes one block of it and its free neighbours.
//! If that is large and lies at the end, the break moves back.
//!
//! The modules stand in the order of the stages.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

// What the kernel offers, and what the heap is made of.
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

// All of them, tied together.
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

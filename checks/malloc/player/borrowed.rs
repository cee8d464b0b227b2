//! libc's malloc family as the library sees it: passed on, but counted, and what it returned remembered.
//!
//! An allocator that borrows libc's proves nothing. *Borrowed* is what a thread inside the library takes or gives back.
//! The loader and libc itself allocate too, on anybody's behalf (a thread's variables on first use, their destructors):
//! each entry therefore hands on the address that it returns to, and callers that were there before the library are
//! excused. No block from here is one that the library may hand out, whoever asked for it.

use std::{
    arch::naked_asm,
    ffi::{c_int, c_void},
    ptr,
    sync::atomic::{
        AtomicBool, AtomicU64, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use crate::{kernel, library::objects};

/// Kinds of calls, as [`crate::wire::seen::BORROWED_FIRST`] numbers them.
mod kind {
    pub(crate) const MALLOC: u64 = 1;
    pub(crate) const CALLOC: u64 = 2;
    pub(crate) const REALLOC: u64 = 3;
    pub(crate) const MEMALIGN: u64 = 4;
    pub(crate) const FREE: u64 = 5;
}

/// Blocks that are remembered at most: one would do to give an allocator away.
const REMEMBERED: usize = 4096;
/// Segments whose calls are excused at most: those of libc, the loader, and what else the player is linked to.
const EXCUSED: usize = 32;
/// Room for the loader's own notes, in libc's heap. Not so much that libc would take a mapping of its own for it.
const LOADER_ROOM: usize = 120 << 10;

static CALLS: AtomicU64 = AtomicU64::new(0);
static FIRST_KIND: AtomicU64 = AtomicU64::new(0);
/// The operation that is being played.
static OPERATION: AtomicU64 = AtomicU64::new(0);
static FIRST_OPERATION: AtomicU64 = AtomicU64::new(0);
/// Set while the library is being loaded: its dependencies may allocate then.
static IS_LOADING: AtomicBool = AtomicBool::new(false);

static BLOCKS: [Extent; REMEMBERED] = [const { Extent::new() }; REMEMBERED];
static BLOCK_COUNT: AtomicUsize = AtomicUsize::new(0);
static IS_LOCKED: AtomicBool = AtomicBool::new(false);

static CALLERS: [Extent; EXCUSED] = [const { Extent::new() }; EXCUSED];
static CALLER_COUNT: AtomicUsize = AtomicUsize::new(0);

/// `start..end`.
struct Extent {
    start: AtomicUsize,
    end: AtomicUsize,
}

impl Extent {
    const fn new() -> Self {
        Self { start: AtomicUsize::new(0), end: AtomicUsize::new(0) }
    }

    fn set(&self, start: usize, end: usize) {
        self.start.store(start, Relaxed);
        self.end.store(end, Relaxed);
    }

    fn meets(&self, start: usize, end: usize) -> bool {
        start < self.end.load(Relaxed) && end > self.start.load(Relaxed)
    }
}

/// Calls so far.
pub(crate) fn calls() -> u64 {
    CALLS.load(Relaxed)
}

/// The first call's kind, and the operation inside which it came.
pub(crate) fn first() -> (u64, u64) {
    (FIRST_KIND.load(Relaxed), FIRST_OPERATION.load(Relaxed))
}

/// Tells which operation is being played.
pub(crate) fn at(operation: u64) {
    OPERATION.store(operation, Relaxed);
}

/// Makes libc ready for a library that must not be disturbed by it, and excuses all that is loaded so far; the player
/// itself is not: a function that ends with `return malloc(n)` may jump there, to return to the player directly.
pub(crate) fn prepare() {
    let objects = objects();
    let others = objects.iter().skip(1).flat_map(|object| &object.segments).take(EXCUSED);
    for (index, (start, end)) in others.enumerate() {
        CALLERS[index].set(*start, *end);
        CALLER_COUNT.store(index + 1, Relaxed);
    }
    make_room_for_the_loader();
}

/// Lets libc's heap hold what the loader will need, so that break and footprint stay where they are.
pub(crate) fn make_room_for_the_loader() {
    // SAFETY: settings of libc's malloc: one arena, for all threads, that is never given back.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    // SAFETY: as above.
    unsafe { libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX) };
    // SAFETY: libc's malloc takes any size.
    let room = unsafe { __libc_malloc(LOADER_ROOM) };
    // SAFETY: the block just taken.
    unsafe { __libc_free(room) };
}

/// Runs `load` without counting calls; what they return is remembered all the same.
pub(crate) fn while_loading<T>(load: impl FnOnce() -> T) -> T {
    IS_LOADING.store(true, Relaxed);
    let result = load();
    IS_LOADING.store(false, Relaxed);
    result
}

/// Whether `start..end` meets a block that libc's malloc gave the library.
pub(crate) fn meets(start: usize, end: usize) -> bool {
    if BLOCK_COUNT.load(Relaxed) == 0 {
        return false;
    }
    locked(|count| BLOCKS[..count].iter().any(|block| block.meets(start, end)))
}

fn locked<T>(work: impl FnOnce(usize) -> T) -> T {
    while IS_LOCKED.swap(true, Acquire) {
        std::hint::spin_loop();
    }
    let result = work(BLOCK_COUNT.load(Relaxed));
    IS_LOCKED.store(false, Release);
    result
}

/// Counts a call if it is the library's own; whether it was made inside the library at all, by whomever.
fn is_noted(kind: u64, caller: usize) -> bool {
    if !kernel::is_inside() {
        return false;
    }
    let is_excused =
        || CALLERS[..CALLER_COUNT.load(Relaxed)].iter().any(|extent| extent.meets(caller, caller + 1));
    if !IS_LOADING.load(Relaxed) && !is_excused() && CALLS.fetch_add(1, Relaxed) == 0 {
        FIRST_KIND.store(kind, Relaxed);
        FIRST_OPERATION.store(OPERATION.load(Relaxed), Relaxed);
    }
    true
}

fn remember(block: *mut c_void, size: usize) {
    locked(|count| {
        if !block.is_null() && count < REMEMBERED {
            BLOCKS[count].set(block.addr(), block.addr() + size.max(1));
            BLOCK_COUNT.store(count + 1, Relaxed);
        }
    });
}

fn forget(block: *mut c_void) {
    locked(|count| {
        let known = BLOCKS[..count].iter().position(|extent| extent.start.load(Relaxed) == block.addr());
        if let Some(index) = known {
            let last = &BLOCKS[count - 1];
            BLOCKS[index].set(last.start.load(Relaxed), last.end.load(Relaxed));
            BLOCK_COUNT.store(count - 1, Relaxed);
        }
    });
}

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
}

/// A symbol of libc's, which goes on to `$inner` with the address that it returns to as one more argument.
macro_rules! entry {
    ($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?, $inner:ident, $x86_64:literal, $aarch64:literal) => {
        // SAFETY: the same signature and meaning as libc's. The one more argument goes where C's calling convention
        // wants it, nothing else is touched, and `$inner` returns straight to the caller.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        extern "C" fn $name($($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            naked_asm!(concat!("mov ", $x86_64, ", [rsp]"), "jmp {}", sym $inner);
            #[cfg(target_arch = "aarch64")]
            naked_asm!(concat!("mov ", $aarch64, ", x30"), "b {}", sym $inner);
        }
    };
}

entry!(malloc(_size: usize) -> *mut c_void, malloc_for, "rsi", "x1");
entry!(calloc(_count: usize, _size: usize) -> *mut c_void, calloc_for, "rdx", "x2");
entry!(realloc(_block: *mut c_void, _size: usize) -> *mut c_void, realloc_for, "rdx", "x2");
entry!(reallocarray(_block: *mut c_void, _count: usize, _size: usize) -> *mut c_void, reallocarray_for, "rcx", "x3");
entry!(free(_block: *mut c_void), free_for, "rsi", "x1");
entry!(memalign(_alignment: usize, _size: usize) -> *mut c_void, memalign_for, "rdx", "x2");
entry!(aligned_alloc(_alignment: usize, _size: usize) -> *mut c_void, memalign_for, "rdx", "x2");
entry!(posix_memalign(_to: *mut *mut c_void, _alignment: usize, _size: usize) -> c_int, posix_memalign_for, "rcx", "x3");
entry!(valloc(_size: usize) -> *mut c_void, valloc_for, "rsi", "x1");

extern "C" fn malloc_for(size: usize, caller: usize) -> *mut c_void {
    // SAFETY: libc's malloc takes any size.
    let block = unsafe { __libc_malloc(size) };
    if is_noted(kind::MALLOC, caller) {
        remember(block, size);
    }
    block
}

extern "C" fn calloc_for(count: usize, size: usize, caller: usize) -> *mut c_void {
    // SAFETY: libc's calloc takes any size.
    let block = unsafe { __libc_calloc(count, size) };
    if is_noted(kind::CALLOC, caller) {
        remember(block, count.saturating_mul(size));
    }
    block
}

extern "C" fn realloc_for(old: *mut c_void, size: usize, caller: usize) -> *mut c_void {
    // SAFETY: the caller's own request, passed on.
    let block = unsafe { __libc_realloc(old, size) };
    if is_noted(kind::REALLOC, caller) {
        if !block.is_null() || size == 0 {
            forget(old);
        }
        remember(block, size);
    }
    block
}

extern "C" fn reallocarray_for(old: *mut c_void, count: usize, size: usize, caller: usize) -> *mut c_void {
    match count.checked_mul(size) {
        Some(total) => realloc_for(old, total, caller),
        None => ptr::null_mut(),
    }
}

extern "C" fn free_for(block: *mut c_void, caller: usize) {
    if is_noted(kind::FREE, caller) {
        forget(block);
    }
    // SAFETY: the caller's own request, passed on.
    unsafe { __libc_free(block) };
}

extern "C" fn memalign_for(alignment: usize, size: usize, caller: usize) -> *mut c_void {
    // SAFETY: libc's memalign takes any size, and rounds any alignment up.
    let block = unsafe { __libc_memalign(alignment, size) };
    if is_noted(kind::MEMALIGN, caller) {
        remember(block, size);
    }
    block
}

extern "C" fn posix_memalign_for(
    to: *mut *mut c_void,
    alignment: usize,
    size: usize,
    caller: usize,
) -> c_int {
    if !alignment.is_power_of_two() || alignment < size_of::<usize>() {
        return libc::EINVAL;
    }
    let block = memalign_for(alignment, size, caller);
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller's pointer to a variable of its own.
    unsafe { *to = block };
    0
}

extern "C" fn valloc_for(size: usize, caller: usize) -> *mut c_void {
    memalign_for(kernel::page(), size, caller)
}

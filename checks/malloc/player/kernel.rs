//! `sbrk`, `mmap` and their kin as the library sees them: counted, made to fail, guarded.
//!
//! The player exports these symbols, so that they stand before libc's for every library that it loads. A *growth call*
//! is one that asks for more memory while a thread is inside the library: `sbrk` and `brk` upwards, `mmap`, `mremap` to
//! a larger size, `mprotect` that makes writable what was reserved. Failed ones count too. Outside, all calls are passed on.
//!
//! `sbrk` and `brk` go to libc's, which keeps the break in a variable of its own; the others straight to the kernel.

use std::{
    ffi::{CStr, c_int, c_long, c_void},
    mem, ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU64, AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
};

/// The page size of every platform this runs on is at least this; asked of the kernel once.
static PAGE: AtomicUsize = AtomicUsize::new(4096);

/// Threads inside the library.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
static GROWTH_CALLS: AtomicU64 = AtomicU64::new(0);
static FAILED_CALLS: AtomicU64 = AtomicU64::new(0);
static SHARED_CALLS: AtomicU64 = AtomicU64::new(0);

/// Growth calls that succeed before any fails, and then those that fail.
static SPARED: AtomicU64 = AtomicU64::new(0);
static FAILING: AtomicU64 = AtomicU64::new(0);

static GUARD_PAGES: AtomicBool = AtomicBool::new(false);

static LIBC_SBRK: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static LIBC_BRK: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Looks up what calls are passed on to. Before that nobody may move the break.
pub(crate) fn prepare() {
    // SAFETY: sysconf reads a constant of the system.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    PAGE.store(page as usize, Relaxed);
    LIBC_SBRK.store(next_symbol(c"sbrk"), Relaxed);
    LIBC_BRK.store(next_symbol(c"brk"), Relaxed);
}

fn next_symbol(name: &CStr) -> *mut c_void {
    // SAFETY: `name` is a C string; RTLD_NEXT looks behind the player, where libc is.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

/// Calls into the library: what it asks the kernel for meanwhile counts.
#[inline]
pub(crate) fn inside<T>(call: impl FnOnce() -> T) -> T {
    INSIDE.fetch_add(1, SeqCst);
    let result = call();
    INSIDE.fetch_sub(1, SeqCst);
    result
}

pub(crate) fn is_inside() -> bool {
    INSIDE.load(Relaxed) != 0
}

pub(crate) fn growth_calls() -> u64 {
    GROWTH_CALLS.load(Relaxed)
}

pub(crate) fn failed_calls() -> u64 {
    FAILED_CALLS.load(Relaxed)
}

/// Growth calls for memory that a forked child would share.
pub(crate) fn shared_calls() -> u64 {
    SHARED_CALLS.load(Relaxed)
}

/// From now on `spared` growth calls succeed and the next `failing` fail.
pub(crate) fn fail_growth(spared: u64, failing: u64) {
    SPARED.store(spared, Relaxed);
    FAILING.store(failing, Relaxed);
}

/// From now on a page that cannot be touched lies behind what `mmap` returns.
pub(crate) fn guard_pages() {
    GUARD_PAGES.store(true, Relaxed);
}

pub(crate) fn page() -> usize {
    PAGE.load(Relaxed)
}

/// Moves the break as somebody other than the library: not a growth call. None when the system refuses.
pub(crate) fn move_break(increment: isize) -> Option<usize> {
    let old = libc_sbrk(increment);
    (old.addr() != usize::MAX).then_some(old.addr())
}

/// A system call past every libc symbol; all arguments as wide as registers, which `syscall` takes them from. As libc's
/// own calls: -1 and errno when it fails.
pub(crate) fn system_call(number: c_long, arguments: [usize; 6]) -> usize {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the callers of this function: they map memory where nothing is, or pass on the library's own requests.
    unsafe { libc::syscall(number, a, b, c, d, e, f) as usize }
}

fn libc_sbrk(increment: isize) -> *mut c_void {
    // SAFETY: what dlsym found under this name is libc's sbrk, of this type.
    let function: extern "C" fn(isize) -> *mut c_void = unsafe { mem::transmute(LIBC_SBRK.load(Relaxed)) };
    function(increment)
}

/// Counts a growth call; whether it may go on. Sets errno if not.
fn is_granted() -> bool {
    if !is_inside() {
        return true;
    }
    GROWTH_CALLS.fetch_add(1, Relaxed);
    if FAILING.load(Relaxed) == 0 {
        return true;
    }
    if SPARED.load(Relaxed) > 0 {
        SPARED.fetch_sub(1, Relaxed);
        return true;
    }
    FAILING.fetch_sub(1, Relaxed);
    FAILED_CALLS.fetch_add(1, Relaxed);
    // SAFETY: errno is this thread's own.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above: a valid pointer for as long as the thread lives.
    unsafe { *errno = libc::ENOMEM };
    false
}

// SAFETY: the same signature and meaning as libc's; so for all the symbols below.
#[unsafe(no_mangle)]
extern "C" fn sbrk(increment: isize) -> *mut c_void {
    if increment > 0 && !is_granted() {
        return libc::MAP_FAILED;
    }
    libc_sbrk(increment)
}

// SAFETY: see `sbrk`.
#[unsafe(no_mangle)]
extern "C" fn brk(end: *mut c_void) -> c_int {
    if end.addr() > libc_sbrk(0).addr() && !is_granted() {
        return -1;
    }
    // SAFETY: what dlsym found under this name is libc's brk, of this type.
    let function: extern "C" fn(*mut c_void) -> c_int = unsafe { mem::transmute(LIBC_BRK.load(Relaxed)) };
    function(end)
}

// SAFETY: see `sbrk`.
#[unsafe(no_mangle)]
extern "C" fn mmap(
    hint: *mut c_void,
    length: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> *mut c_void {
    if !is_granted() {
        return libc::MAP_FAILED;
    }
    if is_inside() && flags & libc::MAP_SHARED != 0 {
        SHARED_CALLS.fetch_add(1, Relaxed);
    }
    let map = |length: usize| {
        let arguments =
            [hint.addr(), length, protection as usize, flags as usize, file as usize, offset as usize];
        ptr::with_exposed_provenance_mut::<c_void>(system_call(libc::SYS_mmap, arguments))
    };
    let is_guarded =
        GUARD_PAGES.load(Relaxed) && flags & libc::MAP_ANONYMOUS != 0 && flags & libc::MAP_FIXED == 0;
    let pages = length.checked_next_multiple_of(page()).filter(|pages| *pages > 0);
    match pages.and_then(|pages| pages.checked_add(page())) {
        Some(room) if is_guarded && is_inside() => {
            let start = map(room);
            if start != libc::MAP_FAILED {
                // The last page of the mapping just made, which the caller did not ask for.
                let guard = start.addr() + room - page();
                system_call(libc::SYS_mprotect, [guard, page(), libc::PROT_NONE as usize, 0, 0, 0]);
            }
            start
        }
        _ => map(length),
    }
}

// SAFETY: see `sbrk`; on 64-bit systems this is `mmap` under another name.
#[unsafe(no_mangle)]
extern "C" fn mmap64(
    hint: *mut c_void,
    length: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> *mut c_void {
    mmap(hint, length, protection, flags, file, offset)
}

// SAFETY: see `sbrk`.
#[unsafe(no_mangle)]
extern "C" fn munmap(start: *mut c_void, length: usize) -> c_int {
    system_call(libc::SYS_munmap, [start.addr(), length, 0, 0, 0, 0]) as c_int
}

// SAFETY: see `sbrk`. The fifth parameter is variadic in C, and passed like any other.
#[unsafe(no_mangle)]
extern "C" fn mremap(
    start: *mut c_void,
    old_length: usize,
    new_length: usize,
    flags: c_int,
    new_start: *mut c_void,
) -> *mut c_void {
    if new_length > old_length && !is_granted() {
        return libc::MAP_FAILED;
    }
    let arguments = [start.addr(), old_length, new_length, flags as usize, new_start.addr(), 0];
    ptr::with_exposed_provenance_mut(system_call(libc::SYS_mremap, arguments))
}

// SAFETY: see `sbrk`.
#[unsafe(no_mangle)]
extern "C" fn mprotect(start: *mut c_void, length: usize, protection: c_int) -> c_int {
    if protection & libc::PROT_WRITE != 0 && !is_granted() {
        return -1;
    }
    system_call(libc::SYS_mprotect, [start.addr(), length, protection as usize, 0, 0, 0]) as c_int
}

//! libc's own heap, under the names that glibc keeps for those who replace `malloc`: no look-up is needed.

use std::{
    ffi::c_void,
    mem, ptr,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

mod glibc {
    use std::ffi::c_void;

    unsafe extern "C" {
        pub(super) fn __libc_malloc(size: usize) -> *mut c_void;
        pub(super) fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
        pub(super) fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
        pub(super) fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
        pub(super) fn __libc_free(block: *mut c_void);
    }
}

pub(super) fn malloc(size: usize) -> *mut c_void {
    // SAFETY: libc's malloc takes any size.
    unsafe { glibc::__libc_malloc(size) }
}

pub(super) fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: libc's calloc takes any size.
    unsafe { glibc::__libc_calloc(count, size) }
}

pub(super) fn memalign(alignment: usize, size: usize) -> *mut c_void {
    // SAFETY: libc's memalign takes any size, and rounds any alignment up.
    unsafe { glibc::__libc_memalign(alignment, size) }
}

pub(super) fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the program's own request, passed on.
    unsafe { glibc::__libc_realloc(block, size) }
}

pub(super) fn free(block: *mut c_void) {
    // SAFETY: the program's own request, passed on.
    unsafe { glibc::__libc_free(block) };
}

/// This one has no second name; whoever asks comes late enough for a look-up.
pub(super) fn usable_size(block: *mut c_void) -> usize {
    static FUNCTION: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    let mut function = FUNCTION.load(Relaxed);
    if function.is_null() {
        // SAFETY: a C string; RTLD_NEXT looks behind this library, where libc is.
        function = unsafe { libc::dlsym(libc::RTLD_NEXT, c"malloc_usable_size".as_ptr()) };
        FUNCTION.store(function, Relaxed);
    }
    // SAFETY: what dlsym found under this name has this type.
    let function: unsafe extern "C" fn(*mut c_void) -> usize = unsafe { mem::transmute(function) };
    // SAFETY: the program's own request, passed on.
    unsafe { function(block) }
}

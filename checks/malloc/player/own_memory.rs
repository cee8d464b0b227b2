//! The player's own memory, apart from the subject's: a region reserved once, before the library is loaded.
//!
//! ```text
//!   base        next                                   base + REGION
//!   │ handed out │ ...                                  │        nothing is given back, but for the last block
//! ```
//!
//! Neither the break nor a mapping of the process changes when the player allocates, so whatever does change while a
//! trace is played is the library's doing. A forked child has its own copy of the region, page by page.

use std::{
    alloc::{GlobalAlloc, Layout},
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::kernel::system_call;

/// What is reserved: it costs address space alone, but counts as writable memory under `RLIMIT_DATA`.
const REGION: usize = 256 << 20;

/// The first byte not handed out yet; 0 before the region exists.
static NEXT: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);

/// Hands out the region from bottom to top.
pub(crate) struct OwnMemory;

// SAFETY: blocks come from disjoint parts of the region: `NEXT` moves over each by one compare-and-swap.
unsafe impl GlobalAlloc for OwnMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut next = NEXT.load(Relaxed);
        if next == 0 {
            next = reserve();
        }
        loop {
            let start = (next + layout.align() - 1) & !(layout.align() - 1);
            let end = start + layout.size();
            if end > END.load(Relaxed) {
                return ptr::null_mut();
            }
            match NEXT.compare_exchange_weak(next, end, Relaxed, Relaxed) {
                Ok(_) => return ptr::with_exposed_provenance_mut(start),
                Err(current) => next = current,
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let start = block.expose_provenance();
        let _ = NEXT.compare_exchange(start + layout.size(), start, Relaxed, Relaxed);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block.expose_provenance();
        let is_room = start + size <= END.load(Relaxed);
        if is_room && NEXT.compare_exchange(start + layout.size(), start + size, Relaxed, Relaxed).is_ok() {
            return block;
        }
        // SAFETY: GlobalAlloc's contract: `size`, rounded up to the alignment, does not overflow.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: `wanted` is as large as the caller asks for, which is not zero.
        let new = unsafe { self.alloc(wanted) };
        if !new.is_null() {
            // SAFETY: two live blocks of at least the smaller of both sizes.
            unsafe { ptr::copy_nonoverlapping(block, new, layout.size().min(size)) };
        }
        new
    }
}

/// Maps the region, by a raw system call: the player's own `mmap` is the subject's.
fn reserve() -> usize {
    let protection = (libc::PROT_READ | libc::PROT_WRITE) as usize;
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE) as usize;
    let start = system_call(libc::SYS_mmap, [0, REGION, protection, flags, usize::MAX, 0]);
    if start == usize::MAX {
        std::process::abort();
    }
    END.store(start + REGION, Relaxed);
    // The first allocation comes before any second thread.
    NEXT.store(start, Relaxed);
    start
}

//! Given: memory from the kernel, as `Option`s instead of -1 and errno. Nothing in here allocates.
//!
//! ```text
//!   program │ heap ───►│break                              ◄─── mappings │ stack
//!           └──────────┴─────────── free address space ─────────────────┴───────
//! ```
//!
//! The heap is one stretch, and `sbrk` moves its end; a mapping stands anywhere, and comes and goes alone.
//! The break belongs to the whole process: libc, or any library, may move it between two calls of ours.

use std::ptr::{self, NonNull};

/// The size of a page: mappings begin at a multiple of it and have a multiple of it.
pub const PAGE: usize = 4096;

/// The break: the first address past the heap.
pub fn current_break() -> Option<*mut u8> {
    sbrk(0)
}

/// Moves the break up by that many bytes. Returns where it was: new memory begins there, and is zeroed.
pub fn sbrk(bytes: usize) -> Option<*mut u8> {
    let increment = libc::intptr_t::try_from(bytes).ok()?;
    // SAFETY: moving the break up takes memory from nobody.
    accepted(unsafe { libc::sbrk(increment) })
}

/// Moves the break down by that many bytes; whether it did.
///
/// # Safety
///
/// The memory below the break is the caller's, for that many bytes, and nobody uses it any more.
pub unsafe fn sbrk_back(bytes: usize) -> bool {
    let Ok(decrement) = libc::intptr_t::try_from(bytes) else { return false };
    // SAFETY: the caller gives up what lies between the new break and the old one.
    accepted(unsafe { libc::sbrk(-decrement) }).is_some()
}

/// Maps that many bytes (a multiple of [`PAGE`]), zeroed, anywhere.
pub fn map(bytes: usize) -> Option<NonNull<u8>> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at an address of the kernel's choice replaces none.
    accepted(unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) }).and_then(NonNull::new)
}

/// Takes a mapping away; whether it did.
///
/// # Safety
///
/// `start` and `bytes` are a mapping's of the caller's, or whole pages of one, that nobody uses any more.
pub unsafe fn unmap(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller gives up all that is unmapped.
    unsafe { libc::munmap(start.as_ptr().cast(), bytes) == 0 }
}

/// Makes a mapping longer or shorter, moving it if it must. Its contents move along; on `None` all is as it was.
///
/// # Safety
///
/// `start` and `old_bytes` are a mapping's of the caller's. If it moves, or shrinks, nobody uses what it left.
pub unsafe fn remap(start: NonNull<u8>, old_bytes: usize, new_bytes: usize) -> Option<NonNull<u8>> {
    // SAFETY: the caller owns the mapping, and follows it to where it goes.
    let moved = unsafe { libc::mremap(start.as_ptr().cast(), old_bytes, new_bytes, libc::MREMAP_MAYMOVE) };
    accepted(moved).and_then(NonNull::new)
}

/// Whether this process has never had a second thread: then nobody can be in the way, and none can come while the only
/// thread is busy. (glibc's `sys/single_threaded.h`; where there is no such thing the answer is no.)
#[inline]
pub fn is_single_threaded() -> bool {
    #[cfg(target_env = "gnu")]
    {
        use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

        unsafe extern "C" {
            static __libc_single_threaded: AtomicU8;
        }
        // SAFETY: libc's own variable, one byte, which `pthread_create` clears before there is another thread.
        unsafe { &__libc_single_threaded }.load(Relaxed) != 0
    }
    #[cfg(not(target_env = "gnu"))]
    false
}

/// `sbrk`, `mmap` and `mremap` all say no with an address of -1.
fn accepted(returned: *mut libc::c_void) -> Option<*mut u8> {
    (returned != libc::MAP_FAILED).then_some(returned.cast())
}

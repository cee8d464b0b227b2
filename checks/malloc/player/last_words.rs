//! What a child still says when a signal kills it: which, and about which address.
//!
//! Handlers run on a stack of their own, so that a stack that overflowed can be told too. They store three words and
//! leave by `_exit`, which is all that is safe in the middle of a broken allocator (signal-safety(7)).

use std::{
    cell::Cell,
    ffi::c_void,
    mem, ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU64,
        Ordering::{Relaxed, SeqCst},
    },
};

use crate::{
    seen::Seen,
    wire::{end, seen},
};

/// The exit status of a child that a signal ended.
pub(crate) const EXIT_STATUS: i32 = 100;

const SIGNALS: [i32; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT, libc::SIGSYS];

const STACK: usize = 64 << 10;

/// The header to write to. It is mapped until the process ends.
static HEADER: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());
/// Set when the header's phase is not that of every thread.
static IS_THREADED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static PHASE: Cell<u64> = const { Cell::new(0) };
}

/// From now on a signal's last words go to `seen`, which must outlive the process's work.
pub(crate) fn prepare(seen: Seen<'_>) {
    HEADER.store(seen.start().cast_mut(), SeqCst);
    prepare_thread();
    // SAFETY: all zero is a valid sigaction: an empty mask, no flags.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handle as extern "C" fn(_, _, _) as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    for signal in SIGNALS {
        // SAFETY: `action` is filled, and its handler is safe in any state of the program.
        unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    }
}

/// Gives the calling thread a stack for handlers, for good.
pub(crate) fn prepare_thread() {
    let stack = Box::leak(vec![0_u8; STACK].into_boxed_slice());
    let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK };
    // SAFETY: the stack is leaked: it is this thread's for ever.
    unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };
}

/// What this thread is doing, for when several threads play.
pub(crate) fn thread_is(phase: u64) {
    IS_THREADED.store(true, Relaxed);
    PHASE.set(phase);
}

extern "C" fn handle(signal: i32, info: *const libc::siginfo_t, _context: *const c_void) {
    let header = HEADER.load(SeqCst);
    let word = |place: usize| {
        // SAFETY: the header is mapped for as long as handlers may run, and has all places of `wire::seen`.
        unsafe { &*header.wrapping_add(place) }
    };
    if word(seen::END).compare_exchange(end::NONE, end::SIGNAL, SeqCst, SeqCst).is_ok() {
        word(seen::SIGNAL).store(signal as u64, SeqCst);
        if signal != libc::SIGABRT && signal != libc::SIGSYS {
            // SAFETY: the kernel's own record.
            let info = unsafe { &*info };
            // SAFETY: these signals have an address.
            let address = unsafe { info.si_addr() };
            word(seen::FAULT_ADDRESS).store(address.addr() as u64, SeqCst);
        }
        if IS_THREADED.load(Relaxed) {
            word(seen::PHASE).store(PHASE.get(), SeqCst);
        }
    }
    // SAFETY: ends the process without running anything of it.
    unsafe { libc::_exit(EXIT_STATUS) };
}

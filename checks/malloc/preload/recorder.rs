//! Writes down what a real program asks of malloc, while libc answers.
//!
//! With `GROUNDWORK_RECORD=FILE` in the environment, each process writes to `FILE.PID`, a line for each operation:
//!
//! ```text
//!   m 24          block 0 = malloc(24), aligned_alloc and its kin too     blocks are numbered in order of allocation,
//!   c 3 8         block 1 = calloc(3, 8)                                   from 0, by m and c
//!   r 0 48        block 0 = realloc(block 0, 48)
//!   f 1           free(block 1)
//! ```
//!
//! What failed, `free(NULL)` and blocks from before the recording are left out; realloc(NULL, n) is an `m`, realloc(p, 0) an
//! `f`. The file grows by windows, which are mapped: what is written stays, however the process ends. Behind the last
//! line there may be zero bytes. The child of a fork records nothing until it executes a program.

mod file;
mod numbers;

use std::{
    cell::UnsafeCell,
    ffi::c_void,
    hint,
    sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use file::Recording;
use numbers::Numbers;

use crate::libc_heap;

/// The recording, and which block has which number.
struct Recorder {
    file: Recording,
    numbers: Numbers,
    /// The number of the next block.
    next: usize,
}

struct Locked(UnsafeCell<Option<Recorder>>);

// SAFETY: the recorder is touched inside `locked` alone, by one thread at a time.
unsafe impl Sync for Locked {}

static RECORDER: Locked = Locked(UnsafeCell::new(None));
static IS_LOCKED: AtomicBool = AtomicBool::new(false);
static IS_ON: AtomicBool = AtomicBool::new(false);

/// Runs when this library is initialised: the environment is there by then.
#[used]
// SAFETY: the loader calls what stands in this section, with arguments that need not be taken.
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

/// Runs when the process exits in the ordinary way.
#[used]
// SAFETY: as above.
#[unsafe(link_section = ".fini_array")]
static FINISH: extern "C" fn() = finish;

extern "C" fn start() {
    // SAFETY: a C string; nobody else changes the environment yet.
    let path = unsafe { libc::getenv(c"GROUNDWORK_RECORD".as_ptr()) };
    if path.is_null() {
        return;
    }
    let (Some(file), Some(numbers)) = (Recording::create(path), Numbers::new()) else { return };
    // SAFETY: `stop` is safe in the child of a fork.
    unsafe { libc::pthread_atfork(None, None, Some(stop)) };
    locked(|recorder| *recorder = Some(Recorder { file, numbers, next: 0 }));
    IS_ON.store(true, Relaxed);
}

extern "C" fn finish() {
    if IS_ON.swap(false, Relaxed) {
        locked(|recorder| recorder.take().map(|recorder| recorder.file.cut()));
    }
}

/// In the child of a fork the file is the parent's, and a lock that another thread held is nobody's.
unsafe extern "C" fn stop() {
    IS_ON.store(false, Relaxed);
    IS_LOCKED.store(false, Release);
}

fn locked<T>(work: impl FnOnce(&mut Option<Recorder>) -> T) -> T {
    while IS_LOCKED.swap(true, Acquire) {
        hint::spin_loop();
    }
    // SAFETY: whoever holds the lock is alone here.
    let result = work(unsafe { &mut *RECORDER.0.get() });
    IS_LOCKED.store(false, Release);
    result
}

/// Does `work`, with the recorder if there is one. It holds the lock meanwhile: the order of the lines is that of the calls.
fn recorded<T>(work: impl FnOnce(Option<&mut Recorder>) -> T) -> T {
    if IS_ON.load(Relaxed) { locked(|recorder| work(recorder.as_mut())) } else { work(None) }
}

pub(super) fn malloc(size: usize, allocate: impl FnOnce(usize) -> *mut c_void) -> *mut c_void {
    recorded(|recorder| {
        let block = allocate(size);
        if let Some(recorder) = recorder {
            recorder.is_new(block, b'm', &[size]);
        }
        block
    })
}

pub(super) fn calloc(count: usize, size: usize) -> *mut c_void {
    recorded(|recorder| {
        let block = libc_heap::calloc(count, size);
        if let Some(recorder) = recorder {
            recorder.is_new(block, b'c', &[count, size]);
        }
        block
    })
}

pub(super) fn free(block: *mut c_void) {
    recorded(|recorder| {
        if let Some(recorder) = recorder {
            recorder.is_gone(block);
        }
        libc_heap::free(block);
    });
}

pub(super) fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
    recorded(|recorder| {
        let block = libc_heap::realloc(old, size);
        match recorder {
            Some(recorder) if block.is_null() && size == 0 => recorder.is_gone(old),
            Some(recorder) if !block.is_null() => recorder.has_moved(old, block, size),
            _ => {}
        }
        block
    })
}

impl Recorder {
    fn is_new(&mut self, block: *mut c_void, code: u8, numbers: &[usize]) {
        if !block.is_null() && self.numbers.insert(block.addr(), self.next) {
            self.next += 1;
            self.file.line(code, numbers);
        }
    }

    fn is_gone(&mut self, block: *mut c_void) {
        if let Some(number) = self.numbers.remove(block.addr()) {
            self.file.line(b'f', &[number]);
        }
    }

    fn has_moved(&mut self, old: *mut c_void, block: *mut c_void, size: usize) {
        match self.numbers.remove(old.addr()) {
            Some(number) => {
                self.numbers.insert(block.addr(), number);
                self.file.line(b'r', &[number, size]);
            }
            None => self.is_new(block, b'm', &[size]),
        }
    }
}

//! Files shared with the suite: the trace, read alone, and what was seen, written word by word while it is played.
//!
//! The words of [`Seen`] are atomic: a signal handler, other threads and the parent write them too, and each is to be
//! in the file when the process dies the next moment.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::fd::AsRawFd,
    path::Path,
    ptr, slice,
    sync::atomic::{
        AtomicU64,
        Ordering::{Relaxed, SeqCst},
    },
};

use crate::{
    kernel::system_call,
    wire::{MAGIC, RECORD_WORDS, SEEN_WORDS, TRACE_WORDS, end, seen},
};

const WORD: usize = size_of::<u64>();

/// A file in memory, until it is dropped.
pub(crate) struct Mapping {
    pub(crate) start: usize,
    pub(crate) length: usize,
}

impl Mapping {
    fn new(file: &File, length: usize, protection: i32) -> io::Result<Self> {
        let (shared, file) = (libc::MAP_SHARED as usize, file.as_raw_fd() as usize);
        let start = system_call(libc::SYS_mmap, [0, length, protection as usize, shared, file, 0]);
        if start == usize::MAX {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // Nobody looks at it through anything that outlives this value.
        system_call(libc::SYS_munmap, [self.start, self.length, 0, 0, 0, 0]);
    }
}

/// A trace file.
pub(crate) struct Trace {
    pub(crate) mapping: Mapping,
}

impl Trace {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len() as usize;
        if length < TRACE_WORDS * WORD {
            return Err(io::Error::other("the trace has no header"));
        }
        let trace = Self { mapping: Mapping::new(&file, length, libc::PROT_READ)? };
        let words = trace.words();
        if words[0] != MAGIC || (words.len() - TRACE_WORDS) / RECORD_WORDS < words[1] as usize {
            return Err(io::Error::other("the trace is none, or too short"));
        }
        Ok(trace)
    }

    pub(crate) fn words(&self) -> &[u64] {
        let start = ptr::with_exposed_provenance(self.mapping.start);
        // SAFETY: the mapping stands as long as `self`, and the suite does not change a trace that is played.
        unsafe { slice::from_raw_parts(start, self.mapping.length / WORD) }
    }

    pub(crate) fn operations(&self) -> usize {
        self.words()[1] as usize
    }
}

/// The file of what was seen.
pub(crate) struct SeenFile {
    pub(crate) mapping: Mapping,
}

impl SeenFile {
    /// Creates it, all zero, with room for so many operations.
    pub(crate) fn create(path: &Path, operations: usize) -> io::Result<Self> {
        // A new file is at hand at once; to truncate one may wait for its old bytes to reach the disk.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        let length = (SEEN_WORDS + operations * RECORD_WORDS) * WORD;
        file.set_len(length as u64)?;
        Ok(Self { mapping: Mapping::new(&file, length, libc::PROT_READ | libc::PROT_WRITE)? })
    }

    pub(crate) fn words(&self) -> Seen<'_> {
        let start = ptr::with_exposed_provenance(self.mapping.start);
        // SAFETY: the mapping stands as long as `self`, and is written through atomics alone.
        Seen { words: unsafe { slice::from_raw_parts(start, self.mapping.length / WORD) } }
    }
}

/// What was seen.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    words: &'a [AtomicU64],
}

impl Seen<'_> {
    pub(crate) fn set(self, place: usize, value: u64) {
        self.words[place].store(value, Relaxed);
    }

    pub(crate) fn get(self, place: usize) -> u64 {
        self.words[place].load(Relaxed)
    }

    pub(crate) fn add(self, place: usize, value: u64) {
        self.words[place].fetch_add(value, Relaxed);
    }

    /// Tells how the trace ended, unless that is told already; whether this call did.
    pub(crate) fn end(self, how: u64) -> bool {
        self.words[seen::END].compare_exchange(end::NONE, how, SeqCst, SeqCst).is_ok()
    }

    /// Sets word `index` of an operation's record.
    pub(crate) fn record(self, operation: usize, index: usize, value: u64) {
        self.set(SEEN_WORDS + operation * RECORD_WORDS + index, value);
    }

    /// The header's address, for signal handlers.
    pub(crate) fn start(self) -> *const AtomicU64 {
        self.words.as_ptr()
    }
}

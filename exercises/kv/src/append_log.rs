//! Stage 1: a file that remembers, in order, all that was said.
//!
//! What must hold: a record is written before its operation is answered. Any key and any value comes back
//! as it was, newlines, quotes and all. What is replayed on opening is what was appended, in that order.
//!
//! Later stages ask more of the same file: that it does not outlive its memtable (3), that a record cut
//! short by a kill, or damaged, is noticed, and that a full disk leaves no half record behind (5).

use std::path::Path;

use crate::error::Error;

/// What was said of a key: its value, or (`None`, a *tombstone*) that it is deleted. Keys and values are
/// bytes in here; UTF-8 sorts the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// Appends the entry to `out`, in a format of yours.
    pub fn encode(&self, out: &mut Vec<u8>) {
        todo!("stage 1: `decode` can tell where the key ends, where the value ends, and whether there is one")
    }

    /// Splits the first entry off `bytes`: the entry, and what follows it. `None` if there is no whole one.
    pub fn decode(bytes: &'a [u8]) -> Option<(Entry<'a>, &'a [u8])> {
        todo!("stage 1: what `encode` wrote, whatever bytes it holds")
    }
}

/// An open log: replayed once, then only appended to.
#[derive(Debug)]
pub struct AppendLog {
    // Your fields.
}

impl AppendLog {
    /// Opens the log at `path`, making an empty one if there is none, and calls `apply` with each entry that
    /// was appended, in order. From stage 5 on a torn tail is cut off.
    pub fn open(path: &Path, apply: &mut dyn FnMut(Entry<'_>)) -> Result<AppendLog, Error> {
        todo!("stage 1: every entry that was appended, in order")
    }

    /// Adds an entry. On an error (a full disk above all) the log holds what it held before.
    pub fn append(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        todo!("stage 1: when it returns, the kernel has the whole record")
    }

    /// Bytes of whole records: what a restart would have to replay.
    pub fn size_bytes(&self) -> u64 {
        todo!("stage 3: the length of the log")
    }
}

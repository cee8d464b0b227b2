//! Stage 1: a file that remembers, in order, all that was said since the last table was written.
//!
//! ```text
//! 00000007.log   | frame | frame | frame | torn…       each frame (see `durability`) holds one entry:
//!
//! entry          | key length: u32 | value length: u32 | key | value |         all numbers little-endian
//!                                    0xffff_ffff: a tombstone, no value follows
//! ```
//!
//! Invariants: a record is handed to the kernel whole, in one write, before its operation is answered, so
//! a killed process loses nothing that it acknowledged. What is replayed is always a prefix of what was
//! appended: at the first frame that is not whole the rest is cut off, however well it may look.
//!
//! Left out on purpose: rewriting. Log n becomes table n and is removed; no log is ever emptied and reused.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Write};
use std::path::Path;

use crate::durability::frame::{HEADER_BYTES, read_frame, seal};
use crate::error::Error;

/// Where a value's length would be, in an entry that says "deleted".
const TOMBSTONE: u32 = u32::MAX;

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
    /// Appends the entry to `out`, in the format drawn above. Log and tables share it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        // The casts lose nothing: keys and values are far below 4 GiB (see the limits in `main.rs`).
        let value_length = self.value.map_or(TOMBSTONE, |value| value.len() as u32);
        out.extend_from_slice(&(self.key.len() as u32).to_le_bytes());
        out.extend_from_slice(&value_length.to_le_bytes());
        out.extend_from_slice(self.key);
        out.extend_from_slice(self.value.unwrap_or_default());
    }

    /// Splits the first entry off `bytes`: the entry, and what follows it. `None` if there is no whole one.
    pub fn decode(bytes: &'a [u8]) -> Option<(Entry<'a>, &'a [u8])> {
        let (key_length, rest) = bytes.split_first_chunk()?;
        let (value_length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
        match u32::from_le_bytes(*value_length) {
            TOMBSTONE => Some((Entry { key, value: None }, rest)),
            length => {
                let (value, rest) = rest.split_at_checked(length as usize)?;
                Some((Entry { key, value: Some(value) }, rest))
            }
        }
    }
}

/// An open log: replayed once, then only appended to.
#[derive(Debug)]
pub struct AppendLog {
    file: File,
    /// Where the last whole record ends. Past it lies nothing, or half a record if `torn`.
    size_bytes: u64,
    torn: bool,
}

impl AppendLog {
    /// Opens the log at `path`, making an empty one if there is none, and calls `apply` with each entry that
    /// was appended, in order. A torn tail is cut off.
    pub fn open(path: &Path, apply: &mut dyn FnMut(Entry<'_>)) -> Result<AppendLog, Error> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let end = file.metadata()?.len();
        let mut reader = BufReader::new(&file);
        let mut frame = Vec::new();
        let mut size_bytes = 0;
        while let Some(payload) = read_frame(&mut reader, end - size_bytes, &mut frame)? {
            let Some((entry, _)) = Entry::decode(payload) else { break };
            apply(entry);
            size_bytes += (HEADER_BYTES + payload.len()) as u64;
        }
        // Cut off, and synced before anything is appended: else an old record, dropped just now, could be
        // there again after a power cut, right behind a new one.
        if size_bytes < end {
            file.set_len(size_bytes)?;
            file.sync_all()?;
        }
        Ok(AppendLog { file, size_bytes, torn: false })
    }

    /// Adds an entry. On an error (a full disk above all) the log holds what it held before.
    pub fn append(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        // What a failed write left is cut off only now, when there may be a disk to talk to again. Were the
        // process killed in between, `open` would cut it off: half a record is never a whole one.
        if self.torn {
            self.file.set_len(self.size_bytes)?;
        }
        let mut payload = Vec::new();
        entry.encode(&mut payload);
        let record = seal(&payload);
        self.torn = true;
        self.file.write_all(&record)?;
        self.torn = false;
        self.size_bytes += record.len() as u64;
        Ok(())
    }

    /// Bytes of whole records: what a restart would have to replay.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed(path: &Path) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let mut entries = Vec::new();
        AppendLog::open(path, &mut |e| entries.push((e.key.to_vec(), e.value.map(<[u8]>::to_vec)))).unwrap();
        entries
    }

    /// The trap: a record cut short is easy to notice; one whose end is zeroed or flipped has the right
    /// length.
    #[test]
    fn a_torn_last_record_is_dropped_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("00000001.log");
        let mut log = AppendLog::open(&path, &mut |_| {}).unwrap();
        log.append(Entry { key: b"a", value: Some(b"1\n2") }).unwrap();
        log.append(Entry { key: b"b", value: None }).unwrap();
        let good = log.size_bytes() as usize;
        log.append(Entry { key: b"a", value: Some(b"the last") }).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let kept = vec![(b"a".to_vec(), Some(b"1\n2".to_vec())), (b"b".to_vec(), None)];

        for at in good..whole.len() {
            let (mut zeroed, mut flipped) = (whole.clone(), whole.clone());
            zeroed[at..].fill(0);
            flipped[at] ^= 0x10;
            for torn in [&whole[..at], &zeroed, &flipped] {
                std::fs::write(&path, torn).unwrap();
                assert_eq!(replayed(&path), kept, "torn at byte {at}: all but the last record is kept");
                assert_eq!(
                    std::fs::read(&path).unwrap(),
                    whole[..good],
                    "torn at byte {at}: the tail is cut"
                );
            }
        }
    }

    #[test]
    fn nothing_after_a_damaged_record_is_applied() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("00000001.log");
        let mut log = AppendLog::open(&path, &mut |_| {}).unwrap();
        for key in [b"a", b"b", b"c"] {
            log.append(Entry { key, value: Some(b"1") }).unwrap();
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(replayed(&path), [(b"a".to_vec(), Some(b"1".to_vec()))], "c without b never was a state");
    }
}

//! Stage 3: a sorted file that is written once, searched by block, and never changed.
//!
//! ```text
//! 00000004-00000007.sst      what memtables 4 to 7 said, one entry a key (see `append_log`), in key order
//!
//! | block | block | … | block | index | filter | footer |     each a frame, checked whenever it is read
//!   └ entries of about 4 KiB    │       │        └ magic, span, entry count, where index and filter begin
//!                               │       └ Bloom filter of all keys
//!                               └ for each block:  | offset: u64 | first key's length: u32 | first key |
//! ```
//!
//! Invariants: no two tables of a store overlap in their spans, and the later span holds the newer entries.
//! Index and filter stay in memory, so a get reads one block at most. A damaged block is an error, never a
//! "not here": an older table may hold what was overwritten.

pub mod bloom;
pub mod scan;
pub mod writer;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::append_log::Entry;
use crate::durability::Directory;
use crate::durability::frame::{HEADER_BYTES, unseal};
use crate::error::Error;
use bloom::Bloom;
use scan::Scan;

/// The first eight bytes of a footer: this is a table, in this format.
const MAGIC: u64 = u64::from_le_bytes(*b"GWTABLE1");
/// A footer has six numbers of eight bytes.
const FOOTER_BYTES: usize = HEADER_BYTES + 6 * 8;

/// Which memtables a table holds, numbered from 1 as they were flushed. It is the table's name, and it is
/// what makes a merge atomic: the rename that publishes 4–7 supersedes, in one step, 4–4, 5–6 and 7–7. The
/// rival is a manifest, a file that lists the tables in force; it can do more, and is a second truth to
/// keep in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The oldest memtable in it.
    pub first: u64,
    /// The newest memtable in it.
    pub last: u64,
}

impl Span {
    /// The span that a file is named after; `None` if it is not a name that [`Span::file_name`] gives.
    pub fn parse(name: &str) -> Option<Span> {
        let (first, last) = name.strip_suffix(".sst")?.split_once('-')?;
        let span = Span { first: first.parse().ok()?, last: last.parse().ok()? };
        (span.first <= span.last && span.file_name() == name).then_some(span)
    }

    /// The name of the table of this span.
    pub fn file_name(&self) -> String {
        format!("{:08}-{:08}.sst", self.first, self.last)
    }

    /// Whether a table of this span replaces one of `other`.
    pub fn supersedes(&self, other: Span) -> bool {
        *self != other && self.first <= other.first && other.last <= self.last
    }
}

/// An open table: its index and filter in memory, its blocks on disk.
#[derive(Debug)]
pub struct SsTable {
    span: Span,
    path: PathBuf,
    file: File,
    entries: u64,
    /// The first key of each block, and where the block begins.
    index: Vec<(Box<[u8]>, u64)>,
    /// Where the last block ends.
    blocks_end: u64,
    filter: Bloom,
}

impl SsTable {
    /// Opens the table of that span in `directory`, and checks all of it but the blocks.
    pub fn open(directory: &Directory, span: Span) -> Result<SsTable, Error> {
        let path = directory.path(&span.file_name());
        let file = File::open(&path)?;
        let size = file.metadata()?.len();
        let damaged = |part| Error::Damaged { file: path.clone(), part };

        let footer_at = size.checked_sub(FOOTER_BYTES as u64).ok_or_else(|| damaged("footer"))?;
        let footer = read_frame_at(&file, footer_at, size)?.ok_or_else(|| damaged("footer"))?;
        let (numbers, _) = footer.as_chunks::<8>();
        let numbers: Vec<u64> = numbers.iter().map(|&number| u64::from_le_bytes(number)).collect();
        let [MAGIC, first, last, entries, index_at, filter_at] = numbers[..] else {
            return Err(damaged("footer"));
        };
        // The name is a claim of the directory's; the span under the checksum is the table's own.
        if (Span { first, last }) != span {
            return Err(damaged("name"));
        }
        let index = read_frame_at(&file, index_at, filter_at)?.ok_or_else(|| damaged("index"))?;
        let filter = read_frame_at(&file, filter_at, footer_at)?.ok_or_else(|| damaged("filter"))?;
        let index = decode_index(&index).ok_or_else(|| damaged("index"))?;
        let filter = Bloom::from_bytes(filter).ok_or_else(|| damaged("filter"))?;
        Ok(SsTable { span, path, file, entries, index, blocks_end: index_at, filter })
    }

    /// What is said of `key` here: `None` if nothing, so that older tables have to be asked; `Some(None)` if
    /// it is deleted, so that they must not be.
    pub fn get(&self, key: &[u8]) -> Result<Option<Option<Vec<u8>>>, Error> {
        // The key's block is the last one that begins at or before it.
        let after = self.index.partition_point(|(first_key, _)| **first_key <= *key);
        if after == 0 || !self.filter.may_contain(key) {
            return Ok(None);
        }
        let block = self.read_block(after - 1)?;
        let mut rest = &block[..];
        while let Some((entry, following)) = Entry::decode(rest) {
            if entry.key == key {
                return Ok(Some(entry.value.map(<[u8]>::to_vec)));
            }
            rest = following;
        }
        Ok(None)
    }

    /// A walk over all entries, in key order.
    pub fn scan(&self) -> Result<Scan<'_>, Error> {
        Scan::start(self)
    }

    /// The number of entries, tombstones included.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Which memtables it holds.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The entries of the block, one after the other; the checksum vouches for them.
    fn read_block(&self, number: usize) -> Result<Vec<u8>, Error> {
        let start = self.index[number].1;
        let end = self.index.get(number + 1).map_or(self.blocks_end, |&(_, start)| start);
        read_frame_at(&self.file, start, end)?
            .ok_or_else(|| Error::Damaged { file: self.path.clone(), part: "block" })
    }
}

/// The payload of the frame that fills the bytes from `start` to `end`; `None` if it is not sound.
fn read_frame_at(file: &File, start: u64, end: u64) -> Result<Option<Vec<u8>>, Error> {
    let Some(length) = end.checked_sub(start) else { return Ok(None) };
    let mut frame = vec![0; length as usize];
    file.read_exact_at(&mut frame, start)?;
    if unseal(&frame).is_none() {
        return Ok(None);
    }
    frame.drain(..HEADER_BYTES);
    Ok(Some(frame))
}

/// The inverse of the writer's `encode_index`.
fn decode_index(mut rest: &[u8]) -> Option<Vec<(Box<[u8]>, u64)>> {
    let mut index = Vec::new();
    while !rest.is_empty() {
        let (offset, following) = rest.split_first_chunk()?;
        let (key_length, following) = following.split_first_chunk()?;
        let (key, following) = following.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
        index.push((key.into(), u64::from_le_bytes(*offset)));
        rest = following;
    }
    Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use writer::{TableWriter, Tombstones};

    const SPAN: Span = Span { first: 1, last: 1 };

    /// A table of every second key from 0 on, of several blocks.
    fn write_table(directory: &Directory, keys: u32) -> SsTable {
        let mut writer = TableWriter::create(directory, SPAN, u64::from(keys), Tombstones::Keep).unwrap();
        for n in 0..keys {
            let (key, value) = (format!("k{:05}", 2 * n), n.to_string());
            writer.add(Entry { key: key.as_bytes(), value: Some(value.as_bytes()) }).unwrap();
        }
        writer.finish().unwrap()
    }

    /// The trap: an index that misses the first or the last key of a block, or finds a neighbour.
    #[test]
    fn each_key_is_found_and_nothing_between_them() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::open(temporary.path()).unwrap();
        let written = write_table(&directory, 1000);
        let opened = SsTable::open(&directory, SPAN).unwrap();
        for table in [written, opened] {
            assert!(table.index.len() > 2, "several blocks");
            assert_eq!(table.get(b"a").unwrap(), None, "before the first key");
            for n in 0..1000 {
                let (key, gap) = (format!("k{:05}", 2 * n), format!("k{:05}", 2 * n + 1));
                assert_eq!(table.get(key.as_bytes()).unwrap(), Some(Some(n.to_string().into())), "{key}");
                assert_eq!(table.get(gap.as_bytes()).unwrap(), None, "{gap}");
            }
        }
    }

    #[test]
    fn a_flipped_byte_anywhere_is_an_error_and_never_an_absence() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::open(temporary.path()).unwrap();
        drop(write_table(&directory, 10));
        let path = directory.path(&SPAN.file_name());
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            fs::write(&path, flipped).unwrap();
            let got = SsTable::open(&directory, SPAN).and_then(|table| table.get(b"k00004"));
            assert!(matches!(got, Err(Error::Damaged { .. })), "byte {at} of {}: {got:?}", whole.len());
        }
    }
}

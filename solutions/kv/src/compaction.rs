//! Stage 4: several tables become one, so that a get asks few and what is overwritten gives its space back.
//!
//! ```text
//! old                      new
//! [ 16k ] [ 4k ] [ 4k ] [ 4k ] [ 4k ]     four of one tier at the new end are merged:
//! [ 16k ] [ 16k ]                         each entry is rewritten about once a tier, and tiers grow fourfold
//! ```
//!
//! Invariants: only neighbours are merged, so that order of age stays order of span. Of a key's entries the
//! newest is kept. A tombstone goes only when the merge includes the oldest table: above it, it still
//! shadows.
//!
//! Left out on purpose: a thread for it (a put that triggers a merge waits for it), and levels, which would
//! rewrite more often to waste less space.

use std::cmp::Reverse;

use crate::durability::Directory;
use crate::error::Error;
use crate::sstable::scan::Scan;
use crate::sstable::writer::{TableWriter, Tombstones};
use crate::sstable::{Span, SsTable};

/// So many tables of one tier are merged, and so much larger is a table of the next tier.
const FANOUT: usize = 4;

/// Which tables are in force, oldest first, of those found in a directory: all but the inputs that outlived
/// their merge. `None` if the spans do not add up.
pub fn in_force(found: Vec<Span>) -> Option<Vec<Span>> {
    let mut widest_first = found;
    widest_first.sort_by_key(|span| (span.first, Reverse(span.last)));
    let mut tables: Vec<Span> = Vec::new();
    for span in widest_first {
        match tables.last() {
            Some(newest) if newest.supersedes(span) => {}
            Some(newest) if newest.last >= span.first => return None,
            _ => tables.push(span),
        }
    }
    Some(tables)
}

/// Which merge is due, given each table's number of entries, oldest first: all tables from the returned
/// position on. Repeated until none is due, it leaves tiers that never rise from old to new, and fewer than
/// `FANOUT` tables of each: the number of tables grows with the logarithm of the data.
pub fn due(entries: &[u64]) -> Option<usize> {
    let tiers: Vec<u32> = entries.iter().map(|entries| entries.max(&1).ilog(FANOUT as u64)).collect();
    let newest = *tiers.last()?;
    let start = tiers.iter().rposition(|&tier| tier > newest).map_or(0, |larger| larger + 1);
    let run = &tiers[start..];
    let swallows_smaller = run.iter().any(|&tier| tier < newest);
    (run.len() >= FANOUT || swallows_smaller).then_some(start)
}

/// Merges neighbouring tables, oldest first, into one that is published under their joint span.
pub fn merge(directory: &Directory, inputs: &[SsTable], tombstones: Tombstones) -> Result<SsTable, Error> {
    let first = inputs.iter().map(|table| table.span().first).min().unwrap_or_default();
    let last = inputs.iter().map(|table| table.span().last).max().unwrap_or_default();
    let entries = inputs.iter().map(SsTable::entries).sum();
    let mut output = TableWriter::create(directory, Span { first, last }, entries, tombstones)?;

    // Newest first: of equal keys `min_by_key` returns the first, which is the one to keep.
    let mut scans = inputs.iter().rev().map(SsTable::scan).collect::<Result<Vec<_>, _>>()?;
    let mut key = Vec::new();
    while let Some(entry) = scans.iter().filter_map(Scan::head).min_by_key(|entry| entry.key) {
        output.add(entry)?;
        key.clear();
        key.extend_from_slice(entry.key);
        for scan in &mut scans {
            if scan.head().is_some_and(|entry| entry.key == key) {
                scan.advance()?;
            }
        }
    }
    output.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::append_log::Entry;

    /// The trap: a merge that does not reach the oldest table, and drops a tombstone all the same.
    #[test]
    fn the_newest_entry_is_kept_and_a_tombstone_as_long_as_it_is_told() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::open(temporary.path()).unwrap();
        let write = |number, said: &[(&str, Option<&str>)]| {
            let span = Span { first: number, last: number };
            let mut writer = TableWriter::create(&directory, span, 3, Tombstones::Keep).unwrap();
            for (key, value) in said {
                writer.add(Entry { key: key.as_bytes(), value: value.map(str::as_bytes) }).unwrap();
            }
            writer.finish().unwrap()
        };
        let inputs = [
            write(1, &[("a", Some("old")), ("b", Some("old")), ("d", Some("old"))]),
            write(2, &[("b", None), ("c", None)]),
            write(3, &[("a", Some("new")), ("c", Some("new"))]),
        ];
        let (a, b, c, d) = (("a", Some("new")), ("b", None), ("c", Some("new")), ("d", Some("old")));
        for (tombstones, expected) in
            [(Tombstones::Keep, vec![a, b, c, d]), (Tombstones::Drop, vec![a, c, d])]
        {
            let merged = merge(&directory, &inputs, tombstones).unwrap();
            let mut scan = merged.scan().unwrap();
            for (key, value) in expected {
                let entry = Entry { key: key.as_bytes(), value: value.map(str::as_bytes) };
                assert_eq!(scan.head(), Some(entry), "with {tombstones:?}");
                scan.advance().unwrap();
            }
            assert_eq!(scan.head(), None, "nothing after d, with {tombstones:?}");
        }
    }

    #[test]
    fn an_input_that_outlived_its_merge_is_not_in_force() {
        let cases = [
            (vec![], Some(vec![])),
            (vec![(9, 9), (10, 10), (1, 8)], Some(vec![(1, 8), (9, 9), (10, 10)])),
            (vec![(1, 1), (1, 4), (2, 3), (4, 4), (5, 5)], Some(vec![(1, 4), (5, 5)])),
            (vec![(1, 2), (1, 4), (1, 8)], Some(vec![(1, 8)])),
            (vec![(1, 4), (3, 6)], None),
        ];
        let spans = |pairs: Vec<_>| pairs.into_iter().map(|(first, last)| Span { first, last }).collect();
        for (found, expected) in cases {
            assert_eq!(in_force(spans(found.clone())), expected.map(spans), "of {found:?}");
        }
    }

    #[test]
    fn the_number_of_tables_stays_logarithmic_whatever_is_flushed() {
        // Entries a flush: full memtables; explicit flushes of one entry; small ones between large ones.
        let patterns: [&[u64]; 3] = [&[1001], &[1], &[1, 1001, 3, 70]];
        for pattern in patterns {
            let mut tables: Vec<u64> = Vec::new();
            for &flushed in pattern.iter().cycle().take(10_000) {
                tables.push(flushed);
                while let Some(start) = due(&tables) {
                    let merged = tables.drain(start..).sum();
                    tables.push(merged);
                }
                assert!(tables.len() < 40, "{} tables after flushes of {pattern:?}", tables.len());
            }
        }
    }
}

//! The store: ties log, memtable and tables together, and is what `main.rs` calls.
//!
//! ```text
//! put, delete ─► log 8 ─► memtable ─┐ flush: becomes table 8–8, and log 9 begins
//! get ◄───────────────────◄─────────┤ newest answer wins
//!                                   ▼
//! tables, old to new:   1–4   5–6   7–7        merged as `compaction` says
//! ```
//!
//! Invariants: log n holds what will be table n. A log or table whose number lies within a table's span is
//! superseded, and sweeping is removing those: after a flush, after a merge, and at open after a kill.
//! Inside, keys and values are bytes; only here are they strings.

use std::path::Path;

use crate::append_log::{AppendLog, Entry};
use crate::compaction;
use crate::durability::Directory;
use crate::error::Error;
use crate::memtable::{self, Memtable};
use crate::sstable::writer::{TableWriter, Tombstones};
use crate::sstable::{Span, SsTable};

/// A log this long is flushed as well, however few its keys: it bounds memory, and the work of a restart.
const LOG_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// A persistent map from string to string, in a directory of its own.
#[derive(Debug)]
pub struct Store {
    directory: Directory,
    log: AppendLog,
    log_number: u64,
    /// What the log replays to.
    memtable: Memtable,
    /// Oldest first.
    tables: Vec<SsTable>,
}

impl Store {
    /// Opens the store in `dir`, which is made if it is missing: sorts out what a killed process left, and
    /// replays its log.
    pub fn open(dir: &Path) -> Result<Store, Error> {
        let directory = Directory::open(dir)?;
        let damaged = |part| Error::Damaged { file: dir.to_path_buf(), part };
        let names = directory.names()?;

        let spans: Option<Vec<Span>> =
            names.iter().filter(|name| name.ends_with(".sst")).map(|name| Span::parse(name)).collect();
        let spans = spans.and_then(compaction::in_force).ok_or_else(|| damaged("names of tables"))?;
        let newest = spans.last().map_or(0, |span| span.last);
        let tables: Vec<SsTable> =
            spans.into_iter().map(|span| SsTable::open(&directory, span)).collect::<Result<_, _>>()?;

        let mut logs = names.iter().filter_map(|name| log_number(name)).filter(|&number| number > newest);
        let log_number = logs.next().unwrap_or(newest + 1);
        if logs.next().is_some() {
            return Err(damaged("two logs, and the table between is missing"));
        }
        let mut memtable = Memtable::default();
        let log =
            AppendLog::open(&directory.path(&log_name(log_number)), &mut |entry| memtable.insert(entry))?;

        let store = Store { directory, log, log_number, memtable, tables };
        store.sweep()?;
        Ok(store)
    }

    /// Sets the value of `key`. On an error it may or may not be set; nothing else changes.
    pub fn put(&mut self, key: &str, value: &str) -> Result<(), Error> {
        self.write(Entry { key: key.as_bytes(), value: Some(value.as_bytes()) })
    }

    /// Removes `key`; no error if it is absent. On an error it may or may not be gone; nothing else changes.
    pub fn delete(&mut self, key: &str) -> Result<(), Error> {
        self.write(Entry { key: key.as_bytes(), value: None })
    }

    /// The value of `key`, or `None` if it has none.
    pub fn get(&mut self, key: &str) -> Result<Option<String>, Error> {
        let key = key.as_bytes();
        if let Some(said) = self.memtable.get(key) {
            return Ok(said.map(text));
        }
        for table in self.tables.iter().rev() {
            if let Some(said) = table.get(key)? {
                return Ok(said.as_deref().map(text));
            }
        }
        Ok(None)
    }

    /// Writes the memtable as a table, and merges tables if that is due.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.empty_memtable()?;
        loop {
            let entries: Vec<u64> = self.tables.iter().map(SsTable::entries).collect();
            let Some(start) = compaction::due(&entries) else { return Ok(()) };
            self.merge_from(start)?;
        }
    }

    /// Merges everything into one table, and into none if nothing lives.
    pub fn compact(&mut self) -> Result<(), Error> {
        self.empty_memtable()?;
        // One table alone has nothing to lose: the oldest holds no tombstones, see `tombstones_above`.
        if self.tables.len() > 1 {
            self.merge_from(0)?;
        }
        if self.tables.iter().all(|table| table.entries() == 0) {
            // An empty table is published like any other, since its name is what supersedes the others.
            // Only when nothing is left to supersede may it go.
            self.sweep()?;
            self.directory.sync()?;
            for table in self.tables.drain(..) {
                self.directory.remove(&table.span().file_name())?;
            }
        }
        Ok(())
    }

    fn write(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        // Over its limit here means that its flush failed. Until one succeeds nothing more is taken in:
        // memory stays bounded, and an operation that fails here has changed nothing.
        if self.is_over_limit() {
            self.flush()?;
        }
        self.renew_log()?;
        self.log.append(entry)?;
        self.memtable.insert(entry);
        if self.is_over_limit() {
            // Should it fail, this operation has not: its record is in the log. The next one tries again,
            // and reports it.
            let _ = self.flush();
        }
        Ok(())
    }

    fn is_over_limit(&self) -> bool {
        self.memtable.len() > memtable::LIMIT || self.log.size_bytes() > LOG_LIMIT_BYTES
    }

    /// The memtable becomes the newest table, and the next log begins.
    fn empty_memtable(&mut self) -> Result<(), Error> {
        if !self.memtable.is_empty() {
            let span = Span { first: self.log_number, last: self.log_number };
            let tombstones = tombstones_above(self.tables.len());
            let entries = self.memtable.len() as u64;
            let mut writer = TableWriter::create(&self.directory, span, entries, tombstones)?;
            for entry in self.memtable.entries() {
                writer.add(entry)?;
            }
            self.tables.push(writer.finish()?);
            self.memtable.clear();
        }
        self.renew_log()
    }

    /// Once table n has its name, log n is spent, and a record added to it would be lost. So this stands
    /// before each append too: there it only compares, unless it failed when the next log was due.
    fn renew_log(&mut self) -> Result<(), Error> {
        let newest = self.tables.last().map_or(0, |table| table.span().last);
        if self.log_number > newest {
            return Ok(());
        }
        self.sweep()?;
        self.log = AppendLog::open(&self.directory.path(&log_name(newest + 1)), &mut |_| {})?;
        self.log_number = newest + 1;
        Ok(())
    }

    /// Merges the tables from position `start` on.
    fn merge_from(&mut self, start: usize) -> Result<(), Error> {
        let merged = compaction::merge(&self.directory, &self.tables[start..], tombstones_above(start))?;
        self.tables.truncate(start);
        self.tables.push(merged);
        self.sweep()
    }

    /// Removes what is superseded, once what supersedes it is on the disk.
    fn sweep(&self) -> Result<(), Error> {
        self.directory.sync()?;
        for name in self.directory.names()? {
            let span = Span::parse(&name);
            let log = log_number(&name).map(|number| Span { first: number, last: number });
            let spans = || self.tables.iter().map(SsTable::span);
            let superseded = span.is_some_and(|span| spans().any(|table| table.supersedes(span)));
            let spent = log.is_some_and(|log| spans().any(|table| table == log || table.supersedes(log)));
            if superseded || spent {
                self.directory.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// Above no other table there is nothing that a tombstone could shadow. So the oldest table never holds one.
fn tombstones_above(tables: usize) -> Tombstones {
    if tables == 0 { Tombstones::Drop } else { Tombstones::Keep }
}

fn log_name(number: u64) -> String {
    format!("{number:08}.log")
}

fn log_number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".log")?.parse().ok()?;
    (log_name(number) == name).then_some(number)
}

/// A checksum has vouched for the bytes, and they were a string when they were summed.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;

    const KEYS: u64 = 2500;

    fn assert_holds(store: &mut Store, model: &BTreeMap<String, String>, when: &str) {
        for n in 0..KEYS {
            let key = format!("k{n}");
            assert_eq!(store.get(&key).unwrap().as_ref(), model.get(&key), "{key} {when}");
        }
    }

    #[test]
    fn it_answers_as_a_map_would_through_flushes_merges_and_restarts() {
        let temporary = tempfile::tempdir().unwrap();
        let mut store = Store::open(temporary.path()).unwrap();
        let mut model = BTreeMap::new();
        let mut random = 42_u64;
        for step in 0..60_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = format!("k{}", (random >> 33) % KEYS);
            if step % 4 == 3 {
                store.delete(&key).unwrap();
                model.remove(&key);
            } else {
                store.put(&key, &step.to_string()).unwrap();
                model.insert(key, step.to_string());
            }
            match step {
                15_000 | 45_000 => {
                    drop(store);
                    store = Store::open(temporary.path()).unwrap();
                    assert_holds(&mut store, &model, "after a restart");
                }
                30_000 => {
                    store.compact().unwrap();
                    assert_eq!(store.tables.len(), 1);
                    assert_holds(&mut store, &model, "after a compaction");
                }
                _ => {}
            }
        }
        assert_holds(&mut store, &model, "in the end");
    }

    /// The trap: replaying a log, or reading a table, that was superseded just before a kill. All that
    /// stood in the directory at any time is put back here, beside what replaced it.
    #[test]
    fn what_a_killed_process_left_behind_is_swept() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path();
        let mut leftovers = BTreeMap::from([(dir.join("draft.tmp"), b"half a table".to_vec())]);
        let mut store = Store::open(dir).unwrap();
        for round in 0..6 {
            store.put("a", &round.to_string()).unwrap();
            store.put(&format!("b{round}"), "gone").unwrap();
            for file in fs::read_dir(dir).unwrap() {
                let path = file.unwrap().path();
                leftovers.insert(path.clone(), fs::read(path).unwrap());
            }
            store.delete(&format!("b{round}")).unwrap();
            store.flush().unwrap();
        }
        store.compact().unwrap();
        drop(store);
        for (path, bytes) in leftovers.iter().filter(|(path, _)| !path.exists()) {
            fs::write(path, bytes).unwrap();
        }

        let mut store = Store::open(dir).unwrap();
        assert_eq!(store.get("a").unwrap().as_deref(), Some("5"));
        for round in 0..6 {
            assert_eq!(store.get(&format!("b{round}")).unwrap(), None, "b{round} was deleted");
        }
        let names = store.directory.names().unwrap();
        assert_eq!(names.len(), 2, "one table and one log are left, of {names:?}");
    }
}

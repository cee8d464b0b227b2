//! A log-structured key-value store: writes go to a log and to a sorted table in memory; when that is full it
//! becomes a sorted file; reads ask the newest first; now and then files are merged. It never changes a byte
//! that it has written, which is why it writes fast, and why it has to clean up.
//!
//! # The life of a put
//!
//! 1. [`Store::put`] makes it an [`Entry`](append_log::Entry) and has [`AppendLog`](append_log::AppendLog)
//!    append it: one write, with a checksum. From here on it survives a kill.
//! 2. [`Memtable`](memtable::Memtable) takes it in. The put is done, and is answered.
//! 3. Past 1000 keys, [`TableWriter`](sstable::writer::TableWriter) writes the memtable, sorted as it is,
//!    to a draft, which becomes table n by a rename. Log n is spent and goes; log n + 1 begins.
//! 4. When four tables are of one size, [`compaction::merge`] makes them one. Of two values the older ends
//!    here.
//!
//! # The life of a get
//!
//! 1. The memtable: a value and a tombstone both end the search.
//! 2. Each [`SsTable`](sstable::SsTable), newest first: its filter says "not here" 99 times in 100 when it
//!    is not; else its index names the one block to read.
//! 3. The first to say anything of the key is right: whatever lies beneath is older.
//!
//! The modules stand in the order of the stages.

#![forbid(unsafe_code)]

// Stage 1: what is acknowledged is written down.
pub mod append_log;

// Stage 2: what is asked for is in memory.
pub mod memtable;

// Stage 3: what is too much for memory is in sorted files.
pub mod sstable;

// Stage 4: what is overwritten is thrown away.
pub mod compaction;

// Stage 5: what goes wrong in between is recovered from.
pub mod durability;

// All of them, tied together.
pub mod store;

// What can fail.
pub mod error;

pub use error::Error;
pub use store::Store;

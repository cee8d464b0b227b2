//! The suite for the key-value store: what `exercises/kv/README.md` promises, looked for from outside.
//!
//! ```text
//!   append_log, memtable, sstable, compaction, durability      the checks, a file a stage
//!   store      a subject behind the contract: requests, replies, restarts, kills
//!   step       what was done to it, as a student would say it
//!   model      what a correct store holds, and properties over random operations
//!   disk       its files, where the specification speaks of them
//!   oracle     what may be found after a crash
//! ```
//!
//! A check speaks of keys, values and files, never of how a store is built.

mod append_log;
mod memtable;
mod sstable;

mod compaction;

mod durability;

mod store;

mod step;

mod model;

mod disk;

mod oracle;

use std::process::ExitCode;

use harness::Suite;

static SUITE: Suite = Suite::new(
    "kv",
    &[append_log::STAGE, memtable::STAGE, sstable::STAGE, compaction::STAGE, durability::STAGE],
);

fn main() -> ExitCode {
    harness::main(&SUITE)
}

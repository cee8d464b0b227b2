//! Your key-value store. The specification is in this crate's README.md, and each stage has a page in
//! `stages/`.
//!
//! What is graded is the program `kv`, and so [`Store`]: begin there, in `store.rs`. `main.rs` and
//! `error.rs` are given. The other modules are a suggestion, one or two a stage, with the types and verbs
//! that the reference solution has; a stage needs none of those that come later. Change them, or do it your
//! way: the grader looks at what the program answers and at the files it leaves, and at nothing else.

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

// All of them, tied together. Begin here.
pub mod store;

// What can fail. Given; add to it what you need.
pub mod error;

pub use error::Error;
pub use store::Store;

//! The suite against libraries that are not ours: allocators in C of many designs, and libraries that are wrong on
//! purpose, each a few lines of C that are compiled on the spot.
//!
//! A test runs the suite as the front desk does: a request in, events out. What it looks at is the verdict, and whether
//! the evidence names the cause. Without a C compiler every test says that it was skipped.

mod c;

mod side_by_side;

mod suite_run;

mod other_languages;

mod designs;

mod borrowed;

mod loading;

mod endings;

mod foreign_memory;

mod wrong_blocks;

mod side_effects;

mod small_failures;

mod trace_files;

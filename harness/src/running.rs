//! Everything that runs and judges a subject, in reading order: what a suite is, how it is executed, what a check
//! is given, and then the subject itself from the outside.

pub mod suite;

pub mod entry;

pub mod executor;

pub mod context;

pub mod bytes;

pub mod folder;

pub mod halt;

pub mod process;

pub mod property;

pub mod crash;

pub mod calls;

pub mod small_disk;

pub mod names;

pub mod observe;

pub mod facility;

#[cfg(feature = "origin")]
pub mod origin;

pub mod docker;

pub mod trial;

mod interrupt;
mod lab;
mod newline;
mod one_processor;
mod patience;
mod strays;
mod transcript;
mod view;
mod watchdog;
mod workspace;

pub use context::Context;
pub use entry::main;
pub use folder::Folder;
pub use halt::{Halt, Judged};
pub use one_processor::OneProcessor;
pub use patience::Patience;
pub use suite::{Check, Stage, Suite};

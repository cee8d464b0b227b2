//! Your container runtime. The specification is in this crate's README.md, and each stage has a page in
//! `stages/`.
//!
//! What is graded is the program `container`, and so [`run`]: begin there. `main.rs` and `error.rs` are
//! given. The other modules are a suggestion, one or two a stage, with the types and verbs that the reference
//! solution has; change them, or do it your way. The grader looks at what the command sees of its world, at
//! what is seen of both from outside, and at nothing else.
//!
//! `run` will grow with each stage. In stage 1 it makes a child in one namespace, the child becomes the
//! command, and the parent waits; nearly all that comes later is one more step between `clone` and `exec`.
//! One thing is worth keeping from the beginning: the child is a copy of its parent, and must not return into
//! what the parent was about to do.
//!
//! What you run by hand runs on your own kernel, and from stage 2 on it mounts things: each page says what is
//! safe.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitStatus;

// Stage 1: a name of its own; and what it needs: a child, a command, a way to say what went wrong.
pub mod clone;
pub mod command;
pub mod error;
pub mod hostname;
pub mod inside;
pub mod pipes;

// Stage 2: pid 1.
pub mod processes;

// Stage 3: another root.
pub mod filesystem;

// Stage 4: not more than this.
pub mod memory;

// Stage 5: and nothing is left.
pub mod whole;

// Stage 6: for everybody.
pub mod rootless;

// Stage 7: and less for root.
pub mod hardened;

use hostname::Hostname;
use memory::Limit;

pub use error::Error;

/// What the command line says.
#[derive(Debug, Clone)]
pub struct Config {
    /// The hostname inside; if none, it is not changed.
    pub hostname: Option<Hostname>,
    /// How much memory the container may have; if none, as much as there is.
    pub memory: Option<Limit>,
    /// The directory that becomes `/`.
    pub rootfs: PathBuf,
    /// The command and its arguments: at least one word.
    pub command: Vec<OsString>,
}

/// Runs the command in a container of its own, from its beginning to its end.
///
/// The calling process should have a single thread, no other use for SIGCHLD, and nothing else to do.
pub fn run(config: &Config) -> Result<ExitStatus, Error> {
    todo!("stage 1: a child in a UTS namespace of its own becomes the command; how did it end?")
}

//! The suite for the container runtime: what `exercises/container/README.md` promises, looked for from inside and outside.
//!
//! ```text
//!   hostname … hardened   the checks, a file a stage
//!   call      a call of the runtime: options, root, command
//!   run       a run: the process outside, the probe inside, the end
//!   host      what the runtime is called on: a world of mounts, folders, roots; and what is left there
//!   world     mounts and a hostname that stand for the host's, for one check
//!   cgroups   where the runtime is started, and what limits the command
//!   mounts    a mount table
//!   seen      processes, as the suite sees them
//!   probe     (a program, built by build.rs) tells from inside
//! ```
//!
//! It is made for a throw-away kernel, as root: what a wrong runtime does to that one is gone with it. Within it a check
//! keeps to a world of its own, so that a runtime that unmounts the host's `/proc` has this one verdict and not all of them.

mod hostname;

mod processes;

mod filesystem;

mod memory;

mod whole;

mod rootless;

mod hardened;

mod call;

mod run;

mod host;

mod world;

mod cgroups;

mod mounts;

mod seen;

use std::process::ExitCode;

use harness::Suite;

static SUITE: Suite = Suite::new(
    "container",
    &[
        hostname::STAGE,
        processes::STAGE,
        filesystem::STAGE,
        memory::STAGE,
        whole::STAGE,
        rootless::STAGE,
        hardened::STAGE,
    ],
)
.in_lab();

fn main() -> ExitCode {
    harness::main(&SUITE)
}

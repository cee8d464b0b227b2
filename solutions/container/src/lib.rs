//! A minimal container runtime: a handful of kernel features, asked for in the right order.
//!
//! # The life of a run
//!
//! 1. Signals are held back ([`Signals`](whole::Signals)), and with `--memory` a [`Cgroup`](memory::Cgroup)
//!    is made: from here on there is something to clean up.
//! 2. [`clone`] makes a child in namespaces and a cgroup of its own. It waits at a [gate](pipes) until its
//!    parent has done what only a parent can do: [the maps of ids](rootless), the cgroup on an old kernel.
//! 3. The child goes through the steps of [`inside`], one after the other, each of which may end it: mounts
//!    become private, the root is bound on itself, `/proc` is mounted, the root is changed, the old one goes;
//!    a name, `lo`, signals, descriptors, rights. Then it *becomes* the command: nothing is left of the
//!    runtime.
//! 4. The parent hears of that, or of the step that failed, through a pipe which `exec` closes. It hands on
//!    signals until the child has ended, removes the cgroup, and exits with the child's status.
//!
//! The parent changes nothing of the host but for that cgroup. All else is done by the child, to itself, and
//! ends with it. The child is a copy of one thread and must not wait for what others may hold: between
//! `clone` and `exec` it allocates nothing and prints nothing.
//!
//! Left out on purpose: images, volumes, networks that lead anywhere, terminals, an init, the OCI's
//! `config.json`. Compared with crun, runc and bubblewrap by `cargo run --release -p container-solution
//! --example latency`.
//!
//! The modules stand in the order of the stages.

use std::ffi::OsString;
use std::io::{self, Write};
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

use clone::{Cloned, Joined};
use command::Command;
use error::Step;
use filesystem::Root;
use hostname::Hostname;
use inside::Inside;
use memory::{Cgroup, Limit};
use whole::Signals;

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
/// The calling process should have a single thread, no other use for SIGCHLD, and nothing else to do: signals
/// stay held back when this returns, so that one that comes late cannot replace the command's status.
pub fn run(config: &Config) -> Result<ExitStatus, Error> {
    let signals = Step::Signals.of(Signals::hold())?;
    let root = Root::find(&config.rootfs)?;
    let command = Command::new(&config.command)?;
    // Dropped on every way out, and so removed.
    let cgroup = config.memory.map(Cgroup::create).transpose()?;
    let maps = rootless::Maps::of_the_caller();
    let filter = hardened::seccomp::Filter::new();
    let hostname = config.hostname.as_ref();
    let inside = Inside { root: &root, hostname, signals: &signals, filter: &filter, command: &command };

    let namespaces =
        hostname::NAMESPACE | processes::NAMESPACE | filesystem::NAMESPACE | hardened::NAMESPACES;
    let namespaces = namespaces | maps.as_ref().map_or(rootless::NONE, |_| rootless::NAMESPACE);

    // `opener` lives to the end of this function: the child would take an earlier end of it for ours.
    let (opener, gate) = Step::Pipes.of(pipes::gate())?;
    let (listener, reporter) = Step::Pipes.of(pipes::report())?;
    let (child, joined) = match Step::Clone.of(clone::clone(namespaces, cgroup.as_ref()))? {
        Cloned::Inside => {
            // The copies of the parent's ends: with them the child would wait for itself.
            drop((opener, listener));
            inside.enter(gate, reporter)
        }
        Cloned::Outside(child, joined) => (child, joined),
    };
    drop((gate, reporter));
    // Dropped on an early way out, the child is killed and waited for.
    if let Some(maps) = maps {
        Step::IdMaps.of(maps.write(child.pid()))?;
    }
    if let (Some(cgroup), Joined::NotYet) = (&cgroup, joined) {
        cgroup.add(child.pid())?;
    }
    opener.open();
    if let Some(failure) = listener.failure() {
        child.reap();
        return Err(command.explain(failure));
    }
    let status = Step::Wait.of(signals.forward_until_the_end(child))?;
    if let Some(Err(error)) = cgroup.map(Cgroup::remove) {
        // The command has run, and its status is what was asked for, whether anybody reads this or not.
        let _ = writeln!(io::stderr(), "container: {error}");
    }
    Ok(status)
}

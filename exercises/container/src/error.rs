//! Given: why a command did not run, and the exit status that says so.
//!
//! Setting up a container is a row of steps, and most of them have one way to fail: the kernel refuses. So an
//! error is the step and the kernel's reason. The child cannot return one to the parent, being another
//! process; it sends two numbers ([`Failure`]) through a pipe, and the parent makes a sentence of them.

use std::fmt;
use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

/// Why [`run`](crate::run) did not run the command.
#[derive(Debug)]
pub enum Error {
    /// ROOTFS is no directory that can be used. Caused by the caller.
    Rootfs(PathBuf, io::Error),
    /// A word of the command has a NUL byte in it. Caused by the caller.
    Nul(String),
    /// The kernel refused a step: no permission, mostly. Caused by the machine.
    Step(Failure),
    /// There is no cgroup in which memory can be limited. Caused by the machine: the sentence says how.
    NoMemoryController(String),
    /// A file of the cgroup hierarchy refused. Caused by the machine.
    Cgroup(PathBuf, io::Error),
    /// There is no such command inside. Caused by the caller.
    NotFound(String),
    /// The command is there and cannot be executed. Caused by whoever made ROOTFS.
    NotExecutable(String, Errno),
}

impl Error {
    /// The exit status that tells a caller who is a program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::NotFound(_) => 127,
            Error::NotExecutable(..) => 126,
            _ => 125,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error::Step(failure)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Rootfs(path, source) => {
                write!(out, "the root {} cannot be used: {source}", path.display())
            }
            Error::Nul(word) => write!(out, "{word:?} has a NUL byte in it, which no argument can have"),
            Error::Step(failure) => {
                write!(out, "could not {}: {}", failure.step.sentence(), failure.errno.desc())
            }
            Error::NoMemoryController(why) => write!(out, "memory cannot be limited here: {why}"),
            Error::Cgroup(path, source) => {
                write!(out, "memory cannot be limited: {}: {source}", path.display())
            }
            Error::NotFound(command) => write!(out, "{command}: there is no such command in the container"),
            Error::NotExecutable(command, errno) => {
                write!(out, "{command}: it cannot be executed: {}", errno.desc())
            }
        }
    }
}

impl std::error::Error for Error {}

/// A step that the kernel refused, and its reason: what fits through a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// What was being done.
    pub step: Step,
    /// What the kernel said.
    pub errno: Errno,
}

/// What can fail between the command line and the command, in the order in which it is done.
#[expect(missing_docs, reason = "each has its sentence below")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Signals,
    Pipes,
    Clone,
    IdMaps,
    DieWithTheRuntime,
    Gate,
    PrivateMounts,
    BindRoot,
    ProcFolder,
    Proc,
    Masks,
    Pivot,
    Detach,
    Hostname,
    Loopback,
    CallersSignals,
    Descriptors,
    Capabilities,
    NoNewPrivileges,
    Filter,
    Exec,
    Wait,
}

/// Each step and what it does, at its own number.
const STEPS: [(Step, &str); 22] = [
    (Step::Signals, "hold back signals"),
    (Step::Pipes, "make a pipe"),
    (Step::Clone, "make a process in namespaces of its own"),
    (Step::IdMaps, "map user and group ids"),
    (Step::DieWithTheRuntime, "tie the container's life to the runtime's"),
    (Step::Gate, "hear from the runtime"),
    (Step::PrivateMounts, "keep mounts from spreading to the host"),
    (Step::BindRoot, "make the root a mount"),
    (Step::ProcFolder, "find a directory proc in the root"),
    (Step::Proc, "mount /proc"),
    (Step::Masks, "mask parts of /proc"),
    (Step::Pivot, "change the root"),
    (Step::Detach, "let go of the old root"),
    (Step::Hostname, "set the hostname"),
    (Step::Loopback, "bring up the loopback interface"),
    (Step::CallersSignals, "give back the caller's signals"),
    (Step::Descriptors, "close the caller's descriptors"),
    (Step::Capabilities, "give up capabilities"),
    (Step::NoNewPrivileges, "give up new privileges"),
    (Step::Filter, "install the filter of system calls"),
    (Step::Exec, "execute the command"),
    (Step::Wait, "wait for the command"),
];

impl Step {
    /// Gives a refusal the name of the step.
    pub fn of<T>(self, result: nix::Result<T>) -> Result<T, Failure> {
        result.map_err(|errno| Failure { step: self, errno })
    }

    /// The step with this number.
    pub fn numbered(number: u8) -> Option<Step> {
        STEPS.get(usize::from(number)).map(|(step, _)| *step)
    }

    fn sentence(self) -> &'static str {
        STEPS[self as usize].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_stands_at_its_own_number() {
        for (number, (step, _)) in (0u8..).zip(STEPS) {
            assert_eq!(Step::numbered(step as u8), Some(step));
            assert_eq!(step as u8, number);
        }
    }
}

//! Exit codes, which scripts and CI rely on, and the errors that end in one.

use std::{fmt, process::ExitCode};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything passed.
    Passed,
    /// A check failed, or an audit or tidy found something.
    Failed,
    /// The command line, or what it names, makes no sense.
    Usage,
    /// Nothing was selected, or nothing could run on this machine.
    NothingRan,
    /// The grader's own fault (EX_SOFTWARE, sysexits.h).
    GraderFault,
    /// The subject did not build (cargo's own status).
    NotBuilt,
    /// Ctrl-C: 128 + SIGINT.
    Interrupted,
    /// Whoever read our stdout went away, as `head` does: 128 + SIGPIPE.
    ReaderGone,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Passed => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NothingRan => 4,
            Exit::GraderFault => 70,
            Exit::NotBuilt => 101,
            Exit::Interrupted => 130,
            Exit::ReaderGone => 141,
        })
    }
}

/// An error with an exit code of its own; any other error is the grader's fault.
#[derive(Debug)]
pub(crate) struct Refusal {
    exit: Exit,
    message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// The request makes no sense; `message` says what to do next.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    Refusal { exit: Exit::Usage, message: message.into() }.into()
}

/// Something that this needs is not to be had on this machine; `message` says what would help.
pub(crate) fn nothing_ran(message: impl Into<String>) -> anyhow::Error {
    Refusal { exit: Exit::NothingRan, message: message.into() }.into()
}

/// The subject did not build; `message` says where to look.
pub(crate) fn not_built(message: impl Into<String>) -> anyhow::Error {
    Refusal { exit: Exit::NotBuilt, message: message.into() }.into()
}

/// Nobody reads stdout any more.
pub(crate) fn reader_gone() -> anyhow::Error {
    Refusal { exit: Exit::ReaderGone, message: String::new() }.into()
}

/// Prints an error and gives its exit code.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    let exit = error.downcast_ref::<Refusal>().map_or(Exit::GraderFault, |refusal| refusal.exit);
    if exit != Exit::ReaderGone && !crate::interrupt::happened() {
        anstream::eprintln!(
            "{}error:{} {error:#}",
            crate::report::style::BAD,
            crate::report::style::BAD.render_reset()
        );
    }
    exit
}

//! How a run ended, and what that says where something else was expected.

use std::fmt;

use harness::{
    Halt, Judged,
    process::{Ending, Exit},
};

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// The runtime's own end.
    pub(crate) exit: Exit,
    /// All of its stdout that nobody had read.
    pub(crate) stdout: Vec<u8>,
    /// The end of its stderr.
    pub(crate) stderr: String,
}

impl Ended {
    /// Demands an exit status.
    ///
    /// # Errors
    /// Fail, or crash when it panicked or was killed.
    #[track_caller]
    pub(crate) fn has_status(&self, status: i32) -> Judged {
        if self.exit == Exit::Status(status) {
            return Ok(());
        }
        Err(self.unexpected(format!("exit status {status}")))
    }

    /// What was expected instead of this end.
    #[track_caller]
    pub(crate) fn unexpected(&self, expected: impl Into<String>) -> Box<Halt> {
        let expected = expected.into();
        let ending = Ending { exit: self.exit, unread: Vec::new(), stderr: self.stderr.clone() };
        let halt = ending.halt(&expected);
        match self.exit {
            // Whatever ended it, it was no decision of its own.
            Exit::Signal(_) => halt,
            Exit::Status(101) if self.stderr.contains("panicked at") => halt,
            Exit::Status(_) => {
                let mut fail = Halt::fail(expected, self.to_string());
                fail.evidence.stderr = halt.evidence.stderr;
                fail
            }
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.exit)?;
        if !self.stdout.is_empty() {
            write!(out, ", after {} on stdout", shown_bytes(&self.stdout))?;
        }
        Ok(())
    }
}

/// Bytes as evidence shows them.
pub(crate) fn shown_bytes(bytes: &[u8]) -> String {
    use harness::bytes::Excerpt;
    Excerpt { whole: 160, beginning: 90, end: 30, before: 24, after: 40 }.shown(bytes)
}

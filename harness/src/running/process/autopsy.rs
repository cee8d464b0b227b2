//! Why a subject ended: what its exit status and its last words say.

use std::{fmt, time::Duration};

use nix::{
    sys::{
        signal::Signal,
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
    unistd::Pid,
};

use super::Process;
use crate::{
    running::{Judged, halt::Halt, patience},
    verdict::Verdict,
};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with a status.
    Status(i32),
    /// It was killed by a signal.
    Signal(i32),
}

impl fmt::Display for Exit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Status(status) => write!(out, "exited with status {status}"),
            Self::Signal(number) => match Signal::try_from(number) {
                Ok(signal) => write!(out, "killed by {signal}"),
                Err(_) => write!(out, "killed by signal {number}"),
            },
        }
    }
}

/// A subject that has ended.
#[derive(Debug)]
pub struct Ending {
    /// How.
    pub exit: Exit,
    /// Lines of stdout that nobody had read, the last perhaps without its newline.
    pub unread: Vec<String>,
    /// The end of what it wrote to stderr.
    pub stderr: String,
}

impl Ending {
    /// The verdict on a subject that ended although `awaited` was still to come.
    #[track_caller]
    pub fn halt(&self, awaited: &str) -> Box<Halt> {
        let stderr = without_consequence(&self.stderr);
        let panic = Panic::find(stderr);
        if let Some(task) = not_started(stderr) {
            let at = panic.map(|panic| panic.at).unwrap_or_default();
            return Halt::new(Verdict::NotStarted { at, task: task.clone() }, awaited, task);
        }
        let how = match panic {
            Some(panic) => format!("panicked at {}: {}", panic.at, panic.message),
            None => self.exit.to_string(),
        };
        let got = match self.unread.last() {
            Some(line) => format!("{how}, after the unfinished line {line:?}"),
            None => how.clone(),
        };
        Halt::new(Verdict::Crash { how }, awaited, got).with_stderr(last_lines(stderr))
    }
}

impl Process {
    /// How a subject ended that will not say any more; a crash if it has not ended at all.
    #[track_caller]
    pub(super) fn autopsy(&mut self, awaited: &str) -> Judged<Ending> {
        self.pump(patience::REPLY / 5, |_| false)?;
        if self.ended.is_some() {
            return self.ending();
        }
        let how = "closed its stdout and went on running".to_owned();
        Err(Halt::new(Verdict::Crash { how: how.clone() }, awaited, how)
            .with_stderr(self.errors.last_lines()))
    }

    /// How it ended, once it has.
    pub(super) fn ending(&mut self) -> Judged<Ending> {
        let exit = self.ended.ok_or_else(|| Halt::fault("asked how a running process ended"))?;
        let unread = String::from_utf8_lossy(&self.inbox.take_all()).into_owned();
        let unread = unread.lines().map(str::to_owned).collect();
        self.services.note(self.number, '.', format!("({exit})").as_bytes());
        Ok(Ending { exit, unread, stderr: self.errors.text() })
    }

    /// Whether it has ended, without reaping it: its pid must stay its own until its group has been killed.
    pub(super) fn peek_at_end(&self) -> nix::Result<Option<Exit>> {
        peek_at_end(self.pid())
    }
}

fn peek_at_end(pid: i32) -> nix::Result<Option<Exit>> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    Ok(match waitid(Id::Pid(Pid::from_raw(pid)), flags)? {
        WaitStatus::Exited(_, status) => Some(Exit::Status(status)),
        WaitStatus::Signaled(_, signal, _) => Some(Exit::Signal(signal as i32)),
        _ => None,
    })
}

/// What a subject went over.
#[track_caller]
pub(super) fn limit(which: String) -> Box<Halt> {
    Halt::new(Verdict::Limit { which: which.clone() }, "a subject that stays within its limits", which)
}

/// What did not come.
#[track_caller]
pub(super) fn timeout(awaited: &str, allowance: Duration) -> Box<Halt> {
    let got = format!("nothing for {} s of its own time", allowance.as_secs());
    Halt::new(Verdict::Timeout { waiting_for: awaited.to_owned() }, awaited, got)
}

/// The end of a subject's stderr.
#[derive(Debug, Default)]
pub(super) struct StderrTail(Vec<u8>);

impl StderrTail {
    const KEPT_BYTES: usize = 64 << 10;

    /// Adds what was read from the pipe.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        if self.0.len() > 2 * Self::KEPT_BYTES {
            self.0.drain(..self.0.len() - Self::KEPT_BYTES);
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The last lines, for evidence.
    pub(super) fn last_lines(&self) -> Vec<String> {
        last_lines(&self.text())
    }
}

fn last_lines(text: &str) -> Vec<String> {
    const LINES: usize = 4;
    let telling =
        |line: &&str| !line.trim().is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE");
    let lines: Vec<_> = text.lines().filter(telling).collect();
    lines[lines.len().saturating_sub(LINES)..].iter().map(|line| (*line).to_owned()).collect()
}

/// What was said before a panic about a panic: one that leaves an `extern "C"` function is followed by another, which
/// says only that.
fn without_consequence(stderr: &str) -> &str {
    const CONSEQUENCE: &str = "panic in a function that cannot unwind";
    let cause = stderr.find(CONSEQUENCE).and_then(|at| stderr[..at].rfind("thread '"));
    cause.map_or(stderr, |end| &stderr[..end])
}

/// What a line that says `not yet implemented` says is to be done; in Rust, the text of a `todo!()`.
fn not_started(stderr: &str) -> Option<String> {
    const WORDS: &str = "not yet implemented";
    let line = stderr.lines().rev().find(|line| line.contains(WORDS))?;
    let task = line.split_once(WORDS)?.1;
    Some(task.trim_start_matches(':').trim().to_owned())
}

/// A Rust panic, as the standard hook reports it.
struct Panic {
    at: String,
    message: String,
}

impl Panic {
    /// The last panic on stderr.
    fn find(stderr: &str) -> Option<Self> {
        let lines: Vec<_> = stderr.lines().collect();
        let index =
            lines.iter().rposition(|line| line.starts_with("thread '") && line.contains("panicked at "))?;
        let location = lines[index].split_once("panicked at ")?.1.trim_end_matches(':');
        // `file:line:column`; the column says nothing to a reader.
        let at = location.rsplit_once(':').map_or(location, |(at, _)| at);
        let message = lines.get(index + 1).copied().unwrap_or_default();
        Some(Self { at: at.to_owned(), message: message.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(exit: Exit, stderr: &str) -> Verdict {
        Ending { exit, unread: Vec::new(), stderr: stderr.to_owned() }.halt("a reply").verdict
    }

    #[test]
    fn a_todo_is_not_a_crash() {
        let stderr = "\nthread 'main' (71) panicked at exercises/kv/src/store.rs:31:9:\n\
                      not yet implemented: stage 1: open the log\nnote: run with `RUST_BACKTRACE=1`";
        assert_eq!(
            verdict(Exit::Status(101), stderr),
            Verdict::NotStarted {
                at: "exercises/kv/src/store.rs:31".to_owned(),
                task: "stage 1: open the log".to_owned()
            }
        );
    }

    #[test]
    fn a_panic_is_named_with_its_place() {
        let stderr = "thread 'main' panicked at src/store.rs:9:5:\nindex out of bounds\nnote: run with `RUST_BACKTRACE";
        let how = "panicked at src/store.rs:9: index out of bounds".to_owned();
        assert_eq!(verdict(Exit::Status(101), stderr), Verdict::Crash { how });
    }

    #[test]
    fn a_panic_that_could_not_unwind_is_named_with_its_cause() {
        let stderr = "thread 'main' panicked at src/heap.rs:9:5:\nattempt to add with overflow\n\
                      note: run with `RUST_BACKTRACE=1`\n\
                      thread 'main' panicked at library/core/src/panicking.rs:225:5:\n\
                      panic in a function that cannot unwind\nstack backtrace:";
        let how = "panicked at src/heap.rs:9: attempt to add with overflow".to_owned();
        assert_eq!(verdict(Exit::Signal(6), stderr), Verdict::Crash { how });
    }

    #[test]
    fn a_signal_is_named() {
        assert_eq!(verdict(Exit::Signal(11), ""), Verdict::Crash { how: "killed by SIGSEGV".to_owned() });
    }
}

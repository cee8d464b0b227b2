//! A subject, from the outside: started with limits, spoken to by pipes, watched, and gone when dropped.
//!
//! ```text
//!   send ──► outbox ──► stdin │         │ stdout ──► inbox ──► read_line
//!                             │ subject │ stderr ──► errors (tail kept)
//!                             └─ pidfd: tells its end, whoever still holds the pipes
//! ```
//!
//! One `poll` loop ([`pump`]) moves all of it, so that neither side can block the other for ever, and so that every
//! wait has an end. No helper threads.

mod autopsy;
mod inbox;
mod launch;
mod pump;
mod standing;

use std::{fmt, fs::File, os::fd::OwnedFd, process::Child, sync::Arc, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

pub use autopsy::{Ending, Exit};
pub use launch::{Launch, Limits};
pub(in crate::running) use launch::{Started, Stdin, Tracing};

use crate::running::{
    Judged,
    calls::Held,
    context::Services,
    observe::{self, Usage},
    patience::Patience,
    strays,
    watchdog::Watched,
};
use inbox::Inbox;

/// A running subject. Dropping it kills it and everything it left behind.
#[derive(Debug)]
pub struct Process {
    child: Child,
    number: u32,
    marker: String,
    watched: Arc<Watched>,
    services: Arc<Services>,
    held: Held,
    pidfd: OwnedFd,
    stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
    outbox: Vec<u8>,
    /// Its input ends when the outbox is empty.
    input_ends: bool,
    inbox: Inbox,
    errors: autopsy::StderrTail,
    allowance: Duration,
    ended: Option<Exit>,
}

impl Process {
    /// Sends bytes without waiting for them to be read; what the pipe does not take yet goes out during later waits.
    pub fn send(&mut self, bytes: &[u8]) {
        self.services.note(self.number, '<', bytes);
        self.outbox.extend_from_slice(bytes);
    }

    /// Sets how long later waits go on while it idles or spins; ten seconds unless told. For what was seen to hang
    /// already, when a smaller input is looked for.
    pub fn set_allowance(&mut self, allowance: Duration) {
        self.allowance = allowance;
    }

    /// The next line of stdout, without its newline. What is `awaited` is put into words only if it does not come.
    ///
    /// # Errors
    /// Timeout, crash or limit, each saying that `awaited` did not come.
    #[track_caller]
    pub fn read_line(&mut self, awaited: impl fmt::Display) -> Judged<String> {
        // Not `map_err`: a closure would be taken for the caller.
        match self.read_line_or_end(&awaited)? {
            Ok(line) => Ok(line),
            Err(ending) => Err(ending.halt(&awaited.to_string())),
        }
    }

    /// The next line of stdout, or how the subject ended instead.
    ///
    /// # Errors
    /// Timeout or limit; crash when it closed its stdout and went on running.
    #[track_caller]
    pub fn read_line_or_end(&mut self, awaited: impl fmt::Display) -> Judged<Result<String, Ending>> {
        if !self.inbox.has_line() {
            self.pump(self.allowance, |process| process.inbox.has_line() || process.stdout.is_none())?
                .or_timeout(&awaited, self.allowance)?;
        }
        let Some(line) = self.inbox.take_line() else { return Ok(Err(self.autopsy(&awaited.to_string())?)) };
        let line = String::from_utf8_lossy(&line).into_owned();
        self.services.note(self.number, '>', line.as_bytes());
        Ok(Ok(line))
    }

    /// Waits for a line, without taking it; whether one came before its stdout or it itself ended.
    ///
    /// # Errors
    /// Timeout or limit.
    #[track_caller]
    pub fn awaits_line(&mut self, awaited: impl fmt::Display) -> Judged<bool> {
        self.pump(self.allowance, |process| process.inbox.has_line() || process.stdout.is_none())?
            .or_timeout(&awaited, self.allowance)?;
        Ok(self.inbox.has_line())
    }

    /// Waits for it to end, and leaves it to be looked at: it is reaped when it is dropped, so its pid is its own until then.
    ///
    /// # Errors
    /// Timeout when it does not end; limit when it went over one.
    #[track_caller]
    pub fn awaits_end(&mut self, awaited: impl fmt::Display) -> Judged {
        self.pump(self.allowance, |_| false)?.or_timeout(&awaited, self.allowance)
    }

    /// Ends its input, once all that was sent has been taken.
    pub fn end_input(&mut self) {
        self.input_ends = true;
    }

    /// What it has said that nobody has read: at least a byte, waited for if need be. `None` when it has closed its
    /// stdout. For bytes that are no lines; they do not enter the transcript, only their number does.
    ///
    /// # Errors
    /// Timeout or limit.
    #[track_caller]
    pub fn read_some(&mut self, awaited: impl fmt::Display) -> Judged<Option<Vec<u8>>> {
        if self.inbox.is_empty() {
            self.pump(self.allowance, |process| !process.inbox.is_empty() || process.stdout.is_none())?
                .or_timeout(&awaited, self.allowance)?;
        }
        let bytes = self.inbox.take_all();
        if bytes.is_empty() {
            return Ok(None);
        }
        self.services.note(self.number, '>', format!("({} bytes)", bytes.len()).as_bytes());
        Ok(Some(bytes))
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// Timeout when it does not; limit when it went over one.
    #[track_caller]
    pub fn end(mut self, awaited: impl fmt::Display) -> Judged<Ending> {
        self.pump(self.allowance, |_| false)?.or_timeout(&awaited, self.allowance)?;
        self.ending()
    }

    /// Ends its input and waits for it to end; the lines that it still says are in [`Ending`].
    ///
    /// # Errors
    /// Timeout when it goes on after the end of its input; limit when it went over one.
    #[track_caller]
    pub fn finish(mut self) -> Judged<Ending> {
        self.pump(self.allowance, |process| process.outbox.is_empty())?
            .or_timeout("it to read its input", self.allowance)?;
        self.stdin = None;
        self.services.note(self.number, '.', b"(end of input)");
        self.end("it to exit after the end of its input")
    }

    /// Kills it with SIGKILL, as a crash would, and waits until it is gone.
    pub fn kill(self) {
        self.services.note(self.number, '.', b"(SIGKILL)");
    }

    /// Whether it still runs, for a check that waits for something else than what it says. What its pipes hold is moved
    /// meanwhile, so that it never waits for a reader.
    ///
    /// # Errors
    /// Limit when it went over one.
    #[track_caller]
    pub fn is_running(&mut self) -> Judged<bool> {
        pump::drain(self)?;
        match self.watched.exceeded.get() {
            Some(excess) => Err(autopsy::limit(excess.clone())),
            None => Ok(self.ended.is_none()),
        }
    }

    /// Asks it to end, with SIGTERM; how it does is [`Process::end`]'s to tell.
    ///
    /// # Errors
    /// Fault when there is no such process, which cannot be before it is reaped.
    #[track_caller]
    pub fn terminate(&self) -> Judged {
        self.services.note(self.number, '.', b"(SIGTERM)");
        Ok(kill(Pid::from_raw(self.pid()), Signal::SIGTERM)?)
    }

    /// What it uses of the machine right now.
    pub fn usage(&self) -> Usage {
        observe::usage(self.pid())
    }

    /// Whether it waits for something: no thread of it, nor of what descends from it, is at work.
    pub fn is_waiting(&self) -> bool {
        !observe::is_any_at_work(self.pid())
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.watched.pid
    }

    /// Begins a wait for it, of as long as `allowance` of its own time.
    pub fn patience(&self, allowance: Duration) -> Patience {
        Patience::begin(self.pid(), allowance).but_while_held(self.held.clone())
    }

    /// Waits, moving bytes, until `done` or until nothing more can come.
    #[track_caller]
    fn pump(&mut self, allowance: Duration, done: impl Fn(&Self) -> bool) -> Judged<pump::Pumped> {
        let mut patience = self.patience(allowance);
        let pumped = pump::pump(self, &mut patience, done)?;
        match self.watched.exceeded.get() {
            Some(excess) => Err(autopsy::limit(excess.clone())),
            None => Ok(pumped),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The leader is not reaped yet, so its pid, and with it the group's number, cannot have been used again.
        self.watched.kill();
        self.services.watchdog.forget(&self.watched);
        let _ = self.child.wait();
        if !pump::pipes_are_closed(self) {
            strays::kill_marked(&self.marker);
        }
    }
}

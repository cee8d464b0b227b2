//! A run of the runtime: a process to wait for, and in it a probe to talk to.
//!
//! What a probe says of itself is compared with what the kernel says of it outside. Its process is found by the nonce in
//! its arguments and by the file that it executes, never by a pid that it tells.

mod ended;
mod inside;

use std::{cell::RefCell, thread, time::Duration};

use harness::{
    Halt, Judged,
    process::{Ending, Process},
    verdict::Verdict,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

pub(crate) use ended::{Ended, shown_bytes};
pub(crate) use inside::Inside;

use crate::{
    host::{FileId, Host, Root},
    seen,
};

/// How long one wait goes on while the runtime idles or spins. A throw-away kernel does not know how much of its time its own
/// host gave to others, so nothing in it looks starved.
const ALLOWANCE: Duration = Duration::from_secs(30);

/// A runtime that was started.
#[derive(Debug)]
pub(crate) struct Run<'h, 'c> {
    host: &'h Host<'c>,
    process: RefCell<Process>,
    root: Root,
    nonce: String,
}

impl<'h, 'c> Run<'h, 'c> {
    pub(crate) fn of(host: &'h Host<'c>, mut process: Process, root: Root, nonce: String) -> Self {
        process.set_allowance(ALLOWANCE);
        Self { host, process: RefCell::new(process), root, nonce }
    }

    /// The runtime's pid.
    pub(crate) fn pid(&self) -> i32 {
        self.process.borrow().pid()
    }

    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// Fault when there is no such process, which cannot be before it is dropped.
    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) -> Judged {
        self.host.tell(format!("{signal} to the runtime"));
        Ok(kill(Pid::from_raw(self.pid()), signal)?)
    }

    /// Sends bytes to its stdin.
    pub(crate) fn send(&self, bytes: &[u8]) {
        self.process.borrow_mut().send(bytes);
    }

    /// Ends its stdin.
    pub(crate) fn end_input(&self) {
        self.process.borrow_mut().end_input();
    }

    /// Waits until something is seen, while the runtime goes on.
    ///
    /// # Errors
    /// Crash when it ends before; timeout when nothing is seen.
    #[track_caller]
    pub(crate) fn until<T>(&self, awaited: &str, look: impl Fn() -> Judged<Option<T>>) -> Judged<T> {
        match self.wait(awaited, look)? {
            Some(seen) => Ok(seen),
            None => Err(self.ending()?.halt(awaited)),
        }
    }

    /// Waits until something is seen, or the runtime has ended and it is still not.
    #[track_caller]
    fn wait<T>(&self, awaited: &str, look: impl Fn() -> Judged<Option<T>>) -> Judged<Option<T>> {
        const ROUND: Duration = Duration::from_millis(1);
        let mut patience = self.process.borrow().patience(ALLOWANCE);
        loop {
            // In this order: what is there when it has ended was there before.
            let is_running = self.process.borrow_mut().is_running()?;
            if let Some(seen) = look()? {
                return Ok(Some(seen));
            }
            if !is_running {
                return Ok(None);
            }
            if patience.left().is_zero() {
                let got = format!("not within {} s of its own time", ALLOWANCE.as_secs());
                return Err(Halt::new(Verdict::Timeout { waiting_for: awaited.to_owned() }, awaited, got));
            }
            thread::sleep(ROUND);
        }
    }

    /// Waits for its end, and keeps its pid from being somebody else's until it is dropped.
    ///
    /// # Errors
    /// Timeout when it goes on.
    #[track_caller]
    pub(crate) fn has_ended(&self) -> Judged {
        self.process.borrow_mut().awaits_end("the runtime ends")
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Timeout when it goes on; not started when it came to something that is not written yet.
    #[track_caller]
    pub(crate) fn ends(self) -> Judged<Ended> {
        let mut stdout = Vec::new();
        while let Some(bytes) = self.process.borrow_mut().read_some("the runtime ends")? {
            stdout.extend(bytes);
        }
        self.has_ended()?;
        let ending = self.into_ending()?;
        let halt = ending.halt("a command that was run");
        if matches!(halt.verdict, Verdict::NotStarted { .. }) {
            return Err(halt);
        }
        Ok(Ended { exit: ending.exit, stdout, stderr: ending.stderr })
    }

    /// Waits for the probe's first line, and finds its process.
    ///
    /// # Errors
    /// When there is none, or the line is not the probe's.
    #[track_caller]
    pub(crate) fn serves(self) -> Judged<Inside<'h, 'c>> {
        let line = self.line("the command runs, and says its first line")?;
        let hello: Value = serde_json::from_str(&line).unwrap_or_default();
        if hello["nonce"] != self.nonce.as_str() {
            return Err(Halt::fail(
                "the command's own first line on stdout, and nothing before it",
                format!("{line:?}"),
            ));
        }
        let pid = self.until("the process of the command", || Ok(self.found()))?;
        Ok(Inside { run: self, pid, hello })
    }

    /// Whether it says a line; if not, it has ended.
    ///
    /// # Errors
    /// Timeout when neither comes.
    #[track_caller]
    pub(crate) fn says_something(&self) -> Judged<bool> {
        self.process.borrow_mut().awaits_line("the command runs, or the runtime ends")
    }

    /// The pid of the command's process, if it runs.
    pub(crate) fn found(&self) -> Option<i32> {
        // Where the root is not changed yet it is the one outside.
        let programs = [self.root.probe, FileId::of(&self.host.probe()).ok()?];
        seen::find(&self.nonce, &programs)
    }

    #[track_caller]
    fn line(&self, awaited: &str) -> Judged<String> {
        self.process.borrow_mut().read_line(awaited)
    }

    /// How it has ended, past what it still said.
    fn ending(&self) -> Judged<Ending> {
        loop {
            if let Err(ending) = self.process.borrow_mut().read_line_or_end("the runtime ends")? {
                return Ok(ending);
            }
        }
    }

    fn into_ending(self) -> Judged<Ending> {
        self.process.into_inner().end("the runtime ends")
    }
}

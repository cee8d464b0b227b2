//! A run of the runtime: a process to wait for, and in it a probe to talk to.
//!
//! What a probe says of itself is compared with what the kernel says of it outside. Its process is found by the nonce in
//! its arguments and by the file that it executes, never by a pid that it tells.

use std::{
    cell::RefCell,
    fmt, fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use harness::{
    Halt, Judged, Patience,
    process::{Ending, Exit, Process},
    verdict::Verdict,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    cgroups,
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

/// A run with a probe inside that serves.
#[derive(Debug)]
pub(crate) struct Inside<'h, 'c> {
    run: Run<'h, 'c>,
    pid: i32,
    /// What it said first.
    hello: Value,
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
        let mut patience = Patience::begin(self.pid(), ALLOWANCE);
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

impl<'h, 'c> Inside<'h, 'c> {
    /// The pid of the command's process, as the suite sees it.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    pub(crate) fn run(&self) -> &Run<'h, 'c> {
        &self.run
    }

    pub(crate) fn root(&self) -> &Root {
        &self.run.root
    }

    /// What the probe said first.
    pub(crate) fn hello(&self) -> &Value {
        &self.hello
    }

    /// Asks the probe; what it found, or the errno of what it tried.
    ///
    /// # Errors
    /// Crash or timeout when there is no answer.
    #[track_caller]
    pub(crate) fn ask(&self, question: &str) -> Judged<Result<Value, i32>> {
        self.run.host.tell(format!("inside: {question}"));
        self.ask_quietly(question)
    }

    /// The same without telling.
    ///
    /// # Errors
    /// As [`Inside::ask`].
    #[track_caller]
    pub(crate) fn ask_quietly(&self, question: &str) -> Judged<Result<Value, i32>> {
        self.run.send(format!("{question}\n").as_bytes());
        let line = self.run.line(&format!("the command goes on, and answers `{question}`"))?;
        let mut answer: Value = serde_json::from_str(&line)
            .map_err(|_| Halt::fail("nothing but the command's own output on stdout", format!("{line:?}")))?;
        match answer["errno"].as_i64() {
            Some(errno) => Ok(Err(errno as i32)),
            None => Ok(Ok(answer["ok"].take())),
        }
    }

    /// Asks what cannot fail in any container.
    ///
    /// # Errors
    /// A failure with the errno when it does.
    #[track_caller]
    pub(crate) fn told(&self, question: &str) -> Judged<Value> {
        match self.ask(question)? {
            Ok(value) => Ok(value),
            Err(errno) => Err(Halt::fail(
                format!("`{question}` works inside"),
                nix::errno::Errno::from_raw(errno).to_string(),
            )),
        }
    }

    /// Its namespace of a kind (`uts`, `pid`, …), as the kernel names it.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn namespace(&self, kind: &str) -> Judged<PathBuf> {
        let path = format!("/proc/{}/ns/{kind}", self.pid);
        fs::read_link(path).or_else(|_| Err(self.gone()))
    }

    /// A file of the kernel's about it, such as `status`.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn proc_file(&self, name: &str) -> Judged<String> {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid)).or_else(|_| Err(self.gone()))
    }

    /// A field of its `status`.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn status(&self, field: &str) -> Judged<String> {
        let status = self.proc_file("status")?;
        Ok(seen::field(&status, field).unwrap_or_default().to_owned())
    }

    /// The folder of its cgroup.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn cgroup(&self) -> Judged<PathBuf> {
        cgroups::of(self.pid).or_else(|_| Err(self.gone()))
    }

    /// Its root, seen from outside.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn root_id(&self) -> Judged<FileId> {
        FileId::of(Path::new(&format!("/proc/{}/root/.", self.pid))).or_else(|_| Err(self.gone()))
    }

    #[track_caller]
    fn gone(&self) -> Box<Halt> {
        match self.run.until::<()>("a command that goes on", || Ok(None)) {
            Err(halt) => halt,
            Ok(()) => Halt::fault("nothing was seen, and that was found"),
        }
    }

    /// Ends the probe's input, which ends it, and waits for the runtime.
    ///
    /// # Errors
    /// Timeout when that goes on.
    #[track_caller]
    pub(crate) fn finish(self) -> Judged<Ended> {
        self.run.host.tell("the command ends");
        self.run.end_input();
        self.run.ends()
    }

    /// The same, and demands that all was well.
    ///
    /// # Errors
    /// When it was not.
    #[track_caller]
    pub(crate) fn finish_well(self) -> Judged {
        let ended = self.finish()?;
        ended.has_status(0)?;
        if ended.stdout.is_empty() {
            return Ok(());
        }
        Err(Halt::fail("nothing of the runtime's on stdout", shown_bytes(&ended.stdout)))
    }

    /// The run, for what comes of it by itself.
    pub(crate) fn into_run(self) -> Run<'h, 'c> {
        self.run
    }
}

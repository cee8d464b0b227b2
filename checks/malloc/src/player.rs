//! The player, from the suite's side: a process that has the subject's library loaded and plays traces on it, each in
//! a child of its own, so that every trace meets the library as it was loaded.

use std::{
    env, fs,
    time::{Duration, Instant},
};

use harness::{
    Context, Halt, Judged,
    process::{Limits, Process},
    verdict::Verdict,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    rules,
    seen::{End, Seen},
    trace::Trace,
    words,
};

/// Once something was seen to hang, as long as this is enough to see it again.
const SEEN_TO_HANG: Duration = Duration::from_secs(1);

/// However slowly it goes on, no trace is given more than this.
const LONGEST: Duration = Duration::from_secs(180);

/// A check's player. It is started when it is first needed, and again after a trace that never ended.
#[derive(Debug)]
pub(crate) struct Player<'c> {
    context: &'c Context,
    process: Option<Process>,
    folder: TempDir,
    library: String,
    /// The trace that the folder holds.
    written: Option<Trace>,
    hangs: bool,
}

/// What a check expects of every trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// What every pointer is a multiple of.
    pub(crate) alignment: usize,
    /// Whether the OS is made to refuse, so that null is an answer.
    pub(crate) may_refuse: bool,
}

/// Of stages 1 to 3.
pub(crate) const EIGHT: Terms = Terms { alignment: 8, may_refuse: false };
/// From stage 4 on.
pub(crate) const SIXTEEN: Terms = Terms { alignment: 16, may_refuse: false };

impl Terms {
    /// Null is an answer.
    pub(crate) const fn may_refuse(self) -> Self {
        Self { may_refuse: true, ..self }
    }
}

impl<'c> Player<'c> {
    /// A player for this check.
    pub(crate) fn new(context: &'c Context) -> Judged<Self> {
        let library = context.library().to_string_lossy().into_owned();
        Ok(Self { context, process: None, folder: context.folder()?, library, written: None, hangs: false })
    }

    /// A player for libc's own allocator, to compare with.
    pub(crate) fn of_libc(context: &'c Context) -> Judged<Self> {
        Ok(Self { library: "libc".to_owned(), ..Self::new(context)? })
    }

    /// Plays a trace, which has to keep to the rules that hold for every trace.
    ///
    /// # Errors
    /// What the rules say of it.
    #[track_caller]
    pub(crate) fn play(&mut self, trace: &Trace, terms: Terms) -> Judged<Seen> {
        let seen = self.watch(trace)?;
        rules::judge(trace, &seen, terms)?;
        Ok(seen)
    }

    /// Plays a trace and says what was seen.
    ///
    /// # Errors
    /// Timeout when an operation never returns; what a library deserves that cannot be loaded.
    #[track_caller]
    pub(crate) fn watch(&mut self, trace: &Trace) -> Judged<Seen> {
        self.write(trace)?;
        let _ = fs::remove_file(self.folder.path().join("seen"));
        // What happens while the library is loaded is no operation's doing.
        if self.process.is_none() {
            self.process = Some(self.start()?);
        }
        match self.tell("play trace seen stderr", "the trace to be played") {
            Ok(()) => Ok(self.read_seen()),
            Err(halt) if is_timeout(&halt) => Err(self.never_returned(trace, &halt)),
            Err(halt) => {
                let finished = self.read_seen().finished();
                Err(halt.did(words::steps(&trace.ops[..trace.ops.len().min(finished + 1)])))
            }
        }
    }

    /// Plays a trace that nobody watches, for what it costs; it has to come to its end.
    ///
    /// # Errors
    /// A crash, or an operation that never returns.
    #[track_caller]
    pub(crate) fn complete(&mut self, trace: &Trace) -> Judged<Seen> {
        let seen = self.watch(trace)?;
        if seen.end() != End::Complete {
            rules::judge(trace, &seen, Terms { alignment: 1, may_refuse: true })?;
        }
        Ok(seen)
    }

    /// Has threads hammer on the library.
    ///
    /// # Errors
    /// Timeout when they never end.
    #[track_caller]
    pub(crate) fn threads(&mut self, threads: usize, operations: usize, seed: u64) -> Judged<Seen> {
        let _ = fs::remove_file(self.folder.path().join("seen"));
        let command = format!("threads seen stderr {threads} {operations} {seed}");
        self.tell(&command, &format!("{threads} threads to end"))?;
        Ok(self.read_seen())
    }

    /// Writes a trace into the folder, unless it is there: measurements play one again and again.
    fn write(&mut self, trace: &Trace) -> Judged {
        if self.written.as_ref() != Some(trace) {
            let path = self.folder.path().join("trace");
            // Not truncated: some file systems wait for what was written before.
            let _ = fs::remove_file(&path);
            fs::write(path, trace.to_bytes())?;
            self.written = Some(trace.clone());
        }
        Ok(())
    }

    /// Sends a command and waits until it was done, for as long as operations come to an end: a list of thousands of
    /// blocks that is searched one by one is slow, and no hang.
    #[track_caller]
    fn tell(&mut self, command: &str, awaited: &str) -> Judged {
        let mut process = match self.process.take() {
            Some(process) => process,
            None => self.start()?,
        };
        if self.hangs {
            process.set_allowance(SEEN_TO_HANG);
        }
        process.send(format!("{command}\n").as_bytes());
        let began = Instant::now();
        let mut finished = 0;
        // Not kept after an error: the next trace gets a new one.
        let reply = loop {
            match process.read_line(awaited) {
                Ok(line) => break line,
                Err(halt) if is_timeout(&halt) && began.elapsed() < LONGEST => {
                    let progress = self.read_seen().finished();
                    if progress == finished {
                        return Err(halt);
                    }
                    finished = progress;
                }
                Err(halt) => return Err(halt),
            }
        };
        if reply != r#"{"played":true}"# {
            return Err(Halt::fault(format!("the player answered {reply}")));
        }
        self.process = Some(process);
        Ok(())
    }

    #[track_caller]
    fn start(&self) -> Judged<Process> {
        let program = env::current_exe()?.with_file_name("malloc-player");
        let limits = Limits { memory_bytes: 3 << 30, ..Limits::default() };
        let launch = self.context.launch_other(&program.to_string_lossy(), self.folder.path()).limits(limits);
        let mut process = launch.arg(&self.library).arg(self.folder.path()).start()?;
        let line = process.read_line("the library to be loaded")?;
        let greeting: Value =
            serde_json::from_str(&line).map_err(|error| Halt::fault(format!("{line}: {error}")))?;
        if let Some(problem) = greeting["error"].as_str() {
            let how = format!("could not be loaded: {problem}");
            return Err(Halt::new(Verdict::Crash { how: how.clone() }, "a shared library that loads", how));
        }
        let has =
            |name: &str| greeting["has"].as_array().is_some_and(|names| names.iter().any(|has| has == name));
        match ["my_malloc", "my_free"].into_iter().find(|name| !has(name)) {
            None => Ok(process),
            Some(missing) => {
                let halt =
                    Halt::fail(format!("a library that exports {missing} with the C ABI"), "no such symbol");
                Err(halt.likely(
                    "the function is static, not `extern \"C\"`, or its name is mangled: see `nm -D`",
                ))
            }
        }
    }

    fn read_seen(&self) -> Seen {
        let read = |name: &str| fs::read(self.folder.path().join(name)).unwrap_or_default();
        Seen::from_bytes(&read("seen"), String::from_utf8_lossy(&read("stderr")).into_owned())
    }

    /// The verdict on an operation that did not come back.
    #[track_caller]
    fn never_returned(&mut self, trace: &Trace, halt: &Halt) -> Box<Halt> {
        self.hangs = true;
        let finished = self.read_seen().finished();
        let at = finished.min(trace.ops.len().saturating_sub(1));
        let awaited =
            trace.ops.get(at).map_or_else(|| "the trace".to_owned(), |op| format!("{op} to return"));
        let timeout = Verdict::Timeout { waiting_for: awaited.clone() };
        let hung = Halt::new(timeout, awaited, halt.evidence.got.clone());
        let hung = hung.did(words::steps(trace.ops.get(..=at).unwrap_or_default()));
        hung.likely("a list that leads back into itself, or a loop that does not move on")
    }
}

fn is_timeout(halt: &Halt) -> bool {
    matches!(halt.verdict, Verdict::Timeout { .. })
}

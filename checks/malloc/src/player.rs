//! The player, from the suite's side: a process that has the subject's library loaded and plays traces on it, each in
//! a child of its own, so that every trace meets the library as it was loaded.

use std::{env, fs, mem, time::Duration};

use harness::{
    Context, Folder, Halt, Judged,
    process::{Limits, Process},
    verdict::Verdict,
};
use serde_json::Value;

use crate::{
    rules,
    seen::{End, Seen},
    trace::Trace,
    words,
};

/// So long nothing may come to an end before it counts as a hang.
const ALLOWANCE: Duration = Duration::from_secs(10);

/// Once something was seen to hang, as long as this is enough to see it again.
const SEEN_TO_HANG: Duration = Duration::from_secs(1);

/// So often within that time it is looked whether operations come to an end: the time counts from the last one that did.
const LOOKS: u32 = 4;

/// However slowly it goes on, no trace is given more than this: of its own time, as each look is.
const LONGEST: Duration = Duration::from_secs(180);

/// A check's player. It is started when it is first needed, and again after a trace that never ended.
#[derive(Debug)]
pub(crate) struct Player<'c> {
    context: &'c Context,
    process: Option<Process>,
    folder: Folder,
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
        // What happens while the library is loaded is no operation's doing.
        let process = self.ready()?;
        match self.tell(process, "play trace seen stderr", "the trace to be played") {
            Ok(()) => Ok(self.read_seen()),
            Err(halt) if is_timeout(&halt) => Err(self.never_returned(trace, *halt)),
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

    /// Has threads do that work on the library, so much of it.
    ///
    /// # Errors
    /// Timeout when they never end.
    #[track_caller]
    pub(crate) fn threads(&mut self, work: &str, threads: usize, amount: usize, seed: u64) -> Judged<Seen> {
        let process = self.ready()?;
        let command = format!("threads {work} seen stderr {threads} {amount} {seed}");
        self.tell(process, &command, &format!("{threads} threads to end"))?;
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

    /// The process, which is started if there is none.
    #[track_caller]
    fn ready(&mut self) -> Judged<Process> {
        match self.process.take() {
            Some(process) => Ok(process),
            None => self.start(),
        }
    }

    /// Sends a command and waits until it was done, for as long as operations come to an end: a list of thousands of
    /// blocks that is searched one by one is slow, and no hang. The process is kept unless it failed.
    #[track_caller]
    fn tell(&mut self, mut process: Process, command: &str, awaited: &str) -> Judged {
        let _ = fs::remove_file(self.folder.path().join("seen"));
        let allowance = if self.hangs { SEEN_TO_HANG } else { ALLOWANCE };
        process.set_allowance(allowance / LOOKS);
        process.send(format!("{command}\n").as_bytes());
        let (mut finished, mut in_vain, mut looks) = (0, 0, 0);
        let reply = loop {
            match process.read_line(awaited) {
                Ok(line) => break line,
                Err(halt) if is_timeout(&halt) => {
                    let before = mem::replace(&mut finished, self.read_seen().finished());
                    in_vain = if finished == before { in_vain + 1 } else { 0 };
                    looks += 1;
                    let is_late = allowance / LOOKS * looks > LONGEST;
                    self.hangs |= is_late || in_vain == LOOKS;
                    if in_vain == LOOKS {
                        return Err(hung(&process, awaited, allowance));
                    } else if is_late {
                        return Err(went_on(awaited));
                    }
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

    /// The same verdict, on the operation that did not come back.
    #[track_caller]
    fn never_returned(&self, trace: &Trace, hung: Halt) -> Box<Halt> {
        let at = self.read_seen().finished().min(trace.ops.len().saturating_sub(1));
        let awaited = format!("{} to return", words::step(&trace.ops, at));
        let timeout = Verdict::Timeout { waiting_for: awaited.clone() };
        let story = words::steps(trace.ops.get(..=at).unwrap_or_default());
        Halt::new(timeout, awaited, hung.evidence.got).did(story).likely(hung.evidence.likely)
    }
}

/// The verdict on what did not come. Who waits makes another mistake than who goes round in circles.
#[track_caller]
fn hung(process: &Process, awaited: &str, allowance: Duration) -> Box<Halt> {
    let seconds = allowance.as_secs();
    let (got, likely) = if process.is_waiting() {
        (
            format!("nothing for {seconds} s: it does not run, it waits"),
            "it waits for a lock that is held already, perhaps by itself",
        )
    } else {
        (
            format!("nothing for {seconds} s of its own time"),
            "a list that leads back into itself, or a loop that does not move on",
        )
    };
    Halt::new(Verdict::Timeout { waiting_for: awaited.to_owned() }, awaited, got).likely(likely)
}

/// The verdict on what came to no end, and did not hang.
#[track_caller]
fn went_on(awaited: &str) -> Box<Halt> {
    let got =
        format!("one operation after the other for {} s of its own time, and no end", LONGEST.as_secs());
    Halt::new(Verdict::Timeout { waiting_for: awaited.to_owned() }, awaited, got)
}

fn is_timeout(halt: &Halt) -> bool {
    matches!(halt.verdict, Verdict::Timeout { .. })
}

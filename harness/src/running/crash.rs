//! Crashes on purpose: a subject killed at a chosen change of its files.
//!
//! Between two system calls that change files nothing on disk moves, so killing a subject *before each of them* is
//! killing it at every moment that can be told apart afterwards. A write can also be torn: half of its bytes are put
//! into the file for it, and then it is killed.
//!
//! ```text
//!   openat   write            write          rename        unlink
//!      │       │ (half)         │ (half)        │             │
//!   ───┴───────┴───┴────────────┴───┴───────────┴─────────────┴───► time       every tick is a chance
//! ```
//!
//! The subject gets a line of input at a time, each when the one before was answered by a line, and its replies go to
//! a file: what was acknowledged at the kill is known exactly. Seen are system calls (by `ptrace`, see ptrace(2)), not stores into a mapping.

mod change;
mod feed;
mod tear;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::{
        memfd::{MFdFlags, memfd_create},
        ptrace::{self, Options},
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use super::{
    Halt, Judged,
    process::{Ending, Exit, Launch, Started, Stdin, Tracing},
};
use crate::verdict::Verdict;
pub use change::Change;
use feed::Feed;

/// What to do with a subject that is about to change a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Let it.
    GoOn,
    /// Kill it before it does.
    Kill,
    /// Put half of its write into the file, then kill it.
    TearAndKill,
}

/// Decides at each change, counted from 0 in the order in which they are begun. The subject stands still meanwhile,
/// so its files can be looked at.
pub type Decide<'a> = dyn FnMut(usize, &Change) -> Judged<Then> + Send + 'a;

/// What a traced run came to.
#[derive(Debug)]
pub struct Traced {
    /// The changes that the subject made or was about to make, the last perhaps the one that it was killed at.
    pub changes: Vec<Change>,
    /// Everything that it wrote to stdout.
    pub stdout: String,
    /// How it ended; SIGKILL where it was killed as asked.
    pub ending: Ending,
}

/// How long a traced subject may take from one reply to the next. At every system call it waits until its tracer has
/// looked, so that its own time cannot be told from the machine's: this is a hundred times what the dearest reply takes.
const REPLY: Duration = Duration::from_secs(60);

/// Runs the subject on `input`, a line after each line of its own, until its end or until `decide` has it killed.
/// `folder` is where its files are.
///
/// # Errors
/// Skip where processes cannot be traced; timeout when the subject does not end; limit; what `decide` returns.
pub fn trace(launch: Launch, folder: &Path, input: &[u8], decide: &mut Decide<'_>) -> Judged<Traced> {
    can_trace()?;
    // A thread of its own: only the thread that starts a subject can trace it, and it waits for any child that it
    // has, so it must have no other.
    thread::scope(|scope| {
        let traced = scope.spawn(|| trace_here(launch, folder, input, decide)).join();
        traced.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn trace_here(launch: Launch, folder: &Path, input: &[u8], decide: &mut Decide<'_>) -> Judged<Traced> {
    let (stdin, requests) = io::pipe()?;
    let (mut stdout, mut stderr) = (in_memory()?, in_memory()?);
    let (to_stdout, to_stderr) = (Stdio::from(stdout.try_clone()?), Stdio::from(stderr.try_clone()?));
    let feed = Feed::begin(requests, stdout.try_clone()?, input)?;
    let started = launch.spawn(Stdin::Ready(stdin.into()), to_stdout, to_stderr, Tracing::On)?;

    started.watched.postpone(REPLY);
    let mut tracer = Tracer { started, folder, decide, feed, changes: Vec::new(), exit: None };
    let followed = tracer.follow();
    let exit = tracer.finish();
    followed?;
    if let Some(excess) = tracer.started.watched.exceeded.get() {
        let awaited = "it to read its input and exit";
        let verdict = match tracer.started.watched.is_late() {
            true => Verdict::Timeout { waiting_for: awaited.to_owned() },
            false => Verdict::Limit { which: excess.clone() },
        };
        return Err(Halt::new(verdict, awaited, excess));
    }
    let ending = Ending { exit, unread: Vec::new(), stderr: text(&mut stderr)? };
    Ok(Traced { changes: std::mem::take(&mut tracer.changes), stdout: text(&mut stdout)?, ending })
}

/// Whether this machine lets a process be traced by its parent; tried once, to the end.
///
/// # Errors
/// Skip, with what would help.
pub fn can_trace() -> Judged {
    static TRIAL: OnceLock<Result<(), String>> = OnceLock::new();
    let trial = TRIAL.get_or_init(|| {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("true");
        // SAFETY: the closure makes one system call, and neither allocates nor takes a lock.
        unsafe { command.pre_exec(|| Ok(ptrace::traceme()?)) };
        let child = command.spawn().map_err(|error| error.to_string())?;
        let pid = Pid::from_raw(child.id() as i32);
        let stopped = waitpid(pid, Some(WaitPidFlag::__WALL)).map_err(|error| error.to_string())?;
        let info = ptrace::setoptions(pid, Options::PTRACE_O_TRACESYSGOOD);
        let _ = kill(pid, Signal::SIGKILL);
        let _ = waitpid(pid, Some(WaitPidFlag::__WALL));
        info.map_err(|error| error.to_string())?;
        matches!(stopped, WaitStatus::Stopped(..)).then_some(()).ok_or_else(|| format!("saw {stopped:?}"))
    });
    trial.clone().map_err(|problem| {
        Halt::skip(format!(
            "processes cannot be traced here ({problem}); in a container, allow it with --cap-add=SYS_PTRACE"
        ))
    })
}

/// A file without a name, for what is printed: unlike a pipe it never makes the subject wait.
fn in_memory() -> Judged<File> {
    Ok(File::from(memfd_create(c"printed", MFdFlags::MFD_CLOEXEC).map_err(io::Error::from)?))
}

fn text(file: &mut File) -> Judged<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Follows one subject and all it forks from system call to system call.
struct Tracer<'a, 'd> {
    started: Started,
    folder: &'a Path,
    decide: &'a mut Decide<'d>,
    feed: Feed<'a>,
    changes: Vec<Change>,
    exit: Option<Exit>,
}

impl Tracer<'_, '_> {
    /// Lets the subject run until it has ended or has been killed.
    fn follow(&mut self) -> Judged {
        let leader = self.leader();
        if self.wait()?.is_none() {
            return Ok(());
        }
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_EXITKILL
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACEEXEC;
        ignore_gone(ptrace::setoptions(leader, options))?;
        ignore_gone(ptrace::syscall(leader, None))?;
        while let Some(status) = self.wait()? {
            let (pid, signal) = match status {
                WaitStatus::PtraceSyscall(pid) => {
                    if self.syscall_stop(pid)? {
                        return Ok(());
                    }
                    (pid, None)
                }
                WaitStatus::PtraceEvent(pid, ..) => (pid, None),
                // A new thread or process begins with a stop of its own, which is not a signal to be delivered.
                WaitStatus::Stopped(pid, Signal::SIGSTOP | Signal::SIGTRAP) => (pid, None),
                WaitStatus::Stopped(pid, signal) => (pid, Some(signal)),
                _ => continue,
            };
            ignore_gone(ptrace::syscall(pid, signal))?;
        }
        Ok(())
    }

    /// Looks at a stop at a system call; whether the subject is to be killed here.
    fn syscall_stop(&mut self, pid: Pid) -> Judged<bool> {
        if self.feed.next_if_answered()? {
            self.started.watched.postpone(REPLY);
        }
        let Some(call) = change::entry(pid) else { return Ok(false) };
        let Some(change) = Change::of(pid, &call, self.folder) else { return Ok(false) };
        let then = (self.decide)(self.changes.len(), &change)?;
        if then == Then::TearAndKill {
            tear::write_half(pid, &call)?;
        }
        self.changes.push(change);
        Ok(then != Then::GoOn)
    }

    /// The next stop or end of anything traced by this thread; `None` when nothing is left.
    fn wait(&mut self) -> Judged<Option<WaitStatus>> {
        // __WNOTHREAD: only what this thread started; other threads keep their children.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            let status = match waitpid(None, Some(flags)) {
                Ok(status) => status,
                Err(Errno::EINTR) => continue,
                Err(Errno::ECHILD) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let leader = self.leader();
            match status {
                WaitStatus::Exited(pid, status) if pid == leader => self.exit = Some(Exit::Status(status)),
                WaitStatus::Signaled(pid, signal, _) if pid == leader => {
                    self.exit = Some(Exit::Signal(signal as i32));
                }
                _ => {}
            }
            return Ok(Some(status));
        }
    }

    /// Kills what still runs, waits until it is gone, and tells how the first process ended.
    fn finish(&mut self) -> Exit {
        self.started.services.watchdog.forget(&self.started.watched);
        if self.exit.is_none() {
            let _ = killpg(self.leader(), Signal::SIGKILL);
            let _ = kill(self.leader(), Signal::SIGKILL);
        }
        // Tracees of this thread are reaped here; whatever left the group goes with the check's other strays.
        while self.exit.is_none() && matches!(self.wait(), Ok(Some(_))) {}
        self.exit.unwrap_or(Exit::Signal(Signal::SIGKILL as i32))
    }

    fn leader(&self) -> Pid {
        Pid::from_raw(self.started.watched.pid)
    }
}

/// A tracee that was killed meanwhile is not an error: its end is about to be seen.
fn ignore_gone(result: nix::Result<()>) -> nix::Result<()> {
    match result {
        Err(Errno::ESRCH) => Ok(()),
        other => other,
    }
}

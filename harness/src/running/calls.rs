//! System calls that a subject makes, one by one: a check sees each before it is done, and lets it be done, refuses it,
//! or lets it wait.
//!
//! ```text
//!   subject   mount ─┐ (stands still)   ┌─► EPERM, as if the kernel had said so
//!                    ▼                  │
//!   suite         Decide: go on ─ fail ─┴─ later ──► asked again, while others go on
//! ```
//!
//! By a filter with a listener (seccomp_unotify(2)), which the subject's children inherit, rather than by `ptrace`: there
//! are no stops to confuse, and a subject may trace its own children. What a check refuses the kernel never sees.

mod filter;

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Halt, Judged};
use filter::Notice;
pub(super) use filter::Ward;

/// A system call that is about to be made; whoever makes it stands still.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The thread that makes it, as the suite sees it.
    pub pid: i32,
    /// Its number, as libc has it (`SYS_…`).
    pub number: i64,
    /// Its arguments.
    pub args: [u64; 6],
}

impl Call {
    /// Bytes of the caller's memory; `None` where there are none.
    pub fn memory(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let memory = File::open(format!("/proc/{}/mem", self.pid)).ok()?;
        let mut bytes = vec![0; length];
        let count = memory.read_at(&mut bytes, address).ok()?;
        bytes.truncate(count);
        Some(bytes)
    }

    /// The text that an argument points to; `None` where it points to nothing.
    pub fn text(&self, argument: usize) -> Option<Vec<u8>> {
        const PAGE: u64 = 4096;
        let address = *self.args.get(argument)?;
        // Up to the end of its page and the whole next one, which may not be there.
        let in_page = (PAGE - address % PAGE) as usize;
        let mut bytes = self.memory(address, in_page)?;
        if !bytes.contains(&0) {
            bytes.extend(self.memory(address + in_page as u64, PAGE as usize).unwrap_or_default());
        }
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        bytes.truncate(end);
        Some(bytes)
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is done.
    GoOn,
    /// It is not done, and fails with this errno.
    Fail(i32),
    /// Neither yet: the check is asked about it again soon, and about others meanwhile.
    Later,
}

/// Decides about calls. It runs in a thread of its own.
pub type Decide = dyn FnMut(&Call) -> Then + Send;

/// For how long calls of a subject were held until they were decided about, in all. Copies are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Arc<AtomicU64>);

impl Held {
    pub(super) fn time(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    pub(super) fn add(&self, time: Duration) {
        self.0.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// Decides about the calls of one subject and of all that it starts. Dropping it has every call fail with ENOSYS that is
/// made from then on, so it outlives its subject.
#[derive(Debug)]
pub struct Supervisor {
    ward: Ward,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Will `decide` about each call with one of these numbers, of the subject that is started with it: one, once.
    ///
    /// # Errors
    /// Skip where the kernel has no such thing, or not for us.
    pub fn begin(numbers: &[i64], decide: Box<Decide>) -> Judged<Self> {
        can_supervise()?;
        let (ward, listener) = filter::prepare(numbers)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (ends, held) = (Arc::clone(&is_over), ward.held().clone());
        let thread = thread::spawn(move || {
            // A subject that was never started has no listener, and one that is gone makes no calls.
            if let Ok(listener) = listener.wait(&ends) {
                let _ = follow(&listener, decide, &ends, &held);
            }
        });
        Ok(Self { ward, is_over, thread: Some(thread) })
    }

    /// What the subject has to do before its exec.
    pub(super) fn ward(&self) -> Ward {
        self.ward.clone()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers each call, until there is nobody left to make one.
fn follow(
    listener: &OwnedFd,
    mut decide: Box<Decide>,
    is_over: &AtomicBool,
    time_held: &Held,
) -> io::Result<()> {
    const IDLE_MS: u16 = 20;
    const HOLDING_MS: u16 = 1;
    let mut held: Vec<Notice> = Vec::new();
    let mut since = Instant::now();
    while !is_over.load(Ordering::SeqCst) {
        let wait = if held.is_empty() { IDLE_MS } else { HOLDING_MS };
        let mut ready = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, PollTimeout::from(wait)) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        if held.is_empty() {
            since = Instant::now();
        }
        let events = ready[0].revents().unwrap_or(PollFlags::empty());
        if events.contains(PollFlags::POLLIN) {
            held.extend(Notice::receive(listener)?);
        } else if events.contains(PollFlags::POLLHUP) {
            return Ok(());
        }
        held.retain(|notice| match decide(&notice.call()) {
            Then::Later => true,
            Then::GoOn => notice.go_on(listener),
            Then::Fail(errno) => notice.fail(listener, errno),
        });
        time_held.add(since.elapsed());
        since = Instant::now();
    }
    Ok(())
}

/// Whether the kernel lets the suite decide about calls; tried once, to the end.
///
/// # Errors
/// Skip, with what would help.
pub fn can_supervise() -> Judged {
    static TRIAL: OnceLock<Result<(), String>> = OnceLock::new();
    let trial = TRIAL.get_or_init(|| filter::try_out().map_err(|error| error.to_string()));
    trial.clone().map_err(|problem| {
        Halt::skip(format!(
            "system calls cannot be decided about here ({problem}): it needs root and seccomp_unotify(2)"
        ))
    })
}

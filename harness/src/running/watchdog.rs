//! Keeps every live subject within its limits, whatever kernel it runs on: resource limits do not bind root, count
//! a user's other processes too, and know nothing of the size of a directory.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use super::{observe, process::Limits, workspace};

const ROUND: Duration = Duration::from_millis(50);

/// One live subject.
#[derive(Debug)]
pub(super) struct Watched {
    /// Its first process, which leads its process group.
    pub(super) pid: i32,
    /// What it may use.
    pub(super) limits: Limits,
    /// The folder whose size counts against it.
    pub(super) folder: PathBuf,
    /// When it is given up, if nobody waits for it step by step.
    deadline: Mutex<Option<Instant>>,
    /// Which limit it went over, once it has.
    pub(super) exceeded: OnceLock<String>,
}

impl Watched {
    /// A subject that is given up at no time until [`Watched::postpone`].
    pub(super) fn new(pid: i32, limits: Limits, folder: PathBuf) -> Self {
        Self { pid, limits, folder, deadline: Mutex::new(None), exceeded: OnceLock::new() }
    }

    /// Gives it `allowance` from now on, for it has just gone on.
    pub(super) fn postpone(&self, allowance: Duration) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + allowance);
    }

    /// Whether its deadline has passed.
    pub(super) fn is_late(&self) -> bool {
        let deadline = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Kills its process group, and itself should it have left that. Only while it has not been reaped, or its pid
    /// may be somebody else's by now.
    pub(super) fn kill(&self) {
        let pid = Pid::from_raw(self.pid);
        let _ = killpg(pid, Signal::SIGKILL);
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// The live subjects of the run, looked at twenty times a second.
#[derive(Debug, Default)]
pub(super) struct Watchdog {
    live: Mutex<Vec<Arc<Watched>>>,
}

impl Watchdog {
    /// Starts the watching thread, which ends with the process.
    pub(super) fn start() -> Arc<Self> {
        let watchdog = Arc::new(Self::default());
        let rounds = Arc::clone(&watchdog);
        thread::spawn(move || {
            loop {
                thread::sleep(ROUND);
                rounds.look();
            }
        });
        watchdog
    }

    /// Watches a subject until [`Watchdog::forget`].
    pub(super) fn watch(&self, subject: Watched) -> Arc<Watched> {
        let subject = Arc::new(subject);
        self.live().push(Arc::clone(&subject));
        subject
    }

    /// Stops watching a subject that is about to be reaped, so that its pid is not used again after that.
    pub(super) fn forget(&self, subject: &Arc<Watched>) {
        self.live().retain(|other| !Arc::ptr_eq(other, subject));
    }

    /// Kills every live subject.
    pub(super) fn kill_all(&self) {
        for subject in self.live().iter() {
            subject.kill();
        }
    }

    fn live(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Watched>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) {
        // A copy, so that subjects can be started and forgotten while /proc is read.
        let live = self.live().clone();
        for subject in live {
            let Some(excess) = excess(&subject) else { continue };
            // Under the lock, where a subject that is still listed has not been reaped: its pid is still its own.
            let listed = self.live();
            if listed.iter().any(|other| Arc::ptr_eq(other, &subject)) {
                let _ = subject.exceeded.set(excess);
                subject.kill();
            }
        }
    }
}

/// The limit that a subject is over, and by what.
fn excess(subject: &Watched) -> Option<String> {
    if subject.is_late() {
        return Some("still running at its deadline".to_owned());
    }
    let limits = &subject.limits;
    let processes = observe::family(subject.pid).len();
    if processes > limits.processes {
        return Some(format!("{processes} processes at once, where {} are allowed", limits.processes));
    }
    let memory = observe::usage(subject.pid).anonymous_bytes;
    if memory > limits.memory_bytes {
        return Some(format!(
            "{} MiB of memory, where {} are allowed",
            memory >> 20,
            limits.memory_bytes >> 20
        ));
    }
    let disk = workspace::disk_usage(&subject.folder);
    if disk > limits.disk_bytes {
        return Some(format!("{} MiB on disk, where {} are allowed", disk >> 20, limits.disk_bytes >> 20));
    }
    None
}

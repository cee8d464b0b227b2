//! What a check is given: a subject to start, folders of its own, seeded randomness. Nothing else of the run.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

use super::{Judged, process::Launch, strays, transcript::Transcript, watchdog::Watchdog};
use crate::event::Subject;

/// One check's view of the run.
#[derive(Debug)]
pub struct Context {
    folder: TempDir,
    seed: u64,
    services: Arc<Services>,
}

/// What every process of a check shares.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) subject: Subject,
    pub(super) watchdog: Arc<Watchdog>,
    marker: String,
    started: AtomicU32,
    transcript: Mutex<Transcript>,
}

impl Context {
    /// A context whose folder lies in `workspace`. `marker` is like no other check's, in this run or any other.
    pub(super) fn new(
        workspace: &Path,
        subject: Subject,
        watchdog: Arc<Watchdog>,
        marker: String,
        seed: u64,
    ) -> Judged<Self> {
        let folder = tempfile::Builder::new().prefix("check-").tempdir_in(workspace)?;
        let started = AtomicU32::new(0);
        let transcript = Mutex::new(Transcript::begin());
        let services = Services { subject, watchdog, marker, started, transcript };
        Ok(Self { folder, seed, services: Arc::new(services) })
    }

    /// An empty folder, which is removed when dropped.
    ///
    /// # Errors
    /// Fault when the disk is full.
    pub fn folder(&self) -> Judged<TempDir> {
        Ok(tempfile::Builder::new().prefix("d").tempdir_in(self.folder.path())?)
    }

    /// The subject, to be started in `folder`.
    pub fn launch(&self, folder: &Path) -> Launch {
        Launch::new(Arc::clone(&self.services), folder.to_owned())
    }

    /// Randomness that is the same for the same seed and check.
    pub fn rng(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed)
    }

    /// The seed behind [`Context::rng`]: the run's, mixed with the check's name.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Begins the transcript anew, for the next case of a property.
    pub(super) fn forget_transcript(&self) {
        *self.services.transcript() = Transcript::begin();
    }

    /// Takes the transcript so far.
    pub(super) fn take_transcript(&self) -> Transcript {
        std::mem::replace(&mut *self.services.transcript(), Transcript::begin())
    }

    /// Puts back the transcript of the case that is to be shown.
    pub(super) fn restore_transcript(&self, transcript: Transcript) {
        *self.services.transcript() = transcript;
    }

    /// Saves the transcript.
    pub(super) fn save_transcript(&self, path: &Path) -> std::io::Result<()> {
        self.services.transcript().save(path)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        strays::kill_marked(&self.services.marker);
    }
}

impl Services {
    /// The number of the next process of this check, and a marker like no other's.
    pub(super) fn next_marker(&self) -> (u32, String) {
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        (number, format!("{}{number}.", self.marker))
    }

    /// Adds a line to the transcript: `<` was sent, `>` was said, `.` happened.
    pub(super) fn note(&self, process: u32, what: char, bytes: &[u8]) {
        for line in String::from_utf8_lossy(bytes).lines() {
            self.transcript().note(&format!("{process}{what}"), line);
        }
    }

    fn transcript(&self) -> MutexGuard<'_, Transcript> {
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

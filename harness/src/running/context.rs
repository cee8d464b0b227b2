//! What a check is given: a subject to start, folders of its own, seeded randomness. Nothing else of the run.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    Folder, Halt, Judged, newline, process::Launch, strays, transcript::Transcript, watchdog::Watchdog,
};
use crate::event::Subject;

/// One check's view of the run.
#[derive(Debug)]
pub struct Context {
    folder: Folder,
    seed: u64,
    file: Option<PathBuf>,
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
    measured: Mutex<Vec<String>>,
}

impl Context {
    /// A context whose folder lies in `workspace`. `marker` is like no other check's, in this run or any other.
    pub(super) fn new(
        workspace: &Path,
        subject: Subject,
        watchdog: Arc<Watchdog>,
        marker: String,
        seed: u64,
        file: Option<PathBuf>,
    ) -> Judged<Self> {
        let folder = Folder::create_in(workspace, "check-")?;
        let started = AtomicU32::new(0);
        let transcript = Mutex::new(Transcript::begin());
        let measured = Mutex::default();
        let services = Services { subject, watchdog, marker, started, transcript, measured };
        Ok(Self { folder, seed, file, services: Arc::new(services) })
    }

    /// An empty folder, which is removed when dropped.
    ///
    /// # Errors
    /// Fault when the disk is full.
    pub fn folder(&self) -> Judged<Folder> {
        Ok(Folder::create_in(self.folder.path(), "d")?)
    }

    /// The folder that holds all others of this check.
    pub(super) fn workspace(&self) -> &Path {
        self.folder.path()
    }

    /// The subject, a program, to be started in `folder`.
    ///
    /// # Panics
    /// When the subject is a library, which [`super::entry`] refuses for a suite of programs.
    pub fn launch(&self, folder: &Path) -> Launch {
        let (program, args) = self.words().split_first().expect("a subject that names its program");
        args.iter().fold(self.launch_other(program, folder), Launch::arg)
    }

    /// The words that start the subject, a program: its path and its first arguments.
    ///
    /// # Panics
    /// As [`Context::launch`].
    pub fn words(&self) -> &[String] {
        let Subject::Run(words) = &self.services.subject else { panic!("a library cannot be started") };
        words
    }

    /// A program that is not the subject: one that hosts it, or one to compare it with. It is isolated, limited and
    /// watched in the same way.
    pub fn launch_other(&self, program: &str, folder: &Path) -> Launch {
        Launch::new(Arc::clone(&self.services), program.to_owned(), folder.to_owned())
    }

    /// The subject, a shared library.
    ///
    /// # Panics
    /// When the subject is a program, which [`super::entry`] refuses for a suite of libraries.
    pub fn library(&self) -> &Path {
        let Subject::Library(path) = &self.services.subject else { panic!("a program cannot be loaded") };
        path
    }

    /// The file of the student's that the run is about.
    ///
    /// # Errors
    /// Fault when the run is about none: only [`super::Suite::on_file`] may ask.
    pub fn file(&self) -> Judged<&Path> {
        self.file.as_deref().ok_or_else(|| Halt::fault("this run was given no file"))
    }

    /// Tells the student a figure, whatever the verdict will be.
    pub fn measured(&self, sentence: impl Into<String>) {
        self.services.measured.lock().unwrap_or_else(PoisonError::into_inner).push(sentence.into());
    }

    /// What every process of this check shares, for servers that it talks to.
    #[cfg(feature = "origin")]
    pub(super) fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services)
    }

    /// Adds a line to the transcript: something that a process neither was sent nor said.
    pub fn note(&self, who: &str, what: &str) {
        self.services.note_as(who, what.as_bytes());
    }

    /// Takes what was measured.
    pub(super) fn take_measured(&self) -> Vec<String> {
        std::mem::take(&mut self.services.measured.lock().unwrap_or_else(PoisonError::into_inner))
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
        self.note_as(&format!("{process}{what}"), bytes);
    }

    /// Adds lines to the transcript.
    pub(super) fn note_as(&self, who: &str, bytes: &[u8]) {
        let mut transcript = self.transcript();
        for line in newline::lines(bytes) {
            transcript.note(who, line.strip_suffix(b"\r").unwrap_or(line));
        }
    }

    fn transcript(&self) -> MutexGuard<'_, Transcript> {
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

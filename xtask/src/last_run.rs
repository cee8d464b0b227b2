//! What the last run left for a student to look at: `target/groundwork/PROJECT/last/` with the events, a transcript
//! for each check that did not pass, and the seed, which is used again until the run passes.
//!
//! A run that begins while another goes on, in a second terminal, writes to `last-2/`: a file lock beside each folder
//! says whether somebody has it. It is free again when its owner ends, however that happens.

use std::{
    collections::hash_map::RandomState,
    fs::{self, File, TryLockError},
    hash::{BuildHasher, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::house::{House, Project};

/// The folder of a run that is about to begin.
#[derive(Debug)]
pub(crate) struct LastRun {
    folder: PathBuf,
    events: File,
    /// Held for as long as the run goes on: nobody else empties the folder meanwhile.
    _lock: File,
}

const FAILED_SEED: &str = "failed-seed";

/// The seed to use when none was given: that of the last run if it failed, so that a mistake stays in view until it
/// is mended; else a new one, short enough to type.
pub(crate) fn seed(house: &House, project: &Project) -> u64 {
    let kept = fs::read_to_string(folder(house, project).join(FAILED_SEED)).ok();
    let new = || RandomState::new().build_hasher().finish() % 1_000_000;
    kept.and_then(|text| text.trim().parse().ok()).unwrap_or_else(new)
}

fn folder(house: &House, project: &Project) -> PathBuf {
    house.own_folder(project).join("last")
}

/// The first of `last`, `last-2`, `last-3` that no other run has, and the lock on it. The lock is a file beside the
/// folder, which is emptied; where the file system has no locks, every run takes `last`.
fn take(last: &Path) -> io::Result<(PathBuf, File)> {
    let mut folder = last.to_owned();
    for number in 2.. {
        let lock = File::create(folder.with_extension("lock"))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => folder.set_file_name(format!("last-{number}")),
            Ok(()) | Err(TryLockError::Error(_)) => return Ok((folder, lock)),
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

impl LastRun {
    /// Makes the folder anew.
    pub(crate) fn begin(house: &House, project: &Project) -> anyhow::Result<Self> {
        let own = house.own_folder(project);
        let cannot = || {
            format!("cannot write to {}; set GROUNDWORK_DIR to a folder that can be written", own.display())
        };
        fs::create_dir_all(&own).with_context(cannot)?;
        let (folder, lock) = take(&folder(house, project)).with_context(cannot)?;
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).with_context(cannot)?;
        let events = File::create(folder.join("events.jsonl")).with_context(cannot)?;
        Ok(Self { folder, events, _lock: lock })
    }

    /// Where transcripts go.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps an event.
    pub(crate) fn keep(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.events, "{line}").context("cannot keep the run's events")
    }

    /// Keeps the seed for the next run.
    pub(crate) fn keep_seed(&self, seed: u64) -> anyhow::Result<()> {
        fs::write(self.folder.join(FAILED_SEED), seed.to_string()).context("cannot keep the run's seed")
    }
}

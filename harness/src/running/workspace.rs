//! Where subjects live while they run: one folder for the run, one below it for each check.
//!
//! On `/dev/shm` when it has room, since stores sync and a busy disk would only add noise; else in the system's
//! temporary directory. A lock on a file inside tells a folder in use from one that a killed run left behind.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use nix::sys::statvfs::statvfs;

use super::Folder;

const PREFIX: &str = "groundwork-";
const LOCK: &str = ".lock";
const ROOM_BYTES: u64 = 2 << 30;

/// The run's folder. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Workspace {
    dir: Folder,
    _lock: fs::File,
}

impl Workspace {
    /// Makes the run's folder, after removing those of runs that were killed.
    ///
    /// # Errors
    /// When no temporary directory can be written.
    pub(super) fn create() -> io::Result<Self> {
        let base = base();
        sweep(&base);
        loop {
            let dir = Folder::create_in(&base, PREFIX).map_err(|error| {
                let problem = format!("cannot make a directory in {}: {error}; set TMPDIR", base.display());
                io::Error::new(error.kind(), problem)
            })?;
            let lock = fs::File::create(dir.path().join(LOCK))?;
            lock.lock()?;
            // Before it was locked, another run may have taken it for abandoned, and removed it.
            if dir.path().join(LOCK).exists() {
                return Ok(Self { dir, _lock: lock });
            }
        }
    }

    /// The run's folder.
    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// `/dev/shm` if it is there, writable and roomy; else the temporary directory.
fn base() -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    let roomy =
        statvfs(shared_memory).is_ok_and(|stat| stat.blocks_available() * stat.fragment_size() >= ROOM_BYTES);
    let writable = || Folder::create_in(shared_memory, "trial-").is_ok();
    if roomy && writable() { shared_memory.to_owned() } else { env::temp_dir() }
}

/// Removes the folders of runs that no longer hold their lock.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let Some(lock) = ours.then(|| fs::File::open(entry.path().join(LOCK)).ok()).flatten() else {
            continue;
        };
        // Held until the folder is gone: a run that was just about to lock it then sees that it is.
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The bytes that the files below `dir` take up on disk.
pub(super) fn disk_usage(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => disk_usage(&entry.path()),
            Ok(metadata) => metadata.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_begin_at_once_leave_each_others_folders_alone() {
        let begin = || {
            for _ in 0..500 {
                let workspace = Workspace::create().expect("a folder can be made");
                assert!(
                    workspace.path().join(LOCK).exists(),
                    "another run took this one's folder for abandoned"
                );
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(begin);
            }
        });
    }
}

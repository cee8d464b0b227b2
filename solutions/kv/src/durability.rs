//! Stage 5: what survives what, and the three rules that make it so.
//!
//! The promise: a killed process loses nothing that it acknowledged. A power cut may take the last writes
//! (each is handed to the kernel, not forced to the disk) but never their order: what is left is the state
//! after some prefix of the operations, and includes all that a flush had acknowledged.
//!
//! 1. Every byte lies in a frame, under a checksum.
//! 2. A file gets its name when it is complete: write a draft, sync it, rename it.
//! 3. A file is removed when what replaces it is on the disk: sync the directory, unlink.
//!
//! Cut short in between, a step leaves all of the old, or all of the new and some of the old. The names tell
//! which (see [`Span`](crate::sstable::Span)), and whatever is superseded is swept at the next open.
//!
//! Left out on purpose: syncing the log. Every put would wait for the disk.

pub mod frame;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The one name under which a file is unfinished. There is one at a time, so a forgotten one is written over.
const DRAFT: &str = "draft.tmp";

/// Bytes gathered before a draft is written to.
const WRITE_BYTES: usize = 64 * 1024;

/// The store's directory, locked for as long as this lives.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    handle: File,
}

impl Directory {
    /// Opens the directory, making it if it is missing, and locks it. The lock is the kernel's, on the
    /// directory itself: it ends with the process, however that ends, and leaves no file behind. What does
    /// stay behind is the draft that a killed process was writing, and that is removed.
    pub fn open(path: &Path) -> Result<Directory, Error> {
        fs::create_dir_all(path)?;
        let handle = File::open(path)?;
        match handle.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(path.to_path_buf())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        match fs::remove_file(path.join(DRAFT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(Directory { path: path.to_path_buf(), handle }),
        }
    }

    /// The path of the file `name` in here.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The names of all files, in no order. One that is not UTF-8 is none of ours.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        let names: io::Result<Vec<_>> =
            fs::read_dir(&self.path)?.map(|found| Ok(found?.file_name())).collect();
        Ok(names?.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    /// Waits until every rename and removal so far is on the disk.
    pub fn sync(&self) -> Result<(), Error> {
        Ok(self.handle.sync_all()?)
    }

    /// Removes a file. Rule 3: what replaces it was synced before.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        Ok(fs::remove_file(self.path(name))?)
    }
}

/// A file that nobody can mistake for a finished one. Dropped unpublished, it is gone, and its space free.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: BufWriter<File>,
    size_bytes: u64,
    published: bool,
}

impl Draft {
    /// Starts an empty file in `directory`.
    pub fn create(directory: &Directory) -> Result<Draft, Error> {
        let path = directory.path(DRAFT);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        let file = BufWriter::with_capacity(WRITE_BYTES, file);
        Ok(Draft { path, file, size_bytes: 0, published: false })
    }

    /// Adds `bytes` at its end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes)?;
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Bytes appended so far: where the next one goes.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Gives the file the name `path`, complete and on the disk, and returns it open for reading.
    pub fn publish(&mut self, path: &Path) -> Result<File, Error> {
        self.file.flush()?;
        // The rename is the last step that can fail. A file that has its name counts, whatever we reply.
        let file = self.file.get_ref().try_clone()?;
        file.sync_all()?;
        fs::rename(&self.path, path)?;
        self.published = true;
        Ok(file)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // Nothing hangs on it: a draft that stays is swept at the next open.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_has_no_name_until_it_is_complete_and_leaves_nothing_if_it_never_is() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::open(temporary.path()).unwrap();
        for publish in [false, true] {
            let mut draft = Draft::create(&directory).unwrap();
            draft.append(b"all of it").unwrap();
            assert_eq!(directory.names().unwrap(), [DRAFT]);
            let expected: &[&str] = if publish {
                draft.publish(&directory.path("done")).unwrap();
                &["done"]
            } else {
                drop(draft);
                &[]
            };
            assert_eq!(directory.names().unwrap(), expected);
        }
        assert_eq!(fs::read(directory.path("done")).unwrap(), b"all of it");
    }

    #[test]
    fn the_lock_refuses_a_second_store_and_outlives_no_holder() {
        let temporary = tempfile::tempdir().unwrap();
        let first = Directory::open(temporary.path()).unwrap();
        assert!(matches!(Directory::open(temporary.path()), Err(Error::InUse(_))));
        drop(first);
        assert!(Directory::open(temporary.path()).is_ok());
    }
}

//! Why an operation failed: one small enum, each variant with who causes it and what to do next.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What a [`Store`](crate::Store) answers when it cannot do as asked.
#[derive(Debug)]
pub enum Error {
    /// The file system refused: no space, no permission, a failing disk. Caused by the machine.
    Io(io::Error),
    /// A file does not hold what was written to it. Caused by the disk, or by whoever else wrote there.
    Damaged {
        /// The file, as a path that can be handed to `ls`.
        file: PathBuf,
        /// The part of it that gave it away.
        part: &'static str,
    },
    /// Another store has this directory open. Caused by the caller.
    InUse(PathBuf),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(source) => {
                write!(out, "the file system refused: {source}; see to the disk, then try again")
            }
            Error::Damaged { file, part } => {
                write!(out, "{} is damaged ({part}); restore it from a copy", file.display())
            }
            Error::InUse(directory) => {
                write!(out, "{} is open in another process; end that one first", directory.display())
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(source) => Some(source),
            Error::Damaged { .. } | Error::InUse(_) => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Error {
        Error::Io(source)
    }
}

//! What a process becomes: its words, where its program may lie, and what it means when it lies nowhere.
//!
//! ```text
//!   CMD           tried                              in the end
//!   ./x  /bin/x   itself                             ENOENT, ENOTDIR → 127 not found
//!   x             each directory of PATH, then x     anything else   → 126 not executable
//! ```
//!
//! `execvp` would do the search as well, but it allocates, which a child must not; and it hands what the
//! kernel does not know to a shell, which may not be there. So all candidates are made before there is a
//! child.

use std::convert::Infallible;
use std::env;
use std::ffi::{CString, OsStr, OsString, c_char};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::ptr;

use nix::errno::Errno;

use crate::error::{Error, Failure, Step};

/// Where programs are looked for when the caller has no PATH.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// A command that is ready to be executed, without allocating.
#[derive(Debug)]
pub struct Command {
    shown: String,
    candidates: Vec<CString>,
    /// What `argv` points into. A `CString`'s bytes stay where they are when it is moved.
    _words: Vec<CString>,
    /// A pointer to each word, and a null: `execv`'s own form.
    argv: Vec<*const c_char>,
}

impl Command {
    /// The command of these words, at least one. It is looked for in the PATH that the caller has now.
    pub fn new(words: &[OsString]) -> Result<Command, Error> {
        let path = env::var_os("PATH").unwrap_or_else(|| USUAL_PATH.into());
        let candidates = candidates(&words[0], &path).into_iter().map(c_string).collect::<Result<_, _>>()?;
        let shown = words[0].to_string_lossy().into_owned();
        let words = words.iter().cloned().map(c_string).collect::<Result<Vec<_>, _>>()?;
        let argv = words.iter().map(|word| word.as_ptr()).chain([ptr::null()]).collect();
        Ok(Command { shown, candidates, _words: words, argv })
    }

    /// Becomes the command, with the environment that the process has. Comes back only if it could not.
    pub fn exec(&self) -> nix::Result<Infallible> {
        let mut worst = Errno::ENOENT;
        for candidate in &self.candidates {
            // SAFETY: the candidate ends in a NUL, `argv` in a null, and both, with all that they point to,
            // belong to `self`.
            unsafe { libc::execv(candidate.as_ptr(), self.argv.as_ptr()) };
            match Errno::last() {
                Errno::ENOENT | Errno::ENOTDIR => {}
                // One that may not be executed may hide another that may.
                Errno::EACCES => worst = Errno::EACCES,
                other => return Err(other),
            }
        }
        Err(worst)
    }

    /// What a child's failure means for the caller.
    pub fn explain(&self, failure: Failure) -> Error {
        let shown = self.shown.clone();
        match failure {
            Failure { step: Step::Exec, errno: Errno::ENOENT | Errno::ENOTDIR } => Error::NotFound(shown),
            Failure { step: Step::Exec, errno } => Error::NotExecutable(shown, errno),
            other => Error::Step(other),
        }
    }
}

/// Where `program` may lie. A name without a slash is looked for in `path`, of which an empty part means `.`.
fn candidates(program: &OsStr, path: &OsStr) -> Vec<OsString> {
    let program_bytes = program.as_bytes();
    if program_bytes.is_empty() || program_bytes.contains(&b'/') {
        return vec![program.to_owned()];
    }
    let folders = path.as_bytes().split(|byte| *byte == b':');
    let folders = folders.map(|folder| if folder.is_empty() { &b"."[..] } else { folder });
    folders.map(|folder| OsString::from_vec([folder, b"/", program_bytes].concat())).collect()
}

fn c_string(word: OsString) -> Result<CString, Error> {
    CString::new(word.into_vec())
        .map_err(|error| Error::Nul(String::from_utf8_lossy(&error.into_vec()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(program: &str, path: &str, expected: &[&str]) {
        assert_eq!(candidates(program.as_ref(), path.as_ref()), expected, "{program:?} in {path:?}");
    }

    #[test]
    fn a_slash_means_a_path_and_anything_else_is_looked_for() {
        check("/bin/sh", "/usr/bin", &["/bin/sh"]);
        check("bin/sh", "/usr/bin", &["bin/sh"]);
        check("sh", "/usr/bin:/bin", &["/usr/bin/sh", "/bin/sh"]);
        check("sh", ":/bin", &["./sh", "/bin/sh"]);
        // Not the first directory of PATH itself, which would be there and no program.
        check("", "/usr/bin", &[""]);
    }

    #[test]
    fn a_program_that_may_not_be_executed_does_not_hide_a_later_one_that_may() {
        // Neither can be executed here: of the two reasons, the one that says more is given.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plain");
        std::fs::write(&file, "no program").unwrap();
        let mut command = Command::new(&["plain".into()]).unwrap();
        command.candidates =
            vec![c_string(file.into_os_string()).unwrap(), c_string("/nowhere/plain".into()).unwrap()];
        assert_eq!(command.exec(), Err(Errno::EACCES));
    }
}

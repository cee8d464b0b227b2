//! C sources, each built into a shared library in a folder of its own.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Where the sources lie that are longer than a string.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c");

/// A shared library; its folder goes when it is dropped.
pub(crate) struct Library {
    folder: TempDir,
}

impl Library {
    /// A folder with no library in it yet.
    pub(crate) fn none() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary directory") }
    }

    /// A library of these bytes, whatever they are.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let library = Self::none();
        fs::write(library.path(), bytes).expect("a file can be written");
        library
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("libmymalloc.so")
    }
}

/// Whether C can be compiled here. Says loudly if not.
pub(crate) fn is_there() -> bool {
    let there = Command::new("cc").arg("--version").output().is_ok();
    if !there {
        eprintln!("SKIPPED: there is no cc on this machine; try apt-get install gcc");
    }
    there
}

/// Compiles a source, with `tests/c` among the folders for what it includes.
pub(crate) fn build(source: &str, flags: &[&str]) -> Library {
    let library = Library::none();
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu17", "-O2", "-w", "-shared", "-fPIC", "-pthread", "-I", FOLDER]).args(flags);
    cc.args(["-x", "c", "-", "-o"]).arg(library.path());
    let mut cc = cc.stdin(Stdio::piped()).spawn().expect("cc starts");
    let mut stdin = cc.stdin.take().expect("cc has a stdin");
    stdin.write_all(source.as_bytes()).expect("cc reads the source");
    drop(stdin);
    assert!(cc.wait().expect("cc ends").success(), "cc compiles\n{source}");
    library
}

/// A source of `tests/c`.
pub(crate) fn source(name: &str) -> String {
    fs::read_to_string(Path::new(FOLDER).join(name)).expect("a source of tests/c")
}

/// The C allocator, made wrong: each of the first words, which have to be there, replaced by the second.
pub(crate) fn wrong(changes: &[(&str, &str)]) -> Library {
    let mut text = source("my_malloc.c");
    for (right, wrong) in changes {
        assert!(text.contains(right), "my_malloc.c has {right:?}");
        text = text.replace(right, wrong);
    }
    build(&text, &[])
}

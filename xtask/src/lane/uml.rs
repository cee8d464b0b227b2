//! User-Mode Linux: a kernel that is a program. It needs neither root nor a processor that virtualises, but ptrace.
//!
//! ```text
//!   tty0    the console: stdout, the kernel's own words
//!   ttyS0   the line: a pipe
//!   ubd0    the file to swap to
//!   /       hostfs: the machine's root as whoever runs xtask sees it
//! ```

use std::{
    env,
    ffi::CString,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Command,
};

use harness::guest::Share;

use super::{
    apt::{self, Wanted},
    station::Start,
};
use crate::programs::in_path;

mod registers;

const PROGRAM: &str = "linux.uml";
const PACKAGE: &str = "user-mode-linux";
pub(super) const INSTALL: &str = "apt-get install user-mode-linux";

const MEMORY_MIB: u64 = 512;

/// A program that is a kernel.
#[derive(Debug)]
pub(super) struct Uml {
    program: PathBuf,
    /// A library to load into it, where the processor asks for that.
    registers: Option<PathBuf>,
}

impl Uml {
    /// In `PATH`, or fetched below `folder`.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub(super) fn find(folder: &Path) -> Result<Self, String> {
        if !cfg!(target_arch = "x86_64") {
            return Err("it runs on x86-64 only".to_owned());
        }
        let program = in_path(PROGRAM).next().map_or_else(|| fetched(folder), Ok)?;
        Ok(Self { program, registers: registers::library(folder)? })
    }

    /// The devices that a guest finds: its line, its swap, and how it reaches a folder outside.
    pub(super) fn devices() -> (PathBuf, PathBuf, Share) {
        ("/dev/ttyS0".into(), "/dev/ubda".into(), Share::Hostfs)
    }

    /// The command that starts a guest on an errand.
    ///
    /// # Errors
    /// Why there can be none.
    pub(super) fn command(&self, start: &Start<'_>, errand: &Path) -> Result<Command, String> {
        let mut command = Command::new(&self.program);
        command.current_dir(start.folder).env_clear();
        command.env("HOME", start.folder).env("TMPDIR", memory_folder(start.folder)?);
        if let Some(library) = &self.registers {
            if !file_system(start.folder).is_some_and(|file_system| executes(&file_system)) {
                let folder = start.folder.display();
                return Err(format!(
                    "nothing may be run from {folder} (noexec); set GROUNDWORK_DIR to a folder elsewhere"
                ));
            }
            // By a path without blanks, which would part it, whatever the checkout is called.
            let copied = fs::copy(library, start.folder.join("registers.so"));
            copied.map_err(|error| format!("cannot copy {}: {error}", library.display()))?;
            command.env("LD_PRELOAD", "./registers.so");
        }
        command.arg(format!("mem={MEMORY_MIB}M"));
        command.args(["rootfstype=hostfs", "rootflags=/", "ro", "devtmpfs.mount=0", "ubd0=swap"]);
        command.args(["con=null", "con0=null,fd:1", "ssl=null"]).arg(format!("ssl0=null,fd:{}", start.line));
        command.arg(format!("init={}", quoted(start.suite)?)).args(["--", "init"]).arg(quoted(errand)?);
        Ok(command)
    }
}

fn fetched(folder: &Path) -> Result<PathBuf, String> {
    let unpacked = apt::unpacked(Wanted::Alone(PACKAGE), folder)
        .map_err(|reason| format!("there is no {PROGRAM}, and {reason}"))?;
    Ok(unpacked.join("usr/bin").join(PROGRAM))
}

/// A path as a word of the kernel's command line, which knows quotes and no way to write one.
pub(super) fn quoted(path: &Path) -> Result<String, String> {
    match path.to_str() {
        Some(path) if !path.contains(['"', '\n']) => Ok(format!("\"{path}\"")),
        _ => Err(format!("the path {} cannot be told to a kernel", path.display())),
    }
}

/// The folder for the file that is the guest's memory, which is executed from: in memory itself, if there is room.
fn memory_folder(own: &Path) -> Result<PathBuf, String> {
    let folders = [Some("/dev/shm".into()), env::var_os("TMPDIR").map(PathBuf::from), Some("/tmp".into())];
    let folders: Vec<PathBuf> =
        folders.into_iter().flatten().chain(["/var/tmp".into(), own.to_owned()]).collect();
    let found = folders.iter().find(|folder| is_writable(folder) && has_room_to_execute(folder));
    found.cloned().ok_or_else(|| {
        let tried: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        format!(
            "no folder that programs may run from has {MEMORY_MIB} MiB left (tried: {}); set TMPDIR to one",
            tried.join(", ")
        )
    })
}

fn has_room_to_execute(folder: &Path) -> bool {
    file_system(folder).is_some_and(|file_system| {
        let free = file_system.f_bavail.saturating_mul(file_system.f_frsize);
        executes(&file_system) && free > MEMORY_MIB << 20
    })
}

fn executes(file_system: &libc::statvfs) -> bool {
    file_system.f_flag & libc::ST_NOEXEC == 0
}

/// What statvfs(3) says of the file system that a folder lies on.
fn file_system(folder: &Path) -> Option<libc::statvfs> {
    let path = CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: every field of statvfs is an integer or an array of them, for which zeros are a value.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: reads a string that ends with a zero and writes a structure; both live across the call.
    let done = unsafe { libc::statvfs(path.as_ptr(), &raw mut stat) };
    (done == 0).then_some(stat)
}

fn is_writable(folder: &Path) -> bool {
    let trial = folder.join(format!(".groundwork-{}", std::process::id()));
    let made: io::Result<()> = fs::write(&trial, "").and_then(|()| fs::remove_file(&trial));
    made.is_ok()
}

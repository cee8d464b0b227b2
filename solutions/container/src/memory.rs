//! Stage 4: not more memory than this, from the first instruction on.
//!
//! ```text
//!   /sys/fs/cgroup/…/home            cgroup.subtree_control: memory     children have memory.max
//!       ├─ where the runtime is      cgroup.procs: the runtime, a shell
//!       └─ container-4711-0          memory.max, memory.swap.max; the command is made in it
//! ```
//!
//! A cgroup is a directory, a limit a file in it, and the kernel counts what its processes have together.
//! Limits stand before there is a process. One that is moved in later keeps the account of what it has had.
//!
//! `memory.max` alone limits nothing where there is swap: what is above is written there, and goes on. When
//! the limit is met the kernel kills one process of the cgroup, which need not be the command:
//! `memory.oom.group` would kill all; here the command decides what the death of a child means.
//!
//! Left out on purpose: cgroups version 1, and asking systemd for a place over D-Bus.

pub mod hierarchy;

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

use crate::error::Error;

/// How often an end that has not arrived yet is waited for, and for how long each time.
const WAITS: usize = 1000;
const WAIT_MS: u8 = 10;

/// A number of bytes that memory can be limited to: never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u64);

impl Limit {
    /// The limit that `text` is: a whole number of bytes, or of K, M or G, in powers of 1024.
    pub fn parse(text: &str) -> Option<Limit> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let unit_bytes: u64 = match unit {
            "" => 1,
            "k" | "K" => 1 << 10,
            "m" | "M" => 1 << 20,
            "g" | "G" => 1 << 30,
            _ => return None,
        };
        let bytes = number.parse::<u64>().ok()?.checked_mul(unit_bytes)?;
        (bytes > 0).then_some(Limit(bytes))
    }
}

/// A cgroup for one run, empty at first. Dropped, it is removed.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
    directory: File,
    removed: bool,
}

impl Cgroup {
    /// Makes a cgroup beside the runtime's own, with this limit.
    pub fn create(limit: Limit) -> Result<Cgroup, Error> {
        let home = home()?;
        let path = make_directory(&home)?;
        let directory = File::open(&path).map_err(|error| Error::Cgroup(path.clone(), error))?;
        // From here on it is removed when something fails.
        let cgroup = Cgroup { path, directory, removed: false };
        cgroup.write("memory.max", &limit.0.to_string())?;
        cgroup.write("memory.swap.max", "0")?;
        Ok(cgroup)
    }

    /// What `clone3` wants.
    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Moves a process in.
    pub fn add(&self, pid: Pid) -> Result<(), Error> {
        self.write("cgroup.procs", &pid.to_string())
    }

    /// Removes it. Its processes have ended.
    pub fn remove(self) -> Result<(), Error> {
        let mut cgroup = self;
        cgroup.removed = true;
        remove(&cgroup.path)
    }

    fn write(&self, file: &str, value: &str) -> Result<(), Error> {
        write(&self.path.join(file), value)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if !self.removed {
            let _ = remove(&self.path);
        }
    }
}

/// The cgroup in which the new one goes, with the memory controller enabled for what is in it.
fn home() -> Result<PathBuf, Error> {
    let read = |path: &str| fs::read_to_string(path).map_err(|error| Error::Cgroup(path.into(), error));
    let home = hierarchy::home(&read("/proc/self/cgroup")?, &read("/proc/self/mountinfo")?);
    let home = home.ok_or(Error::NoMemoryController("the runtime is in no cgroup of version 2".into()))?;
    let enabled = home.join("cgroup.subtree_control");
    if !names_memory(&enabled)? {
        if !names_memory(&home.join("cgroup.controllers"))? {
            let shown = home.display();
            return Err(Error::NoMemoryController(format!("{shown} has no memory controller of version 2")));
        }
        write(&enabled, "+memory")?;
    }
    Ok(home)
}

/// Whether the memory controller is in this list of controllers.
fn names_memory(list: &Path) -> Result<bool, Error> {
    let names = fs::read_to_string(list).map_err(|error| Error::Cgroup(list.to_path_buf(), error))?;
    Ok(names.split_whitespace().any(|name| name == "memory"))
}

/// Makes a directory of a name that nobody has: runtimes in other PID namespaces have our pid, and one that
/// was killed has left its own behind.
fn make_directory(home: &Path) -> Result<PathBuf, Error> {
    for number in 0.. {
        let path = home.join(format!("container-{}-{number}", process::id()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::Cgroup(path, error)),
        }
    }
    unreachable!("a directory has an end")
}

/// The files of a cgroup exist already and take one write: not `fs::write`, which would create and truncate.
fn write(path: &Path, value: &str) -> Result<(), Error> {
    let written = File::options()
        .write(true)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes()));
    written.map_err(|error| Error::Cgroup(path.to_path_buf(), error))
}

/// Removes a cgroup whose processes have ended. A parent may hear of an end a moment before the cgroup does: then
/// it is busy, and `cgroup.events` tells when it is not.
fn remove(path: &Path) -> Result<(), Error> {
    for _ in 0..WAITS {
        match fs::remove_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => wait_for_the_last(path)?,
            Err(error) => return Err(Error::Cgroup(path.to_path_buf(), error)),
            Ok(()) => return Ok(()),
        }
    }
    Err(Error::Cgroup(path.to_path_buf(), io::ErrorKind::ResourceBusy.into()))
}

/// Waits, for a while, until nobody is in a cgroup.
fn wait_for_the_last(path: &Path) -> Result<(), Error> {
    let events = path.join("cgroup.events");
    let refused = |error| Error::Cgroup(events.clone(), error);
    let mut file = File::open(&events).map_err(refused)?;
    // Whoever polls is woken by what comes after they have read.
    let told = io::read_to_string(&mut file).map_err(refused)?;
    if told.contains("populated 1") {
        let _ = poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLPRI)], PollTimeout::from(WAIT_MS));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024_and_never_zero() {
        for (text, bytes) in
            [("1", 1), ("67108864", 64 << 20), ("64M", 64 << 20), ("2g", 2 << 30), ("16k", 16 << 10)]
        {
            assert_eq!(Limit::parse(text), Some(Limit(bytes)), "{text}");
        }
        let too_large = "18446744073709551616";
        for wrong in [
            "",
            "0",
            "0M",
            "-1",
            "+1",
            "1.5M",
            "1 M",
            "M",
            "1T",
            "1MB",
            "64MiB",
            too_large,
            "99999999999999G",
        ] {
            assert_eq!(Limit::parse(wrong), None, "{wrong}");
        }
    }
}

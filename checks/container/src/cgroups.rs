//! Cgroups as the suite sees them: where the runtime is started, which ones there are, and what limits a process.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use harness::{Halt, Judged};

use crate::{host::Ids, mounts};

/// Why a check of limits cannot run.
const NEEDED: &str = "it needs cgroup2 with the memory controller, and root: --lane lab has it";

/// The cgroup that a runtime is started in: a leaf beside which the memory controller is enabled. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// The folder that new cgroups would lie in, beside the leaf.
    above: PathBuf,
    /// The leaf itself.
    folder: PathBuf,
    /// Whether `above` is the check's own as well.
    owns_above: bool,
}

impl Leaf {
    /// A leaf beside the suite's own cgroup.
    ///
    /// # Errors
    /// Skip where there is no memory controller to be had.
    pub(crate) fn beside_the_suite(name: &str) -> Judged<Self> {
        let above = above_ours()?;
        let leaf = Self { folder: above.join(format!("{name}-leaf")), above, owns_above: false };
        leaf.create()
    }

    /// A leaf further below, in a cgroup of the check's own.
    ///
    /// # Errors
    /// As [`Leaf::beside_the_suite`].
    pub(crate) fn further_below(name: &str) -> Judged<Self> {
        let top = above_ours()?;
        enable_memory(&top)?;
        let above = top.join(format!("{name}-above"));
        fs::create_dir(&above).map_err(|error| Halt::skip(format!("{error}: {NEEDED}")))?;
        Self { folder: above.join("leaf"), above, owns_above: true }.create()
    }

    /// A leaf beside which there is no memory controller.
    ///
    /// # Errors
    /// As [`Leaf::beside_the_suite`].
    pub(crate) fn without_memory(name: &str) -> Judged<Self> {
        let top = above_ours()?;
        let above = top.join(format!("{name}-above"));
        let leaf = Self { folder: above.join("leaf"), above, owns_above: true };
        for folder in [&leaf.above, &leaf.folder] {
            fs::create_dir(folder).map_err(|error| Halt::skip(format!("{error}: {NEEDED}")))?;
        }
        Ok(leaf)
    }

    fn create(self) -> Judged<Self> {
        enable_memory(&self.above)?;
        fs::create_dir(&self.folder).map_err(|error| Halt::skip(format!("{error}: {NEEDED}")))?;
        Ok(self)
    }

    /// Where the runtime is started.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it lies in.
    pub(crate) fn above(&self) -> &Path {
        &self.above
    }

    /// Hands it, and what lies beside it, to a user, as a system does that delegates it (cgroups(7)).
    ///
    /// # Errors
    /// Fault when that is refused.
    pub(crate) fn delegate(&self, user: Ids) -> Judged {
        for folder in [&self.above, &self.folder] {
            let files = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"];
            for path in [folder.clone()].into_iter().chain(files.map(|file| folder.join(file))) {
                user.own(&path)?;
            }
        }
        Ok(())
    }

    /// The least of `memory.max` in the cgroups from `folder` up, as far as the specification counts; `None` where there
    /// is no limit.
    pub(crate) fn limit(&self, folder: &Path) -> Option<u64> {
        least("memory.max", folder, &self.folder, &self.above)
    }

    /// How much can be swapped out, at most; `None` where nothing stops it.
    pub(crate) fn swap_limit(&self, folder: &Path) -> Option<u64> {
        least("memory.swap.max", folder, &self.folder, &self.above)
    }

    /// How many processes were killed for memory, as one of these cgroups counts them.
    pub(crate) fn killed(&self, folder: &Path) -> u64 {
        let count = |folder: &Path| {
            let events = fs::read_to_string(folder.join("memory.events")).ok()?;
            let line = events.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
            line.trim().parse::<u64>().ok()
        };
        counted(folder, &self.folder, &self.above).filter_map(count).max().unwrap_or(0)
    }
}

/// The least that `file`, such as `memory.max`, says from `folder` up to, but without, `leaf` or `above`.
pub(crate) fn least(file: &str, folder: &Path, leaf: &Path, above: &Path) -> Option<u64> {
    counted(folder, leaf, above).filter_map(|folder| number(&folder.join(file))).min()
}

fn counted<'f>(folder: &'f Path, leaf: &'f Path, above: &'f Path) -> impl Iterator<Item = &'f Path> {
    folder.ancestors().take_while(move |folder| *folder != above && *folder != leaf)
}

impl Drop for Leaf {
    fn drop(&mut self) {
        // What a runtime left inside is looked for before; here it only has to go.
        remove_all(if self.owns_above { &self.above } else { &self.folder });
    }
}

/// Removes a cgroup with all that are in it, those that have processes excepted.
pub(crate) fn remove_all(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_all(&entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

/// Every cgroup that there is, by its folder.
pub(crate) fn all() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let Ok(top) = top() else { return found };
    let mut next = vec![top];
    while let Some(folder) = next.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        next.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
        found.insert(folder);
    }
    found
}

/// The folder of a process's cgroup.
///
/// # Errors
/// When the process is gone, or there is no cgroup2.
pub(crate) fn of(pid: i32) -> io::Result<PathBuf> {
    let table = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let path = path_in(&table).ok_or(io::ErrorKind::NotFound)?;
    let below_top = path.trim_start_matches('/');
    let top = top()?;
    Ok(if below_top.is_empty() { top } else { top.join(below_top) })
}

/// The path of version 2 in a `/proc/PID/cgroup`.
pub(crate) fn path_in(table: &str) -> Option<&str> {
    table.lines().find_map(|line| line.strip_prefix("0::"))
}

/// The cgroup that the suite's own lies in. The top lies in none, whatever the folder above it is.
fn above_ours() -> Judged<PathBuf> {
    let top = top().map_err(|error| Halt::skip(format!("{error}: {NEEDED}")))?;
    let ours = of(std::process::id() as i32).map_err(|error| Halt::skip(format!("{error}: {NEEDED}")))?;
    let above = ours.parent().filter(|above| ours != top && above.starts_with(&top));
    above
        .map(Path::to_owned)
        .ok_or_else(|| Halt::skip(format!("the suite is in no cgroup of its own: {NEEDED}")))
}

/// Where cgroup2 is mounted, for the suite.
fn top() -> io::Result<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    let mount = mounts::parse(&table).into_iter().find(|mount| mount.kind == "cgroup2");
    mount.map(|mount| mount.place.into()).ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn enable_memory(folder: &Path) -> Judged {
    let control = folder.join("cgroup.subtree_control");
    if fs::read_to_string(&control)
        .is_ok_and(|enabled| enabled.split_whitespace().any(|name| name == "memory"))
    {
        return Ok(());
    }
    // Not `fs::write`, which makes a file where there is none.
    let written =
        OpenOptions::new().write(true).open(&control).and_then(|mut file| file.write_all(b"+memory"));
    written.map_err(|error| Halt::skip(format!("{}: {error}: {NEEDED}", control.display())))
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_is_found_among_others() {
        let table = "4:memory:/docker/1\n1:name=systemd:/\n0::/user.slice/x\n";
        assert_eq!(path_in(table), Some("/user.slice/x"), "the line with no controllers is version 2's");
        assert_eq!(path_in("4:memory:/docker/1\n"), None, "where there is none");
    }

    #[test]
    fn only_what_is_below_the_start_counts() {
        let counted =
            |folder| counted(Path::new(folder), Path::new("/cg/leaf"), Path::new("/cg")).collect::<Vec<_>>();
        assert_eq!(
            counted("/cg/a/b"),
            [Path::new("/cg/a/b"), Path::new("/cg/a")],
            "beside the leaf, up to what that lies in"
        );
        assert_eq!(counted("/cg/leaf/c"), [Path::new("/cg/leaf/c")], "below the leaf, without it");
        assert!(counted("/cg/leaf").is_empty(), "nor where the runtime was started itself");
    }
}

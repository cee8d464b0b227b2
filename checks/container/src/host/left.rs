//! What there is on the host besides processes, so that what a runtime has left can be told from what was there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use harness::{Halt, Judged};

use super::Host;
use crate::{cgroups, mounts};

/// Where a runtime may have made files that it needed for a while.
const PLACES: [&str; 4] = ["/tmp", "/run", "/var/tmp", "/dev/shm"];

/// What lay there before any runtime was started. It is somebody else's, and not looked into.
static AT_FIRST: LazyLock<BTreeSet<PathBuf>> = LazyLock::new(|| {
    let entries = PLACES.iter().flat_map(|place| fs::read_dir(place).into_iter().flatten().flatten());
    entries.map(|entry| entry.path()).collect()
});

/// Notes what is there, when nothing was started yet.
pub(super) fn look_at_first() {
    LazyLock::force(&AT_FIRST);
}

/// Whether a path is a folder of a check's own: of another, or of this one, which is looked into by itself.
fn is_a_check_s(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("groundwork-"))
}

/// The mounts, the cgroups and the files of one moment.
#[derive(Debug)]
pub(crate) struct Left {
    mounts: String,
    cgroups: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
}

impl Left {
    /// What there is now.
    ///
    /// # Errors
    /// Fault when it cannot be seen.
    pub(crate) fn now(host: &Host<'_>) -> Judged<Self> {
        let mut files = BTreeSet::new();
        for place in PLACES {
            let place = Path::new(place);
            for entry in fs::read_dir(host.world().outside(place)).into_iter().flatten().flatten() {
                let path = place.join(entry.file_name());
                if !AT_FIRST.contains(&path) && !is_a_check_s(&path) {
                    tree(&entry.path(), &path, &mut files);
                }
                files.insert(path);
            }
        }
        tree(&host.world().outside(host.folder()), host.folder(), &mut files);
        Ok(Self { mounts: host.world().mounts()?, cgroups: cgroups::all(), files })
    }

    /// Demands that it is the same now.
    ///
    /// # Errors
    /// A failure that names what is new, or gone.
    #[track_caller]
    pub(crate) fn is_unchanged(&self, host: &Host<'_>) -> Judged {
        let now = Self::now(host)?;
        self.has_same_mounts(host, "afterwards")?;
        if let Some(cgroup) = now.cgroups.difference(&self.cgroups).next() {
            return Err(Halt::fail("no cgroup is left", format!("{} is still there", cgroup.display())));
        }
        if let Some(file) = now.files.difference(&self.files).next() {
            let file = file.strip_prefix(host.folder()).unwrap_or(file);
            return Err(Halt::fail(
                "no file or folder is left",
                format!("{} was not there before", file.display()),
            ));
        }
        if let Some(file) = self.files.difference(&now.files).next() {
            return Err(Halt::fail("everything is still there", format!("{} is gone", file.display())));
        }
        Ok(())
    }

    /// Demands the mount table of that time.
    ///
    /// # Errors
    /// A failure that shows what differs.
    #[track_caller]
    pub(crate) fn has_same_mounts(&self, host: &Host<'_>, when: &str) -> Judged {
        let now = host.world().mounts()?;
        if now == self.mounts {
            return Ok(());
        }
        let halt = Halt::fail(format!("the host's mount table is the same {when}"), "it is another");
        Err(halt.drawn(mounts::difference(&self.mounts, &now)).likely(
            "what is shared is one mount for all who have a copy of it: MS_REC | MS_PRIVATE on / ends that, \
             for / and for all that is mounted below it, and has to come first",
        ))
    }
}

/// Every path below a folder, which the suite sees at `seen`.
fn tree(seen: &Path, named: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(seen).into_iter().flatten().flatten() {
        let path = named.join(entry.file_name());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            tree(&entry.path(), &path, found);
        }
        found.insert(path);
    }
}

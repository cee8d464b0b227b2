//! Root file systems of the suite's making.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::Judged;
use nix::mount::{MsFlags, mount};

use super::{FileId, Host, writing};

/// A root file system of the suite's making: the probe, a folder `proc`, and a file that tells it from others.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// Where it is, for the caller of the runtime.
    pub(crate) path: PathBuf,
    /// The name of a file at its top that no other root has.
    pub(crate) sign: String,
    /// The probe in it.
    pub(crate) probe: FileId,
}

impl Root {
    /// Where the caller finds what is at `path` for the command.
    pub(crate) fn inside(&self, path: &Path) -> PathBuf {
        below(&self.path, path)
    }
}

/// A path from the root, from this folder.
fn below(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path.strip_prefix("/").unwrap_or(path))
}

impl Host<'_> {
    /// A root file system in a plain folder.
    ///
    /// # Errors
    /// Fault when it cannot be made.
    pub(crate) fn root(&self) -> Judged<Root> {
        let path = self.folder().join(format!("root-{}", self.next()));
        fs::create_dir(&path)?;
        self.furnish(path.clone(), path)
    }

    /// The same with what every image has, and a runtime may like to mount something on.
    ///
    /// # Errors
    /// Fault when it cannot be made.
    pub(crate) fn image(&self) -> Judged<Root> {
        let root = self.root()?;
        for folder in ["dev/pts", "dev/shm", "sys/fs/cgroup", "tmp", "run", "etc", "var/tmp", "root", "home"]
        {
            fs::create_dir_all(root.path.join(folder))?;
        }
        for file in ["etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/localtime", "dev/null"] {
            fs::write(root.path.join(file), "# of the image\n")?;
        }
        Ok(root)
    }

    /// A root file system that is a mount of its own.
    ///
    /// # Errors
    /// Fault when it cannot be made.
    pub(crate) fn mounted_root(&self) -> Judged<Root> {
        let path = self.folder().join(format!("mount-{}", self.next()));
        fs::create_dir(&path)?;
        self.mount_tmpfs(&path)?;
        self.furnish(path.clone(), self.world.outside(&path))
    }

    /// Mounts an empty file system on a folder of the host's.
    ///
    /// # Errors
    /// Fault when it cannot be mounted.
    pub(crate) fn mount_tmpfs(&self, place: &Path) -> Judged {
        let place = place.to_owned();
        let nothing: Option<&str> = None;
        self.remount(move || mount(Some("tmpfs"), &place, Some("tmpfs"), MsFlags::empty(), nothing))
    }

    /// Fills a root, which the suite sees at `seen`.
    fn furnish(&self, path: PathBuf, seen: PathBuf) -> Judged<Root> {
        let sign = format!("this-is-root-{}", self.next());
        let probe = self.probe();
        let inside = below(&seen, &probe);
        let above = inside.parent().unwrap_or(&seen);
        fs::create_dir(seen.join("proc"))?;
        fs::create_dir_all(above)?;
        fs::write(seen.join(&sign), b"")?;
        if fs::hard_link(&probe, &inside).is_err() {
            writing(|| fs::copy(&probe, &inside))?;
        }
        if let Some(user) = self.user() {
            user.own(&seen)?;
            let mut folders = above.ancestors().take_while(|folder| *folder != seen);
            folders.try_for_each(|folder| user.own(folder))?;
        }
        Ok(Root { path, sign, probe: FileId::of(&inside)? })
    }
}

//! Folders of a run's own, which go with whatever a subject left in them.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use nix::unistd::mkdtemp;

/// An empty folder with a name of its own. Dropping it removes it and all that is in it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder below `parent` whose name begins with `prefix`, for its owner alone (mkdtemp(3)).
    ///
    /// # Errors
    /// When `parent` is missing, full or not to be written to.
    pub fn create_in(parent: &Path, prefix: &str) -> io::Result<Self> {
        Ok(Self { path: mkdtemp(&parent.join(format!("{prefix}XXXXXX")))? })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if fs::remove_dir_all(&self.path).is_err() {
            open_up(&self.path);
            // What is still there then (a mount, another user's file) is nothing that a check could mend.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Lets the owner into every folder below `folder`: a subject may have closed some to everybody.
fn open_up(folder: &Path) {
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // Of the entry itself: a symbolic link leads to what is not ours.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use nix::unistd::{Uid, setfsuid};

    use super::*;

    #[test]
    fn a_folder_goes_with_what_is_closed_to_everybody() {
        let open = tempfile::tempdir().expect("a temporary directory");
        fs::set_permissions(open.path(), fs::Permissions::from_mode(0o777)).expect("it is ours to open");
        // Nothing is closed to root: as somebody else then, for the file system and this thread only.
        let as_nobody = || {
            setfsuid(Uid::from_raw(65_534));
            let folder = Folder::create_in(open.path(), "closed-").expect("a folder can be made");
            let inner = folder.path().join("a/b");
            fs::create_dir_all(&inner).expect("folders in it");
            fs::write(inner.join("file"), "text").expect("a file in it");
            for closed in [inner.as_path(), &folder.path().join("a")] {
                fs::set_permissions(closed, fs::Permissions::from_mode(0o000))
                    .expect("its owner may close it");
            }
            assert!(fs::read_dir(folder.path().join("a")).is_err(), "it is closed");
            let path = folder.path().to_owned();
            drop(folder);
            assert!(!path.exists(), "{} is still there", path.display());
        };
        thread::scope(|scope| scope.spawn(as_nobody).join()).expect("the folder goes");
    }
}

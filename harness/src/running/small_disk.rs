//! A disk that really fills up: a tmpfs of a few hundred KiB in a [`View`] of its own, without root.
//!
//! The suite looks in through the view. `RLIMIT_FSIZE` would be simpler, but gives EFBIG, not ENOSPC, and kills by
//! default.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use nix::sys::statvfs::statvfs;

use super::{
    Halt, Judged,
    view::{Mount, View},
};

/// How long the space of a removed file may take to come back.
const RELEASE: Duration = Duration::from_secs(30);

/// A small file system. Dropping it unmounts it.
#[derive(Debug)]
pub struct SmallDisk {
    view: Arc<View>,
    mount_point: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk of `size_bytes` (rounded up to pages) at `mount_point`, an empty folder.
    ///
    /// # Errors
    /// Skip where user namespaces or mounting in them are not allowed.
    pub fn mount(mount_point: &Path, size_bytes: u64) -> Judged<Arc<Self>> {
        let view = View::open(&[Mount::small_disk(mount_point, size_bytes)?])?;
        Ok(Arc::new(Self { view, mount_point: mount_point.to_owned() }))
    }

    /// Where a subject sees the disk.
    pub fn path(&self) -> &Path {
        &self.mount_point
    }

    /// Where the suite sees it.
    pub fn seen_from_outside(&self) -> PathBuf {
        self.view.outside(&self.mount_point)
    }

    /// The view that a subject needs to see the disk.
    pub(super) fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Fills the disk with a file named `ballast` until `left_bytes` are free, and gives the file's path from outside.
    ///
    /// # Errors
    /// Fault when the disk is smaller than that.
    pub fn fill(&self, left_bytes: u64) -> Judged<PathBuf> {
        let ballast = self.seen_from_outside().join("ballast");
        let free = self.free_bytes()?;
        let size = free.checked_sub(left_bytes).ok_or_else(|| Halt::fault("the small disk is too small"))?;
        let mut zeros = io::repeat(1).take(size);
        io::copy(&mut zeros, &mut File::create(&ballast)?)?;
        Ok(ballast)
    }

    /// Removes the ballast, and waits until its space is free: a process that was forked while the file was open, for
    /// a check beside this one, holds it until its exec.
    ///
    /// # Errors
    /// Fault when the ballast is gone already, or its space does not come back.
    pub fn make_room(&self, ballast: &Path) -> Judged {
        let wanted = self.free_bytes()? + fs::metadata(ballast)?.len();
        fs::remove_file(ballast)?;
        let deadline = Instant::now() + RELEASE;
        while self.free_bytes()? < wanted {
            if Instant::now() > deadline {
                return Err(Halt::fault("the space of a removed file does not come back"));
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn free_bytes(&self) -> Judged<u64> {
        let stat = statvfs(&self.seen_from_outside())?;
        Ok(stat.blocks_available() * stat.fragment_size())
    }
}

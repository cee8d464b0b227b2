//! A disk that really fills up: a tmpfs of a few hundred KiB in a mount namespace of its own, without root.
//!
//! A holder process keeps the namespaces alive; a subject enters them between fork and exec; the suite looks in
//! through `/proc/HOLDER/root`. `RLIMIT_FSIZE` would be simpler, but gives EFBIG, not ENOSPC, and kills by default.

use std::{
    ffi::CString,
    fs::{self, File},
    io::{self, Read},
    os::unix::{ffi::OsStrExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use nix::{
    fcntl::{OFlag, open},
    mount::{MsFlags, mount},
    sched::{CloneFlags, setns, unshare},
    sys::{stat::Mode, statvfs::statvfs},
    unistd::{chdir, getgid, getuid, write},
};

use super::{Halt, Judged};

/// How long the space of a removed file may take to come back.
const RELEASE: Duration = Duration::from_secs(30);

/// A small file system. Dropping it unmounts it.
#[derive(Debug)]
pub struct SmallDisk {
    holder: Child,
    mount_point: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk of `size_bytes` (rounded up to pages) at `mount_point`, an empty folder.
    ///
    /// # Errors
    /// Skip where user namespaces or mounting in them are not allowed.
    pub fn mount(mount_point: &Path, size_bytes: u64) -> Judged<Arc<Self>> {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let steps = Steps::prepare(mount_point, size_bytes)?;
        // SAFETY: `Steps::take` makes only system calls on strings that were prepared before the fork.
        unsafe { command.pre_exec(move || steps.take()) };
        let holder = command.spawn().map_err(|error| {
            Halt::skip(format!(
                "cannot mount a small disk in a user namespace ({error}); try sysctl kernel.unprivileged_userns_clone=1"
            ))
        })?;
        Ok(Arc::new(Self { holder, mount_point: mount_point.to_owned() }))
    }

    /// Where a subject sees the disk.
    pub fn path(&self) -> &Path {
        &self.mount_point
    }

    /// Where the suite sees it.
    pub fn seen_from_outside(&self) -> PathBuf {
        let below_root = self.mount_point.strip_prefix("/").unwrap_or(&self.mount_point);
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(below_root)
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

    /// What a subject needs to enter the disk's namespaces.
    pub(super) fn entry(&self) -> Entry {
        let open = |kind: &str| File::open(format!("/proc/{}/ns/{kind}", self.holder.id()));
        Entry { user: open("user").ok(), mounts: open("mnt").ok() }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A way into the disk's namespaces, taken between fork and exec.
#[derive(Debug)]
pub(super) struct Entry {
    user: Option<File>,
    mounts: Option<File>,
}

impl Entry {
    /// Moves the calling process into the namespaces. Makes only system calls.
    pub(super) fn enter(&self, folder: &CString) -> io::Result<()> {
        for (namespace, kind) in
            [(&self.user, CloneFlags::CLONE_NEWUSER), (&self.mounts, CloneFlags::CLONE_NEWNS)]
        {
            let namespace = namespace.as_ref().ok_or(io::ErrorKind::NotFound)?;
            setns(namespace, kind)?;
        }
        // Entering a mount namespace moves the working directory to its root.
        Ok(chdir(folder.as_c_str())?)
    }
}

/// What the holder does between fork and exec, with every string made beforehand.
struct Steps {
    mount_point: CString,
    options: CString,
    id_maps: [(CString, String); 3],
}

impl Steps {
    fn prepare(mount_point: &Path, size_bytes: u64) -> Judged<Self> {
        let c_string = |bytes: &[u8]| CString::new(bytes).map_err(|error| Halt::fault(error.to_string()));
        let map = |id: u32| format!("0 {id} 1");
        Ok(Self {
            mount_point: c_string(mount_point.as_os_str().as_bytes())?,
            options: c_string(format!("size={size_bytes},mode=0700").as_bytes())?,
            id_maps: [
                (c_string(b"/proc/self/setgroups")?, "deny".to_owned()),
                (c_string(b"/proc/self/uid_map")?, map(getuid().as_raw())),
                (c_string(b"/proc/self/gid_map")?, map(getgid().as_raw())),
            ],
        })
    }

    fn take(&self) -> io::Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
        for (path, text) in &self.id_maps {
            let file = open(path.as_c_str(), OFlag::O_WRONLY, Mode::empty())?;
            write(&file, text.as_bytes())?;
        }
        let nothing: Option<&std::ffi::CStr> = None;
        mount(nothing, c"/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing)?;
        let (point, options) = (self.mount_point.as_c_str(), Some(self.options.as_c_str()));
        mount(Some(c"tmpfs"), point, Some(c"tmpfs"), MsFlags::empty(), options)?;
        Ok(())
    }
}

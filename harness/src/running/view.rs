//! A view of the file system of its own, without root: a mount namespace, in a user namespace that allows to mount.
//!
//! A holder process keeps both alive. A subject enters them between fork and exec; the suite looks in through
//! `/proc/HOLDER/root`. See user_namespaces(7), mount_namespaces(7).

use std::{
    ffi::{CStr, CString},
    fs::File,
    io,
    os::unix::{ffi::OsStrExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use nix::{
    fcntl::{OFlag, open},
    mount::{MsFlags, mount},
    sched::{CloneFlags, setns, unshare},
    sys::stat::Mode,
    unistd::{chdir, getgid, getuid, write},
};

use super::{Halt, Judged};

/// What is seen differently. Dropping it ends the namespaces, once nobody is in them any more.
#[derive(Debug)]
pub(super) struct View {
    holder: Child,
}

/// One difference.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    what: CString,
    place: CString,
    /// `None` for a file or folder that is seen in another place.
    filesystem: Option<&'static CStr>,
    options: CString,
}

impl Mount {
    /// An empty disk of `size_bytes`, rounded up to pages.
    pub(super) fn small_disk(place: &Path, size_bytes: u64) -> Judged<Self> {
        Ok(Self {
            what: c"tmpfs".to_owned(),
            place: c_string(place)?,
            filesystem: Some(c"tmpfs"),
            options: c_string(Path::new(&format!("size={size_bytes},mode=0700")))?,
        })
    }

    /// `file` in the place of the file that is there.
    pub(super) fn instead(place: &Path, file: &Path) -> Judged<Self> {
        let options = CString::default();
        Ok(Self { what: c_string(file)?, place: c_string(place)?, filesystem: None, options })
    }

    fn take(&self) -> nix::Result<()> {
        let kind = if self.filesystem.is_none() { MsFlags::MS_BIND } else { MsFlags::empty() };
        let options = Some(self.options.as_c_str());
        mount(Some(self.what.as_c_str()), self.place.as_c_str(), self.filesystem, kind, options)
    }
}

impl View {
    /// A view with these differences.
    ///
    /// # Errors
    /// Skip where user namespaces or mounting in them are not allowed.
    pub(super) fn open(mounts: &[Mount]) -> Judged<Arc<Self>> {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let steps = Steps::prepare(mounts)?;
        // SAFETY: `Steps::take` makes only system calls on strings that were prepared before the fork.
        unsafe { command.pre_exec(move || steps.take()) };
        let holder = command.spawn().map_err(|error| {
            Halt::skip(format!(
                "cannot mount anything in a user namespace ({error}); try sysctl kernel.unprivileged_userns_clone=1"
            ))
        })?;
        Ok(Arc::new(Self { holder }))
    }

    /// Where the suite sees what a subject sees at `path`.
    pub(super) fn outside(&self, path: &Path) -> PathBuf {
        let below_root = path.strip_prefix("/").unwrap_or(path);
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(below_root)
    }

    /// What a subject needs to enter.
    pub(super) fn entry(&self) -> Entry {
        let open = |kind: &str| File::open(format!("/proc/{}/ns/{kind}", self.holder.id()));
        Entry { user: open("user").ok(), mounts: open("mnt").ok() }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A way into a view, taken between fork and exec.
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
    mounts: Vec<Mount>,
    id_maps: [(CString, String); 3],
}

impl Steps {
    fn prepare(mounts: &[Mount]) -> Judged<Self> {
        let own = |file: &str| c_string(&Path::new("/proc/self").join(file));
        let map = |id: u32| format!("0 {id} 1");
        Ok(Self {
            mounts: mounts.to_vec(),
            id_maps: [
                (own("setgroups")?, "deny".to_owned()),
                (own("uid_map")?, map(getuid().as_raw())),
                (own("gid_map")?, map(getgid().as_raw())),
            ],
        })
    }

    fn take(&self) -> io::Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
        for (path, text) in &self.id_maps {
            let file = open(path.as_c_str(), OFlag::O_WRONLY, Mode::empty())?;
            write(&file, text.as_bytes())?;
        }
        let nothing: Option<&CStr> = None;
        mount(nothing, c"/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing)?;
        Ok(self.mounts.iter().try_for_each(Mount::take)?)
    }
}

fn c_string(path: &Path) -> Judged<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|error| Halt::fault(error.to_string()))
}

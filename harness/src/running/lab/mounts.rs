//! What the guest sees where.
//!
//! ```text
//!   /                the machine's root, read-only: mounted by the kernel
//!   /proc /sys /dev  the guest's own, with /dev/pts and /dev/shm
//!   /tmp /run …      empty, in memory: what others do in the machine's own is no change that a check should see
//!   …/last           the folder for transcripts, writable: the only way out
//! ```
//!
//! A subject, a suite or a program of `PATH` may lie below what is covered by that, as one in `/tmp` does. Such folders are
//! opened before, and bound to their places again afterwards.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
};

use super::step;
use crate::{
    event::Subject,
    guest::{Errand, Share},
};

/// What is mounted over: nothing below it is seen any more.
const COVERED: [&str; 7] = ["/tmp", "/var/tmp", "/run", "/dev", "/dev/shm", "/proc", "/sys"];

const NOTHING: Option<&str> = None;

/// A folder that was opened before it was covered.
#[derive(Debug)]
pub(super) struct Kept {
    place: PathBuf,
    open: File,
}

/// The folders that a run needs to see.
pub(super) fn places(errand: &Errand) -> BTreeSet<PathBuf> {
    let words: Vec<PathBuf> = match &errand.request.subject {
        Subject::Run(words) => words.iter().map(PathBuf::from).collect(),
        Subject::Library(path) => vec![path.clone()],
    };
    // By the kernel's own word: /proc is still that of the machine outside, where this process has another name.
    let suite = env::args_os().next().map(PathBuf::from);
    let files = words.into_iter().chain(errand.request.file.clone()).chain(suite);
    let folders = files.filter_map(|file| file.parent().map(Path::to_owned));
    let searched = env::split_paths(&errand.path);
    folders.chain(searched).chain(errand.keep.iter().cloned()).collect()
}

/// Opens those of `places` that will be covered. One that is not there stays so.
pub(super) fn keep_open(places: &BTreeSet<PathBuf>) -> Vec<Kept> {
    let covered = |place: &&PathBuf| COVERED.iter().any(|over| place.starts_with(over));
    // Put back, it would cover the cover: what lies right in /tmp is out of reach.
    let is_cover = |place: &Path| COVERED.iter().any(|over| place == Path::new(over));
    let open = |place: &PathBuf| {
        let folder = OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(place);
        Some(Kept { place: place.clone(), open: folder.ok()? })
    };
    places.iter().filter(covered).filter(|place| !is_cover(place)).filter_map(open).collect()
}

/// The guest's devices. The kernel may have mounted them itself.
pub(super) fn devices() -> io::Result<()> {
    match mount(Some("devtmpfs"), "/dev", Some("devtmpfs"), MsFlags::MS_NOSUID, NOTHING) {
        Ok(()) | Err(Errno::EBUSY) => Ok(()),
        Err(error) => Err(step("cannot mount devtmpfs on /dev")(error.into())),
    }
}

/// What the kernel tells, and where it is told something.
pub(super) fn kernel_file_systems() -> io::Result<()> {
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    take("proc", "/proc", safe, None)?;
    take("sysfs", "/sys", safe, None)?;
    take("cgroup2", "/sys/fs/cgroup", safe, None)?;
    fs::create_dir_all("/dev/pts").map_err(step("cannot make /dev/pts"))?;
    take("devpts", "/dev/pts", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, Some("ptmxmode=0666,mode=0620"))?;
    fs::create_dir_all("/dev/shm").map_err(step("cannot make /dev/shm"))?;
    // devtmpfs makes none of them, and shells need them for `<(…)`.
    for (name, target) in [("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
        let link = Path::new("/dev").join(name);
        if fs::symlink_metadata(&link).is_err() {
            std::os::unix::fs::symlink(Path::new("/proc/self").join(target), &link)
                .map_err(step(format!("cannot make {}", link.display())))?;
        }
    }
    Ok(())
}

/// Room to write, in memory.
pub(super) fn scratch() -> io::Result<()> {
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    take("tmpfs", "/dev/shm", safe, Some("mode=1777"))?;
    take("tmpfs", "/tmp", safe, Some("mode=1777"))?;
    if Path::new("/var/tmp").is_dir() {
        take("tmpfs", "/var/tmp", safe, Some("mode=1777"))?;
    }
    take("tmpfs", "/run", safe, Some("mode=0755"))
}

/// Binds what was kept to where it was. A folder below another comes after it, and is there already.
pub(super) fn put_back(kept: Vec<Kept>) -> io::Result<()> {
    for Kept { place, open } in kept {
        let cannot = || step(format!("cannot put back {}", place.display()));
        if place.is_dir() && fs::read_dir(&place).is_ok_and(|mut entries| entries.next().is_some()) {
            continue;
        }
        fs::create_dir_all(&place).map_err(cannot())?;
        let source = format!("/proc/self/fd/{}", open.as_raw_fd());
        let bound = mount(Some(source.as_str()), &place, NOTHING, MsFlags::MS_BIND, NOTHING);
        bound.map_err(io::Error::from).map_err(cannot())?;
    }
    Ok(())
}

/// Mounts `folder` of the machine outside at its own place, to be written to.
pub(super) fn writable(folder: &Path, share: &Share) -> io::Result<()> {
    let cannot = || step(format!("cannot mount {} to write to it", folder.display()));
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(cannot())?;
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let mounted = match share {
        Share::Hostfs => mount(Some("outside"), folder, Some("hostfs"), flags, Some(folder)),
        Share::Plan9(tag) => {
            let options = Some("trans=virtio,version=9p2000.L,msize=131072");
            mount(Some(tag.as_str()), folder, Some("9p"), flags, options)
        }
    };
    mounted.map_err(io::Error::from).map_err(cannot())
}

/// Lets every mount be seen in every mount namespace that does not refuse it, as systemd does: what forgets to make its
/// mounts private is found out only so.
pub(super) fn share_everything() -> io::Result<()> {
    let shared = mount(NOTHING, "/", NOTHING, MsFlags::MS_REC | MsFlags::MS_SHARED, NOTHING);
    shared.map_err(io::Error::from).map_err(step("cannot make the mounts shared"))
}

fn take(kind: &str, place: &str, flags: MsFlags, options: Option<&str>) -> io::Result<()> {
    let mounted = mount(Some(kind), place, Some(kind), flags, options);
    mounted.map_err(io::Error::from).map_err(step(format!("cannot mount {kind} on {place}")))
}

#[cfg(test)]
mod tests {
    use crate::event::{Request, VERSION};

    use super::*;

    #[test]
    fn what_a_run_needs_is_seen_wherever_it_lies() {
        let request = Request {
            v: VERSION,
            subject: Subject::Run(vec!["sh".to_owned(), "/tmp/a b/subject.sh".to_owned()]),
            stages: Vec::new(),
            checks: Vec::new(),
            seed: 1,
            jobs: 1,
            keep_going: false,
            output: "/home/me/last".into(),
            file: Some("/run/user/trace".into()),
            announce: false,
        };
        let errand = Errand {
            nonce: "n".to_owned(),
            line: "/dev/ttyS0".into(),
            swap: "/dev/ubda".into(),
            share: Share::Hostfs,
            path: "/usr/bin:/run/current-system/bin".to_owned(),
            keep: vec!["/tmp/whole".into()],
            request,
        };
        let places = places(&errand);
        for wanted in ["/tmp/a b", "/run/user", "/usr/bin", "/run/current-system/bin", "/tmp/whole"] {
            assert!(places.contains(Path::new(wanted)), "{wanted} is among {places:?}");
        }
    }

    #[test]
    fn only_what_will_be_covered_is_kept() {
        let places = ["/usr/bin", "/tmp", "/proc/sys", "/proc/no-such-folder"].map(PathBuf::from).into();
        let kept = keep_open(&places);
        let places: Vec<_> = kept.iter().map(|kept| kept.place.as_path()).collect();
        assert_eq!(places, [Path::new("/proc/sys")], "neither what stays visible nor a cover itself");
    }
}

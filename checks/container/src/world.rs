//! Mounts and a hostname of a check's own, which stand for the host's: what a runtime does to them, it does to nobody
//! else.
//!
//! ```text
//!   the lab's mounts ──(copied once, cut off)──► the world's: every one shared, as on a machine with systemd
//!                                                  │ a thread of the suite stays in it, and starts runtimes from there
//!                                                  └─ the runtime ─► the container's own
//! ```
//!
//! Mounts of a runtime that forgot to cut itself off spread to the world and no further: that is seen, and is gone with
//! the check. The suite itself stays outside, where `/proc` is still there when a runtime has unmounted it.

use std::{
    fs, io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::mpsc::{Sender, channel},
    thread::{self, JoinHandle},
};

use harness::{Halt, Judged};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    unistd::{gethostname, gettid},
};

type Task = Box<dyn FnOnce() + Send>;

/// Namespaces of mounts and of the hostname with a thread in them. Dropping it ends both, once nobody else is in there.
#[derive(Debug)]
pub(crate) struct World {
    thread: i32,
    name: String,
    tasks: Option<Sender<Task>>,
    handle: Option<JoinHandle<()>>,
}

impl World {
    /// A copy of the mounts that there are, cut off from them.
    ///
    /// # Errors
    /// Skip where the suite may not make a mount namespace.
    pub(crate) fn begin() -> Judged<Self> {
        let (tasks, todo) = channel::<Task>();
        let (tell, told) = channel();
        let handle = thread::spawn(move || {
            let entered = enter().and_then(|()| Ok((gettid().as_raw(), hostname()?)));
            let is_in = entered.is_ok();
            if tell.send(entered).is_ok() && is_in {
                todo.into_iter().for_each(|task| task());
            }
        });
        match told.recv() {
            Ok(Ok((thread, name))) => Ok(Self { thread, name, tasks: Some(tasks), handle: Some(handle) }),
            Ok(Err(error)) => Err(Halt::skip(format!(
                "the suite cannot make a mount namespace here ({error}); it needs root: --lane lab has it"
            ))),
            Err(_) => Err(Halt::fault("the world's thread has ended")),
        }
    }

    /// Does something inside, in its thread; what it starts is inside as well.
    ///
    /// # Panics
    /// As what is done.
    pub(crate) fn inside<T: Send + 'static>(&self, act: impl FnOnce() -> T + Send + 'static) -> T {
        let (tell, told) = channel();
        let task: Task = Box::new(move || {
            // The thread goes on, whatever happens: dropping the world waits for it.
            let _ = tell.send(panic::catch_unwind(AssertUnwindSafe(act)));
        });
        let tasks = self.tasks.as_ref().expect("there until it is dropped");
        tasks.send(task).expect("the thread ends when the sender is dropped");
        match told.recv().expect("every task tells its end") {
            Ok(done) => done,
            Err(panic) => panic::resume_unwind(panic),
        }
    }

    /// Where the suite sees what is at `path` inside.
    pub(crate) fn outside(&self, path: &Path) -> PathBuf {
        let below_root = path.strip_prefix("/").unwrap_or(path);
        PathBuf::from(format!("/proc/self/task/{}/root", self.thread)).join(below_root)
    }

    /// Its mount table, as the kernel writes it.
    ///
    /// # Errors
    /// Fault when it cannot be read.
    pub(crate) fn mounts(&self) -> Judged<String> {
        Ok(fs::read_to_string(format!("/proc/self/task/{}/mountinfo", self.thread))?)
    }
}

impl World {
    /// What the host was called when it began.
    pub(crate) fn name_at_first(&self) -> &str {
        &self.name
    }

    /// What it is called now.
    ///
    /// # Errors
    /// Fault when the kernel does not say.
    pub(crate) fn hostname(&self) -> Judged<String> {
        Ok(self.inside(hostname)?)
    }

    /// The kernel's name for one of the world's namespaces, such as `uts`.
    ///
    /// # Errors
    /// Fault when it cannot be read.
    pub(crate) fn namespace(&self, kind: &str) -> Judged<PathBuf> {
        Ok(fs::read_link(format!("/proc/self/task/{}/ns/{kind}", self.thread))?)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}

/// Leaves the suite's mounts for a copy of them: private first, so that nothing spreads back, then shared among themselves.
fn enter() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS)?;
    let nothing: Option<&str> = None;
    for kind in [MsFlags::MS_PRIVATE, MsFlags::MS_SHARED] {
        mount(nothing, "/", nothing, MsFlags::MS_REC | kind, nothing)?;
    }
    Ok(())
}

fn hostname() -> io::Result<String> {
    Ok(gethostname()?.to_string_lossy().into_owned())
}

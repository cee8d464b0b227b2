//! The host as one check has it: a [`World`] of mounts, a folder to call the runtime in, root file systems; and what a
//! runtime may have left there.

mod ids;
mod left;
mod roots;
mod way;

use std::{
    cell::{Cell, RefCell},
    env, fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use harness::{Context, Folder, Halt, Judged, calls::can_supervise, process::Launch, verdict::Verdict};

use ids::somebody;
use way::Way;

pub(crate) use ids::Ids;
pub(crate) use left::Left;
pub(crate) use roots::Root;

use crate::{call::Call, cgroups::Leaf, world::World};

/// The program that runs inside; see its own header.
static PROBE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe"));

/// Taken by who forks, together, and by who writes a program, alone. A child that is forked while a file is open for writing
/// has it open too, until its own exec; and what anybody has open for writing cannot be executed (ETXTBSY).
static FORKS: RwLock<()> = RwLock::new(());

/// Starts a process, while no program is being written.
pub(crate) fn forking<T>(start: impl FnOnce() -> T) -> T {
    let _nobody_writes = FORKS.read().unwrap_or_else(PoisonError::into_inner);
    start()
}

/// Writes a program, while nobody forks.
pub(crate) fn writing<T>(write: impl FnOnce() -> T) -> T {
    let _nobody_forks = FORKS.write().unwrap_or_else(PoisonError::into_inner);
    write()
}

/// One check's host. Dropping it ends all that is in it.
#[derive(Debug)]
pub(crate) struct Host<'c> {
    context: &'c Context,
    /// Before the folders, so that nothing is mounted on them any more when they are removed.
    world: World,
    folder: Folder,
    leaf: Option<Leaf>,
    user: Option<User>,
    /// What was done so far, as sentences.
    steps: RefCell<Vec<String>>,
    /// Its mounts, as the check itself made them.
    mounts: RefCell<String>,
    calls: Cell<u32>,
}

/// A caller who is not root, and its way to the subject.
#[derive(Debug)]
struct User {
    ids: Ids,
    way: Way,
}

/// Which file a path leads to, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl FileId {
    /// That of the file at a path.
    ///
    /// # Errors
    /// Fault when there is none.
    pub(crate) fn of(path: &Path) -> Judged<Self> {
        let file = fs::metadata(path)?;
        Ok(Self { device: file.dev(), inode: file.ino() })
    }
}

impl<'c> Host<'c> {
    /// Tries something on a fresh host; what was done is told when it fails.
    ///
    /// # Errors
    /// What the check comes to.
    pub(crate) fn play(context: &'c Context, act: impl FnOnce(&Self) -> Judged) -> Judged {
        Self::begin(context, None)?.tell_of(act)
    }

    /// The same with a cgroup for the runtime to start in.
    ///
    /// # Errors
    /// What the check comes to; skip where there is no memory controller.
    pub(crate) fn play_with_memory(context: &'c Context, act: impl FnOnce(&Self) -> Judged) -> Judged {
        let leaf = Leaf::beside_the_suite(&nonce(context, 0))?;
        Self::begin(context, Some(leaf))?.tell_of(act)
    }

    /// The same for a caller who is not root.
    ///
    /// # Errors
    /// What the check comes to.
    pub(crate) fn play_without_root(context: &'c Context, act: impl FnOnce(&Self) -> Judged) -> Judged {
        let mut host = Self::begin(context, None)?;
        host.hand_to_somebody()?;
        host.tell_of(act)
    }

    /// A fresh host, with this cgroup for runtimes to start in.
    ///
    /// # Errors
    /// Skip where the suite may not make one.
    pub(crate) fn begin(context: &'c Context, leaf: Option<Leaf>) -> Judged<Self> {
        left::look_at_first();
        let world = World::begin()?;
        // Not below the check's own folder, which is closed to other users.
        let folder = Folder::create_in(&env::temp_dir(), "groundwork-container-")?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let host = Self {
            context,
            world,
            folder,
            leaf,
            user: None,
            steps: RefCell::default(),
            mounts: RefCell::default(),
            calls: Cell::new(0),
        };
        // Starts a process the first time, whatever comes of it.
        let _ = forking(can_supervise);
        writing(|| fs::write(host.probe(), PROBE))?;
        fs::set_permissions(host.probe(), fs::Permissions::from_mode(0o755))?;
        fs::write(host.secret(), b"nobody inside should read this")?;
        Ok(host)
    }

    /// Has a user own it, who is not root, and the caller from now on.
    ///
    /// # Errors
    /// Fault when that is refused.
    pub(crate) fn hand_to_somebody(&mut self) -> Judged {
        let ids = somebody(self.context);
        ids.own(self.folder.path())?;
        let way = Way::open(self.context, &self.world, ids.user)?;
        self.user = Some(User { ids, way });
        Ok(())
    }

    /// Runs `act`, and tells what was done should it fail.
    ///
    /// # Errors
    /// Those of `act`.
    pub(crate) fn tell_of(self, act: impl FnOnce(&Self) -> Judged) -> Judged {
        self.mounts.replace(self.world.mounts()?);
        let done = act(&self);
        done.map_err(|halt| {
            let halt = halt.did(self.steps.take());
            // Who finds the host without its own mounts does not get far.
            let is_changed = self.world.mounts().is_ok_and(|now| now != *self.mounts.borrow());
            if is_changed && matches!(halt.verdict, Verdict::Crash { .. }) {
                return halt.likely(
                    "the host's mounts are not what they were: the runtime mounts or unmounts in a namespace that is not private",
                );
            }
            halt
        })
    }

    /// Mounts or unmounts something of the host's, which is as it should be from then on.
    ///
    /// # Errors
    /// Fault when that is refused.
    pub(crate) fn remount(&self, act: impl FnOnce() -> nix::Result<()> + Send + 'static) -> Judged {
        self.world.inside(act)?;
        self.mounts.replace(self.world.mounts()?);
        Ok(())
    }

    /// Demands that the host is called as before.
    ///
    /// # Errors
    /// A failure when it is not.
    #[track_caller]
    pub(crate) fn keeps_its_name(&self, when: &str) -> Judged {
        let (before, now) = (self.world.name_at_first(), self.world.hostname()?);
        if now == before {
            return Ok(());
        }
        Err(Halt::fail(
            format!("the host is called {before:?} {when}, as before"),
            format!("it is called {now:?}"),
        )
        .likely("the hostname is set before the UTS namespace is there, or without one"))
    }

    /// Notes something that was done.
    pub(crate) fn tell(&self, step: impl Into<String>) {
        let step = step.into();
        self.context.note("  ", &step);
        self.steps.borrow_mut().push(step);
    }

    /// Forgets what was told: the next case of a table begins.
    pub(crate) fn forget(&self) {
        self.steps.borrow_mut().clear();
    }

    pub(crate) fn context(&self) -> &'c Context {
        self.context
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// The caller's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the probe lies, outside, and in every [`Root`] as well.
    pub(crate) fn probe(&self) -> PathBuf {
        self.folder().join("probe")
    }

    /// A file of the host's alone.
    pub(crate) fn secret(&self) -> PathBuf {
        self.folder().join("secret")
    }

    /// The cgroup that runtimes are started in.
    ///
    /// # Panics
    /// When the host was begun without one.
    pub(crate) fn leaf(&self) -> &Leaf {
        self.leaf.as_ref().expect("a check of limits begins with a leaf")
    }

    /// The same, if there is one.
    pub(crate) fn has_leaf(&self) -> Option<&Leaf> {
        self.leaf.as_ref()
    }

    /// The caller, where it is not root.
    pub(crate) fn user(&self) -> Option<Ids> {
        self.user.as_ref().map(|user| user.ids)
    }

    /// The runtime, to be started by the caller in `folder`.
    pub(crate) fn launch(&self, folder: &Path) -> Launch {
        let Some(User { ids, way }) = &self.user else { return self.context.launch(folder) };
        let (program, args) = way.words.split_first().expect("a subject names its program");
        let launch = args.iter().fold(self.context.launch_other(program, folder), Launch::arg);
        launch.as_user(ids.user, ids.group)
    }

    /// The same, of a shell that does something and then becomes the runtime; root's.
    pub(crate) fn launch_after(&self, script: &str, folder: &Path) -> Launch {
        let shell = self.context.launch_other("/bin/sh", folder).arg("-c").arg(script).arg("sh");
        self.context.words().iter().fold(shell, Launch::arg)
    }

    /// A call of the runtime, with a root of its own.
    ///
    /// # Errors
    /// Fault when the root cannot be made.
    pub(crate) fn call(&self) -> Judged<Call<'_, 'c>> {
        Ok(Call::on(self, self.root()?))
    }

    /// A word that no other run has.
    pub(crate) fn nonce(&self) -> String {
        nonce(self.context, self.next())
    }

    fn next(&self) -> u32 {
        self.calls.replace(self.calls.get() + 1)
    }
}

/// A word like no other, even of a run beside this one.
pub(crate) fn nonce(context: &Context, number: u32) -> String {
    format!("gw-{:x}-{:x}-{number}", std::process::id(), context.seed() & 0xffff_ffff)
}

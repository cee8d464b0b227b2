//! Starting a subject: a process group of its own, a clean environment, nothing inherited, limits.
//!
//! What runs between fork and exec is kept to system calls: the suite has threads, and a lock that one of them held
//! at the fork stays held in the child for ever.

use std::{
    env,
    ffi::{CString, OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::{ffi::OsStrExt, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        signal::{SigSet, Signal},
    },
};

use super::{Inbox, Process, autopsy::StderrTail, standing::Standing};
use crate::{
    running::{
        Judged,
        calls::{Held, Supervisor},
        context::Services,
        halt::Halt,
        names::Names,
        patience,
        small_disk::SmallDisk,
        strays,
        view::View,
        watchdog::Watched,
    },
    verdict::Verdict,
};

/// What a subject may use before it is stopped. Generous: a correct subject is nowhere near.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Anonymous memory of all its processes together, in bytes.
    pub memory_bytes: u64,
    /// Processes at once.
    pub processes: usize,
    /// Bytes on disk in the check's folder.
    pub disk_bytes: u64,
    /// Open file descriptors a process (`RLIMIT_NOFILE`).
    pub open_files: u64,
    /// How many of those it may open before it asks for more: the soft limit, where that is lower.
    pub open_files_at_first: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            processes: 64,
            disk_bytes: 2 << 30,
            open_files: 1024,
            open_files_at_first: u64::MAX,
        }
    }
}

/// Where a subject's input comes from.
#[derive(Debug)]
pub(in crate::running) enum Stdin {
    /// What the check sends, as it sends it.
    Pipe,
    /// A descriptor that somebody else feeds.
    Ready(OwnedFd),
}

/// A subject about to be started, or a program that hosts one.
#[derive(Debug)]
pub struct Launch {
    services: Arc<Services>,
    program: String,
    args: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    folder: PathBuf,
    limits: Limits,
    view: Option<Arc<View>>,
    standing: Standing,
}

/// A child that was started, before anybody speaks to it.
pub(in crate::running) struct Started {
    pub(in crate::running) child: Child,
    pub(in crate::running) number: u32,
    pub(in crate::running) marker: String,
    pub(in crate::running) watched: Arc<Watched>,
    pub(in crate::running) services: Arc<Services>,
    /// For how long its calls were held.
    held: Held,
}

impl Launch {
    /// `program`, in `folder`, which also counts as its disk.
    pub(in crate::running) fn new(services: Arc<Services>, program: String, folder: PathBuf) -> Self {
        Self {
            services,
            program,
            args: Vec::new(),
            environment: Vec::new(),
            folder,
            limits: Limits::default(),
            view: None,
            standing: Standing::default(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<Path>) -> Self {
        self.args.push(arg.as_ref().into());
        self
    }

    /// Adds a variable to its otherwise clean environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.environment.push((name.to_owned(), value.as_ref().into()));
        self
    }

    /// Sets what it may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets it see a [`SmallDisk`].
    #[must_use]
    pub fn on(mut self, disk: &Arc<SmallDisk>) -> Self {
        self.view = Some(Arc::clone(disk.view()));
        self
    }

    /// Lets it know [`Names`].
    #[must_use]
    pub fn knowing(mut self, names: &Names) -> Self {
        self.view = Some(Arc::clone(names.view()));
        self
    }

    /// Leaves it one more descriptor, under this number, which is above 2.
    #[must_use]
    pub fn inheriting(mut self, descriptor: OwnedFd, number: i32) -> Self {
        self.standing.inherit(descriptor, number);
        self
    }

    /// Has it begin with this signal ignored, as a caller may have it: exec keeps that.
    #[must_use]
    pub fn ignoring(mut self, signal: Signal) -> Self {
        self.standing.ignore(signal);
        self
    }

    /// Has it run as this user and this group, with no other groups. Only root can ask for that.
    #[must_use]
    pub fn as_user(mut self, user: u32, group: u32) -> Self {
        self.standing.user(user, group);
        self
    }

    /// Starts it in the cgroup (version 2) of this folder.
    ///
    /// # Errors
    /// Fault when there is none.
    pub fn in_cgroup(mut self, folder: &Path) -> Judged<Self> {
        self.standing.cgroup(folder)?;
        Ok(self)
    }

    /// Has a [`Supervisor`] decide about its system calls.
    #[must_use]
    pub fn supervised(mut self, supervisor: &Supervisor) -> Self {
        self.standing.supervised(supervisor.ward());
        self
    }

    /// Starts it, to be spoken to by pipes.
    ///
    /// # Errors
    /// Crash when the program cannot be executed.
    #[track_caller]
    pub fn start(self) -> Judged<Process> {
        let mut started = self.spawn(Stdin::Pipe, Stdio::piped(), Stdio::piped(), Tracing::Off)?;
        let child = &mut started.child;
        let pidfd = pidfd_open(started.watched.pid)?;
        Ok(Process {
            stdin: child.stdin.take().map(|pipe| nonblocking(pipe.into())).transpose()?,
            stdout: child.stdout.take().map(|pipe| nonblocking(pipe.into())).transpose()?,
            stderr: child.stderr.take().map(|pipe| nonblocking(pipe.into())).transpose()?,
            child: started.child,
            number: started.number,
            marker: started.marker,
            watched: started.watched,
            services: started.services,
            held: started.held,
            pidfd,
            outbox: Vec::new(),
            input_ends: false,
            inbox: Inbox::default(),
            errors: StderrTail::default(),
            allowance: patience::REPLY,
            ended: None,
        })
    }

    /// Starts it with the given stdio.
    #[track_caller]
    pub(in crate::running) fn spawn(
        self,
        stdin: Stdin,
        stdout: Stdio,
        stderr: Stdio,
        tracing: Tracing,
    ) -> Judged<Started> {
        let Self { services, program, args, environment, folder, limits, view, standing } = self;
        let (number, marker) = services.next_marker();
        let stdin = match stdin {
            Stdin::Pipe => Stdio::piped(),
            Stdin::Ready(descriptor) => descriptor.into(),
        };
        let mut command = Command::new(&program);
        command.args(&args).current_dir(&folder).process_group(0);
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        clean_environment(&mut command, &folder, &marker);
        command.envs(environment);
        let held = standing.held();
        confine(&mut command, &folder, &limits, view.as_deref(), standing, tracing)?;
        let words = args.join(OsStr::new(" "));
        services.note(number, '.', format!("(start {program} {})", words.to_string_lossy()).as_bytes());
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let how = format!("could not be started: {program}: {error}");
                return Err(Halt::new(Verdict::Crash { how: how.clone() }, "a program that starts", how));
            }
        };
        let pid = child.id() as i32;
        let watched = services.watchdog.watch(Watched::new(pid, limits, folder));
        Ok(Started { child, number, marker, watched, services, held })
    }
}

/// Whether the thread that starts a subject traces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::running) enum Tracing {
    /// It runs by itself.
    Off,
    /// It stops at exec and waits for its tracer.
    On,
}

/// Nothing of the caller's but PATH, so that the same subject gets the same verdict everywhere.
fn clean_environment(command: &mut Command, folder: &Path, marker: &str) {
    command.env_clear();
    if let Some(path) = env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.env("HOME", folder).env("TMPDIR", folder).env("LANG", "C.UTF-8").env(strays::MARKER, marker);
}

/// What happens in the child between fork and exec.
fn confine(
    command: &mut Command,
    folder: &Path,
    limits: &Limits,
    view: Option<&View>,
    standing: Standing,
    tracing: Tracing,
) -> Judged {
    // Data beyond twice what the watchdog allows is refused at once: a subject cannot outrun the next look.
    let data_bytes = limits.memory_bytes * 2;
    let (disk_bytes, open_files, at_first) =
        (limits.disk_bytes, limits.open_files, limits.open_files_at_first);
    let parent = std::process::id() as i32;
    let entry = view.map(View::entry);
    let folder =
        CString::new(folder.as_os_str().as_bytes()).map_err(|error| Halt::fault(error.to_string()))?;
    let prepare = move || -> io::Result<()> {
        SigSet::empty().thread_set_mask()?;
        lower(Resource::RLIMIT_CORE, 0)?;
        lower(Resource::RLIMIT_FSIZE, disk_bytes)?;
        lower(Resource::RLIMIT_DATA, data_bytes)?;
        lower(Resource::RLIMIT_NOFILE, open_files)?;
        lower_soft(Resource::RLIMIT_NOFILE, at_first)?;
        if let Some(entry) = &entry {
            entry.enter(&folder)?;
        }
        standing.take_place()?;
        // After entering a user namespace and after becoming another user, which clear it.
        die_with_parent(parent)?;
        close_inherited()?;
        standing.hand_over()?;
        if tracing == Tracing::On {
            nix::sys::ptrace::traceme()?;
        }
        Ok(())
    };
    // SAFETY: `prepare` makes only system calls: it neither allocates nor takes a lock, as the header asks.
    unsafe { command.pre_exec(prepare) };
    Ok(())
}

/// Sets a limit for good, or leaves it where the caller's own is lower: only root may raise that.
fn lower(resource: Resource, limit: u64) -> nix::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    setrlimit(resource, limit.min(hard), limit.min(hard))
}

/// Sets a limit that the subject itself may raise again, or leaves it where it is lower.
fn lower_soft(resource: Resource, limit: u64) -> nix::Result<()> {
    let (soft, hard) = getrlimit(resource)?;
    setrlimit(resource, limit.min(soft), hard)
}

/// SIGKILL when the suite's thread dies, however it dies.
fn die_with_parent(parent: i32) -> io::Result<()> {
    // SAFETY: prctl with PR_SET_PDEATHSIG takes one integer and touches no memory.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
    // The parent may have died before the call above.
    if nix::unistd::getppid().as_raw() == parent { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
}

/// Marks every descriptor above stderr to be closed by exec: std's own error pipe has to live until then.
fn close_inherited() -> io::Result<()> {
    // SAFETY: close_range takes integers and, with this flag, closes nothing before exec.
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    match Errno::result(result) {
        // Kernels before 5.11: std opens everything with O_CLOEXEC anyway.
        Ok(_) | Err(Errno::ENOSYS | Errno::EINVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A descriptor that becomes readable when the process ends.
fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes integers and returns a new descriptor or -1.
    let descriptor = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel just made this descriptor for us, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
}

/// The suite's end of a pipe, which must never block it.
fn nonblocking(pipe: OwnedFd) -> io::Result<File> {
    let flags = OFlag::from_bits_retain(fcntl(&pipe, FcntlArg::F_GETFL)?);
    fcntl(&pipe, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    debug_assert!(pipe.as_raw_fd() > 2);
    Ok(File::from(pipe))
}

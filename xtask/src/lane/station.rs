//! A kind of guest together with what it needs, ready to start any number of them.

use std::{
    env,
    fs::{self, File},
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use anyhow::Context;
use harness::{event::Request, guest::Errand};

use super::{
    Each,
    guest::{Deadlines, Ended, Guest},
    log::Log,
    qemu::{self, By, Qemu},
    swap,
    uml::{self, Uml},
};

/// A kind of guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A kernel that is a program.
    Uml,
    /// A kernel in a machine that the processor makes.
    Kvm,
    /// A kernel in an emulated machine.
    Qemu,
}

/// Everything that guests of one kind need.
#[derive(Debug)]
pub(super) struct Station {
    kind: Kind,
    machine: Machine,
    /// Each guest has a folder below this.
    folder: PathBuf,
    /// Whether a guest has come up.
    proven: AtomicBool,
}

#[derive(Debug)]
enum Machine {
    Uml(Uml),
    Qemu(Qemu),
}

/// What one guest is started with.
pub(super) struct Start<'s> {
    /// The guest's own folder, in which it is started.
    pub(super) folder: &'s Path,
    pub(super) suite: &'s Path,
    /// The folder that it may write to.
    pub(super) output: &'s Path,
    /// The number of the descriptor that its line writes to.
    pub(super) line: i32,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Uml => "User-Mode Linux",
            Self::Kvm => "QEMU with KVM",
            Self::Qemu => "QEMU",
        }
    }

    /// What supplies it where it is missing.
    pub(super) fn install(self) -> Option<&'static str> {
        match self {
            Self::Uml => Some(uml::INSTALL),
            Self::Qemu => Some(qemu::INSTALL),
            // The same does, but for what only the machine's owner can change.
            Self::Kvm => None,
        }
    }
}

impl Station {
    /// Finds what this kind needs, or fetches it below `folder`.
    ///
    /// # Errors
    /// A sentence that says what is missing, and what would help.
    pub(super) fn open(kind: Kind, folder: &Path) -> Result<Self, String> {
        let machine = match kind {
            Kind::Uml => Machine::Uml(Uml::find(folder)?),
            Kind::Kvm => Machine::Qemu(Qemu::find(By::Kvm, folder)?),
            Kind::Qemu => Machine::Qemu(Qemu::find(By::Emulation, folder)?),
        };
        Ok(Self { kind, machine, folder: folder.to_owned(), proven: AtomicBool::new(false) })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a guest of this kind has come up.
    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// Runs the suite on a request in a guest of its own.
    pub(super) fn run(
        &self,
        suite: &Path,
        request: &Request,
        keep: &[PathBuf],
        log: &mut Log,
        each: &mut Each<'_>,
    ) -> anyhow::Result<Ended> {
        let folder = GuestFolder::create(&self.folder)?;
        let (line, inherited) = io::pipe().context("cannot make a pipe")?;
        let inherited = OwnedFd::from(inherited);
        let start = Start {
            folder: &folder.path,
            suite,
            output: &request.output,
            line: std::os::fd::AsRawFd::as_raw_fd(&inherited),
        };
        let nonce = nonce()?;
        let (line_device, swap_device, share) = match &self.machine {
            Machine::Uml(_) => Uml::devices(),
            Machine::Qemu(_) => Qemu::devices(),
        };
        let errand = Errand {
            nonce: nonce.clone(),
            line: line_device,
            swap: swap_device,
            share,
            path: env::var("PATH").unwrap_or_default(),
            keep: keep.to_vec(),
            request: request.clone(),
        };
        let path = folder.path.join("errand");
        write_for_us_alone(&path, &serde_json::to_vec(&errand)?)?;
        swap::create(&folder.path.join("swap")).context("cannot make a file to swap to")?;
        let command = match &self.machine {
            Machine::Uml(uml) => uml.command(&start, &path),
            Machine::Qemu(qemu) => qemu.command(&start, &path),
        };
        let command = match command {
            Ok(command) => command,
            Err(reason) => return Ok(Ended::Unfit(reason)),
        };
        let guest = Guest::start(command, File::from(OwnedFd::from(line)), inherited, nonce);
        // Not there, or on a file system that nothing may be run from.
        let mut guest = match guest {
            Ok(guest) => guest,
            Err(error) => return Ok(Ended::Unfit(format!("{error:#}"))),
        };
        let ended = guest.follow(self.deadlines(), &path, each);
        guest.end();
        log.add(&what_for(request), &guest.console())?;
        let ended = ended?;
        if !matches!(ended, Ended::Unfit(_) | Ended::Interrupted) {
            self.proven.store(true, Ordering::Relaxed);
        }
        Ok(ended)
    }

    /// Many times what each takes on a slow machine. The variable is for tests of guests that hang.
    fn deadlines(&self) -> Deadlines {
        let given = env::var("GROUNDWORK_LAB_SILENCE_S").ok().and_then(|seconds| seconds.parse().ok());
        let boot = match self.kind() {
            // Where `/dev/kvm` is there and does not work, nothing ever happens.
            Kind::Kvm => 20,
            Kind::Uml => 60,
            Kind::Qemu => 180,
        };
        Deadlines { boot: Duration::from_secs(boot), silence: Duration::from_secs(given.unwrap_or(60)) }
    }
}

/// What a guest is for, as the heading of its log.
fn what_for(request: &Request) -> String {
    let stages: Vec<_> = request.stages.iter().map(|stage| format!("stage {stage}")).collect();
    match request.checks.as_slice() {
        [] => stages.join(", "),
        [one] => one.clone(),
        several => format!("{}: {} checks", stages.join(", "), several.len()),
    }
}

/// Sixteen bytes that nobody can guess.
fn nonce() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .context("no randomness")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_for_us_alone(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A guest's own folder. A lock tells one in use from one that a killed run left behind.
struct GuestFolder {
    path: PathBuf,
    _lock: File,
}

const PREFIX: &str = "guest-";
const LOCK: &str = ".lock";

impl GuestFolder {
    fn create(parent: &Path) -> anyhow::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let cannot = || {
            format!(
                "cannot write to {}; set GROUNDWORK_DIR to a folder that can be written",
                parent.display()
            )
        };
        fs::create_dir_all(parent).with_context(cannot)?;
        sweep(parent);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
            fs::create_dir(&path).with_context(cannot)?;
            let lock = File::create(path.join(LOCK)).with_context(cannot)?;
            // Where the file system has no locks, nobody sweeps either.
            let _ = lock.lock();
            // Before it was locked, another run may have taken it for abandoned, and removed it.
            if path.join(LOCK).exists() {
                return Ok(Self { path, _lock: lock });
            }
        }
    }
}

impl Drop for GuestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of runs that no longer hold their lock.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let Some(lock) = ours.then(|| File::open(entry.path().join(LOCK)).ok()).flatten() else { continue };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

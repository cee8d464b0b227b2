//! QEMU: a kernel in an emulated machine. It needs neither ptrace nor root, and is slower by far unless KVM works.
//!
//! ```text
//!   ttyS0   the console: stdout, the kernel's own words
//!   ttyS1   the line: a pipe
//!   vda     the file to swap to
//!   /       9p: the machine's root as whoever runs xtask sees it
//! ```
//!
//! The kernel is Debian's general one: the one for clouds, a third of its size, knows no file system of the machine
//! outside. `-M microvm` would start sooner, and hangs more often than not where nothing virtualises.

mod initramfs;
mod kernel;
pub(super) mod kvm;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use harness::guest::Share;

use super::{
    apt::{self, Wanted},
    station::Start,
    uml::quoted,
};
use crate::programs::in_path;
use kernel::Kernel;

const PROGRAM: &str = "qemu-system-x86_64";
const PACKAGE: &str = "qemu-system-x86";
pub(super) const INSTALL: &str = "apt-get install --no-install-recommends qemu-system-x86 linux-image-amd64";

const MEMORY_MIB: u64 = 512;

/// What executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The processor, where it may.
    Kvm,
    /// QEMU.
    Emulation,
}

/// An emulator and a kernel for it.
#[derive(Debug)]
pub(super) struct Qemu {
    program: PathBuf,
    /// Where it was unpacked, if it is not installed.
    unpacked: Option<PathBuf>,
    kernel: Kernel,
    /// What the kernel starts with, to reach its root.
    initramfs: PathBuf,
    by: By,
}

impl Qemu {
    /// In `PATH` and `/boot`, or fetched below `folder`.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub(super) fn find(by: By, folder: &Path) -> Result<Self, String> {
        if !cfg!(target_arch = "x86_64") {
            return Err("its guest is for x86-64, as this machine is not".to_owned());
        }
        if by == By::Kvm {
            kvm::may_work(folder)?;
        }
        let (program, unpacked) = match in_path(PROGRAM).next() {
            Some(program) => (program, None),
            None => {
                let unpacked = apt::unpacked(Wanted::WithDependencies(PACKAGE), folder)
                    .map_err(|reason| format!("there is no {PROGRAM}, and {reason}"))?;
                (unpacked.join("usr/bin").join(PROGRAM), Some(unpacked))
            }
        };
        let kernel = kernel::find(folder)?;
        let initramfs = initramfs::create(&kernel, folder)?;
        Ok(Self { program, unpacked, kernel, initramfs, by })
    }

    /// The devices that a guest finds: its line, its swap, and how it reaches a folder outside.
    pub(super) fn devices() -> (PathBuf, PathBuf, Share) {
        ("/dev/ttyS1".into(), "/dev/vda".into(), Share::Plan9("output".to_owned()))
    }

    /// The command that starts a guest on an errand.
    ///
    /// # Errors
    /// Why there can be none.
    pub(super) fn command(&self, start: &Start<'_>, errand: &Path) -> Result<Command, String> {
        let mut command = Command::new(&self.program);
        command.current_dir(start.folder).env_clear().env("HOME", start.folder);
        if let Some(root) = &self.unpacked {
            let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"].map(|at| root.join(at));
            let joined = env::join_paths(libraries).map_err(|error| error.to_string())?;
            command.env("LD_LIBRARY_PATH", joined);
            for data in ["usr/share/qemu", "usr/share/seabios"] {
                command.arg("-L").arg(root.join(data));
            }
        }
        match self.by {
            By::Kvm => command.args(["-accel", "kvm", "-cpu", "host"]),
            By::Emulation => command.args(["-accel", "tcg", "-cpu", "max"]),
        };
        command.args(["-M", "pc", "-smp", "2", "-m", &format!("{MEMORY_MIB}M")]);
        command.args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]);
        command.args(["-chardev", "file,id=console,path=/proc/self/fd/1", "-serial", "chardev:console"]);
        let line = format!("file,id=line,path=/proc/self/fd/{}", start.line);
        command.args(["-chardev", &line, "-serial", "chardev:line"]);
        command.args(["-drive", "file=swap,if=virtio,format=raw"]);
        let shared = |path: &Path, tag: &str, more: &str| {
            let path = path.display().to_string().replace(',', ",,");
            format!("local,path={path},mount_tag={tag},security_model=none,multidevs=remap{more}")
        };
        command.arg("-virtfs").arg(shared(Path::new("/"), "root", ",readonly=on"));
        command.arg("-virtfs").arg(shared(start.output, "output", ""));
        command.arg("-kernel").arg(&self.kernel.image).arg("-initrd").arg(&self.initramfs);
        let (suite, errand) = (quoted(start.suite)?, quoted(errand)?);
        command.arg("-append").arg(format!("console=ttyS0 rdinit=/init panic=-1 -- {suite} init {errand}"));
        Ok(command)
    }
}

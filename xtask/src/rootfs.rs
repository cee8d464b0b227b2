//! `cargo xtask rootfs DIR`: a small root file system to walk around in, with busybox for every command.
//!
//! ```text
//!   bin/busybox, bin/sh, bin/ls, …    one static program, and a link to it for each of its names
//!   etc/passwd, etc/group             root, and nobody
//!   proc sys dev tmp root             empty
//! ```
//!
//! Suites do not use it: what they put into a root is their own, and speaks to them.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, anyhow, bail};

use crate::{exit, exit::Exit, house::House, lane, programs::in_path, stdout};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP: &str = "root:x:0:\nnogroup:x:65534:\n";

/// Makes it. `folder` must be missing or empty: nothing of anybody's is mixed with it.
pub(crate) fn run(house: &House, folder: &Path) -> anyhow::Result<Exit> {
    let shown = folder.display();
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => {
            return Err(exit::usage(format!("{shown} is not empty; name a folder that is, or none yet")));
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(exit::usage(format!("{shown} is a file; name a folder that is empty, or none yet")));
        }
        Ok(false) | Err(_) => {}
    }
    let busybox = busybox(house)?;
    let names = applets(&busybox)?;
    fill(folder, &busybox, &names)
        .map_err(|error| exit::usage(format!("cannot make a root file system in {shown}: {error}")))?;
    stdout::write(&format!("{shown}: busybox under {} names; `{shown}/bin/sh` is a shell\n", names.len()))?;
    Ok(Exit::Passed)
}

fn fill(folder: &Path, busybox: &Path, names: &[String]) -> io::Result<()> {
    for part in ["bin", "etc", "proc", "sys", "dev", "tmp", "root"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::set_permissions(folder.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::write(folder.join("etc/passwd"), PASSWD)?;
    fs::write(folder.join("etc/group"), GROUP)?;
    fs::copy(busybox, folder.join("bin/busybox"))?;
    fs::set_permissions(folder.join("bin/busybox"), fs::Permissions::from_mode(0o755))?;
    for name in names.iter().filter(|name| *name != "busybox") {
        symlink("busybox", folder.join("bin").join(name))?;
    }
    Ok(())
}

/// A busybox that needs no library: one of `PATH`, or fetched.
fn busybox(house: &House) -> anyhow::Result<PathBuf> {
    if let Some(busybox) = in_path("busybox").find(|busybox| is_static(busybox)) {
        return Ok(busybox);
    }
    let fetched = lane::fetched(house, "busybox-static").map_err(|reason| {
        // Whose fault it is not: something is missing here.
        exit::nothing_ran(format!(
            "there is no static busybox, and {reason}; try: apt-get install busybox-static"
        ))
    })?;
    let places = ["bin/busybox", "usr/bin/busybox"].map(|at| fetched.join(at));
    places
        .into_iter()
        .find(|busybox| busybox.is_file())
        .ok_or_else(|| anyhow!("busybox-static has no busybox"))
}

/// Whether a program names no interpreter (a `PT_INTERP` segment, elf(5)), which would be missing in a root of its own.
fn is_static(program: &Path) -> bool {
    let Ok(bytes) = fs::read(program) else { return false };
    let number = |at: usize, size: usize| {
        let bytes = bytes.get(at..at + size)?;
        Some(bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
    };
    let segments = || {
        let (at, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        (0..count).map(|segment| number(at + segment * size, 4)).collect::<Option<Vec<_>>>()
    };
    const PT_INTERP: usize = 3;
    bytes.starts_with(b"\x7fELF\x02\x01") && segments().is_some_and(|kinds| !kinds.contains(&PT_INTERP))
}

/// The names that it answers to.
fn applets(busybox: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new(busybox).arg("--list").output();
    let output = output.with_context(|| format!("cannot run {}", busybox.display()))?;
    let names: Vec<_> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    if names.is_empty() {
        bail!("{} --list names nothing", busybox.display());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_program_is_told_from_others() {
        assert!(!is_static(Path::new("/proc/self/exe")), "this test needs libc at hand");
        assert!(!is_static(Path::new("/etc/passwd")), "what is no program is none that is static");
    }
}

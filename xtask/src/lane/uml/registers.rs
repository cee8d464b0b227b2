//! A correction for processors whose registers are more than User-Mode Linux knows.
//!
//! It keeps a guest process's registers in 2,696 bytes, up to those of AVX-512 and the protection keys, and writes them
//! back with `PTRACE_SETREGSET`. On a processor with AMX they are 11 KiB, and the kernel outside refuses a part
//! (EFAULT): no guest starts. Kernels from 6.13 ask how many there are; Debian's are older.
//!
//! So a small library, [compiled](library) once by the Rust that is here and loaded before libc, stands before `ptrace`
//! and completes what is written.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const SOURCE: &str = include_str!("registers/preload.rs");

/// What User-Mode Linux has room for.
const KNOWN_BYTES: u32 = 2696;

/// The library, where it is needed.
///
/// # Errors
/// A sentence that says why it cannot be made.
pub(super) fn library(folder: &Path) -> Result<Option<PathBuf>, String> {
    if size_bytes() <= KNOWN_BYTES {
        return Ok(None);
    }
    let library = folder.join(format!("registers-{}.so", env!("CARGO_PKG_VERSION")));
    let source = folder.join("registers.rs");
    if library.is_file() && fs::read_to_string(&source).is_ok_and(|known| known == SOURCE) {
        return Ok(Some(library));
    }
    let cannot = |error| format!("cannot write to {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(cannot)?;
    let part = folder.join(format!("registers-{}.part", std::process::id()));
    let text = part.with_extension("rs");
    fs::write(&text, SOURCE).map_err(cannot)?;
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled = Command::new(&rustc)
        .args(["--edition", "2024", "--crate-name", "registers", "--crate-type", "cdylib"])
        .args(["-O", "-C", "panic=abort", "-o"])
        .arg(&part)
        .arg(&text)
        .stdin(Stdio::null())
        .output();
    let _ = fs::remove_file(&text);
    let compiled = compiled.map_err(|error| format!("cannot run {}: {error}", rustc.display()))?;
    if !compiled.status.success() {
        let said = String::from_utf8_lossy(&compiled.stderr).into_owned();
        return Err(format!(
            "this processor's registers need a correction that does not compile: {}",
            said.lines().next().unwrap_or_default()
        ));
    }
    fs::rename(&part, &library).and_then(|()| fs::write(&source, SOURCE)).map_err(cannot)?;
    Ok(Some(library))
}

/// The size of the registers that the kernel outside saves (CPUID 0DH, sub-leaf 0, EBX).
#[cfg(target_arch = "x86_64")]
fn size_bytes() -> u32 {
    let leaves = std::arch::x86_64::__cpuid(0).eax;
    if leaves < 0xd { 0 } else { std::arch::x86_64::__cpuid_count(0xd, 0).ebx }
}

#[cfg(not(target_arch = "x86_64"))]
fn size_bytes() -> u32 {
    0
}

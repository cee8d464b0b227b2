//! A correction for processors whose registers are more than User-Mode Linux knows.
//!
//! It keeps a guest process's registers in 2,696 bytes, up to those of AVX-512 and the protection keys, and writes them
//! back with `PTRACE_SETREGSET`. On a processor with AMX they are 11 KiB, and the kernel outside refuses a part
//! (EFAULT): no guest starts. Kernels from 6.13 ask how many there are; Debian's are older.
//!
//! So a small [library], loaded before libc, stands before `ptrace` and completes what is written.

use std::path::{Path, PathBuf};

use crate::lane::compiled::{Source, compiled};

const SOURCE: Source = Source {
    name: "registers",
    text: include_str!("registers/preload.rs"),
    options: &["--crate-type", "cdylib"],
};

/// What User-Mode Linux has room for.
const KNOWN_BYTES: u32 = 2696;

/// The library, where it is needed.
///
/// # Errors
/// A sentence that says why it cannot be made.
pub(super) fn library(folder: &Path) -> Result<Option<PathBuf>, String> {
    if size_bytes() <= KNOWN_BYTES { Ok(None) } else { compiled(SOURCE, folder).map(Some) }
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

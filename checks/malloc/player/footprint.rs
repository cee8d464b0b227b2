//! How much memory this process has made writable for itself: what the library's footprint is the growth of.
//!
//! The kernel counts private writable pages (`VmData` and the stack, proc_pid_statm(5)), touched or not, whoever
//! asked for them and by whatever system call. Reading the count allocates nothing.

use std::{
    fs::File,
    io,
    os::{fd::AsRawFd, unix::fs::FileExt},
};

use crate::kernel;

/// The counts of one process.
pub(crate) struct Footprint {
    statm: File,
    page: usize,
}

impl Footprint {
    /// The calling process's: a child must open its own.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self { statm: File::open("/proc/self/statm")?, page: kernel::page() })
    }

    /// Private writable memory in bytes.
    pub(crate) fn writable(&self) -> usize {
        let mut text = [0_u8; 128];
        let target = text.as_mut_ptr().cast();
        // SAFETY: at most the length of `text` is written to it.
        let length = unsafe { libc::pread(self.statm.as_raw_fd(), target, text.len(), 0) };
        // The line ends with this number and " 0\n"; reading backwards skips five others.
        let mut index = (length.max(4) - 4) as usize;
        let (mut pages, mut unit) = (0, 1);
        while index > 0 && text[index] != b' ' {
            pages += usize::from(text[index] & 0xf) * unit;
            unit *= 10;
            index -= 1;
        }
        pages * self.page
    }

    /// All of its address space in bytes.
    pub(crate) fn address_space(&self) -> usize {
        self.field(0)
    }

    /// Memory in RAM in bytes, but for pages of files, such as a library's code.
    pub(crate) fn resident(&self) -> usize {
        self.field(1).saturating_sub(self.field(2))
    }

    fn field(&self, index: usize) -> usize {
        let mut text = [0_u8; 128];
        let length = self.statm.read_at(&mut text, 0).unwrap_or(0);
        let line = str::from_utf8(&text[..length]).unwrap_or_default();
        let pages = line.split(' ').nth(index).and_then(|number| number.parse::<usize>().ok());
        pages.unwrap_or(0) * self.page
    }
}

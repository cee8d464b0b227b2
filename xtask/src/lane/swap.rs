//! A file that a guest swaps to: sparse, with the header that mkswap(8) would write, so that no tool is needed.
//!
//! ```text
//!      0   nothing; room for a boot block
//!   1024   version 1 │ the last page │ number of bad pages: 0        each 32 bits, in the machine's byte order
//!   4086   SWAPSPACE2                                                 the end of the first page
//! ```

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::Path,
};

const SIZE_BYTES: u64 = 128 << 20;
const PAGE_BYTES: u64 = 4096;
const SIGNATURE: &[u8] = b"SWAPSPACE2";

pub(super) fn create(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.set_len(SIZE_BYTES)?;
    let last_page = (SIZE_BYTES / PAGE_BYTES - 1) as u32;
    file.seek(SeekFrom::Start(1024))?;
    for word in [1, last_page, 0] {
        file.write_all(&word.to_ne_bytes())?;
    }
    file.seek(SeekFrom::Start(PAGE_BYTES - SIGNATURE.len() as u64))?;
    file.write_all(SIGNATURE)
}

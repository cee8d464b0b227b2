//! What the kernel starts with: a program that makes the machine outside its root, and the modules for that. An archive
//! of cpio's "newc" format (see the kernel's Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! ```text
//!   070701 │ 13 numbers of 8 hexadecimal digits │ name, a zero, up to a multiple of 4 │ bytes, up to a multiple of 4
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Kernel;
use crate::lane::compiled::{Source, compiled};

/// The first program.
const FIRST: Source = Source {
    name: "first",
    text: include_str!("first.rs"),
    options: &[
        "-C",
        "link-arg=-nostartfiles",
        "-C",
        "link-arg=-nostdlib",
        "-C",
        "link-arg=-static",
        "-C",
        "relocation-model=static",
    ],
};

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const DEVICE: u32 = 0o020_600;

/// Makes the archive below `folder`, and says where it is.
pub(super) fn create(kernel: &Kernel, folder: &Path) -> Result<PathBuf, String> {
    let read =
        |path: &Path| fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    let mut archive = Archive::default();
    archive.add("dev", FOLDER, (0, 0), &[]);
    archive.add("dev/console", DEVICE, (5, 1), &[]);
    archive.add("root", FOLDER, (0, 0), &[]);
    archive.add("init", PROGRAM, (0, 0), &read(&compiled(FIRST, folder)?)?);
    for (number, module) in kernel.modules.iter().enumerate() {
        archive.add(&format!("{number:02}.ko"), PROGRAM, (0, 0), &read(module)?);
    }
    archive.add("TRAILER!!!", 0, (0, 0), &[]);
    let path = folder.join("initramfs");
    // Under a name of this process's own first: a guest of another may be reading it.
    let part = folder.join(format!("initramfs-{}.part", std::process::id()));
    let written = fs::write(&part, &archive.bytes).and_then(|()| fs::rename(&part, &path));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(path)
}

#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    files: u32,
}

impl Archive {
    fn add(&mut self, name: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        self.files += 1;
        let (length, name_length) = (content.len() as u32, name.len() as u32 + 1);
        // inode, mode, uid, gid, links, time, length, the file system's device, the file's own, name's length, checksum
        let numbers = [self.files, mode, 0, 0, 1, 0, length, 0, 0, device.0, device.1, name_length, 0]
            .map(|n| format!("{n:08x}"));
        self.bytes.extend(b"070701");
        self.bytes.extend(numbers.concat().into_bytes());
        self.bytes.extend(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_laid_out_as_the_kernel_reads_it() {
        let mut archive = Archive::default();
        archive.add("init", PROGRAM, (0, 0), b"abc");
        let text = String::from_utf8(archive.bytes).expect("ASCII, as it happens");
        let header = concat!(
            "070701", "00000001", "000081ed", "00000000", "00000000", "00000001", "00000000", "00000003",
            "00000000", "00000000", "00000000", "00000000", "00000005", "00000000"
        );
        assert_eq!(text, format!("{header}init\0\0abc\0"), "name and bytes each end at a multiple of four");
    }
}

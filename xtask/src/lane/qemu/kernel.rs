//! A kernel to emulate, with the modules that it takes to reach its root.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::lane::apt::{self, Wanted};

/// The kernel, and of its modules what is needed.
const PACKAGE: Wanted = Wanted::FilesOf(
    "linux-image-amd64",
    "linux-image-6",
    &[
        "./boot/vmlinuz-*",
        "*/kernel/fs/9p/*",
        "*/kernel/fs/fscache/*",
        "*/kernel/fs/netfs/*",
        "*/kernel/net/9p/*",
        "*/kernel/drivers/virtio/*",
        "*/kernel/drivers/block/virtio_blk*",
    ],
);

/// What the root and the swap are reached by.
const NEEDED: [&str; 4] = ["virtio_pci", "virtio_blk", "9pnet_virtio", "9p"];

/// A kernel.
#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) image: PathBuf,
    /// Modules to load, each after those that it needs.
    pub(super) modules: Vec<PathBuf>,
}

/// One of `/boot`, if it can be read, or one that is fetched below `folder`.
///
/// # Errors
/// Why there is none.
pub(super) fn find(folder: &Path) -> Result<Kernel, String> {
    if let Some(kernel) = below(Path::new("/")) {
        return Ok(kernel);
    }
    let root = apt::unpacked(PACKAGE, folder)
        .map_err(|reason| format!("there is no kernel for it, and {reason}"))?;
    below(&root).ok_or_else(|| format!("the kernel in {} has no 9p", root.display()))
}

/// The first kernel below a root that can be used.
fn below(root: &Path) -> Option<Kernel> {
    let mut images: Vec<_> =
        fs::read_dir(root.join("boot")).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    images.sort();
    images.into_iter().rev().find_map(|image| {
        let version = image.file_name()?.to_str()?.strip_prefix("vmlinuz-")?.to_owned();
        // Some distributions let only root read it.
        File::open(&image).ok()?;
        let modules = Modules::of(&root.join("lib/modules").join(version))?;
        Some(Kernel { image, modules: modules.in_order() })
    })
}

/// The modules of a kernel that are files, by their names.
struct Modules(BTreeMap<String, PathBuf>);

impl Modules {
    /// None if what is needed is not among them, or compressed.
    fn of(folder: &Path) -> Option<Self> {
        let mut found = BTreeMap::new();
        let mut open = vec![folder.join("kernel")];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "ko") {
                    found.insert(path.file_stem()?.to_str()?.replace('-', "_"), path);
                }
            }
        }
        found.contains_key("9p").then_some(Self(found))
    }

    /// What is needed, each after what it needs itself. What is no file is built in.
    fn in_order(&self) -> Vec<PathBuf> {
        let mut order = Vec::new();
        for name in NEEDED {
            self.add(name, &mut order);
        }
        order
    }

    fn add(&self, name: &str, order: &mut Vec<PathBuf>) {
        let Some(path) = self.0.get(name) else { return };
        if order.contains(path) {
            return;
        }
        for needed in needed_by(&fs::read(path).unwrap_or_default()) {
            self.add(&needed, order);
        }
        order.push(path.clone());
    }
}

/// The names that a module's `.modinfo` section has behind `depends=`.
fn needed_by(module: &[u8]) -> Vec<String> {
    let key = b"\0depends=";
    let Some(at) = module.windows(key.len()).position(|window| window == key) else { return Vec::new() };
    let rest = &module[at + key.len()..];
    let value = rest.split(|&byte| byte == 0).next().unwrap_or_default();
    let names = String::from_utf8_lossy(value);
    names.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_stands_in_it() {
        let module = b"\x7fELF\0license=GPL\0depends=9pnet,netfs-lib\0name=9p\0";
        assert_eq!(needed_by(module), ["9pnet", "netfs_lib"], "names are written with underscores");
        assert_eq!(needed_by(b"\0depends=\0name=virtio\0"), [""; 0], "some need nothing");
    }
}

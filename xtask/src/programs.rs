//! Programs of this machine, as a shell looks for them.

use std::{env, path::PathBuf};

/// The files of this name in the folders of `PATH`, in their order.
pub(crate) fn in_path(program: &str) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let files: Vec<_> = env::split_paths(&path).map(|folder| folder.join(program)).collect();
    files.into_iter().filter(|file| file.is_file())
}

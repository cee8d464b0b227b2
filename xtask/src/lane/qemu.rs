//! QEMU: a kernel in an emulated machine.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use harness::guest::Share;

use super::station::Start;

/// An emulator and a kernel for it.
#[derive(Debug)]
pub(super) struct Qemu {}

impl Qemu {
    pub(super) fn find(_folder: &Path) -> Result<Self, String> {
        Err("not yet".to_owned())
    }

    pub(super) fn devices() -> (PathBuf, PathBuf, Share) {
        ("/dev/ttyS1".into(), "/dev/vda".into(), Share::Plan9("output".to_owned()))
    }

    pub(super) fn command(&self, _start: &Start<'_>, _errand: &Path) -> Result<Command, String> {
        Err("not yet".to_owned())
    }
}

//! `cargo xtask rootfs`: a root file system to walk around in, or a reason why there is none.

use std::{fs, process::Command};

use predicates::prelude::*;

use crate::desk::{folder, xtask};

#[test]
fn a_root_file_system_has_what_a_shell_needs() {
    let folder = folder(&[]);
    let root = folder.path().join("my root");
    let path = root.to_str().expect("a path in UTF-8");
    let output = xtask(&["rootfs", path]).output().expect("it ends");
    if output.status.code() == Some(4) {
        eprintln!("SKIPPED: {}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for part in
        ["proc", "sys", "dev", "tmp", "root", "etc/passwd", "etc/group", "bin/sh", "bin/ls", "bin/mount"]
    {
        assert!(root.join(part).exists(), "{part} is there, and leads somewhere");
    }
    // Without a root of its own, the shell is at least a program.
    let said = Command::new(root.join("bin/sh")).args(["-c", "echo $((6 * 7))"]).output();
    assert_eq!(said.expect("it runs").stdout, b"42\n", "bin/sh is a shell");
}

#[test]
fn what_is_there_is_left_alone() {
    let full = folder(&[("mine", "text")]);
    let path = full.path().to_str().expect("a path in UTF-8");
    xtask(&["rootfs", path]).assert().code(2).stderr(predicates::str::contains("is not empty"));
    assert_eq!(fs::read_to_string(full.path().join("mine")).expect("still there"), "text");
    let file = full.path().join("mine").display().to_string();
    xtask(&["rootfs", &file]).assert().code(2).stderr(predicates::str::contains("is a file"));
    xtask(&["rootfs", "/proc/new"]).assert().code(2).stderr(predicates::str::contains("cannot make"));
    xtask(&["rootfs"]).assert().code(2).stderr(predicates::str::contains("<DIR>"));
}

#[test]
fn without_busybox_it_says_what_supplies_it() {
    let folder = folder(&[]);
    let path = folder.path().to_str().expect("a path in UTF-8");
    let mut command = xtask(&["rootfs", path]);
    let supplies =
        predicates::str::contains("no static busybox").and(predicates::str::contains("try: apt-get"));
    command.env("PATH", "/nowhere").assert().code(4).stderr(supplies);
}

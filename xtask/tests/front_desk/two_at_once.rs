//! Two runs of one project at the same time, in two terminals: neither takes the other's transcripts away.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{
    desk::{CHATTERS, CHECK, HANGS, ROOT, check_one, command, script},
    processes::eventually,
};

#[test]
fn each_run_has_a_folder_of_its_own() {
    // Says that it has begun, and goes on when it is told to.
    let patient = script("here=$(dirname \"$0\"); touch \"$here/begun\"; until [ -e \"$here/go\" ]; do sleep 0.1; done\n");
    let path = patient.path().to_str().expect("a path in UTF-8");
    let mut command = command(&["check", "kv", "--subject", path, "--check", CHECK]);
    let first = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let begun = patient.path().join("begun");
    eventually(HANGS, || if begun.exists() { Ok(()) } else { Err(()) }).expect("the first run reaches its subject");

    let hasty = script(CHATTERS);
    let second = check_one(hasty.path()).output().expect("the second run ends");
    fs::write(patient.path().join("go"), "").expect("a file in a temporary directory");
    let first = first.wait_with_output().expect("the first run ends");

    for (output, subject) in [(&first, &patient), (&second, &hasty)] {
        assert_eq!(output.status.code(), Some(1), "both fail");
        let log = log(&output.stdout);
        let text = fs::read_to_string(&log).unwrap_or_else(|error| panic!("no log {}: {error}", log.display()));
        let path = subject.path().to_str().expect("a path in UTF-8");
        assert!(text.contains(path), "the log that a run names is of its own subject {path}:\n{text}");
    }
}

/// The transcript that a failure names.
fn log(stdout: &[u8]) -> PathBuf {
    let text = String::from_utf8_lossy(stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("  log ")).unwrap_or_else(|| panic!("no log in:\n{text}"));
    Path::new(ROOT).join(line.trim())
}

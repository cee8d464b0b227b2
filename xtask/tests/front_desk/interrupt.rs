//! Ctrl-C in the middle of a check.

use std::{fs, os::unix::process::CommandExt, path::PathBuf, process::Stdio};

use crate::{
    desk::{CHECK, HANGS, command, script},
    processes::{Mark, eventually, status_within, with_argument},
};

#[test]
fn ctrl_c_ends_the_run_and_all_that_belongs_to_it() {
    let subject = script("sleep 1000\n");
    let path = subject.path().to_str().expect("a path in UTF-8");
    let script = subject.path().join("store.sh").display().to_string();
    let mark = Mark::new("interrupt");
    // A process group of its own is what a shell gives a command, and whom a terminal sends the signal.
    let mut command = command(&["check", "kv", "--subject", path, "--check", CHECK]);
    let mut child = mark.on(&mut command).process_group(0).stdout(Stdio::null()).spawn().expect("it starts");
    let workspace =
        eventually(HANGS, || folder_of(&script)).expect("the subject runs in a folder of the run's own");

    // SAFETY: kill takes two integers; the group is led by our child, which has not been waited for.
    let sent = unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGINT) };
    assert_eq!(sent, 0, "the group is there to be interrupted");

    assert_eq!(status_within(&mut child).code(), Some(130), "128 + SIGINT");
    assert!(!workspace.exists(), "the run's folder {} should be gone with it", workspace.display());
    mark.nobody_is_left();
    let left = with_argument(&script);
    assert!(left.is_empty(), "the subject should be dead: {left:?}");
}

/// The folder of the run, above that of the check, in which the subject is at home.
fn folder_of(script: &str) -> Result<PathBuf, String> {
    let subject = with_argument(script).pop().ok_or("no subject yet")?;
    let home = fs::read_link(subject.join("cwd")).map_err(|error| error.to_string())?;
    let named = |folder: &&std::path::Path| {
        folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("groundwork-"))
    };
    home.ancestors().find(named).map(PathBuf::from).ok_or(format!("it is in {}", home.display()))
}

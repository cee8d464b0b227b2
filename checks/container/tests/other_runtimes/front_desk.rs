//! The front desk, asked about a subject: a suite that wants a throw-away kernel is run by it, which has some.

use std::{
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
};

use harness::{event::CheckFinished, trial};

/// One guest at a time: each is as busy as a processor can be.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What it says of the checks that `selection` names, on the subject in this folder beside the tests; `None`, which is said
/// aloud, where nothing can run.
pub(crate) fn checked(subject: &str, selection: &[&str]) -> Option<Vec<CheckFinished>> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO"))
        .args(["xtask", "check", "container", "--format", "json", "--keep-going", "--seed", "1"])
        .args(selection)
        .arg("--subject")
        .arg(package.join("tests").join(subject))
        .current_dir(package.join("../.."))
        .env("GROUNDWORK_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("front-desk"))
        .env("CARGO_NET_OFFLINE", "true")
        .output()
        .expect("cargo is there, as it runs this test");
    let stderr = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0 | 1) => {
            let finished = trial::finished(&output.stdout);
            assert!(!finished.is_empty(), "it judges something of {selection:?}");
            Some(finished)
        }
        Some(4) => {
            eprintln!("SKIPPED: NO LAB, see `cargo xtask doctor`");
            None
        }
        Some(101) if stderr.contains("neither a file there nor a program") => {
            eprintln!("SKIPPED: {stderr}");
            None
        }
        status => panic!("the front desk judges: {status:?} {stderr}"),
    }
}

//! The suite on runtimes that were not made for it: crun, runc and bubblewrap, each behind an adapter that speaks the
//! contract. They are right wherever they are not documented to be different: a check that one of them fails, and that is
//! in no list here, asks for more than the specification says, or hangs on chance.
//!
//! Tried here are the stages that show most, on the quickest; `cargo xtask check container --subject
//! checks/container/tests/crun --keep-going` tries all, and the lists are of all up to the fifth.

use std::{
    env,
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
};

use harness::{
    event::{CheckFinished, Event},
    verdict::Verdict,
};

/// One guest at a time: each is as busy as a processor can be.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Where crun and runc, runtimes of the Open Container Initiative, are known to do something else than the specification
/// says, and why that is not the check's mistake.
const DIFFERENCES_OF_OCI: [(&str, &str); 9] = [
    ("container/1/words_arrive_byte_for_byte", "words stand in config.json, which is UTF-8"),
    (
        "container/1/what_cannot_be_run_is_126_or_127",
        "what the kernel refuses at the very exec is 1, like every failure of theirs, and said on stderr alone",
    ),
    (
        "container/3/nothing_is_made_in_the_root",
        "a /dev of their own needs a folder, which they make and leave",
    ),
    ("container/4/the_cgroup_goes_where_it_can", "they know cgroups in /sys/fs/cgroup alone"),
    ("container/4/a_limit_that_cannot_be_had_is_125", "without cgroups they run nothing, limited or not"),
    ("container/5/nothing_is_left_after_any_end", "the folder for /dev"),
    ("container/5/nothing_is_left_after_a_hundred_runs", "the folder for /dev"),
    ("container/5/a_failed_step_leaves_nothing", "the folder for /dev"),
    (
        "container/5/a_killed_runtime_takes_its_container_along",
        "a container of theirs outlives who started it",
    ),
];

/// The same of runc alone.
const DIFFERENCES_OF_RUNC: [(&str, &str); 2] = [
    ("container/1/stdio_is_the_caller_s", "without a terminal it copies through pipes of its own"),
    (
        "container/4/the_limit_stands_at_the_first_instruction",
        "first of all it executes a sealed copy of itself, by a descriptor, which is taken for the command",
    ),
];

/// The same of bubblewrap, which limits nothing: nor is anything with `--memory` in these, all of stage 4 and half of 5.
const DIFFERENCES_OF_BUBBLEWRAP: [(&str, &str); 5] = [
    ("container/1/words_arrive_byte_for_byte", "it adds PWD to the environment"),
    ("container/1/what_cannot_be_run_is_126_or_127", "every failure of its is 1, a failed exec too"),
    ("container/5/signals_reach_the_command", "it passes none on"),
    ("container/5/no_descriptor_is_handed_on", "it hands on what its caller did not close"),
    ("container/5/root_cannot_walk_out", "by such a descriptor"),
];

/// Whether a program is there, which is said aloud if it is not; it may be where only the system looks for it.
fn is_there(program: &str, package: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&folders).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.any(|folder| folder.join(program).is_file());
    if !found {
        eprintln!("SKIPPED: there is no {program} on this machine; try apt-get install {package}");
    }
    found
}

/// What the front desk, which has kernels to throw away, says of an adapter in a stage; nothing, which is said aloud, where
/// nothing can run.
fn judged(adapter: &str, stage: &str) -> Vec<CheckFinished> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join("other-runtimes");
    let output = Command::new(env!("CARGO"))
        .args(["xtask", "check", "container", "--format", "json", "--keep-going", "--seed", "1"])
        .args(["--only", "--stage", stage, "--subject"])
        .arg(package.join("tests").join(adapter))
        .current_dir(package.join("../.."))
        .env("GROUNDWORK_DIR", own)
        .output()
        .expect("cargo is there, as it runs this test");
    let stderr = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0 | 1) => {}
        Some(4) => {
            eprintln!("SKIPPED: NO LAB, see `cargo xtask doctor`");
            return Vec::new();
        }
        Some(101) if stderr.contains("neither a file there nor a program") => {
            eprintln!("SKIPPED: {stderr}");
            return Vec::new();
        }
        status => panic!("the front desk judges: {status:?} {stderr}"),
    }
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let events = lines.map(|line| serde_json::from_slice(line).expect("every line is an event"));
    events
        .filter_map(|event| if let Event::CheckFinished(check) = event { Some(*check) } else { None })
        .collect()
}

#[track_caller]
fn is_right_but_for(adapter: &str, stage: &str, differences: &[(&str, &str)]) {
    for check in judged(adapter, stage) {
        let is_known = differences.iter().any(|(known, _)| *known == check.id);
        let is_right = matches!(check.verdict, Verdict::Pass | Verdict::Skip { .. });
        assert!(is_right || is_known, "{} on {adapter}: {:?}, {:?}", check.id, check.verdict, check.evidence);
    }
}

#[test]
fn crun_is_right_but_for_what_is_known_of_it() {
    if is_there("crun", "crun") {
        is_right_but_for("crun", "3", &DIFFERENCES_OF_OCI);
    }
}

#[test]
fn runc_is_right_but_for_what_is_known_of_it() {
    if is_there("runc", "runc") {
        is_right_but_for("runc", "2", &[&DIFFERENCES_OF_OCI[..], &DIFFERENCES_OF_RUNC].concat());
    }
}

#[test]
fn bubblewrap_is_right_but_for_what_is_known_of_it() {
    if is_there("bwrap", "bubblewrap") {
        for stage in ["1", "2", "3"] {
            is_right_but_for("bwrap", stage, &DIFFERENCES_OF_BUBBLEWRAP);
        }
    }
}

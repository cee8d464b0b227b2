//! The suite on a runtime that was made in another way and another language: `python/container.py`. It is right up to stage
//! 4: a check of those that it fails asks for more than the specification says. In stage 5 it is wrong in one thing,
//! which a check has to find.
//!
//! A suite that asks for a throw-away kernel is run by the front desk, which has some.

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

/// What the front desk says of checks on the runtime in Python; `None`, which is said aloud, where nothing can run.
fn checked(selection: &[&str]) -> Option<Vec<CheckFinished>> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut desk = Command::new(env!("CARGO"));
    desk.args(["xtask", "check", "container", "--format", "json", "--keep-going", "--seed", "1"])
        .args(selection);
    desk.arg("--subject").arg(package.join("tests/python"));
    let own = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("another-design")
        .join(selection.join("-").replace('/', "-"));
    desk.current_dir(package.join("../..")).env("GROUNDWORK_DIR", own).env("CARGO_NET_OFFLINE", "true");
    let output = desk.output().expect("cargo is there, as it runs this test");
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let events: Vec<Event> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let finished = events.into_iter().filter_map(|event| match event {
        Event::CheckFinished(check) => Some(*check),
        _ => None,
    });
    let finished: Vec<_> = finished.collect();
    match output.status.code() {
        Some(0 | 1) if !finished.is_empty() => Some(finished),
        Some(4) => {
            eprintln!("SKIPPED: NO LAB, see `cargo xtask doctor`");
            None
        }
        status => panic!("the front desk judges: {status:?} {}", String::from_utf8_lossy(&output.stderr)),
    }
}

#[test]
fn another_way_to_change_the_root_is_right() {
    let Some(finished) = checked(&["--only", "--stage", "3"]) else { return };
    let failed: Vec<_> = finished.iter().filter(|check| check.verdict != Verdict::Pass).collect();
    assert!(failed.is_empty(), "a moved mount is a root of its own in stage 3: {failed:#?}");
}

#[test]
fn another_way_into_a_cgroup_is_right() {
    for id in
        ["container/4/the_limit_stands_at_the_first_instruction", "container/5/signals_reach_the_command"]
    {
        let Some(finished) = checked(&["--check", id]) else { return };
        assert!(finished.iter().all(|check| check.verdict == Verdict::Pass), "{finished:#?}");
    }
}

#[test]
fn what_only_covers_the_old_root_is_found_out() {
    let Some(finished) = checked(&["--check", "container/5/nothing_lies_below_the_root"]) else { return };
    let [check] = &finished[..] else { panic!("one check was asked for: {finished:#?}") };
    assert_eq!(check.verdict, Verdict::Fail, "root inside gets out: {check:#?}");
    let evidence = check.evidence.as_ref().expect("a failure has evidence");
    assert!(evidence.got.contains("setns"), "the evidence names the way out: {evidence:#?}");
}

//! The suite on a runtime that was made in another way and another language: `python/container.py`. It is right up to stage
//! 4: a check of those that it fails asks for more than the specification says. In stage 5 it is wrong in one thing,
//! which a check has to find.

use harness::verdict::Verdict;

use crate::front_desk::checked;

const SUBJECT: &str = "python";

#[test]
fn another_way_to_change_the_root_is_right() {
    let Some(finished) = checked(SUBJECT, &["--only", "--stage", "3"]) else { return };
    let failed: Vec<_> = finished.iter().filter(|check| check.verdict != Verdict::Pass).collect();
    assert!(failed.is_empty(), "a moved mount is a root of its own in stage 3: {failed:#?}");
}

#[test]
fn another_way_into_a_cgroup_is_right() {
    for id in
        ["container/4/the_limit_stands_at_the_first_instruction", "container/5/signals_reach_the_command"]
    {
        let Some(finished) = checked(SUBJECT, &["--check", id]) else { return };
        assert!(finished.iter().all(|check| check.verdict == Verdict::Pass), "{finished:#?}");
    }
}

#[test]
fn what_only_covers_the_old_root_is_found_out() {
    let Some(finished) = checked(SUBJECT, &["--check", "container/5/nothing_lies_below_the_root"]) else {
        return;
    };
    let [check] = &finished[..] else { panic!("one check was asked for: {finished:#?}") };
    assert_eq!(check.verdict, Verdict::Fail, "root inside gets out: {check:#?}");
    let evidence = check.evidence.as_ref().expect("a failure has evidence");
    assert!(evidence.got.contains("setns"), "the evidence names the way out: {evidence:#?}");
}

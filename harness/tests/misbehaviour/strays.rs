//! What subjects leave behind: the verdict does not wait for it, and the end of the suite is its end.

use crate::{
    processes,
    suite_run::{Run, expect},
};

#[test]
fn a_stray_neither_delays_the_verdict_nor_outlives_the_suite() {
    let seconds = processes::odd_duration();
    // The stray says that it is there before its parent ends, or there would be nothing to clean up yet.
    let stray = format!("touch up; exec sleep {seconds}");
    for (stray, what) in [
        (format!("sh -c '{stray}' &"), "a child in the background"),
        (format!("setsid sh -c '{stray}' &"), "a child in a session of its own"),
        (format!("(setsid sh -c 'sleep {seconds} & {stray}' &)"), "a daemon of two processes"),
        (format!("(setsid env -i sh -c '{stray}' &)"), "a daemon without the marker"),
        (
            format!("(setsid env -i sh -c 'exec >&- 2>&- <&-; {stray}' &)"),
            "a silent daemon without the marker",
        ),
        (format!("(trap '' HUP TERM INT; setsid sh -c '{stray}' &)"), "a daemon that ignores signals"),
    ] {
        let there = format!("{stray}\nwhile [ ! -e up ]; do :; done");
        for (script, word, says) in [
            (format!("{there}; exit 3"), "CRASH", "exited with status 3"),
            (format!("{there}; exec cat"), "pass", ""),
        ] {
            let report = Run::of_shell(&script).check("echo/1/exits_at_end_of_input").finish();
            expect(report.only(), &script, word, &[says]);
            assert!(report.elapsed.as_secs() < 8, "{what} keeps nobody waiting: {:?}", report.elapsed);
            processes::expect_none(&seconds, &format!("{what} does not outlive the suite"));
        }
    }
}

#[test]
fn a_subject_that_leaves_its_process_group_is_killed_all_the_same() {
    if !processes::has("perl") {
        return;
    }
    let seconds = processes::odd_duration();
    // Into the group of its parent, the suite, where killing its own group does not reach it.
    let leave = "setpgrp(0, getpgrp(getppid())) or die $!";
    let script = format!("exec perl -e '{leave}; $| = 1; print \"wrong\\n\"; exec \"sleep\", \"{seconds}\"'");
    let report = Run::of_shell(&script).check("echo/1/echoes_a_line").finish();
    expect(report.only(), &script, "FAIL", &["wrong"]);
    processes::expect_none(&seconds, "it is gone when the suite has ended");
}

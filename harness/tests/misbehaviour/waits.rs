//! Subjects that keep the suite waiting, on an idle machine and on a busy one.

use crate::{
    processes::Load,
    suite_run::{Run, TRIAL, expect},
};

/// The longest wait for a subject that is alone on the machine; starved ones get more.
const PATIENCE_SECS: u64 = 20;

/// Each costs a whole wait, so they are run side by side.
#[test]
fn silence_is_a_timeout_that_says_what_was_waited_for() {
    let cases = [
        ("echo/1/echoes_a_line", "exec sleep 1000", "the echo of \"line "),
        ("echo/1/echoes_a_line", "sleep 1000", "the echo of \"line "),
        ("echo/1/echoes_a_line", "exec <&-; exec sleep 1000", "the echo of \"line "),
        ("echo/1/echoes_a_line", "printf half; exec sleep 1000", "the echo of \"line "),
        ("echo/1/echoes_a_line", "kill -STOP $$", "the echo of \"line "),
        ("echo/1/echoes_a_line", "trap '' TERM INT HUP; while :; do sleep 1000; done", "the echo of \"line "),
        ("echo/1/exits_at_end_of_input", "cat; exec sleep 1000", "it to exit after the end of its input"),
        ("echo/2/echoes_a_long_line", "exec sleep 1000", "the echo of \""),
    ];
    let runs = cases.map(|(check, script, _)| Run::of_shell(script).check(check).start());
    for (run, (_, script, says)) in runs.into_iter().zip(cases) {
        let report = run.finish();
        expect(report.only(), script, "TIMEOUT", &[says, "nothing for 10 s"]);
        let secs = report.elapsed.as_secs();
        assert!((10..PATIENCE_SECS).contains(&secs), "one wait for {script} takes 10 s or little more: {secs} s");
    }
}

#[test]
fn spinning_is_a_timeout() {
    let report = Run::of_shell("while :; do :; done").check("echo/1/echoes_a_line").finish();
    expect(report.only(), "a subject that spins", "TIMEOUT", &["the echo of \"line "]);
    // Other tests may take the processors away from it, which its own wait makes up for.
    assert!(report.elapsed.as_secs() <= 65, "even a starved wait ends: {:?}", report.elapsed);
}

#[test]
fn after_three_timeouts_the_rest_of_the_stage_is_not_run() {
    let report = Run::of_shell("exec sleep 1000").suite(TRIAL, &[2, 3]).with(|request| request.jobs = 2).finish();
    // Two begin at 0 s and two at 10 s; the third to end stops the stage, and the fourth is under way by then.
    let judged: Vec<_> = report.finished().iter().map(|finished| finished.verdict.word()).collect();
    assert_eq!(judged, ["TIMEOUT"; 4], "three timeouts stop the stage, but not what is already running");
    let left_out = ["trial/2/waits_5", "trial/2/waits_alone"];
    assert_eq!(report.not_run(), left_out, "what was left out is named, the check that runs alone included");
}

#[test]
fn with_keep_going_the_rest_is_run_after_all() {
    let all = |request: &mut harness::event::Request| {
        request.keep_going = true;
        request.jobs = 5;
    };
    let report = Run::of_shell("exec sleep 1000").suite(TRIAL, &[2]).with(all).finish();
    let judged: Vec<_> = report.finished().iter().map(|finished| finished.verdict.word()).collect();
    assert_eq!(judged, ["TIMEOUT"; 6], "all checks of the stage are run");
    assert_eq!(report.not_run(), [""; 0], "nothing is left out");
}

#[test]
fn a_slow_start_on_a_busy_machine_passes() {
    let _load = Load::begin();
    for subject in ["sleep 2; exec cat", "sleep 2; cat"] {
        let checks = ["echoes_a_line", "echoes_in_order", "exits_at_end_of_input"];
        let ids: Vec<_> = checks.iter().map(|name| format!("echo/1/{name}")).collect();
        Run::of_shell(subject).with(|request| request.checks = ids).finish().all_pass(subject);
    }
}

#[test]
fn a_hang_on_a_busy_machine_is_a_timeout() {
    let _load = Load::begin();
    let report = Run::of_shell("exec sleep 1000").check("echo/1/echoes_a_line").finish();
    expect(report.only(), "a subject that sleeps", "TIMEOUT", &["the echo of \"line "]);
    assert!(report.elapsed.as_secs() < PATIENCE_SECS, "who sleeps is not starved: {:?}", report.elapsed);
}

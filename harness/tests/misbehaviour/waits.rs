//! Subjects that keep the suite waiting, on an idle machine and on a busy one.

use crate::{
    processes::Load,
    suite_run::{Report, Run, TRIAL, expect},
};

/// The longest wait for a subject that is alone on the machine; starved ones get more.
const PATIENCE_SECS: u64 = 20;

/// The longest search of a property whose every case hangs: a wait to find it, and one or two to shrink it.
const SEARCH_SECS: u64 = 3 * PATIENCE_SECS;

/// The longest wait for a subject that others keep from the processor: six times its patience, and a little more.
const STARVED_SECS: u64 = 65;

/// Each costs a whole wait, so they are run side by side.
#[test]
fn no_answer_is_a_timeout_that_says_what_was_waited_for() {
    let cases = [
        ("echo/1/echoes_a_line", "exec sleep 1000", PATIENCE_SECS, "the echo of \"line "),
        ("echo/1/echoes_a_line", "sleep 1000", PATIENCE_SECS, "the echo of \"line "),
        ("echo/1/echoes_a_line", "exec <&-; exec sleep 1000", PATIENCE_SECS, "the echo of \"line "),
        ("echo/1/echoes_a_line", "printf half; exec sleep 1000", PATIENCE_SECS, "the echo of \"line "),
        ("echo/1/echoes_a_line", "kill -STOP $$", PATIENCE_SECS, "the echo of \"line "),
        (
            "echo/1/echoes_a_line",
            "trap '' TERM INT; while :; do sleep 1000; done",
            PATIENCE_SECS,
            "the echo of \"line ",
        ),
        ("echo/1/echoes_a_line", "while :; do :; done", STARVED_SECS, "the echo of \"line "),
        (
            "echo/1/exits_at_end_of_input",
            "cat; exec sleep 1000",
            PATIENCE_SECS,
            "it to exit after the end of its input",
        ),
        ("echo/1/echoes_any_line", "exec sleep 1000", SEARCH_SECS, "the echo of \""),
        ("echo/2/echoes_a_long_line", "exec sleep 1000", PATIENCE_SECS, "the echo of \""),
    ];
    let runs = cases.map(|(check, script, ..)| Run::of_shell(script).check(check).start());
    for (run, (_, script, most_secs, says)) in runs.into_iter().zip(cases) {
        let report = run.finish();
        expect(report.only(), script, "TIMEOUT", &[says, "nothing for 10 s"]);
        let millis = report.only().elapsed_ms;
        assert!(
            (10_000..most_secs * 1000).contains(&millis),
            "{script}: one wait takes 10 s or more: {millis} ms"
        );
    }
}

#[test]
fn after_three_timeouts_the_rest_of_the_stage_is_not_run_unless_asked_to_go_on() {
    let hangs = || Run::of_shell("exec sleep 1000").suite(TRIAL, &[2]);
    let stopped = hangs().with(|request| request.jobs = 2).start();
    let gone_on = hangs().with(|request| (request.jobs, request.keep_going) = (5, true)).start();
    let words =
        |report: &Report| report.finished().iter().map(|check| check.verdict.word()).collect::<Vec<_>>();

    let stopped = stopped.finish();
    // Two begin at 0 s and two at 10 s; the third to end stops the stage, and the fourth is under way by then.
    assert_eq!(
        words(&stopped),
        ["TIMEOUT"; 4],
        "three timeouts stop the stage, but not what is already running"
    );
    let left_out = ["trial/2/waits_5", "trial/2/waits_alone"];
    assert_eq!(stopped.not_run(), left_out, "what was left out is named, the check that runs alone included");

    let gone_on = gone_on.finish();
    assert_eq!(words(&gone_on), ["TIMEOUT"; 6], "with keep_going all checks of the stage are run");
    assert_eq!(gone_on.not_run(), [""; 0], "with keep_going nothing is left out");
}

#[test]
fn a_busy_machine_changes_no_verdict() {
    let _load = Load::begin();
    let hang = Run::of_shell("exec sleep 1000").check("echo/1/echoes_a_line").start();
    for subject in ["sleep 2; exec cat", "sleep 2; cat"] {
        let checks = ["echoes_a_line", "echoes_in_order", "exits_at_end_of_input"];
        let ids: Vec<_> = checks.iter().map(|name| format!("echo/1/{name}")).collect();
        Run::of_shell(subject).with(|request| request.checks = ids).finish().all_pass(subject);
    }
    Run::of_shell("cat").check("echo/2/later_lines_cost_no_more").finish().all_pass("cat");

    let report = hang.finish();
    expect(report.only(), "a subject that sleeps", "TIMEOUT", &["the echo of \"line "]);
    let secs = report.only().elapsed_ms / 1000;
    assert!(secs < PATIENCE_SECS, "who sleeps is not starved, and gets no more than its own wait: {secs} s");
}

//! Ends of the suite itself: interrupted, killed, not listened to, asked for nonsense, or at fault.

use std::path::Path;

use harness::{event::Event, verdict::Verdict};
use nix::sys::signal::Signal;

use crate::{
    processes,
    suite_run::{ECHO, Run, Running, TRIAL, run_folder},
};

#[test]
fn an_interrupted_suite_takes_everything_with_it() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        for checks in [&["echo/1/echoes_a_line"][..], &[]] {
            let seconds = processes::odd_duration();
            let run = Run::of_shell(&format!("exec sleep {seconds}"));
            let run =
                run.with(|request| request.checks = checks.iter().map(|&id| id.to_owned()).collect()).start();
            let folder = run_folder(processes::wait_for(&seconds));
            run.signal(signal);
            let report = run.finish();
            assert_eq!(
                report.status, 130,
                "{signal} ends the suite with the status of an interrupt: {report:?}"
            );
            processes::expect_none(&seconds, &format!("{signal} ends the subject too"));
            assert!(!folder.exists(), "{signal}: {} is removed", folder.display());
            assert!(report.finished().is_empty(), "no verdict on a subject that {signal} killed: {report:?}");
        }
    }
}

#[test]
fn a_killed_suite_takes_its_subject_with_it_and_the_next_run_its_folder() {
    let seconds = processes::odd_duration();
    let run = Run::of_shell(&format!("exec sleep {seconds}")).check("echo/1/echoes_a_line").start();
    let folder = run_folder(processes::wait_for(&seconds));
    run.signal(Signal::SIGKILL);
    assert_eq!(run.finish().status, 137, "SIGKILL cannot be caught");
    processes::wait_until("the subject of a killed suite dies with it", || {
        processes::with_argument(&seconds).is_empty()
    });
    Run::of_shell("cat").check("echo/1/echoes_a_line").finish().all_pass("cat");
    assert!(!folder.exists(), "the next run removes {}, which nobody uses any more", folder.display());
}

#[test]
fn a_suite_that_nobody_reads_ends_as_a_fault() {
    let seconds = processes::odd_duration();
    let mut run = Run::of_shell(&format!("sleep {seconds} & exec cat")).start();
    run.stop_reading();
    let report = run.finish();
    assert_eq!(report.status, 70, "verdicts that nobody got are no success: {report:?}");
    assert!(report.stderr.contains("Broken pipe"), "it says why: {}", report.stderr);
    processes::expect_none(&seconds, "it cleans up all the same");
}

#[test]
fn a_request_that_makes_no_sense_is_refused_with_a_sentence() {
    let version_2 = r#"{"v":2,"subject":{"run":["cat"]},"stages":[1],"checks":[],"seed":1,"jobs":1,"keep_going":false,"output":"/tmp"}"#;
    for (line, says) in [
        (version_2, "the request speaks version 2, this suite speaks 1"),
        ("make me a sandwich", "expected value"),
        ("{}", "missing field"),
        ("", "EOF"),
    ] {
        let report = Running::start(ECHO, line, None).finish();
        assert_eq!(report.status, 70, "{line:?} is the front desk's fault, not the student's");
        assert!(report.stderr.starts_with("echo suite: "), "{line:?}: it says who speaks: {}", report.stderr);
        assert!(report.stderr.contains(says), "{line:?}: it says {says:?}: {}", report.stderr);
        assert_eq!(report.events, [], "nothing was run for {line:?}");
    }
}

#[test]
fn a_panic_of_a_check_is_a_fault_and_the_others_still_run() {
    let report = Run::of_shell("cat").suite(TRIAL, &[1]).finish();
    let Verdict::Fault { detail } = &report.of("panics").verdict else {
        panic!("a panic in a check is the grader's fault: {:?}", report.of("panics"));
    };
    assert!(
        detail.contains("on purpose") && detail.contains("trial_suite.rs:"),
        "it says what and where: {detail}"
    );
    for name in ["is_fine", "is_fine_alone"] {
        assert_eq!(
            report.of(name).verdict,
            Verdict::Pass,
            "{name} is judged although another check panicked"
        );
    }
    assert!(
        matches!(report.events.last(), Some(Event::RunFinished { .. })),
        "the run ends in good order: {report:?}"
    );
    assert_eq!(report.stderr, "", "the panic is reported as an event, once");
}

#[test]
fn transcripts_are_left_where_the_request_says() {
    let output = tempfile::tempdir().expect("a temporary directory");
    let run = Run::of_shell("echo wrong; exec cat").check("echo/1/echoes_a_line");
    let report = run.with(|request| request.output = output.path().to_owned()).finish();
    let path = report.only().transcript.as_deref().unwrap_or(Path::new("none"));
    let text =
        std::fs::read_to_string(output.path().join(path)).expect("the transcript is where the event says");
    for words in ["(start sh", "1<  line ", "1>  wrong"] {
        assert!(text.contains(words), "the transcript has {words:?}:\n{text}");
    }
}

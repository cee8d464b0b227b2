//! Subjects that end, stop listening or never begin.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::suite_run::{Run, check, expect};

const PANIC: &str =
    "printf \"\\nthread 'main' panicked at src/main.rs:12:5:\\nno such thing\\n\" >&2; exit 101";
const TODO: &str = "printf \"\\nthread 'main' panicked at src/main.rs:12:5:\\n\
                    not yet implemented: stage 1: echo\\nnote: run with RUST_BACKTRACE\\n\" >&2; exit 101";

#[test]
fn an_early_end_is_a_crash_that_says_how() {
    for (subject, says) in [
        ("exit 0", "exited with status 0"),
        ("exit 3", "exited with status 3"),
        ("kill -SEGV $$", "killed by SIGSEGV"),
        ("kill -KILL $$", "killed by SIGKILL"),
        ("kill -ABRT $$", "killed by SIGABRT"),
        ("printf 'half a line'; exit 3", "exited with status 3, after the unfinished line \"half a line\""),
        ("echo out of cheese >&2; exit 3", "stderr: [\"out of cheese\"]"),
        (PANIC, "panicked at src/main.rs:12: no such thing"),
    ] {
        let report = check("echo/1/echoes_a_line", subject, "CRASH", &[says, "the echo of \"line "]);
        assert!(
            report.elapsed.as_secs() < 10,
            "an end is seen at once, not waited for: {:?}",
            report.elapsed
        );
    }
}

#[test]
fn an_end_with_another_status_than_0_is_a_crash() {
    check(
        "echo/1/exits_at_end_of_input",
        "cat; exit 3",
        "CRASH",
        &["exited with status 3", "at the end of its input"],
    );
}

#[test]
fn a_todo_is_not_started_with_place_and_task() {
    let says = ["at: \"src/main.rs:12\"", "task: \"stage 1: echo\""];
    let report = Run::of_shell(TODO).finish();
    assert_eq!(report.finished().len(), 4, "every check of the stage is judged: {report:?}");
    for finished in report.finished() {
        expect(finished, TODO, "todo", &says);
    }
    assert!(report.elapsed.as_secs() < 10, "no search for a smaller todo!(): {:?}", report.elapsed);
}

#[test]
fn a_stage_that_failed_ends_the_run_unless_asked_to_go_on() {
    for (keep_going, judged) in [(false, 4), (true, 6)] {
        let run = Run::of_shell("exit 3").with(|request| {
            request.stages = vec![1, 2];
            request.keep_going = keep_going;
        });
        assert_eq!(run.finish().finished().len(), judged, "checks judged with keep_going: {keep_going}");
    }
}

#[test]
fn a_program_that_cannot_be_started_is_a_crash() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let text = folder.path().join("notes.txt");
    fs::write(&text, "not a program").expect("a file can be written");
    for program in ["/nowhere/echo", text.to_str().expect("a path in UTF-8")] {
        let report = Run::of(&[program]).check("echo/1/echoes_a_line").finish();
        expect(report.only(), program, "CRASH", &["could not be started", program]);
    }
}

#[test]
fn a_path_with_spaces_is_one_path() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let program = folder.path().join("an echo");
    fs::write(&program, "#!/bin/sh\nexec cat\n").expect("a file can be written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a file can be made executable");
    let program = program.to_str().expect("a path in UTF-8");
    Run::of(&[program]).finish().all_pass(program);
}

#[test]
fn a_closed_stdout_is_a_crash_although_it_goes_on() {
    let report = check("echo/1/echoes_a_line", "exec >&-; exec sleep 1000", "CRASH", &["closed its stdout"]);
    assert!(report.elapsed.as_secs() < 10, "nothing can come any more, so nothing is waited for: {report:?}");
}

#[test]
fn evidence_stays_small_whatever_was_said() {
    for subject in [
        "head -c 50M /dev/zero | tr '\\0' x; exit 3",
        "head -c 50M /dev/zero | tr '\\0' x; echo",
        "(printf \"thread 'main' panicked at a.rs:1:1:\\n\"; head -c 60K /dev/zero | tr '\\0' x) >&2; exit 101",
        "(printf 'not yet implemented: '; head -c 60K /dev/zero | tr '\\0' x) >&2; exit 101",
    ] {
        let report = check("echo/1/echoes_a_line", subject, "FAIL|CRASH|todo", &[]);
        let bytes = report.longest_line_bytes;
        assert!(bytes < 20_000, "evidence is for reading, but that of {subject} has {bytes} bytes");
    }
}

//! Subjects that answer, rightly or wrongly.

use crate::suite_run::{ECHO, Run, check};

#[test]
fn correct_subjects_pass_everything() {
    let subjects = [
        "cat",
        "exec cat",
        "sed -u ''",
        r#"while IFS= read -r line; do printf '%s\n' "$line"; done"#,
        "exec 2>&-; exec cat",
    ];
    for subject in subjects {
        let report = Run::of_shell(subject).suite(ECHO, &[1, 2]).finish();
        report.all_pass(subject);
        assert_eq!(report.finished().len(), 6, "both stages of the echo suite were run on {subject}");
        assert_eq!(
            (report.status, report.stderr.as_str()),
            (0, ""),
            "a run in good order ends with 0 and no noise"
        );
    }
}

#[test]
fn wrong_answers_fail_with_what_was_expected_and_got() {
    for (subject, says) in [
        ("echo hello; exec cat", r#"got: "\"hello"#),
        ("printf '\\377\\376\\n'; exec cat", "got: \"\\\"\u{fffd}"),
        ("echo; exec cat", r#"got: "\"\""#),
        ("exec sed -u s/^line/lime/", r#"got: "\"lime "#),
    ] {
        // As Debug prints evidence, but for the quotes that `expect` takes back.
        let says = says.replace("\\\"", "\"");
        let report =
            check("echo/1/echoes_a_line", subject, "FAIL", &[&says, "expected: \"\"line ", "send \"line "]);
        let evidence = report.only().evidence.as_ref().expect("a failure has evidence");
        assert!(evidence.expectation.contains("echo-suite.rs:"), "the expectation has a place: {evidence:?}");
        assert!(report.only().transcript.is_some(), "the transcript of a failed check is kept: {report:?}");
    }
}

#[test]
fn more_than_was_asked_for_fails() {
    for (subject, got) in [
        ("cat; echo goodbye", "goodbye"),
        ("while read -r line; do echo \"$line\"; echo \"$line\"; done", "line "),
    ] {
        check("echo/1/exits_at_end_of_input", subject, "FAIL", &["expected: \"nothing more\"", got]);
    }
    let doubled = "while read -r line; do echo \"$line\"; echo \"$line\"; done";
    check("echo/1/echoes_in_order", doubled, "FAIL", &["expected: \"\"line ", "got: \"\"line "]);
}

#[test]
fn a_subject_that_slows_down_fails() {
    // Each line costs as many turns of a loop as there were lines before it.
    let slower = "n=0; while read -r line; do n=$((n+1)); i=0; while [ $i -lt $n ]; do i=$((i+4)); done; \
                  echo \"$line\"; done";
    let says = ["at most 6 times", "it keeps all lines"];
    let report = Run::of_shell(slower).check("echo/2/later_lines_cost_no_more").finish();
    crate::suite_run::expect(report.only(), slower, "FAIL", &says);
}

#[test]
fn the_same_seed_gives_the_same_evidence() {
    let evidence = |seed| {
        let run = Run::of_shell("exec sed -u s/^line/lime/").check("echo/1/echoes_a_line");
        run.with(|request| request.seed = seed).finish().only().evidence.clone()
    };
    assert_eq!(evidence(7), evidence(7), "a seed fixes every random choice");
    assert_ne!(evidence(7), evidence(8), "another seed makes other choices");
}

//! Properties: what a student sees is the smallest case that still fails.

use crate::suite_run::{Run, check};

#[test]
fn the_smallest_failing_line_is_shown() {
    for (subject, word, says) in [
        ("exec sed -u s/q/Q/", "FAIL", [r#"did: ["send "q""]"#, "got: \"\"Q\"\""]),
        ("exec sed -u 's/ //'", "FAIL", [r#"did: ["send " ""]"#, "got: \"\"\"\""]),
        ("exec sed -u /q/Q3", "CRASH", [r#"did: ["send "q""]"#, "exited with status 3"]),
    ] {
        let report = check("echo/1/echoes_any_line", subject, word, &says);
        let smallest_of = report.only().evidence.as_ref().map_or(0, |evidence| evidence.smallest_of);
        assert!(
            smallest_of > 1,
            "{subject}: several lines were tried, and the evidence says how many: {report:?}"
        );
        assert!(report.elapsed.as_secs() < 30, "{subject}: the search is bounded: {:?}", report.elapsed);
    }
}

#[test]
fn the_transcript_is_that_of_the_smallest_case() {
    let output = tempfile::tempdir().expect("a temporary directory");
    let run = Run::of_shell("exec sed -u s/q/Q/").check("echo/1/echoes_any_line");
    let report = run.with(|request| request.output = output.path().to_owned()).finish();
    let path = report.only().transcript.as_deref().expect("a failed check has a transcript");
    let text =
        std::fs::read_to_string(output.path().join(path)).expect("the transcript is where the event says");
    let sent: Vec<_> =
        text.lines().filter_map(|line| line.split_once("< ")).map(|(_, what)| what.trim()).collect();
    assert_eq!(sent, ["q"], "only what was sent in the smallest case is in the transcript:\n{text}");
}

//! One run of the suite, from request to report.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use harness::{
    event::{CheckFinished, Event, Request, Subject, VERSION},
    verdict::Verdict,
};

use crate::c::Library;

/// The check that most libraries meet: a block, written to its last byte.
pub(crate) const WRITABLE: &str = "malloc/1/a_block_is_writable_to_its_last_byte";

/// What the suite made of a library.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) finished: Vec<CheckFinished>,
    pub(crate) elapsed: Duration,
}

/// Runs all checks of these stages.
pub(crate) fn stages(library: &Library, stages: &[u32]) -> Report {
    run(library, |request| request.stages = stages.to_vec())
}

/// Runs one check, given as `malloc/stage/name`.
pub(crate) fn check(library: &Library, id: &str) -> Report {
    let stage = id.split('/').nth(1).and_then(|stage| stage.parse().ok()).expect("an id with a stage");
    run(library, |request| (request.stages, request.checks) = (vec![stage], vec![id.to_owned()]))
}

/// Plays a file.
pub(crate) fn file(library: &Library, file: &Path) -> Report {
    run(library, |request| request.file = Some(file.to_owned()))
}

/// Runs what `change` makes of a request for nothing yet.
pub(crate) fn run(library: &Library, change: impl FnOnce(&mut Request)) -> Report {
    let output = tempfile::tempdir().expect("a temporary directory for transcripts");
    let mut request = Request {
        v: VERSION,
        subject: Subject::Library(library.path()),
        stages: Vec::new(),
        checks: Vec::new(),
        seed: 1,
        jobs: 2,
        keep_going: true,
        output: output.path().to_owned(),
        file: None,
    };
    change(&mut request);
    let began = Instant::now();
    let mut suite = Command::new(env!("CARGO_BIN_EXE_malloc-checks"))
        .arg("run")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the suite starts");
    let line = serde_json::to_string(&request).expect("a request is JSON");
    let mut stdin = suite.stdin.take().expect("the suite has a stdin");
    writeln!(stdin, "{line}").expect("the suite reads its request");
    // What is left open is what an interrupt would close: the suite goes on until it is through.
    let output = suite.wait_with_output().expect("the suite ends");
    drop(stdin);
    assert!(output.status.success(), "the suite ends in good order: {}", output.status);
    let events = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let events = events.map(|line| serde_json::from_slice(line).expect("every line is an event"));
    let finished =
        events.filter_map(|event| if let Event::CheckFinished(check) = event { Some(*check) } else { None });
    Report { finished: finished.collect(), elapsed: began.elapsed() }
}

impl Report {
    /// The one check that was judged.
    #[track_caller]
    pub(crate) fn only(&self) -> &CheckFinished {
        assert_eq!(self.finished.len(), 1, "one check was selected and is to be judged: {self:?}");
        &self.finished[0]
    }

    /// Fails the test unless `checks` checks were run and all of them passed.
    #[track_caller]
    pub(crate) fn all_pass(&self, library: &str, checks: usize) {
        let bad: Vec<_> = self.finished.iter().filter(|check| check.verdict != Verdict::Pass).collect();
        assert!(bad.is_empty(), "a correct allocator ({library}) passes every check, but: {bad:#?}");
        assert_eq!(self.finished.len(), checks, "checks of {library} that were run");
    }
}

/// A verdict has to be `word`, and each of `says` has to be in it or its evidence.
#[track_caller]
pub(crate) fn expect(finished: &CheckFinished, library: &str, word: &str, says: &[&str]) {
    let got = finished.verdict.word();
    assert_eq!(got, word, "{library} deserves {word}, but got {finished:#?}");
    let text = format!("{:?} {:?}", finished.verdict, finished.evidence).replace("\\\"", "\"");
    for words in says {
        assert!(text.contains(words), "the evidence against {library} says {words:?}, but: {text}");
    }
}

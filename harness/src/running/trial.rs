//! Puts a suite to the test, from the outside as the front desk does: one request, and what its checks came to.
//! For the tests of suites, which must judge right designs rightly in every language.

use std::{
    env,
    io::Write,
    process::{Command, Stdio},
};

use super::Folder;
use crate::event::{CheckFinished, Event, Request, Subject, VERSION};

/// Runs the suite that was built to `program` on a subject: of nothing yet, but for what `choose` selects. Two checks at
/// a time, all of them, with seed 1.
///
/// # Panics
/// When the suite cannot be started, does not end in good order, or prints what is no event: no verdict, but a bug.
pub fn run(program: &str, subject: Subject, choose: impl FnOnce(&mut Request)) -> Vec<CheckFinished> {
    let transcripts = Folder::create_in(&env::temp_dir(), "trial-").expect("a folder for transcripts");
    let mut request = Request {
        v: VERSION,
        subject,
        stages: Vec::new(),
        checks: Vec::new(),
        seed: 1,
        jobs: 2,
        keep_going: true,
        output: transcripts.path().to_owned(),
        file: None,
    };
    choose(&mut request);
    let mut suite = Command::new(program)
        .arg("run")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("the suite {program} starts: {error}"));
    let line = serde_json::to_string(&request).expect("a request is JSON");
    let mut stdin = suite.stdin.take().expect("the suite has a stdin");
    writeln!(stdin, "{line}").expect("the suite reads its request");
    // Its stdin stays open meanwhile: to close it is to interrupt.
    let output = suite.wait_with_output().expect("the suite ends");
    drop(stdin);
    assert!(output.status.success(), "the suite ends in good order: {}", output.status);
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let events = lines.map(|line| serde_json::from_slice(line).expect("every line is an event"));
    events
        .filter_map(|event| if let Event::CheckFinished(check) = event { Some(*check) } else { None })
        .collect()
}

/// The selection of one check, given as `project/stage/name`.
///
/// # Panics
/// When it is no such id.
pub fn one(id: &str) -> impl FnOnce(&mut Request) + use<> {
    let stage = id.split('/').nth(1).and_then(|stage| stage.parse().ok());
    let stage = stage.unwrap_or_else(|| panic!("{id} is a check's id, with its stage"));
    let id = id.to_owned();
    move |request| (request.stages, request.checks) = (vec![stage], vec![id])
}

//! One run of a suite, from request to report. Dropping it kills the suite.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use harness::{
    event::{CheckFinished, Event, Request, Subject, VERSION},
    verdict::Verdict,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::processes;

pub(crate) const ECHO: &str = env!("CARGO_BIN_EXE_echo-suite");
pub(crate) const TRIAL: &str = env!("CARGO_BIN_EXE_trial-suite");

/// Beyond this a run counts as hanging, on the slowest machine: 60 s for one starved wait, and as much again.
const HANGS: Duration = Duration::from_secs(120);

/// A run that is about to be started.
pub(crate) struct Run {
    suite: &'static str,
    request: Request,
    output: TempDir,
}

impl Run {
    /// A run of the echo suite on a line of shell.
    pub(crate) fn of_shell(script: &str) -> Self {
        Self::of(&["sh", "-c", script])
    }

    /// A run of the echo suite on a program and its arguments.
    pub(crate) fn of(program: &[&str]) -> Self {
        let output = tempfile::tempdir().expect("a temporary directory for transcripts");
        let subject = Subject::Run(program.iter().map(|&word| word.to_owned()).collect());
        let request = Request {
            v: VERSION,
            subject,
            stages: vec![1],
            checks: Vec::new(),
            seed: 42,
            jobs: 4,
            keep_going: false,
            output: output.path().to_owned(),
            file: None,
            announce: false,
        };
        Self { suite: ECHO, request, output }
    }

    /// Runs one check, given as `project/stage/name`.
    pub(crate) fn check(mut self, id: &str) -> Self {
        let mut parts = id.split('/');
        self.suite = if parts.next() == Some("trial") { TRIAL } else { ECHO };
        self.request.stages =
            vec![parts.next().and_then(|stage| stage.parse().ok()).expect("an id with a stage")];
        self.request.checks = vec![id.to_owned()];
        self
    }

    /// Runs these stages of another suite.
    pub(crate) fn suite(mut self, suite: &'static str, stages: &[u32]) -> Self {
        self.suite = suite;
        self.request.stages = stages.to_vec();
        self
    }

    /// Changes the request.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Request)) -> Self {
        change(&mut self.request);
        self
    }

    /// Starts the suite and hands it the request.
    pub(crate) fn start(self) -> Running {
        let line = serde_json::to_string(&self.request).expect("a request is JSON");
        Running::start(self.suite, &line, Some(self.output))
    }

    /// Starts the suite and waits for its end.
    pub(crate) fn finish(self) -> Report {
        self.start().finish()
    }
}

/// A suite at work.
pub(crate) struct Running {
    child: Child,
    began: Instant,
    stdout: Option<ChildStdout>,
    stderr: JoinHandle<String>,
    _output: Option<TempDir>,
}

impl Running {
    /// Starts a suite with any first line.
    pub(crate) fn start(suite: &str, line: &str, output: Option<TempDir>) -> Self {
        let mut command = Command::new(suite);
        command.arg("run").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().expect("the suite starts");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("the suite reads its request");
        let stdout = child.stdout.take();
        let mut stderr = child.stderr.take().expect("stderr is a pipe");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Self { child, began, stdout, stderr, _output: output }
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("the suite is there to be signalled");
    }

    /// Stops reading the suite's events.
    pub(crate) fn stop_reading(&mut self) {
        self.stdout = None;
    }

    /// Reads the events to their end, and waits for the suite to end.
    pub(crate) fn finish(mut self) -> Report {
        let lines = self.stdout.take().map(|stdout| {
            thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).collect::<Vec<_>>())
        });
        let mut peak_bytes = 0;
        let end = Instant::now() + HANGS;
        let status = loop {
            peak_bytes = peak_bytes.max(processes::peak_bytes(self.pid()));
            if let Some(status) = self.child.try_wait().expect("the suite can be waited for") {
                break status;
            }
            assert!(
                Instant::now() < end,
                "a suite ends by itself, whatever its subject does; this one went on"
            );
            thread::sleep(processes::LOOK_AGAIN);
        };
        let elapsed = self.began.elapsed();
        let lines = lines.map_or_else(Vec::new, |lines| lines.join().expect("events are read"));
        let longest_line_bytes = lines.iter().map(String::len).max().unwrap_or(0);
        let parse =
            |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Report {
            events: lines.iter().map(parse).collect(),
            longest_line_bytes,
            status: status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
            stderr: std::mem::replace(&mut self.stderr, thread::spawn(String::new))
                .join()
                .unwrap_or_default(),
            elapsed,
            peak_bytes,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) events: Vec<Event>,
    /// The length of the longest event, in bytes.
    pub(crate) longest_line_bytes: usize,
    /// As a shell has it: 128 and the signal's number for a suite that was killed.
    pub(crate) status: i32,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
    /// The most memory that the suite itself had.
    pub(crate) peak_bytes: u64,
}

impl Report {
    /// Every judged check, in the order of their ends.
    pub(crate) fn finished(&self) -> Vec<&CheckFinished> {
        let finished = self.events.iter().filter_map(|event| match event {
            Event::CheckFinished(finished) => Some(&**finished),
            _ => None,
        });
        finished.collect()
    }

    /// The check of that name.
    pub(crate) fn of(&self, name: &str) -> &CheckFinished {
        let of_that_name = |finished: &&&CheckFinished| finished.id.ends_with(&format!("/{name}"));
        match self.finished().iter().find(of_that_name) {
            Some(finished) => finished,
            None => {
                panic!("{name} was to be judged, but the suite only said {:?} {}", self.events, self.stderr)
            }
        }
    }

    /// The one check that was judged.
    pub(crate) fn only(&self) -> &CheckFinished {
        let finished = self.finished();
        assert_eq!(finished.len(), 1, "one check was selected and is to be judged: {self:?}");
        finished[0]
    }

    /// The ids of checks that were left out.
    pub(crate) fn not_run(&self) -> Vec<String> {
        let left_out = self.events.iter().filter_map(|event| match event {
            Event::StageFinished { not_run, .. } => Some(not_run.clone()),
            _ => None,
        });
        left_out.flatten().collect()
    }

    /// Fails the test unless everything passed.
    pub(crate) fn all_pass(&self, subject: &str) {
        let bad: Vec<_> =
            self.finished().into_iter().filter(|finished| finished.verdict != Verdict::Pass).collect();
        assert!(bad.is_empty(), "a correct subject ({subject}) passes every check, but: {bad:#?}");
        assert!(!self.finished().is_empty(), "some check of {subject} was judged: {self:?}");
    }
}

/// Runs one check on a line of shell: its verdict has to be `word`, and each of `says` has to be in its evidence.
#[track_caller]
pub(crate) fn check(id: &str, script: &str, word: &str, says: &[&str]) -> Report {
    let report = Run::of_shell(script).check(id).finish();
    expect(report.only(), script, word, says);
    report
}

/// A verdict has to be `word` (one of them, where `|` stands between), and each of `says` has to be in its evidence.
#[track_caller]
pub(crate) fn expect(finished: &CheckFinished, script: &str, word: &str, says: &[&str]) {
    let got = finished.verdict.word();
    assert!(word.split('|').any(|word| word == got), "{script} deserves {word}, but got {finished:#?}");
    let place = finished.evidence.as_ref().map_or("", |evidence| &evidence.expectation);
    assert!(
        got == "pass" || place.contains("suite.rs:"),
        "the expectation is a place in the suite, not {place:?}"
    );
    let text = format!("{:?} {:?}", finished.verdict, finished.evidence).replace("\\\"", "\"");
    for words in says {
        assert!(text.contains(words), "the evidence against {script} says {words:?}, but: {text}");
    }
}

/// The folder of a run, seen from one of its subjects.
pub(crate) fn run_folder(subject: i32) -> std::path::PathBuf {
    let folder =
        std::fs::read_link(format!("/proc/{subject}/cwd")).expect("a live subject has a working directory");
    let of_the_run = |folder: &&Path| {
        folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("groundwork-"))
    };
    folder.ancestors().find(of_the_run).expect("a subject runs below a folder named groundwork-*").to_owned()
}

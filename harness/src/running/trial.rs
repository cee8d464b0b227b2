//! Puts a suite to the test, from the outside as the front desk does: one request, and what its checks came to.
//! For the tests of suites, which must judge right designs rightly in every language.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::Write,
    process::{Command, Stdio},
};

use super::Folder;
use crate::{
    event::{Catalogue, CheckFinished, Event, Request, Subject, VERSION},
    verdict::Verdict,
};

/// Runs the suite that was built to `program` on a subject: of nothing yet, but for what `choose` selects. Two checks at
/// a time, all of them, with seed 1.
///
/// # Panics
/// When the suite cannot be started, does not end in good order, or prints what is no event: no verdict, but a bug.
pub fn run(program: &str, subject: Subject, choose: impl FnOnce(&mut Request)) -> Vec<CheckFinished> {
    run_by(Command::new(program), subject, choose)
}

/// The same by a command that starts the suite on a machine of its own making, such as in other namespaces.
///
/// # Panics
/// As [`run`].
pub fn run_by(mut suite: Command, subject: Subject, choose: impl FnOnce(&mut Request)) -> Vec<CheckFinished> {
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
        announce: false,
    };
    choose(&mut request);
    let mut suite = suite
        .arg("run")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{suite:?} starts: {error}"));
    let line = serde_json::to_string(&request).expect("a request is JSON");
    let mut stdin = suite.stdin.take().expect("the suite has a stdin");
    writeln!(stdin, "{line}").expect("the suite reads its request");
    // Its stdin stays open meanwhile: to close it is to interrupt.
    let output = suite.wait_with_output().expect("the suite ends");
    drop(stdin);
    assert!(output.status.success(), "the suite ends in good order: {}", output.status);
    finished(&output.stdout)
}

/// What checks came to, by the events that a suite or the front desk has printed.
///
/// # Panics
/// When a line is no event.
pub fn finished(stdout: &[u8]) -> Vec<CheckFinished> {
    let lines = stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let events = lines.map(|line| serde_json::from_slice(line).expect("every line is an event"));
    events
        .filter_map(|event| if let Event::CheckFinished(check) = event { Some(*check) } else { None })
        .collect()
}

/// Whether a program is on this machine, which is said aloud if it is not, with the package that has it; it may be where
/// only the system looks for it.
pub fn is_installed(program: &str, package: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&folders).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.any(|folder| folder.join(program).is_file());
    if !found {
        eprintln!("SKIPPED: there is no {program} on this machine; try apt-get install {package}");
    }
    found
}

/// The ids of the checks of these stages, in the order of the suite that was built to `program`. Left out are the
/// properties (`any_…`), which take dozens of runs to show with random steps what others show with chosen ones.
///
/// # Panics
/// When the suite has no catalogue, or none of these stages.
pub fn checks(program: &str, stages: &[u32]) -> Vec<String> {
    let listed = Command::new(program).arg("list").output();
    let listed = listed.unwrap_or_else(|error| panic!("the suite {program} starts: {error}"));
    let catalogue: Catalogue = serde_json::from_slice(&listed.stdout).expect("a catalogue");
    let chosen = catalogue.stages.into_iter().filter(|stage| stages.contains(&stage.number));
    let ids = chosen.flat_map(|stage| stage.checks).map(|check| check.id);
    let is_property = |id: &str| id.rsplit('/').next().is_some_and(|name| name.starts_with("any_"));
    let ids: Vec<_> = ids.filter(|id| !is_property(id)).collect();
    assert!(!ids.is_empty(), "the suite {program} has checks in {stages:?}");
    ids
}

/// Those of `checks` that the program `run` neither passes nor is spared, with what they came to.
///
/// # Panics
/// As [`run`], and when one of them did not run.
pub fn failures(program: &str, run: &[&str], checks: &[String]) -> BTreeMap<String, CheckFinished> {
    let subject = Subject::Run(run.iter().map(|word| (*word).to_owned()).collect());
    let finished = self::run(program, subject, |request| {
        request.stages = checks.iter().map(|id| stage_of(id)).collect::<BTreeSet<_>>().into_iter().collect();
        request.checks = checks.to_vec();
    });
    assert_eq!(finished.len(), checks.len(), "every check that was chosen ran");
    let failed = |check: &CheckFinished| !matches!(check.verdict, Verdict::Pass | Verdict::Skip { .. });
    finished.into_iter().filter(failed).map(|check| (check.id.clone(), check)).collect()
}

/// Python by its own name: what stands for it in the PATH may be a script that takes longer than the subject. None, which
/// is said aloud, where there is no Python.
pub fn python() -> Option<String> {
    let found = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let Ok(found) = found else {
        eprintln!("SKIPPED: there is no python3 on this machine; try apt-get install python3");
        return None;
    };
    Some(String::from_utf8_lossy(&found.stdout).trim().to_owned())
}

/// The selection of one check, given as `project/stage/name`.
///
/// # Panics
/// When it is no such id.
pub fn one(id: &str) -> impl FnOnce(&mut Request) + use<> {
    let (stage, id) = (stage_of(id), id.to_owned());
    move |request| (request.stages, request.checks) = (vec![stage], vec![id])
}

fn stage_of(id: &str) -> u32 {
    let stage = id.split('/').nth(1).and_then(|stage| stage.parse().ok());
    stage.unwrap_or_else(|| panic!("{id} is a check's id, with its stage"))
}

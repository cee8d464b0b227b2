//! `cargo xtask doctor`: what this machine can run, found by trying it, and the command that supplies what is missing.

use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::{
    exit::Exit,
    house::{House, Project},
    lane,
    report::style::{DIM, GOOD, ODD, styled},
    stdout,
    suite::Suite,
};

/// What a suite says about the machine: the harness tries each thing to the end.
#[derive(Clone, Debug, Deserialize)]
struct Facility {
    name: String,
    purpose: String,
    missing: Option<String>,
}

/// A program that something needs, with the command that installs it on Debian.
const TOOLS: [(&str, &str, &str); 4] = [
    ("git", "fetching the course and handing in", "apt-get install git"),
    ("cc", "linking, TLS, and subjects in C", "apt-get install gcc libc6-dev"),
    (
        "python3",
        "checks that run real programs, and subjects in another language (cargo test)",
        "apt-get install python3",
    ),
    ("curl", "a subject in another language (cargo test)", "apt-get install curl"),
];

/// Looks and tells. Succeeds when everything that a check may need is there.
pub(crate) fn run(house: &House) -> anyhow::Result<Exit> {
    let mut findings = vec![linux()];
    findings.extend(TOOLS.map(tool));
    let projects = house.projects()?;
    let was_built = |project: &&Project| house.own_folder(project).exists();
    // Any suite can answer, what it tries belongs to the harness; one that was built before answers at once.
    if let Some(project) = projects.iter().find(was_built).or(projects.first()) {
        let suite = Suite::build(project, &[])?;
        findings.extend(suite.ask::<Vec<Facility>>("facilities")?);
        findings.push(throw_away_kernel(house, &suite)?);
    }
    for finding in &findings {
        let (sign, rest) = match &finding.missing {
            None => (styled(GOOD, "ok     "), String::new()),
            Some(what) => (styled(ODD, "missing"), format!("\n           {what}")),
        };
        stdout::write(&format!("{sign} {}  {}{rest}\n", finding.name, styled(DIM, &finding.purpose)))?;
    }
    let complete = findings.iter().all(|finding| finding.missing.is_none());
    Ok(if complete { Exit::Passed } else { Exit::NothingRan })
}

fn linux() -> Facility {
    let missing = (!cfg!(target_os = "linux"))
        .then(|| "the grader needs Linux: a virtual machine or WSL will do".to_owned());
    Facility { name: "Linux".to_owned(), purpose: "watching and limiting subjects".to_owned(), missing }
}

/// Starts one, as a check would.
fn throw_away_kernel(house: &House, suite: &Suite) -> anyhow::Result<Facility> {
    let purpose = "projects whose subjects are root (check --lane lab)";
    let (name, missing) = match lane::try_out(house, suite)? {
        Ok(kind) => (format!("a throw-away kernel: {kind}"), None),
        Err(reason) => ("a throw-away kernel".to_owned(), Some(reason)),
    };
    Ok(Facility { name, purpose: purpose.to_owned(), missing })
}

fn tool((name, purpose, install): (&str, &str, &str)) -> Facility {
    let tried = Command::new(name)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let works = tried.is_ok_and(|status| status.success());
    Facility {
        name: name.to_owned(),
        purpose: purpose.to_owned(),
        missing: (!works).then(|| format!("try: {install}")),
    }
}

//! A suite as a program: built, asked for its catalogue, and run on a subject.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail};
use harness::event::{Catalogue, Event, Request, VERSION};
use serde::de::DeserializeOwned;

use crate::{
    cargo::{self, Chatter, Profile},
    house::Project,
    interrupt,
};

/// How often a wait looks up, in case of an interrupt that reached nobody but us.
const LOOK_UP: Duration = Duration::from_millis(200);

/// No check is silent for so long: every wait in a suite has a deadline well below it.
pub(crate) const SILENCE: Duration = Duration::from_secs(900);

/// A suite that was built.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    program: PathBuf,
}

impl Suite {
    /// Builds the suite of `project`, with these of its features.
    pub(crate) fn build(project: &Project, features: &[String]) -> anyhow::Result<Self> {
        // What takes minutes says that it does something.
        let chatter = if features.is_empty() { Chatter::OnFailure } else { Chatter::Shown };
        let built = cargo::build(&project.checks.join("Cargo.toml"), Profile::Dev, None, features, chatter)?;
        let Ok(artifacts) = built else { bail!("the suite of {} does not build", project.name) };
        // What else it builds is its own affair.
        let name = format!("{}-checks", project.name);
        match artifacts.programs.into_iter().find(|(target, _)| *target == name) {
            Some((_, program)) => Ok(Self { program }),
            None => bail!("checks/{} builds no program {name}", project.name),
        }
    }

    /// Where it was built to.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Its stages and checks.
    pub(crate) fn catalogue(&self) -> anyhow::Result<Catalogue> {
        let catalogue: Catalogue = self.ask("list")?;
        if catalogue.v != VERSION {
            bail!("the suite speaks version {}, this program {VERSION}: build both anew", catalogue.v);
        }
        Ok(catalogue)
    }

    /// What a verb of the suite prints, as one JSON document.
    pub(crate) fn ask<T: DeserializeOwned>(&self, verb: &str) -> anyhow::Result<T> {
        let output = Command::new(&self.program).arg(verb).stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("cannot run {}", self.program.display()))?;
        serde_json::from_slice(&output.stdout).with_context(|| format!("{} {verb}", self.program.display()))
    }

    /// Runs the suite and hands on its events, each with the line it came in, until `each` says to stop.
    pub(crate) fn run(
        &self,
        request: &Request,
        each: &mut dyn FnMut(Event, &str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut child = Command::new(&self.program)
            .arg("run")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let mut stdin = child.stdin.take().context("the suite has no stdin")?;
        writeln!(stdin, "{}", serde_json::to_string(request)?).context("the suite does not listen")?;
        let stdout = child.stdout.take().context("the suite has no stdout")?;
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });

        let followed = follow(&lines, each);
        if followed.is_err() || interrupt::happened() {
            // SIGTERM, so that it kills its subjects and removes their folders.
            // SAFETY: kill takes two integers; the child has not been waited for, so its pid is its own.
            unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGTERM) };
        }
        let status = child.wait().context("cannot wait for the suite")?;
        followed?;
        if status.success() || interrupt::happened() {
            Ok(())
        } else {
            Err(anyhow!("the suite ended with {status}"))
        }
    }
}

fn follow(
    lines: &mpsc::Receiver<String>,
    each: &mut dyn FnMut(Event, &str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut heard = Instant::now();
    while !interrupt::happened() {
        let line = match lines.recv_timeout(LOOK_UP) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) if heard.elapsed() < SILENCE => continue,
            Err(RecvTimeoutError::Timeout) => bail!("the suite said nothing for {} s", SILENCE.as_secs()),
        };
        heard = Instant::now();
        let event = serde_json::from_str(&line).with_context(|| format!("not an event: {line}"))?;
        each(event, &line)?;
    }
    Ok(())
}

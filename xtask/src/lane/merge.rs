//! The runs of several guests, made one: one beginning, one end, each stage once, each check once.
//!
//! ```text
//!   stage ─► guest for all its checks ─┬─ ends in good order ────────────────► next stage
//!            ▲                         └─ dies ─► each check that was running,
//!            └── the checks that did not run ◄──  alone in a guest of its own
//! ```
//!
//! A check that was running when its guest died need not be the cause: what an earlier one left behind may be. Alone, its
//! verdict counts; if that guest dies as well, it crashed. Everything here is plain data; guests are what `boot` says they are.

use anyhow::bail;
use harness::{
    event::{Catalogue, CheckEntry, CheckFinished, Event, FILE_STAGE, Request, VERSION},
    evidence::Evidence,
    verdict::Verdict,
};

use super::{
    Each,
    guest::{Death, Ended},
};

/// Starts a guest for a request and hands on the events of its suite.
pub(super) type Boot<'b> = dyn FnMut(&Request, &mut Each<'_>) -> anyhow::Result<Ended> + 'b;

/// The file that the kernels' words are kept in, below the folder for transcripts.
pub(crate) const LOG: &str = "lab.log";

/// Runs everything that the request selects, stage after stage, until one fails.
pub(super) fn run(
    catalogue: &Catalogue,
    request: &Request,
    boot: &mut Boot<'_>,
    each: &mut Each<'_>,
) -> anyhow::Result<()> {
    let (project, seed) = (catalogue.project.clone(), request.seed);
    say(each, Event::RunStarted { v: VERSION, project, seed })?;
    let stages = if request.file.is_some() { vec![FILE_STAGE] } else { request.stages.clone() };
    let mut stages = stages.into_iter();
    for number in stages.by_ref() {
        let mut stage = Stage::select(catalogue, request, number)?;
        if !stage.run(boot, each)? {
            // Ctrl-C: a run without an end.
            return Ok(());
        }
        if !stage.passed && !request.keep_going {
            break;
        }
    }
    say(each, Event::RunFinished { not_run: stages.collect() })
}

/// A stage while it is run.
struct Stage {
    /// What its guests are asked, but for the checks.
    request: Request,
    number: u32,
    slug: String,
    /// Checks that were not judged yet, in order.
    waiting: Vec<CheckEntry>,
    /// Those of them that are running.
    running: Vec<String>,
    /// Checks that the suite left out because the subject kept timing out.
    not_run: Vec<String>,
    passed: bool,
}

impl Stage {
    fn select(catalogue: &Catalogue, request: &Request, number: u32) -> anyhow::Result<Self> {
        let Some(entry) = catalogue.stages.iter().find(|stage| stage.number == number) else {
            bail!("{} has no stage {number}", catalogue.project);
        };
        let selected = |check: &&CheckEntry| request.checks.is_empty() || request.checks.contains(&check.id);
        Ok(Self {
            request: Request { announce: true, ..request.clone() },
            number,
            slug: entry.slug.clone(),
            waiting: entry.checks.iter().filter(selected).cloned().collect(),
            running: Vec::new(),
            not_run: Vec::new(),
            passed: true,
        })
    }

    /// Runs its checks; whether it came to its end.
    fn run(&mut self, boot: &mut Boot<'_>, each: &mut Each<'_>) -> anyhow::Result<bool> {
        let (stage, slug, checks) = (self.number, self.slug.clone(), self.waiting.len());
        say(each, Event::StageStarted { stage, slug, checks })?;
        let mut fruitless = 0;
        while !self.waiting.is_empty() {
            let before = self.waiting.len();
            let all: Vec<_> = self.waiting.iter().map(|check| check.id.clone()).collect();
            match self.round(all, self.request.jobs, boot, each)? {
                Ended::InOrder if self.waiting.is_empty() => break,
                Ended::InOrder => bail!("the suite left out {}", self.waiting[0].id),
                Ended::Interrupted => return Ok(false),
                Ended::Unfit(reason) => self.skip(&reason, each)?,
                Ended::Died(death) => {
                    for id in std::mem::take(&mut self.running) {
                        if !self.alone(id, boot, each)? {
                            return Ok(false);
                        }
                    }
                    fruitless = if self.waiting.len() < before { 0 } else { fruitless + 1 };
                    if fruitless > 1 {
                        bail!("guests end before any check begins: {}", death.how);
                    }
                }
            }
        }
        say(each, Event::StageFinished { stage, not_run: std::mem::take(&mut self.not_run) })?;
        Ok(true)
    }

    /// Runs one check in a guest of its own; whether that came to an end. A guest that dies of it once more is the
    /// check's own doing.
    fn alone(&mut self, id: String, boot: &mut Boot<'_>, each: &mut Each<'_>) -> anyhow::Result<bool> {
        let ended = self.round(vec![id.clone()], 1, boot, each)?;
        self.running.clear();
        match ended {
            Ended::Interrupted => return Ok(false),
            Ended::Unfit(reason) => bail!("no guest to run {id} alone in: {reason}"),
            Ended::Died(death) => {
                if let Some(check) = self.waiting.iter().find(|check| check.id == id).cloned() {
                    self.finish(crashed(check, death), None, each)?;
                }
            }
            Ended::InOrder => {}
        }
        Ok(true)
    }

    /// One guest for these checks.
    fn round(
        &mut self,
        checks: Vec<String>,
        jobs: usize,
        boot: &mut Boot<'_>,
        each: &mut Each<'_>,
    ) -> anyhow::Result<Ended> {
        let stages = if self.number == FILE_STAGE { Vec::new() } else { vec![self.number] };
        let request = Request { stages, checks, jobs, ..self.request.clone() };
        boot(&request, &mut |event, line| {
            match event {
                Event::CheckStarted { id } => self.running.push(id),
                Event::CheckFinished(finished) => self.finish(*finished, Some(line), each)?,
                Event::StageFinished { not_run, .. } => {
                    self.waiting.retain(|check| !not_run.contains(&check.id));
                    self.not_run.extend(not_run);
                }
                Event::RunStarted { .. } | Event::StageStarted { .. } | Event::RunFinished { .. } => {}
            }
            Ok(())
        })
    }

    /// Hands on what a check came to, once.
    fn finish(
        &mut self,
        finished: CheckFinished,
        line: Option<&str>,
        each: &mut Each<'_>,
    ) -> anyhow::Result<()> {
        self.running.retain(|id| *id != finished.id);
        let waiting = self.waiting.len();
        self.waiting.retain(|check| check.id != finished.id);
        if self.waiting.len() == waiting {
            return Ok(());
        }
        self.passed &= finished.verdict.lets_pass();
        let event = Event::CheckFinished(Box::new(finished));
        match line {
            Some(line) => each(event, line),
            None => say(each, event),
        }
    }

    /// Skips what is left.
    fn skip(&mut self, reason: &str, each: &mut Each<'_>) -> anyhow::Result<()> {
        for check in self.waiting.clone() {
            let verdict = Verdict::Skip { reason: reason.to_owned() };
            self.finish(judged(check, verdict, Evidence::default()), None, each)?;
        }
        Ok(())
    }
}

/// What a check came to that took its kernel with it twice.
fn crashed(check: CheckEntry, death: Death) -> CheckFinished {
    let evidence = Evidence {
        did: vec![
            "ran the check alone in a fresh kernel, after one that ran others as well had ended".to_owned(),
        ],
        expected: "a kernel that is still there when the check ends".to_owned(),
        got: format!("the kernel that it ran in ended: {}", death.how),
        stderr: death.last_words,
        ..Evidence::default()
    };
    let how = format!("the kernel that it ran in ended: {}", death.how);
    CheckFinished { transcript: Some(LOG.into()), ..judged(check, Verdict::Crash { how }, evidence) }
}

fn judged(check: CheckEntry, verdict: Verdict, evidence: Evidence) -> CheckFinished {
    CheckFinished {
        id: check.id,
        points: check.points,
        must: check.must,
        verdict,
        evidence: Some(evidence),
        measured: Vec::new(),
        elapsed_ms: 0,
        transcript: None,
    }
}

/// Hands on an event of our own.
fn say(each: &mut Each<'_>, event: Event) -> anyhow::Result<()> {
    let line = serde_json::to_string(&event)?;
    each(event, &line)
}

#[cfg(test)]
mod tests;

//! A run as data: what its events add up to. Renderers are functions of this, one file a format.

pub(crate) mod output;
pub(crate) mod style;

mod evidence;
mod human;

use std::collections::BTreeMap;

use harness::{
    event::{Catalogue, CheckFinished, Event, StageEntry},
    verdict::Verdict,
};

use crate::{exit::Exit, house::Project, subject::Choice};

/// What was known before the run began.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) project: Project,
    pub(crate) catalogue: Catalogue,
    pub(crate) choice: Choice,
    /// The subject's folder, as a reader of the checkout writes it.
    pub(crate) subject: String,
    /// What names the subject on the command line.
    pub(crate) flag: String,
    pub(crate) seed: u64,
    /// The student's file that is played instead of the stages, as it was given.
    pub(crate) file: Option<String>,
    /// The folder of transcripts, as a reader of the checkout writes it.
    pub(crate) transcripts: String,
}

/// A run, so far or in all.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) facts: Facts,
    pub(crate) stages: Vec<StageReport>,
    /// Stages that were selected but not begun.
    pub(crate) not_run: Vec<u32>,
    /// Whether the suite came to its end.
    pub(crate) finished: bool,
}

/// A stage that was begun.
#[derive(Clone, Debug)]
pub(crate) struct StageReport {
    pub(crate) entry: StageEntry,
    /// By the order of the catalogue.
    pub(crate) checks: BTreeMap<usize, CheckFinished>,
    /// Checks that were left out because the subject kept timing out.
    pub(crate) not_run: Vec<String>,
}

/// Points, out of those that could be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) passed: u32,
    pub(crate) checks: u32,
    pub(crate) points: u32,
    pub(crate) out_of: u32,
}

impl Report {
    /// A run that is about to begin.
    pub(crate) fn new(facts: Facts) -> Self {
        Self { facts, stages: Vec::new(), not_run: Vec::new(), finished: false }
    }

    /// Adds what an event says.
    pub(crate) fn add(&mut self, event: Event) {
        match event {
            Event::RunStarted { .. } | Event::CheckStarted { .. } => {}
            Event::StageStarted { stage, .. } => {
                let entry = self.facts.catalogue.stages.iter().find(|entry| entry.number == stage);
                self.stages.extend(entry.cloned().map(StageReport::begin));
            }
            Event::CheckFinished(finished) => {
                if let Some(stage) = self.stages.last_mut() {
                    let place = stage.entry.checks.iter().position(|check| check.id == finished.id);
                    stage.checks.insert(place.unwrap_or(usize::MAX), *finished);
                }
            }
            Event::StageFinished { not_run, .. } => {
                if let Some(stage) = self.stages.last_mut() {
                    stage.not_run = not_run;
                }
            }
            Event::RunFinished { not_run } => {
                self.not_run = not_run;
                self.finished = true;
            }
        }
    }

    /// The exit code that the run deserves.
    pub(crate) fn exit(&self) -> Exit {
        let any = |test: fn(&Verdict) -> bool| self.checks().any(|check| test(&check.verdict));
        if !self.finished || any(|verdict| matches!(verdict, Verdict::Fault { .. })) {
            Exit::GraderFault
        } else if any(Verdict::is_failure) {
            Exit::Failed
        } else if any(|verdict| *verdict == Verdict::Pass) {
            Exit::Passed
        } else {
            Exit::NothingRan
        }
    }

    /// Every check that was judged, in the order of the catalogue.
    pub(crate) fn checks(&self) -> impl Iterator<Item = &CheckFinished> {
        self.stages.iter().flat_map(|stage| stage.checks.values())
    }
}

impl StageReport {
    fn begin(entry: StageEntry) -> Self {
        Self { entry, checks: BTreeMap::new(), not_run: Vec::new() }
    }

    /// What the stage came to. What this machine cannot run is out of the denominator.
    pub(crate) fn score(&self) -> Score {
        let mut score = Score::default();
        for check in self.checks.values() {
            if matches!(check.verdict, Verdict::Skip { .. } | Verdict::Fault { .. }) {
                continue;
            }
            score.checks += 1;
            score.out_of += check.points;
            if check.verdict == Verdict::Pass {
                score.passed += 1;
                score.points += check.points;
            }
        }
        for check in self.entry.checks.iter().filter(|check| self.not_run.contains(&check.id)) {
            score.checks += 1;
            score.out_of += check.points;
        }
        score
    }

    /// Whether every check that ran passed, and every check ran.
    pub(crate) fn passed(&self) -> bool {
        let score = self.score();
        score.passed == score.checks
            && self.checks.values().all(|check| !matches!(check.verdict, Verdict::Fault { .. }))
    }
}

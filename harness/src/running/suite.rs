//! A suite: stages of checks, written as constants so that the whole catalogue can be read in one place.

use crate::event::{Catalogue, CheckEntry, Contract, FILE_STAGE, Lane, StageEntry, VERSION};

use super::{Context, Judged};

/// All checks of a project.
#[derive(Debug)]
pub struct Suite {
    /// The project's name, which is also its folder's.
    pub project: &'static str,
    /// What a subject has to be.
    pub contract: Contract,
    /// Where it has to run.
    pub lane: Lane,
    /// The stages in order, numbered from 1.
    pub stages: &'static [Stage],
    /// The check that plays a file of the student's: see [`Context::file`].
    pub on_file: Option<Check>,
    /// Stages after those, each with the feature of the suite's crate that runs it: see [`Suite::with`].
    pub with: &'static [(&'static str, Stage)],
}

/// A numbered step of a project.
#[derive(Debug)]
pub struct Stage {
    /// Its number, from 1.
    pub number: u32,
    /// Its slug: the same in the page, the check file, the module and the solution.
    pub slug: &'static str,
    /// Beyond what the course requires.
    pub bonus: bool,
    /// Its checks, the most telling first.
    pub checks: &'static [Check],
}

/// One observable property.
#[derive(Debug)]
pub struct Check {
    /// A sentence about behaviour, in snake case.
    pub name: &'static str,
    /// What it is worth.
    pub points: u32,
    /// The property, as the specification puts it.
    pub must: &'static str,
    /// Why it matters: what a user of a system without it would lose.
    pub why: &'static str,
    /// Whether others may run beside it.
    pub beside: Beside,
    /// Looks for the property.
    pub run: fn(&Context) -> Judged,
}

/// What may run at the same time as a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Any other check of the stage.
    Others,
    /// Nothing: the check measures something that neighbours would disturb.
    Nothing,
}

impl Check {
    /// A check worth one point that may run beside others.
    pub const fn new(name: &'static str, run: fn(&Context) -> Judged) -> Self {
        Self { name, points: 1, must: "", why: "", beside: Beside::Others, run }
    }

    /// Sets what it is worth.
    #[must_use]
    pub const fn points(mut self, points: u32) -> Self {
        self.points = points;
        self
    }

    /// Sets the property, as the specification puts it.
    #[must_use]
    pub const fn must(mut self, sentence: &'static str) -> Self {
        self.must = sentence;
        self
    }

    /// Sets why the property matters.
    #[must_use]
    pub const fn why(mut self, sentences: &'static str) -> Self {
        self.why = sentences;
        self
    }

    /// Keeps others from running beside it.
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.beside = Beside::Nothing;
        self
    }
}

impl Suite {
    /// A suite whose subjects are programs.
    pub const fn new(project: &'static str, stages: &'static [Stage]) -> Self {
        Self { project, contract: Contract::Program, lane: Lane::Local, stages, on_file: None, with: &[] }
    }

    /// Makes its subjects shared libraries.
    #[must_use]
    pub const fn of_libraries(mut self) -> Self {
        self.contract = Contract::Library;
        self
    }

    /// Makes it run in a throw-away kernel: its subjects are root, and half-finished ones would harm the machine.
    #[must_use]
    pub const fn in_lab(mut self) -> Self {
        self.lane = Lane::Lab;
        self
    }

    /// Adds the check that plays a file of the student's.
    #[must_use]
    pub const fn on_file(mut self, check: Check) -> Self {
        self.on_file = Some(check);
        self
    }

    /// Adds stages that only a build with a feature of the suite's crate can run, since they need what takes long to
    /// compile. Every build lists them.
    #[must_use]
    pub const fn with(mut self, stages: &'static [(&'static str, Stage)]) -> Self {
        self.with = stages;
        self
    }

    /// Every stage in order, with the feature that runs it.
    pub(super) fn all_stages(&self) -> impl Iterator<Item = (&'static Stage, Option<&'static str>)> {
        let plain = self.stages.iter().map(|stage| (stage, None));
        plain.chain(self.with.iter().map(|(feature, stage)| (stage, Some(*feature))))
    }

    /// The id of a check: `project/stage/name`.
    pub fn id(&self, stage: &Stage, check: &Check) -> String {
        self.numbered(stage.number, check)
    }

    /// The suite as data, for `list`, `explain` and `audit`.
    pub fn catalogue(&self) -> Catalogue {
        let entry = |stage: u32, check: &Check| CheckEntry {
            id: self.numbered(stage, check),
            points: check.points,
            must: check.must.to_owned(),
            why: check.why.to_owned(),
        };
        let stages = self.all_stages().map(|(stage, feature)| StageEntry {
            number: stage.number,
            slug: stage.slug.to_owned(),
            bonus: stage.bonus,
            with: feature.map(str::to_owned),
            checks: stage.checks.iter().map(|check| entry(stage.number, check)).collect(),
        });
        Catalogue {
            v: VERSION,
            project: self.project.to_owned(),
            contract: self.contract,
            lane: self.lane,
            stages: stages.collect(),
            on_file: self.on_file.as_ref().map(|check| entry(FILE_STAGE, check)),
        }
    }

    fn numbered(&self, stage: u32, check: &Check) -> String {
        format!("{}/{stage}/{}", self.project, check.name)
    }
}

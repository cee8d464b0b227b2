//! The wire between a suite and the front desk: one [`Request`] in, one JSON [`Event`] a line out.
//!
//! Additions keep [`VERSION`]; a change of meaning raises it, and a reader refuses what it does not know.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{evidence::Evidence, verdict::Verdict};

/// The version of this vocabulary, stated in the first event of every run.
pub const VERSION: u32 = 1;

/// All checks of a project, as `<suite> list` prints them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The vocabulary's version.
    pub v: u32,
    /// The project's name.
    pub project: String,
    /// What a subject has to be.
    pub contract: Contract,
    /// Where it has to run.
    #[serde(default, skip_serializing_if = "Lane::is_local")]
    pub lane: Lane,
    /// Its stages in order.
    pub stages: Vec<StageEntry>,
    /// The check that plays a file of the student's, if there is one; it belongs to no stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_file: Option<CheckEntry>,
}

/// What a subject of a project is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// A program, run by the suite.
    Program,
    /// A shared library, loaded by a program of the suite's.
    Library,
}

/// Where a suite runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// On this machine, as it is.
    #[default]
    Local,
    /// In a throw-away kernel, where subjects may be root and may go wrong.
    Lab,
}

impl Lane {
    fn is_local(&self) -> bool {
        *self == Self::Local
    }
}

/// A stage in a [`Catalogue`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageEntry {
    /// Its number, from 1.
    pub number: u32,
    /// Its slug, the same in page, module and check file.
    pub slug: String,
    /// Beyond what the course requires.
    pub bonus: bool,
    /// The feature of the suite that runs it; `None` when every build does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// Its checks in order.
    pub checks: Vec<CheckEntry>,
}

/// A check in a [`StageEntry`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckEntry {
    /// `project/stage/name`.
    pub id: String,
    /// What it is worth.
    pub points: u32,
    /// The property, as a sentence of the specification.
    pub must: String,
    /// Why the property matters.
    pub why: String,
}

/// What a suite is asked to do, as the first line of its stdin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The vocabulary's version.
    pub v: u32,
    /// What to run.
    pub subject: Subject,
    /// The stages to run, in order.
    pub stages: Vec<u32>,
    /// The checks to run in those stages, by id; all of them when empty.
    pub checks: Vec<String>,
    /// The seed that every random choice comes from.
    pub seed: u64,
    /// How many checks may run at once.
    pub jobs: usize,
    /// Go on after a stage that failed, and after repeated timeouts.
    pub keep_going: bool,
    /// Where transcripts are left.
    pub output: PathBuf,
    /// Plays this file, and runs no stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Says which check begins ([`Event::CheckStarted`]): for whoever may lose the suite on the way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub announce: bool,
}

/// A built subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A program and its first arguments; the contract adds the rest.
    Run(Vec<String>),
    /// A shared library.
    Library(PathBuf),
}

impl Subject {
    /// The contract that it can meet.
    pub fn contract(&self) -> Contract {
        match self {
            Self::Run(_) => Contract::Program,
            Self::Library(_) => Contract::Library,
        }
    }
}

/// The number of the stage that a check on a student's file is reported under; real stages begin with 1.
pub const FILE_STAGE: u32 = 0;

/// One line of a suite's stdout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// The vocabulary's version.
        v: u32,
        /// The project's name.
        project: String,
        /// The seed in use.
        seed: u64,
    },
    /// A stage begins.
    StageStarted {
        /// Its number.
        stage: u32,
        /// Its slug.
        slug: String,
        /// How many of its checks were selected.
        checks: usize,
    },
    /// A check begins. Only where the request asks for it.
    CheckStarted {
        /// Its id.
        id: String,
    },
    /// A check has been judged. Checks of a stage finish in any order.
    CheckFinished(Box<CheckFinished>),
    /// A stage has ended.
    StageFinished {
        /// Its number.
        stage: u32,
        /// Checks that were left out because the subject kept timing out.
        not_run: Vec<String>,
    },
    /// Every selected stage was run, or one failed. The last line of a suite that ended in good order.
    RunFinished {
        /// Stages that were selected but not begun.
        not_run: Vec<u32>,
    },
}

/// A judged check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFinished {
    /// `project/stage/name`.
    pub id: String,
    /// What it is worth.
    pub points: u32,
    /// The property, as a sentence of the specification.
    pub must: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, unless it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What was measured on the way, as sentences for a student; shown whatever the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<String>,
    /// Wall-clock time of the check in milliseconds.
    pub elapsed_ms: u64,
    /// The transcript that was kept, relative to the request's `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<PathBuf>,
}

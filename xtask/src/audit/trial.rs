//! One run of a suite for the audit's own purposes: verdicts by check, nothing printed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use harness::{
    event::{Event, Request, Subject, VERSION},
    verdict::Verdict,
};

use super::Audit;

/// How many checks of a trial run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jobs {
    /// As many as there are processors.
    All,
    /// One: other trials run beside this one.
    One,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) checks: BTreeMap<String, Verdict>,
    /// Stages that were not begun, because an earlier one failed.
    pub(super) not_run: Vec<u32>,
    pub(super) elapsed: Duration,
}

/// Where guests of a trial leave what their kernels said: trials run side by side.
fn log_of_guests(folder: &Path) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    folder.join(format!("lab-{}.log", NUMBER.fetch_add(1, Ordering::Relaxed)))
}

impl Trial {
    /// Runs `subject` through `stages`, up to the first that fails.
    pub(super) fn run(
        audit: &Audit<'_>,
        subject: Subject,
        stages: Vec<u32>,
        jobs: Jobs,
    ) -> anyhow::Result<Self> {
        let began = Instant::now();
        let request = Request {
            v: VERSION,
            subject,
            stages,
            checks: Vec::new(),
            seed: audit.args.seed,
            jobs: if jobs == Jobs::One {
                1
            } else {
                std::thread::available_parallelism().map_or(1, usize::from)
            },
            keep_going: false,
            output: audit.house.own_folder(&audit.project).join("audit").join("transcripts"),
            file: None,
            announce: false,
        };
        let mut trial = Self { checks: BTreeMap::new(), not_run: Vec::new(), elapsed: Duration::ZERO };
        let log = log_of_guests(&request.output);
        let mut judging = Duration::ZERO;
        audit.lane.run(&audit.suite, &audit.catalogue, &request, &log, &mut |event, _| {
            match event {
                Event::CheckFinished(finished) => {
                    judging += Duration::from_millis(finished.elapsed_ms);
                    trial.checks.insert(finished.id, finished.verdict);
                }
                Event::RunFinished { not_run } => trial.not_run = not_run,
                _ => {}
            }
            Ok(())
        })?;
        // What a guest takes to come up says nothing about the subject.
        trial.elapsed = if audit.lane.is_here() { began.elapsed() } else { judging };
        Ok(trial)
    }

    /// Why each check that cannot run here cannot.
    pub(super) fn skipped(&self) -> impl Iterator<Item = &str> {
        self.checks.values().filter_map(|verdict| match verdict {
            Verdict::Skip { reason } => Some(reason.as_str()),
            _ => None,
        })
    }

    /// Why none ran, if none did.
    pub(super) fn nothing_ran(&self) -> Option<&str> {
        self.skipped().next().filter(|_| self.skipped().count() == self.checks.len())
    }
}

//! Runs the selected stages in order and the checks of a stage side by side, and says what each came to.
//!
//! ```text
//!   for each stage:  checks that may share ──► `jobs` threads ──► outcomes ─┐
//!                    checks that may not   ──► one after another ───────────┴─► events
//!                    a stage that failed ends the run, unless asked to go on
//! ```

mod one_check;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use super::{Check, Stage, Suite, suite::Beside, watchdog::Watchdog};
use crate::{
    event::{CheckFinished, Event, FILE_STAGE, Request, VERSION},
    verdict::Verdict,
};

/// After so many timeouts in a stage the rest of it would only make a student wait for more of the same.
const TIMEOUTS: usize = 3;

/// A step in the life of a check.
enum Step {
    Begins(&'static Check),
    Ends(Box<CheckFinished>),
}

/// What the executor was given for the whole run.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) suite: &'static Suite,
    pub(super) request: &'a Request,
    pub(super) workspace: &'a Path,
    pub(super) watchdog: Arc<Watchdog>,
}

impl Run<'_> {
    /// Runs everything that the request selects, and hands each event to `emit` as it happens.
    pub(super) fn execute(&self, emit: &mut (dyn FnMut(Event) + Send)) {
        emit(Event::RunStarted {
            v: VERSION,
            project: self.suite.project.to_owned(),
            seed: self.request.seed,
        });
        if self.request.file.is_some() {
            self.suite.on_file.iter().for_each(|check| self.on_file(check, emit));
            emit(Event::RunFinished { not_run: Vec::new() });
            return;
        }
        let stages = self.suite.all_stages().map(|(stage, _)| stage);
        let mut selected = stages.filter(|stage| self.request.stages.contains(&stage.number));
        for stage in selected.by_ref() {
            if !self.stage(stage, emit) && !self.request.keep_going {
                break;
            }
        }
        emit(Event::RunFinished { not_run: selected.map(|stage| stage.number).collect() });
    }

    /// Runs the check on a student's file, as a stage of its own.
    fn on_file(&self, check: &'static Check, emit: &mut (dyn FnMut(Event) + Send)) {
        let checks = std::slice::from_ref(check);
        // Once a run: stages live as long as the program.
        let stage = Box::leak(Box::new(Stage { number: FILE_STAGE, slug: check.name, bonus: false, checks }));
        self.stage(stage, emit);
    }

    /// Runs a stage; whether nothing in it failed.
    fn stage(&self, stage: &'static Stage, emit: &mut (dyn FnMut(Event) + Send)) -> bool {
        let checks: Vec<_> = stage.checks.iter().filter(|check| self.selects(stage, check)).collect();
        emit(Event::StageStarted { stage: stage.number, slug: stage.slug.to_owned(), checks: checks.len() });
        let mut passed = true;
        let mut timeouts = 0;
        let mut left = Vec::new();
        for (beside, jobs) in [(Beside::Others, self.request.jobs.max(1)), (Beside::Nothing, 1)] {
            let group: Vec<_> = checks.iter().copied().filter(|check| check.beside == beside).collect();
            if !left.is_empty() {
                left.extend(group);
                continue;
            }
            left.extend(self.side_by_side(stage, &group, jobs, &mut |step| {
                match step {
                    Step::Begins(check) if self.request.announce => {
                        emit(Event::CheckStarted { id: self.suite.id(stage, check) });
                    }
                    Step::Begins(_) => {}
                    Step::Ends(finished) => {
                        let verdict = &finished.verdict;
                        passed &= verdict.lets_pass();
                        timeouts += usize::from(matches!(verdict, Verdict::Timeout { .. }));
                        emit(Event::CheckFinished(finished));
                    }
                }
                timeouts < TIMEOUTS || self.request.keep_going
            }));
        }
        let not_run = left.iter().map(|check| self.suite.id(stage, check)).collect();
        emit(Event::StageFinished { stage: stage.number, not_run });
        passed
    }

    fn selects(&self, stage: &Stage, check: &Check) -> bool {
        self.request.checks.is_empty() || self.request.checks.contains(&self.suite.id(stage, check))
    }

    /// Runs `checks` on `jobs` threads until `tell`, which hears of each step, says no; returns those that were not begun.
    fn side_by_side(
        &self,
        stage: &'static Stage,
        checks: &[&'static Check],
        jobs: usize,
        tell: &mut (dyn FnMut(Step) -> bool + Send),
    ) -> Vec<&'static Check> {
        // One lock for both, so that no thread begins a check between an outcome and what follows from it.
        let queue = Mutex::new((checks.iter(), tell));
        let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || {
            let mut finished = None;
            loop {
                let check = {
                    let (waiting, tell) = &mut *lock();
                    let go_on = finished.take().is_none_or(|finished| tell(Step::Ends(finished)));
                    let Some(check) = waiting.as_slice().first().filter(|_| go_on) else { return };
                    waiting.next();
                    tell(Step::Begins(check));
                    check
                };
                finished = Some(Box::new(one_check::judge(self, stage, check)));
            }
        };
        thread::scope(|scope| {
            for _ in 0..jobs.min(checks.len()) {
                scope.spawn(work);
            }
        });
        lock().0.as_slice().to_vec()
    }
}

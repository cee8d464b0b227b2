//! Part 3: every mutant fails exactly what it should. One is built while others run.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

use harness::{
    event::{StageEntry, Subject},
    verdict::Verdict,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Audit, Findings,
    mutant::Mutant,
    trial::{Jobs, Trial},
    workshop::{self, Workshop},
};
use crate::interrupt;

/// A mutant and what became of it.
#[derive(Debug)]
pub(super) struct Tried<'m> {
    pub(super) mutant: &'m Mutant,
    /// The checks that its header names, but for those that this build of the suite does not run.
    fails: BTreeSet<&'m String>,
    /// What ran, or why nothing could.
    pub(super) trial: Result<Trial, String>,
}

/// Builds and runs the mutants that were asked for.
pub(super) fn try_all<'m>(audit: &Audit<'_>, mutants: &'m [Mutant]) -> anyhow::Result<Vec<Tried<'m>>> {
    let chosen = choose(audit, mutants);
    let workshop = Workshop::open(audit)?;
    let bar = progress(chosen.len());
    let (send, built) = mpsc::sync_channel::<(&Mutant, anyhow::Result<Subject>)>(2);
    let built = Mutex::new(built);
    let next = || built.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    let mut tried = thread::scope(|scope| {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        // More than there are processors: a mutant that hangs does nothing for most of its trial. A guest always does.
        let at_once = if audit.lane.is_here() { 2 * processors } else { processors };
        let runners: Vec<_> = (0..at_once)
            .map(|_| {
                scope.spawn(|| {
                    let mut tried = Vec::new();
                    while let Some((mutant, subject)) = next() {
                        bar.set_message(mutant.name.clone());
                        tried.push(try_one(audit, mutant, subject));
                        bar.inc(1);
                    }
                    tried
                })
            })
            .collect();
        for mutant in chosen {
            if interrupt::happened() || send.send((mutant, workshop.build(mutant))).is_err() {
                break;
            }
        }
        drop(send);
        runners.into_iter().flat_map(|runner| runner.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    bar.finish_and_clear();
    tried.sort_by(|a, b| a.mutant.name.cmp(&b.mutant.name));
    Ok(tried)
}

/// Those whose names were asked for: every n-th of them from an offset on, and all that a stage of this build alone can
/// catch, since there are so few that a sample would have none.
fn choose<'m>(audit: &Audit<'_>, mutants: &'m [Mutant]) -> Vec<&'m Mutant> {
    let wanted = |mutant: &&Mutant| audit.args.mutant.as_ref().is_none_or(|text| mutant.name.contains(text));
    let (every, offset) = (audit.args.every as usize, audit.args.offset as usize);
    let sampled = |(number, mutant): &(usize, &Mutant)| {
        number % every == offset % every || stages_with_its_checks(audit, mutant).next().is_some()
    };
    mutants.iter().filter(wanted).enumerate().filter(sampled).map(|(_, mutant)| mutant).collect()
}

/// The stages that not every build of the suite runs, but this one does, and of which a mutant has to fail a check.
fn stages_with_its_checks(audit: &Audit<'_>, mutant: &Mutant) -> impl Iterator<Item = u32> {
    let with = audit.stages_with();
    let stages = audit.catalogue.stages.iter().filter(move |stage| with.contains(&stage.number));
    let named = |stage: &&StageEntry| stage.checks.iter().any(|check| mutant.fails.contains(&check.id));
    stages.filter(named).map(|stage| stage.number)
}

fn try_one<'m>(audit: &Audit<'_>, mutant: &'m Mutant, subject: anyhow::Result<Subject>) -> Tried<'m> {
    let run = |subject: Subject| {
        let built = workshop::place(&subject);
        let stages = if audit.args.own_stage { vec![mutant.stage] } else { audit.stages_up_to(mutant.stage) };
        let trial = try_stages(audit, mutant, &subject, stages);
        let _ = std::fs::remove_file(built);
        trial
    };
    let fails = mutant.fails.iter().filter(|id| audit.runs(id)).collect();
    Tried { mutant, fails, trial: subject.and_then(run).map_err(|error| format!("{error:#}")) }
}

/// Runs a mutant through these stages, and then, wherever it failed, through those beyond them whose checks it names.
fn try_stages(
    audit: &Audit<'_>,
    mutant: &Mutant,
    subject: &Subject,
    stages: Vec<u32>,
) -> anyhow::Result<Trial> {
    let mut trial = Trial::run(audit, subject.clone(), stages, Jobs::One)?;
    for stage in stages_with_its_checks(audit, mutant) {
        let further = Trial::run(audit, subject.clone(), vec![stage], Jobs::One)?;
        trial.checks.extend(further.checks);
    }
    Ok(trial)
}

fn progress(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template("       {bar:30} {pos} of {len} mutants  {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Where what became of a mutant is not what its header says.
pub(super) fn findings(results: &[Tried<'_>]) -> Findings {
    results.iter().flat_map(Tried::findings).collect()
}

impl Tried<'_> {
    /// Whether a check that it should fail cannot run here, so that nothing is known about it.
    pub(super) fn is_skipped(&self) -> bool {
        let Ok(trial) = &self.trial else { return false };
        self.fails.iter().any(|id| matches!(trial.checks.get(*id), Some(Verdict::Skip { .. })))
    }

    fn findings(&self) -> Findings {
        let name = &self.mutant.name;
        let trial = match &self.trial {
            Ok(trial) => trial,
            Err(problem) => return vec![format!("{name}: {problem}")],
        };
        let mut findings = Findings::new();
        let named = &self.fails;
        for (id, verdict) in &trial.checks {
            match verdict {
                Verdict::Fault { detail } => {
                    findings.push(format!("{name}: a fault of the grader at {id}: {detail}"));
                }
                verdict if verdict.is_failure() && !named.contains(id) => {
                    findings.push(format!(
                        "{name} fails {id}, which its header does not name ({})",
                        verdict.word()
                    ));
                }
                Verdict::Pass if named.contains(id) => {
                    findings.push(format!("{name} passes {id}, which its header names"));
                }
                _ => {}
            }
        }
        if trial.not_run.is_empty() {
            let ran = |id: &&&String| !trial.checks.contains_key(id.as_str());
            findings.extend(named.iter().filter(ran).map(|id| format!("{name}: {id} was not run")));
        }
        findings
    }
}

//! `cargo xtask audit`: grades the grader. Five parts, each of which can only add findings:
//!
//! ```text
//!   solution   passes every check
//!   starter    compiles without a warning; every check says "not started", quickly
//!   mutants    each fails exactly the checks that its header names, and passes all earlier stages
//!   coverage   every check has a mutant that it kills
//!   mirror     starter, solution, pages and checks agree; nothing is there that belongs to none of them
//! ```

mod matrix;
mod mirror;
mod mutant;
mod mutants;
mod starter;
mod trial;
mod workshop;

use harness::event::{Catalogue, StageEntry};

use crate::{
    cli::AuditArgs,
    exit::Exit,
    house::{self, House, Project},
    interrupt,
    lane::Lane,
    report::style::{BAD, DIM, GOOD, ODD, STRONG, styled},
    stdout,
    subject::{Choice, Subject},
    suite::Suite,
};
use mutant::Mutant;
use trial::Trial;

/// What every part works with.
#[derive(Debug)]
struct Audit<'a> {
    house: &'a House,
    project: Project,
    suite: Suite,
    catalogue: Catalogue,
    lane: Lane,
    args: &'a AuditArgs,
    /// What the suite was built with.
    with: Vec<String>,
}

/// What a part found to be wrong, a sentence each.
type Findings = Vec<String>;

/// Audits a project, or all of them.
pub(crate) fn run(house: &House, args: &AuditArgs) -> anyhow::Result<Exit> {
    interrupt::note_from_now_on();
    let mut all = Findings::new();
    let mut anything_ran = false;
    let projects = house.named_or_all(args.project.as_deref())?;
    match projects.as_slice() {
        [one] => one.has_features(&args.with)?,
        all => house::any_has_features(all, &args.with)?,
    }
    for project in projects {
        let features = project.features()?;
        let with: Vec<_> = args.with.iter().filter(|name| features.contains(name)).cloned().collect();
        let suite = Suite::build(&project, &with)?;
        let catalogue = suite.catalogue()?;
        let seed = styled(DIM, format!("seed {}", args.seed));
        stdout::write(&format!("{} {seed}\n", styled(STRONG, &project.name)))?;
        let lane = Lane::choose(house, args.lane, &catalogue)?;
        let audit = Audit { house, project, suite, catalogue, lane, args, with };
        let (mutants, unread) = mutant::read_all(&audit.project.checks.join("mutants"));
        all.extend(unread);
        all.extend(audit.trees(&mutants)?);
        if let Some(findings) = audit.subjects(&mutants)? {
            anything_ran = true;
            all.extend(findings);
        }
    }
    for finding in &all {
        stdout::write(&format!("{} {finding}\n", styled(BAD, "finding:")))?;
    }
    Ok(match (all.is_empty(), anything_ran) {
        (false, _) => Exit::Failed,
        (true, true) => Exit::Passed,
        (true, false) => Exit::NothingRan,
    })
}

/// Says what a part came to, and hands on its findings.
fn part(name: &str, (said, findings): (String, Findings)) -> anyhow::Result<Findings> {
    let sign = if findings.is_empty() { styled(GOOD, "ok  ") } else { styled(BAD, "open") };
    stdout::write(&format!("  {sign} {name:<9} {said}\n"))?;
    Ok(findings)
}

/// How many were skipped, said beside what was not.
fn beside(skipped: usize) -> String {
    if skipped == 0 { String::new() } else { format!(", {skipped} of them skipped") }
}

impl Audit<'_> {
    /// The parts that only read.
    fn trees(&self, mutants: &[Mutant]) -> anyhow::Result<Findings> {
        let mut all = part("mirror", mirror::look(self)?)?;
        all.extend(part("coverage", self.coverage(mutants))?);
        Ok(all)
    }

    /// The parts that run something; `None` where no check can run here.
    fn subjects(&self, mutants: &[Mutant]) -> anyhow::Result<Option<Findings>> {
        let solution = self.solution()?;
        if let Some(reason) = solution.nothing_ran() {
            let sign = styled(ODD, "skip");
            stdout::write(&format!("  {sign} {:<9} nothing of this can run here: {reason}\n", "solution"))?;
            return Ok(None);
        }
        let mut all = part("solution", Self::grade_solution(&solution))?;
        if !self.args.without_starter {
            all.extend(part("starter", starter::look(self)?)?);
        }
        let results = mutants::try_all(self, mutants)?;
        stdout::write(&matrix::render(&self.catalogue, &results))?;
        let skipped = beside(results.iter().filter(|tried| tried.is_skipped()).count());
        let said = format!("{} of {} tried{skipped}", results.len(), mutants.len());
        all.extend(part("mutants", (said, mutants::findings(&results)))?);
        Ok(Some(all))
    }

    /// Part 1: the solution on every check.
    fn solution(&self) -> anyhow::Result<Trial> {
        let program = Subject::find(self.house, &self.project, Choice::Solution)?
            .build(self.house)?
            .meets(self.catalogue.contract, "the solution")?;
        let stages = self.stages_up_to(u32::MAX).into_iter().chain(self.stages_with()).collect();
        Trial::run(self, program, stages, trial::Jobs::All)
    }

    /// It passes each.
    fn grade_solution(trial: &Trial) -> (String, Findings) {
        let wrong = trial.checks.iter().filter(|(_, verdict)| verdict.is_failure());
        let findings =
            wrong.map(|(id, verdict)| format!("the solution does not pass {id}: {verdict:?}")).collect();
        let skipped = beside(trial.skipped().count());
        let seconds = trial.elapsed.as_secs_f64();
        (format!("{} checks in {seconds:.1} s{skipped}", trial.checks.len()), findings)
    }

    /// Part 4: a check that no mutant names is a check that may be unable to fail.
    fn coverage(&self, mutants: &[Mutant]) -> (String, Findings) {
        let killed = |id: &str| mutants.iter().any(|mutant| mutant.fails.iter().any(|named| named == id));
        let ids: Vec<_> =
            self.catalogue.stages.iter().flat_map(|stage| &stage.checks).map(|check| &check.id).collect();
        let mut findings: Findings =
            ids.iter().filter(|id| !killed(id)).map(|id| format!("no mutant is killed by {id}")).collect();
        for mutant in mutants {
            for named in mutant.fails.iter().filter(|named| !ids.contains(named)) {
                findings.push(format!("{} names {named}, which is no check", mutant.name));
            }
        }
        (format!("{} checks, {} mutants", ids.len(), mutants.len()), findings)
    }

    /// The stages that every build of the suite runs, up to one of them.
    fn stages_up_to(&self, last: u32) -> Vec<u32> {
        let plain = self.catalogue.stages.iter().filter(|stage| stage.with.is_none());
        plain.map(|stage| stage.number).filter(|&number| number <= last).collect()
    }

    /// The stages that this build of the suite runs besides.
    fn stages_with(&self) -> Vec<u32> {
        let runs = |stage: &&StageEntry| stage.with.as_ref().is_some_and(|with| self.with.contains(with));
        self.catalogue.stages.iter().filter(runs).map(|stage| stage.number).collect()
    }

    /// Whether this build of the suite runs a check.
    fn runs(&self, id: &str) -> bool {
        let is_its = |stage: &&StageEntry| stage.checks.iter().any(|check| check.id == id);
        let stage = self.catalogue.stages.iter().find(is_its);
        stage.is_none_or(|stage| stage.with.is_none() || self.stages_with().contains(&stage.number))
    }
}

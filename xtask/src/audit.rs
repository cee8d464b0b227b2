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

use harness::event::Catalogue;

use crate::{
    cli::AuditArgs,
    exit::Exit,
    house::{House, Project},
    interrupt,
    report::style::{BAD, DIM, GOOD, STRONG, styled},
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
    args: &'a AuditArgs,
}

/// What a part found to be wrong, a sentence each.
type Findings = Vec<String>;

/// Audits a project, or all of them.
pub(crate) fn run(house: &House, args: &AuditArgs) -> anyhow::Result<Exit> {
    interrupt::note_from_now_on();
    let mut all = Findings::new();
    for project in house.named_or_all(args.project.as_deref())? {
        let suite = Suite::build(&project)?;
        let catalogue = suite.catalogue()?;
        let seed = styled(DIM, format!("seed {}", args.seed));
        stdout::write(&format!("{} {seed}\n", styled(STRONG, &project.name)))?;
        all.extend(Audit { house, project, suite, catalogue, args }.project()?);
    }
    for finding in &all {
        stdout::write(&format!("{} {finding}\n", styled(BAD, "finding:")))?;
    }
    Ok(if all.is_empty() { Exit::Passed } else { Exit::Failed })
}

/// Says what a part came to, and hands on its findings.
fn part(name: &str, (said, findings): (String, Findings)) -> anyhow::Result<Findings> {
    let sign = if findings.is_empty() { styled(GOOD, "ok  ") } else { styled(BAD, "open") };
    stdout::write(&format!("  {sign} {name:<9} {said}\n"))?;
    Ok(findings)
}

impl Audit<'_> {
    fn project(&self) -> anyhow::Result<Findings> {
        let (mutants, mut all) = mutant::read_all(&self.project.checks.join("mutants"));
        all.extend(part("mirror", mirror::look(self)?)?);
        all.extend(part("coverage", self.coverage(&mutants))?);
        all.extend(part("solution", self.solution()?)?);
        if !self.args.without_starter {
            all.extend(part("starter", starter::look(self)?)?);
        }
        let results = mutants::try_all(self, &mutants)?;
        stdout::write(&matrix::render(&self.catalogue, &results))?;
        let said = format!("{} of {} tried", results.len(), mutants.len());
        all.extend(part("mutants", (said, mutants::findings(&results)))?);
        Ok(all)
    }

    /// Part 1: the solution passes every check.
    fn solution(&self) -> anyhow::Result<(String, Findings)> {
        let program = Subject::find(self.house, &self.project, Choice::Solution)?
            .build(self.house)?
            .meets(self.catalogue.contract, "the solution")?;
        let trial = Trial::run(self, program, self.stages_up_to(u32::MAX), trial::Jobs::All)?;
        let wrong = trial.checks.iter().filter(|(_, verdict)| verdict.is_failure());
        let findings =
            wrong.map(|(id, verdict)| format!("the solution does not pass {id}: {verdict:?}")).collect();
        Ok((format!("{} checks in {:.1} s", trial.checks.len(), trial.elapsed.as_secs_f64()), findings))
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

    fn stages_up_to(&self, last: u32) -> Vec<u32> {
        self.catalogue.stages.iter().map(|stage| stage.number).filter(|&number| number <= last).collect()
    }
}

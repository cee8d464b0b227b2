//! Part 2: what a student sees first. It compiles without a warning, and every check says "not started", quickly.

use std::time::Duration;

use harness::verdict::Verdict;

use super::{
    Audit, Findings,
    trial::{Jobs, Trial},
};
use crate::{
    cargo::{self, Chatter, Profile},
    subject::{Choice, Subject},
};

/// Far more than a few starts of a program that ends at once; far less than one deadline.
const QUICK: Duration = Duration::from_secs(8);

/// What the start of a throw-away kernel may take besides, once a stage.
const BOOT: Duration = Duration::from_secs(8);

pub(super) fn look(audit: &Audit<'_>) -> anyhow::Result<(String, Findings)> {
    let mut findings = Findings::new();
    if !compiles_silently(audit)? {
        findings.push(format!("exercises/{} does not compile without a warning", audit.project.name));
    }
    let program = Subject::find(audit.house, &audit.project, Choice::Exercise)?
        .build(audit.house)?
        .meets(audit.catalogue.contract, "the starter")?;
    let mut checks = 0;
    let mut elapsed = Duration::ZERO;
    let mut quick = QUICK;
    for stage in audit.stages_up_to(u32::MAX) {
        let trial = Trial::run(audit, program.clone(), vec![stage], Jobs::All)?;
        checks += trial.checks.len();
        elapsed += trial.elapsed;
        quick += if audit.lane.is_here() { Duration::ZERO } else { BOOT };
        for (id, verdict) in trial.checks {
            if !matches!(verdict, Verdict::NotStarted { .. }) {
                findings.push(format!("the starter should be \"not started\" at {id}, and is {verdict:?}"));
            }
        }
    }
    if elapsed > quick {
        findings
            .push(format!("the starter took {:.1} s to say that it is not started", elapsed.as_secs_f64()));
    }
    Ok((format!("{checks} checks not started, in {:.1} s", elapsed.as_secs_f64()), findings))
}

/// Compiles the starter with warnings as errors, in a folder of its own so that nothing else is compiled anew.
fn compiles_silently(audit: &Audit<'_>) -> anyhow::Result<bool> {
    let manifest = audit.project.exercise.join("Cargo.toml");
    let folder = audit.house.own().join("silent");
    Ok(cargo::build(&manifest, Profile::Strict, Some(&folder), &[], Chatter::OnFailure)?.is_ok())
}

//! The check × mutant matrix: which mistakes each check sees, and which it shares with others.

use std::fmt::Write;

use harness::{event::Catalogue, verdict::Verdict};

use super::mutants::Tried;
use crate::report::style::{DIM, styled};

/// One row a check of the stages that were tried, one column a mutant; mutants are listed below by their number.
pub(super) fn render(catalogue: &Catalogue, results: &[Tried<'_>]) -> String {
    let mut text = String::new();
    for stage in &catalogue.stages {
        let here: Vec<_> =
            results.iter().enumerate().filter(|(_, tried)| tried.mutant.stage == stage.number).collect();
        if here.is_empty() {
            continue;
        }
        let numbers: String = here.iter().map(|(number, _)| format!("{:>3}", number + 1)).collect();
        let _ =
            writeln!(text, "\n  {:<50}{}", format!("{} {}", stage.number, stage.slug), styled(DIM, numbers));
        for check in &stage.checks {
            let name = check.id.rsplit('/').next().unwrap_or(&check.id);
            let cells: String =
                here.iter().map(|(_, tried)| format!("{:>3}", cell(tried, &check.id))).collect();
            let _ = writeln!(text, "  {name:<50}{cells}");
        }
        for (number, tried) in &here {
            let first = tried.mutant.story.lines().next().unwrap_or_default();
            let _ = writeln!(text, "  {:>3} {} {}", number + 1, tried.mutant.name, styled(DIM, first));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// How a check judged a mutant: F fail, C crash, T timeout, L limit, n not started, s skip, `!` fault.
fn cell(tried: &Tried<'_>, id: &str) -> &'static str {
    let Ok(trial) = &tried.trial else { return "?" };
    match trial.checks.get(id) {
        None => " ",
        Some(Verdict::Pass) => "·",
        Some(Verdict::Fail) => "F",
        Some(Verdict::Crash { .. }) => "C",
        Some(Verdict::Timeout { .. }) => "T",
        Some(Verdict::Limit { .. }) => "L",
        Some(Verdict::NotStarted { .. }) => "n",
        Some(Verdict::Skip { .. }) => "s",
        Some(Verdict::Fault { .. }) => "!",
    }
}

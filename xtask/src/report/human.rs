//! A report for people. Everything that a student reads about a run is worded here, so that its voice can be tuned
//! in one sitting; the words for what went wrong come with the evidence.

use harness::{event::CheckFinished, verdict::Verdict};

use super::{
    Report, Score, StageReport,
    evidence::{again, block},
    style::{self, BAD, DIM, GOOD, ODD, STRONG, styled},
};
use crate::subject::Choice;

/// Failures of a stage that are shown in full; one is usually enough to work on.
const SHOWN: usize = 3;

/// The first line.
pub(super) fn header(report: &Report) -> String {
    let facts = &report.facts;
    format!("{} {}\n", styled(STRONG, &facts.project.name), styled(DIM, format!("{}, seed {}", facts.subject, facts.seed)))
}

/// The line over a stage's checks.
pub(super) fn stage_header(stage: &StageReport) -> String {
    let bonus = if stage.entry.bonus { styled(DIM, " (bonus)") } else { String::new() };
    format!("\n{}{bonus}\n", styled(STRONG, format!("stage {}  {}", stage.entry.number, stage.entry.slug)))
}

/// One check in a line.
pub(super) fn check_line(check: &CheckFinished) -> String {
    let word = styled(style::of(&check.verdict), format!("{:<7}", check.verdict.word()));
    let name = check.id.rsplit('/').next().unwrap_or(&check.id);
    let unit = if check.points == 1 { "pt " } else { "pts" };
    let time = styled(DIM, format!("{:>7} ms", check.elapsed_ms));
    format!("  {word} {name:<52} {:>2} {unit} {time}\n", check.points)
}

/// What follows a stage's checks: the evidence for what did not pass.
pub(super) fn stage_footer(report: &Report, stage: &StageReport) -> String {
    let facts = &report.facts;
    let page = facts.project.page(stage.entry.number, &stage.entry.slug);
    let mut text = String::new();
    let wrong: Vec<_> = stage.checks.values().filter(|check| deserves_a_block(&check.verdict)).collect();
    let (shown, rest) = telling_ones(&wrong);
    for check in &shown {
        text.push('\n');
        text.push_str(&block(facts, &page, check));
    }
    if let Some(first) = rest.first() {
        let names: Vec<_> = rest.iter().map(|check| check.id.rsplit('/').next().unwrap_or(&check.id)).collect();
        let count = styled(BAD, format!("and {} more:", rest.len()));
        text.push_str(&format!("\n{count} {}\n  shown by  {}\n", names.join(", "), again(facts, first)));
    }
    for (place, task, count) in not_started(stage) {
        let checks = if count == 1 { "1 check" } else { &format!("{count} checks") };
        text.push_str(&format!("\n{} {place}  {task} ({checks})\n", styled(ODD, "not started:")));
    }
    if !stage.not_run.is_empty() {
        let count = stage.not_run.len();
        text.push_str(&format!(
            "\n{} {count} more checks of this stage, after so many timeouts; --keep-going runs them all\n",
            styled(ODD, "not run:")
        ));
    }
    text
}

/// The failures that are shown in full, and the others. What looks like one mistake is shown once.
fn telling_ones<'c>(wrong: &[&'c CheckFinished]) -> (Vec<&'c CheckFinished>, Vec<&'c CheckFinished>) {
    let (mut shown, mut rest) = (Vec::<&CheckFinished>::new(), Vec::new());
    let likely = |check: &CheckFinished| check.evidence.as_ref().map(|evidence| evidence.likely.clone()).unwrap_or_default();
    for &check in wrong {
        let known = !likely(check).is_empty() && shown.iter().any(|other| likely(other) == likely(check));
        if known || shown.len() == SHOWN { rest.push(check) } else { shown.push(check) }
    }
    (shown, rest)
}

/// Skips are loud, faults louder; what was not started is told once a place.
fn deserves_a_block(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::Pass | Verdict::NotStarted { .. })
}

/// The places where work has not begun, each with its task and how many checks end there.
fn not_started(stage: &StageReport) -> Vec<(String, String, usize)> {
    let mut places: Vec<(String, String, usize)> = Vec::new();
    for check in stage.checks.values() {
        let Verdict::NotStarted { at, task } = &check.verdict else { continue };
        match places.iter_mut().find(|(place, known, _)| place == at && known == task) {
            Some((_, _, count)) => *count += 1,
            None => places.push((at.clone(), task.clone(), 1)),
        }
    }
    places
}

/// The end: what it came to, and what to do next.
pub(super) fn summary(report: &Report) -> String {
    let mut text = String::from("\n");
    for stage in &report.stages {
        text.push_str(&stage_summary(stage));
    }
    if !report.not_run.is_empty() {
        let stages = ranges(&report.not_run);
        text.push_str(&styled(DIM, format!("  --    not run: {stages} (--keep-going goes on after a stage that failed)\n")));
    }
    text.push_str(&next(report));
    text
}

fn stage_summary(stage: &StageReport) -> String {
    let Score { passed, checks, points, out_of } = stage.score();
    let sign = if stage.passed() { styled(GOOD, "ok  ") } else { styled(BAD, "open") };
    let skipped = stage.checks.values().filter(|check| matches!(check.verdict, Verdict::Skip { .. })).count();
    let skipped = if skipped == 0 { String::new() } else { styled(ODD, format!(", {skipped} skipped")) };
    let name = format!("stage {} {}", stage.entry.number, stage.entry.slug);
    format!("  {sign}  {name:<24} {passed:>2} of {checks:>2} checks, {points:>2} of {out_of:>2} points{skipped}\n")
}

/// `stage 4`, `stages 4 and 5`, `stages 3 to 5`.
fn ranges(stages: &[u32]) -> String {
    match stages {
        [one] => format!("stage {one}"),
        [one, other] => format!("stages {one} and {other}"),
        [first, .., last] => format!("stages {first} to {last}"),
        [] => String::new(),
    }
}

/// What to do now.
fn next(report: &Report) -> String {
    let facts = &report.facts;
    let project = &facts.project;
    if let Some(place) = nothing_written(report) {
        return format!(
            "\nNothing is written yet, which is how everybody begins.\n  \
             read   {spec}, then {page}\n  open   {place}\n  then   cargo xtask check {name}{flag} --stage 1\n",
            spec = format_args!("exercises/{}/README.md", project.name),
            page = report.stages.first().map(|stage| project.page(stage.entry.number, &stage.entry.slug)).unwrap_or_default(),
            name = project.name,
            flag = facts.flag,
        );
    }
    if let Some(stage) = report.stages.iter().find(|stage| !stage.passed()) {
        let first = stage.checks.values().find(|check| check.verdict.is_failure());
        let Some(first) = first else { return String::new() };
        let page = project.page(stage.entry.number, &stage.entry.slug);
        let name = first.id.rsplit('/').next().unwrap_or(&first.id);
        return format!("\nNext: {name} ({page}).\n  why it matters:  cargo xtask explain {}\n", first.id);
    }
    let last = report.stages.last().map_or(0, |stage| stage.entry.number);
    let following = facts.catalogue.stages.iter().find(|stage| stage.number == last + 1);
    match following {
        Some(stage) if facts.choice == Choice::Exercise => {
            format!("\nAll passed. Next is stage {}: {}\n", stage.number, project.page(stage.number, &stage.slug))
        }
        _ => "\nAll passed.\n".to_owned(),
    }
}

/// Where to begin, if every check of the first stage ended at a `todo!()`.
fn nothing_written(report: &Report) -> Option<String> {
    let first = report.stages.first().filter(|stage| stage.entry.number == 1 && !stage.checks.is_empty())?;
    let all_open = first.checks.values().all(|check| matches!(check.verdict, Verdict::NotStarted { .. }));
    let (place, task, _) = not_started(first).into_iter().next()?;
    all_open.then(|| format!("{place}  {task}"))
}

#[cfg(test)]
mod tests;

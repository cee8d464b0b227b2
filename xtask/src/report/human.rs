//! A report for people. Everything that a student reads about a run is worded here, so that its voice can be tuned
//! in one sitting; the words for what went wrong come with the evidence.

use harness::{
    event::{CheckFinished, FILE_STAGE},
    verdict::Verdict,
};

use super::{
    Report, Score, StageReport,
    evidence::{again, block, labelled, one_line, printable, wrapped},
    style::{self, BAD, DIM, GOOD, ODD, STRONG, styled},
};
use crate::{exit::Exit, subject::Choice};

/// Failures of a stage that are shown in full; one is usually enough to work on.
const SHOWN: usize = 3;

/// The first line.
pub(super) fn header(report: &Report) -> String {
    let facts = &report.facts;
    format!(
        "{} {}\n",
        styled(STRONG, &facts.project.name),
        styled(DIM, format!("{}, seed {}", facts.subject, facts.seed))
    )
}

/// The line over a stage's checks.
pub(super) fn stage_header(report: &Report, stage: &StageReport) -> String {
    if let Some(file) = &report.facts.file {
        return format!("\n{}\n", styled(STRONG, file));
    }
    let bonus = if stage.entry.bonus { styled(DIM, " (bonus)") } else { String::new() };
    format!("\n{}{bonus}\n", styled(STRONG, format!("stage {}  {}", stage.entry.number, stage.entry.slug)))
}

/// One check in a line.
pub(super) fn check_line(check: &CheckFinished) -> String {
    let word = styled(style::of(&check.verdict), format!("{:<7}", check.verdict.word()));
    let name = check.id.rsplit('/').next().unwrap_or(&check.id);
    let points = match check.points {
        0 => String::new(),
        1 => "1 pt ".to_owned(),
        points => format!("{points} pts"),
    };
    let time = styled(DIM, format!("{:>7} ms", check.elapsed_ms));
    let mut text = format!("  {word} {name:<52} {points:>6} {time}\n");
    for line in check.measured.iter().flat_map(|sentence| wrapped(sentence)) {
        text.push_str(&format!("          {}\n", styled(DIM, line)));
    }
    text
}

/// What follows a stage's checks: the evidence for what did not pass.
pub(super) fn stage_footer(report: &Report, stage: &StageReport) -> String {
    let facts = &report.facts;
    let page = facts.project.page(stage.entry.number, &stage.entry.slug);
    let mut text = String::new();
    let mut wrong: Vec<_> = stage.checks.values().filter(|check| deserves_a_block(&check.verdict)).collect();
    // What can be worked on goes before what this machine cannot run.
    wrong.sort_by_key(|check| matches!(check.verdict, Verdict::Skip { .. }));
    let (shown, rest) = telling_ones(&wrong);
    for check in &shown {
        text.push('\n');
        text.push_str(&block(facts, &page, check));
    }
    if let Some(first) = rest.first() {
        let names: Vec<_> =
            rest.iter().map(|check| check.id.rsplit('/').next().unwrap_or(&check.id)).collect();
        text.push_str(&format!("\n{}\n", styled(BAD, format!("and {} more", rest.len()))));
        text.push_str(&labelled("checks", &names.join(", ")));
        text.push_str(&one_line("the first", &again(facts, first)));
    }
    for (place, count) in not_started(stage) {
        text.push_str(&format!("\n{} {place} ({})\n", styled(ODD, "not started:"), checks(count)));
    }
    if !stage.not_run.is_empty() {
        text.push_str(&format!(
            "\n{} {} of this stage, after so many timeouts; --keep-going runs them all\n",
            styled(ODD, "not run:"),
            checks(stage.not_run.len())
        ));
    }
    text
}

/// The failures that are shown in full, and the others. What looks like one mistake, or is skipped for one reason, is
/// shown once.
fn telling_ones<'c>(wrong: &[&'c CheckFinished]) -> (Vec<&'c CheckFinished>, Vec<&'c CheckFinished>) {
    let (mut shown, mut rest) = (Vec::<&CheckFinished>::new(), Vec::new());
    let cause = |check: &CheckFinished| match (&check.verdict, &check.evidence) {
        (Verdict::Skip { reason }, _) => reason.clone(),
        (_, evidence) => evidence.as_ref().map(|evidence| evidence.likely.clone()).unwrap_or_default(),
    };
    for &check in wrong {
        let known = !cause(check).is_empty() && shown.iter().any(|other| cause(other) == cause(check));
        if known || shown.len() == SHOWN { rest.push(check) } else { shown.push(check) }
    }
    (shown, rest)
}

/// Skips are loud, faults louder; what was not started is told once a place.
fn deserves_a_block(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::Pass | Verdict::NotStarted { .. })
}

/// The places where work has not begun, and how many checks end there.
fn not_started(stage: &StageReport) -> Vec<(String, usize)> {
    let mut places: Vec<(String, usize)> = Vec::new();
    for check in stage.checks.values() {
        let Some(place) = place_to_begin(&check.verdict) else { continue };
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, count)) => *count += 1,
            None => places.push((place, 1)),
        }
    }
    places
}

/// Where work has not begun, and what is to be done there, as far as the subject said.
fn place_to_begin(verdict: &Verdict) -> Option<String> {
    let Verdict::NotStarted { at, task } = verdict else { return None };
    Some(printable(format!("{at}  {task}").trim()))
}

fn checks(count: usize) -> String {
    if count == 1 { "1 check".to_owned() } else { format!("{count} checks") }
}

/// The end: what it came to, and what to do next.
pub(super) fn summary(report: &Report) -> String {
    let mut text = String::from("\n");
    for stage in report.stages.iter().filter(|stage| stage.entry.number != FILE_STAGE) {
        text.push_str(&stage_summary(stage));
    }
    if !report.not_run.is_empty() {
        let stages = ranges(&report.not_run);
        text.push_str(&styled(
            DIM,
            format!("  --    not run: {stages} (--keep-going goes on after a stage that failed)\n"),
        ));
    }
    text.push_str(&next(report));
    text
}

fn stage_summary(stage: &StageReport) -> String {
    let Score { passed, checks, points, out_of } = stage.score();
    let sign = match stage.passed() {
        true if checks == 0 => styled(ODD, "skip"),
        true => styled(GOOD, "ok  "),
        false => styled(BAD, "open"),
    };
    let count =
        |test: fn(&Verdict) -> bool| stage.checks.values().filter(|check| test(&check.verdict)).count();
    let beside = |count: usize, style, what| {
        if count == 0 { String::new() } else { styled(style, format!(", {count} {what}")) }
    };
    let skipped = beside(count(|verdict| matches!(verdict, Verdict::Skip { .. })), ODD, "skipped");
    let faults = beside(count(|verdict| matches!(verdict, Verdict::Fault { .. })), BAD, "not judged");
    let name = format!("stage {} {}", stage.entry.number, stage.entry.slug);
    format!(
        "  {sign}  {name:<24} {passed:>2} of {checks:>2} checks, {points:>2} of {out_of:>2} points{skipped}{faults}\n"
    )
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
            page = report
                .stages
                .first()
                .map(|stage| project.page(stage.entry.number, &stage.entry.slug))
                .unwrap_or_default(),
            name = project.name,
            flag = facts.flag,
        );
    }
    let failure =
        |stage: &StageReport| stage.checks.values().find(|check| check.verdict.is_failure()).cloned();
    if let Some((stage, check)) = report.stages.iter().find_map(|stage| Some((stage, failure(stage)?))) {
        return work_on(report, stage, &check);
    }
    match report.exit() {
        Exit::Passed => onward(report),
        Exit::NothingRan if facts.file.is_some() => {
            "\nThe trace cannot be played as it stands: mend the line, and try again.\n".to_owned()
        }
        Exit::NothingRan => {
            "\nNothing of this can run here: `cargo xtask doctor` says what would supply it.\n".to_owned()
        }
        _ => format!(
            "\nThe grader failed, not you. Please report it, with what is in {}.\n",
            facts.transcripts
        ),
    }
}

/// The first failure, and where to read about it.
fn work_on(report: &Report, stage: &StageReport, check: &CheckFinished) -> String {
    let page = report.facts.project.page(stage.entry.number, &stage.entry.slug);
    if let Some(place) = place_to_begin(&check.verdict) {
        return format!("\nNext: {place}\n  read   {page}\n");
    }
    if report.facts.file.is_some() {
        return format!("\nThe trace broke a rule: {page} has them all.\n");
    }
    let name = check.id.rsplit('/').next().unwrap_or(&check.id);
    format!("\nNext: {name} ({page}).\n  why it matters:  cargo xtask explain {}\n", check.id)
}

/// Where to go after a run without a failure.
fn onward(report: &Report) -> String {
    let facts = &report.facts;
    let Some(last) = report.stages.last() else { return String::new() };
    if facts.file.is_some() {
        return "\nThe trace was played to its end, and broke no rule.\n".to_owned();
    }
    if last.checks.len() < last.entry.checks.len() {
        let (project, number) = (&facts.project.name, last.entry.number);
        return format!(
            "\nPassed. The whole stage: cargo xtask check {project}{} --stage {number}\n",
            facts.flag
        );
    }
    let skipped = report.checks().any(|check| matches!(check.verdict, Verdict::Skip { .. }));
    let passed = if skipped { "All that can run here passed." } else { "All passed." };
    let following = facts.catalogue.stages.iter().find(|stage| stage.number == last.entry.number + 1);
    match following {
        Some(stage) if facts.choice == Choice::Exercise => {
            let bonus = match (&stage.with, stage.bonus) {
                (Some(feature), _) => format!(" (bonus, --with {feature})"),
                (None, true) => " (bonus)".to_owned(),
                (None, false) => String::new(),
            };
            let page = facts.project.page(stage.number, &stage.slug);
            format!("\n{passed} Next is stage {}{bonus}: {page}\n", stage.number)
        }
        _ => format!("\n{passed}\n"),
    }
}

/// Where to begin, if every check of the first stage ran and ended at a `todo!()`.
fn nothing_written(report: &Report) -> Option<String> {
    let first = report.stages.first().filter(|stage| stage.entry.number == 1)?;
    let place = place_to_begin(&first.checks.values().next()?.verdict)?;
    let open =
        first.checks.values().filter(|check| matches!(check.verdict, Verdict::NotStarted { .. })).count();
    (open == first.entry.checks.len()).then_some(place)
}

#[cfg(test)]
mod tests;

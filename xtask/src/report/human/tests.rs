//! What a student reads, letter by letter. Whoever changes a word sees here how it reads, and in which company.

mod failures;
mod what_next;

use harness::{
    event::{Catalogue, CheckEntry, Contract, Event, Lane, StageEntry, VERSION},
    evidence::Evidence,
};

use super::*;
use crate::{house::Project, report::Facts};

/// How a check ended; none if it was left out.
type Outcome = Option<(Verdict, Evidence)>;

fn catalogue() -> Catalogue {
    let stage = |number, slug: &str, bonus, checks: &[(&str, u32, &str)]| StageEntry {
        number,
        slug: slug.to_owned(),
        bonus,
        with: None,
        checks: checks
            .iter()
            .map(|&(name, points, must)| CheckEntry {
                id: format!("kv/{number}/{name}"),
                points,
                must: must.to_owned(),
                why: String::new(),
            })
            .collect(),
    };
    let log = [
        ("put_then_get_returns_the_value", 2, "a get returns the value that was put under its key"),
        ("absent_key_is_null", 1, "a get of a key that was never put returns null"),
        ("deleted_key_is_null", 2, "a deleted key is absent until it is put again"),
        (
            "data_survives_restarts",
            3,
            "what was acknowledged is there after a restart, and after a second one",
        ),
        ("deletes_survive_restarts", 2, "a deleted key stays deleted after a restart"),
    ];
    let table = [("flush_writes_a_table", 2, "a flush writes one table, and empties the log")];
    let bloom = [("absent_keys_read_no_blocks", 1, "a get of an absent key reads no block of most tables")];
    let stages = vec![
        stage(1, "append-log", false, &log),
        stage(2, "sstable", false, &table),
        stage(3, "bloom", true, &bloom),
    ];
    let (project, contract) = ("kv".to_owned(), Contract::Program);
    Catalogue { v: VERSION, project, contract, lane: Lane::Local, stages, on_file: None }
}

/// A run from its first event to its last: each stage with its outcomes in the order of the catalogue.
fn run(choice: Choice, stages: &[(u32, &[Outcome])], not_run: &[u32]) -> Report {
    let catalogue = catalogue();
    let (subject, flag) = match choice {
        Choice::Exercise => ("exercises/kv", ""),
        _ => ("solutions/kv", " --solution"),
    };
    let project = Project {
        name: "kv".to_owned(),
        exercise: "exercises/kv".into(),
        solution: "solutions/kv".into(),
        checks: "checks/kv".into(),
    };
    let mut report = Report::new(Facts {
        project,
        catalogue: catalogue.clone(),
        choice,
        subject: subject.to_owned(),
        flag: flag.to_owned(),
        seed: 42,
        file: None,
        transcripts: "target/groundwork/kv/last".to_owned(),
    });
    report.add(Event::RunStarted { v: VERSION, project: "kv".to_owned(), seed: 42 });
    for (number, outcomes) in stages {
        let entry = &catalogue.stages[*number as usize - 1];
        report.add(Event::StageStarted { stage: *number, slug: entry.slug.clone(), checks: outcomes.len() });
        let mut left_out = Vec::new();
        for (check, outcome) in entry.checks.iter().zip(*outcomes) {
            match outcome {
                Some((verdict, evidence)) => {
                    report.add(Event::CheckFinished(Box::new(finished(check, verdict, evidence))));
                }
                None => left_out.push(check.id.clone()),
            }
        }
        report.add(Event::StageFinished { stage: *number, not_run: left_out });
    }
    report.add(Event::RunFinished { not_run: not_run.to_vec() });
    report
}

fn finished(check: &CheckEntry, verdict: &Verdict, evidence: &Evidence) -> CheckFinished {
    let passed = *verdict == Verdict::Pass;
    let name = check.id.rsplit('/').next().unwrap_or_default();
    CheckFinished {
        id: check.id.clone(),
        points: check.points,
        must: check.must.clone(),
        verdict: verdict.clone(),
        evidence: (!passed).then(|| evidence.clone()),
        measured: Vec::new(),
        elapsed_ms: 7,
        transcript: (!passed).then(|| format!("1-{name}/transcript.txt").into()),
    }
}

/// All that the printer prints, without colour.
fn whole(report: &Report) -> String {
    let mut text = header(report);
    for stage in &report.stages {
        text.push_str(&stage_header(report, stage));
        text.extend(stage.checks.values().map(check_line));
        text.push_str(&stage_footer(report, stage));
    }
    colourless(&(text + &summary(report)))
}

/// What follows the list of checks.
fn after_the_checks(report: &Report) -> String {
    footers(report) + &ending(report)
}

fn footers(report: &Report) -> String {
    colourless(&report.stages.iter().map(|stage| stage_footer(report, stage)).collect::<String>())
}

fn ending(report: &Report) -> String {
    colourless(&summary(report))
}

fn colourless(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn pass() -> Outcome {
    Some((Verdict::Pass, Evidence::default()))
}

fn not_started(at: &str, task: &str) -> Outcome {
    let verdict = Verdict::NotStarted { at: at.to_owned(), task: task.to_owned() };
    Some((verdict, Evidence { expected: "a reply".to_owned(), got: task.to_owned(), ..Evidence::default() }))
}

fn fail(did: &[&str], expected: &str, got: &str) -> Outcome {
    Some((Verdict::Fail, evidence(did, expected, got)))
}

fn evidence(did: &[&str], expected: &str, got: &str) -> Evidence {
    Evidence {
        did: did.iter().map(|&step| step.to_owned()).collect(),
        expected: expected.to_owned(),
        got: got.to_owned(),
        expectation: "checks/kv/src/append_log.rs:217".to_owned(),
        ..Evidence::default()
    }
}

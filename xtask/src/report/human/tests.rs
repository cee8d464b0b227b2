//! What a student reads, letter by letter. Whoever changes a word sees here how it reads, and in which company.

use harness::{
    event::{Catalogue, CheckEntry, Event, StageEntry, VERSION},
    evidence::Evidence,
};
use insta::assert_snapshot;

use super::*;
use crate::{house::Project, report::Facts};

/// How a check ended; none if it was left out.
type Outcome = Option<(Verdict, Evidence)>;

const FLAG_OF_SOLUTION: &str = " --solution";

fn catalogue() -> Catalogue {
    let stage = |number, slug: &str, bonus, checks: &[(&str, u32, &str)]| StageEntry {
        number,
        slug: slug.to_owned(),
        bonus,
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
        ("data_survives_restarts", 3, "what was acknowledged is there after a restart, and after a second one"),
        ("deletes_survive_restarts", 2, "a deleted key stays deleted after a restart"),
    ];
    let table = [("flush_writes_a_table", 2, "a flush writes one table, and empties the log")];
    let bloom = [("absent_keys_read_no_blocks", 1, "a get of an absent key reads no block of most tables")];
    let stages = vec![
        stage(1, "append-log", false, &log),
        stage(2, "sstable", false, &table),
        stage(3, "bloom", true, &bloom),
    ];
    Catalogue { v: VERSION, project: "kv".to_owned(), stages }
}

/// A run from its first event to its last: each stage with its outcomes in the order of the catalogue.
fn run(choice: Choice, stages: &[(u32, &[Outcome])], not_run: &[u32]) -> Report {
    let catalogue = catalogue();
    let (subject, flag) = match choice {
        Choice::Exercise => ("exercises/kv", ""),
        _ => ("solutions/kv", FLAG_OF_SOLUTION),
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
        transcripts: "target/groundwork/kv/last".to_owned(),
    });
    report.add(Event::RunStarted { v: VERSION, project: "kv".to_owned(), seed: 42 });
    for (number, outcomes) in stages {
        let entry = &catalogue.stages[*number as usize - 1];
        report.add(Event::StageStarted { stage: *number, slug: entry.slug.clone(), checks: outcomes.len() });
        let mut left_out = Vec::new();
        for (check, outcome) in entry.checks.iter().zip(*outcomes) {
            match outcome {
                Some((verdict, evidence)) => report.add(Event::CheckFinished(Box::new(finished(check, verdict, evidence)))),
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
        elapsed_ms: 7,
        transcript: (!passed).then(|| format!("1-{name}/transcript.txt").into()),
    }
}

/// All that the printer prints, as it looks without colour.
fn shown(report: &Report) -> String {
    let mut text = header(report);
    for stage in &report.stages {
        text.push_str(&stage_header(stage));
        text.extend(stage.checks.values().map(check_line));
        text.push_str(&stage_footer(report, stage));
    }
    text.push_str(&summary(report));
    anstream::adapter::strip_str(&text).to_string()
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

fn wrong_value() -> Outcome {
    fail(&[r#"put "a" "1""#, r#"get "a""#], r#""1""#, "null")
}

#[test]
fn a_fresh_starter_is_told_where_to_begin() {
    let open = || not_started("exercises/kv/src/append_log.rs:31", "stage 1: open the log");
    let report = run(Choice::Exercise, &[(1, &[open(), open(), open(), open(), open()])], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn a_failure_shows_the_smallest_case() {
    let shrunk = Evidence {
        smallest_of: 214,
        likely: "the restart replays the puts and not the deletes".to_owned(),
        ..evidence(&[r#"put "a" "1""#, r#"delete "a""#, "restart", r#"get "a""#], "null", r#""1""#)
    };
    let stage = [pass(), pass(), pass(), pass(), Some((Verdict::Fail, shrunk))];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn a_crash_shows_the_last_words() {
    let how = "panicked at exercises/kv/src/append_log.rs:88: range end index 9 out of range for slice of length 4";
    let crash = Evidence {
        stderr: vec![
            "thread 'main' (4711) panicked at exercises/kv/src/append_log.rs:88:21:".to_owned(),
            "range end index 9 out of range for slice of length 4".to_owned(),
        ],
        ..evidence(&[r#"put "a" "1""#, "restart"], r#"a reply to get "a""#, how)
    };
    let stage = [pass(), pass(), pass(), Some((Verdict::Crash { how: how.to_owned() }, crash)), pass()];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn timeouts_end_a_stage_early() {
    let silent = |awaited: &str| {
        let verdict = Verdict::Timeout { waiting_for: awaited.to_owned() };
        Some((verdict, evidence(&[r#"put "a" "1""#], awaited, "nothing for 10 s of its own time")))
    };
    let put = || silent(r#"a reply to put "a" "1""#);
    let report = run(Choice::Exercise, &[(1, &[put(), put(), put(), None, None])], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn a_limit_is_named_with_its_peak() {
    let which = "256 MiB of memory (it had 311 MiB)";
    let over = evidence(&["put 1000 values of 1 MiB"], "a subject that stays within its limits", which);
    let stage = [pass(), pass(), pass(), Some((Verdict::Limit { which: which.to_owned() }, over)), pass()];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn a_skip_is_loud_and_out_of_the_denominator() {
    let reason = "this machine cannot mount a small disk; try: sysctl kernel.unprivileged_userns_clone=1";
    let skip = || Some((Verdict::Skip { reason: reason.to_owned() }, Evidence::default()));
    let report = run(Choice::Exercise, &[(1, &[pass(), pass(), pass(), skip(), pass()])], &[]);
    println!("{}", shown(&report));
}

#[test]
fn nothing_that_could_run_is_no_success() {
    let skip = Some((Verdict::Skip { reason: "this needs ptrace".to_owned() }, Evidence::default()));
    let report = run(Choice::Exercise, &[(2, &[skip])], &[]);
    println!("{}", shown(&report));
}

#[test]
fn a_fault_is_the_graders_own() {
    let detail = "called `Option::unwrap()` on a `None` value (checks/kv/src/oracle.rs:71)".to_owned();
    let fault = Some((Verdict::Fault { detail }, Evidence::default()));
    let report = run(Choice::Exercise, &[(1, &[pass(), pass(), fault, pass(), pass()])], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn beyond_three_failures_only_commands_are_shown() {
    let stage = [wrong_value(), wrong_value(), wrong_value(), wrong_value(), wrong_value()];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn a_stage_that_passed_leads_to_the_next() {
    let report = run(Choice::Exercise, &[(1, &[pass(), pass(), pass(), pass(), pass()])], &[]);
    println!("{}", shown(&report));
}

#[test]
fn a_stage_that_is_not_started_comes_after_one_that_passed() {
    let open = || not_started("exercises/kv/src/sstable.rs:52", "stage 2: write a table");
    let report = run(Choice::Exercise, &[(1, &[pass(), pass(), pass(), pass(), pass()]), (2, &[open()])], &[3]);
    println!("{}", shown(&report));
}

#[test]
fn the_solution_leads_nowhere() {
    let report = run(Choice::Solution, &[(1, &[pass(), pass(), pass(), pass(), pass()])], &[]);
    println!("{}", shown(&report));
}

#[test]
fn a_failure_of_the_solution_names_the_expectation() {
    let stage = [wrong_value(), pass(), pass(), pass(), pass()];
    let report = run(Choice::Solution, &[(1, &stage)], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn a_bonus_stage_is_called_one() {
    let report = run(Choice::Exercise, &[(3, &[pass()])], &[]);
    println!("{}", shown(&report));
}

#[test]
fn long_evidence_is_wrapped_and_cut() {
    let steps: Vec<_> = (0..60).map(|n| format!(r#"put "key{n}" "{}""#, "v".repeat(n))).collect();
    let steps: Vec<_> = steps.iter().map(String::as_str).collect();
    let words = "a reply that takes a while to describe, since a suite may have much to say about what it wanted to see, ";
    let mut long = evidence(&steps, &words.repeat(8), &"x".repeat(1000));
    long.stderr = (1..=4).map(|n| format!("line {n} of stderr: {}", words.repeat(2))).collect();
    long.likely = words.repeat(2);
    let stage = [pass(), pass(), pass(), Some((Verdict::Fail, long)), pass()];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn control_characters_are_shown_and_never_sent() {
    let hostile = "\u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0";
    let mut shouted = evidence(&[hostile], hostile, hostile);
    shouted.stderr = vec![hostile.to_owned()];
    let stage = [not_started(hostile, hostile), pass(), Some((Verdict::Fail, shouted)), pass(), pass()];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    println!("{}", shown(&report));
}

#[test]
fn a_run_of_nothing_is_no_success() {
    let report = run(Choice::Exercise, &[], &[]);
    println!("{}", shown(&report));
}

//! Runs of guests that are scripts: what each is asked, what it says, and how it ends.

use std::collections::VecDeque;

use harness::event::{Contract, Lane, StageEntry, Subject};

use super::*;

/// What a guest does with its checks: says what became of some, and ends.
enum Act {
    /// These pass; then it ends as said.
    Passes(&'static [&'static str], Ended),
    /// These pass, this one begins, and the guest dies of it or of something else.
    DiesIn(&'static [&'static str], &'static [&'static str]),
    /// This one fails, and it ends in order.
    Fails(&'static str),
}

fn death() -> Ended {
    Ended::Died(Death {
        how: "it panicked (of a test)".to_owned(),
        last_words: vec!["kernel: oh".to_owned()],
    })
}

fn entry(stage: u32, name: &str) -> CheckEntry {
    let (must, why) = ("it holds".to_owned(), String::new());
    CheckEntry { id: format!("p/{stage}/{name}"), points: 1, must, why }
}

/// Two stages of three checks and one.
fn catalogue() -> Catalogue {
    let stage = |number, names: &[&str]| StageEntry {
        number,
        slug: format!("s{number}"),
        bonus: false,
        with: None,
        checks: names.iter().map(|name| entry(number, name)).collect(),
    };
    Catalogue {
        v: VERSION,
        project: "p".to_owned(),
        contract: Contract::Program,
        lane: Lane::Lab,
        stages: vec![stage(1, &["a", "b", "c"]), stage(2, &["d"])],
        on_file: None,
    }
}

/// Runs both stages with guests that do this, one after the other, and tells the events and what each guest was asked.
fn run_with(acts: Vec<Act>) -> (anyhow::Result<()>, Vec<String>, Vec<String>) {
    let request = Request {
        v: VERSION,
        subject: Subject::Run(vec!["true".to_owned()]),
        stages: vec![1, 2],
        checks: Vec::new(),
        seed: 1,
        jobs: 2,
        keep_going: false,
        output: "out".into(),
        file: None,
        announce: false,
    };
    let (mut told, mut asked, mut acts) = (Vec::new(), Vec::new(), VecDeque::from(acts));
    let mut boot = |request: &Request, each: &mut Each<'_>| {
        let names: Vec<_> =
            request.checks.iter().map(|id| id.rsplit('/').next().unwrap_or_default()).collect();
        asked.push(names.join(" "));
        assert!(request.announce, "a guest says which check begins");
        act(acts.pop_front().expect("no more guests than the test has acts for"), request, each)
    };
    let done = run(&catalogue(), &request, &mut boot, &mut |event, line| {
        assert_eq!(
            serde_json::from_str::<Event>(line).ok().as_ref(),
            Some(&event),
            "the line says the event"
        );
        told.push(in_short(&event));
        Ok(())
    });
    (done, told, asked)
}

fn act(act: Act, request: &Request, each: &mut Each<'_>) -> anyhow::Result<Ended> {
    let stage = request.stages[0];
    let finish = |name: &str, verdict: Verdict, each: &mut Each<'_>| {
        let id = format!("p/{stage}/{name}");
        say(each, Event::CheckStarted { id })?;
        say(each, Event::CheckFinished(Box::new(judged(entry(stage, name), verdict, Evidence::default()))))
    };
    say(each, Event::RunStarted { v: VERSION, project: "p".to_owned(), seed: 1 })?;
    say(each, Event::StageStarted { stage, slug: String::new(), checks: 99 })?;
    match act {
        Act::Passes(names, ended) => {
            for name in names {
                finish(name, Verdict::Pass, each)?;
            }
            if ended == Ended::InOrder {
                say(each, Event::StageFinished { stage, not_run: Vec::new() })?;
                say(each, Event::RunFinished { not_run: Vec::new() })?;
            }
            Ok(ended)
        }
        Act::DiesIn(names, running) => {
            for name in names {
                finish(name, Verdict::Pass, each)?;
            }
            for name in running {
                say(each, Event::CheckStarted { id: format!("p/{stage}/{name}") })?;
            }
            Ok(death())
        }
        Act::Fails(name) => {
            finish(name, Verdict::Fail, each)?;
            let not_run = request.checks.iter().filter(|id| !id.ends_with(name)).cloned().collect();
            say(each, Event::StageFinished { stage, not_run })?;
            Ok(Ended::InOrder)
        }
    }
}

fn in_short(event: &Event) -> String {
    match event {
        Event::RunStarted { .. } => "run".to_owned(),
        Event::StageStarted { stage, checks, .. } => format!("stage {stage} of {checks}"),
        Event::CheckStarted { id } => format!("{id} begins"),
        Event::CheckFinished(check) => format!("{} {}", check.id, check.verdict.word()),
        Event::StageFinished { stage, not_run } => format!("stage {stage} ends, not run {}", not_run.len()),
        Event::RunFinished { not_run } => format!("end, not run {not_run:?}"),
    }
}

#[test]
fn a_guest_a_stage_is_one_run() {
    let (done, told, asked) =
        run_with(vec![Act::Passes(&["a", "b", "c"], Ended::InOrder), Act::Passes(&["d"], Ended::InOrder)]);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(asked, ["a b c", "d"], "each stage has a guest of its own");
    let expected = [
        "run",
        "stage 1 of 3",
        "p/1/a pass",
        "p/1/b pass",
        "p/1/c pass",
        "stage 1 ends, not run 0",
        "stage 2 of 1",
        "p/2/d pass",
        "stage 2 ends, not run 0",
        "end, not run []",
    ];
    assert_eq!(told, expected, "as one suite would have told it");
}

#[test]
fn a_check_that_takes_its_guest_along_twice_has_crashed_and_the_others_are_judged() {
    let (done, told, asked) = run_with(vec![
        Act::DiesIn(&["a"], &["b"]),
        Act::DiesIn(&[], &["b"]),
        Act::Passes(&["c"], Ended::InOrder),
    ]);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(asked, ["a b c", "b", "c"], "the suspect alone, then the rest");
    let expected = [
        "run",
        "stage 1 of 3",
        "p/1/a pass",
        "p/1/b CRASH",
        "p/1/c pass",
        "stage 1 ends, not run 0",
        "end, not run [2]",
    ];
    assert_eq!(told, expected, "a stage in which something crashed is the last");
}

#[test]
fn a_check_that_was_only_there_when_its_guest_died_is_judged_by_itself() {
    let (done, told, asked) = run_with(vec![
        Act::DiesIn(&[], &["a", "b"]),
        Act::Passes(&["a"], Ended::InOrder),
        Act::DiesIn(&[], &["b"]),
        Act::Passes(&["c"], Ended::InOrder),
    ]);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(asked, ["a b c", "a", "b", "c"], "each that was running, alone");
    assert!(told.contains(&"p/1/a pass".to_owned()), "the innocent passes: {told:?}");
    assert!(told.contains(&"p/1/b CRASH".to_owned()), "the guilty does not: {told:?}");
}

#[test]
fn what_was_said_before_a_guest_died_stands() {
    let (done, told, asked) =
        run_with(vec![Act::DiesIn(&["a", "b", "c"], &[]), Act::Passes(&["d"], Ended::InOrder)]);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(asked, ["a b c", "d"], "nothing is run a second time");
    assert_eq!(told.last().map(String::as_str), Some("end, not run []"), "{told:?}");
}

#[test]
fn guests_that_die_of_nothing_are_the_graders_fault() {
    let (done, _, asked) = run_with(vec![Act::DiesIn(&[], &[]), Act::DiesIn(&[], &[])]);
    assert!(done.is_err(), "nobody's subject was running");
    assert_eq!(asked.len(), 2, "once may be an accident");
}

#[test]
fn where_no_guest_starts_every_check_is_skipped() {
    let unfit = || Act::Passes(&[], Ended::Unfit("no kernel".to_owned()));
    let (done, told, _) = run_with(vec![unfit(), unfit()]);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(told.iter().filter(|event| event.ends_with("skip")).count(), 4, "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("end, not run []"), "{told:?}");
}

#[test]
fn a_stage_that_fails_is_the_last_and_keeps_what_was_left_out() {
    let (done, told, asked) = run_with(vec![Act::Fails("a")]);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(asked, ["a b c"]);
    assert_eq!(told[3..], ["stage 1 ends, not run 2", "end, not run [2]"], "{told:?}");
}

#[test]
fn an_interrupted_run_has_no_end() {
    let (done, told, _) = run_with(vec![Act::Passes(&["a"], Ended::Interrupted)]);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(told.last().map(String::as_str), Some("p/1/a pass"), "what was said was said: {told:?}");
}

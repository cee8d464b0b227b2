//! The wire, letter by letter: a change of what is written here is a change of the wire, and needs a thought for
//! whoever speaks the older one.

use std::{fmt::Debug, path::PathBuf};

use harness::{
    event::{
        Catalogue, CheckEntry, CheckFinished, Contract, Event, Lane, Request, StageEntry, Subject, VERSION,
    },
    evidence::Evidence,
    verdict::Verdict,
};
use serde::{Serialize, de::DeserializeOwned};

/// `value` is written as `json`, and `json` is read as `value`.
#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, json: &str) {
    let written = serde_json::to_string(value).expect("a message is JSON");
    assert_eq!(written, json, "what goes over the wire is fixed");
    let read: T = serde_json::from_str(json).expect("what was fixed can be read");
    assert_eq!(&read, value, "what was written is read back as it was");
}

fn finished(verdict: Verdict) -> CheckFinished {
    CheckFinished {
        id: "kv/1/a_check".to_owned(),
        points: 2,
        must: "it holds".to_owned(),
        verdict,
        evidence: None,
        measured: Vec::new(),
        elapsed_ms: 7,
        transcript: None,
    }
}

#[test]
fn the_events_of_a_run() {
    check(
        &Event::RunStarted { v: VERSION, project: "kv".to_owned(), seed: u64::MAX },
        r#"{"event":"run_started","v":1,"project":"kv","seed":18446744073709551615}"#,
    );
    check(
        &Event::StageStarted { stage: 3, slug: "sstable".to_owned(), checks: 12 },
        r#"{"event":"stage_started","stage":3,"slug":"sstable","checks":12}"#,
    );
    check(
        &Event::StageFinished { stage: 3, not_run: vec!["kv/3/a_check".to_owned()] },
        r#"{"event":"stage_finished","stage":3,"not_run":["kv/3/a_check"]}"#,
    );
    check(&Event::RunFinished { not_run: vec![4, 5] }, r#"{"event":"run_finished","not_run":[4,5]}"#);
}

#[test]
fn a_passed_check_says_no_more_than_it_has_to() {
    check(
        &Event::CheckFinished(Box::new(finished(Verdict::Pass))),
        r#"{"event":"check_finished","id":"kv/1/a_check","points":2,"must":"it holds","verdict":{"kind":"pass"},"elapsed_ms":7}"#,
    );
}

#[test]
fn a_failed_check_carries_its_evidence() {
    let evidence = Evidence {
        did: vec!["put \"a\" \"1\"".to_owned(), "get \"a\"".to_owned()],
        smallest_of: 214,
        expected: "\"1\"".to_owned(),
        got: "null".to_owned(),
        picture: vec!["|aa##bb|".to_owned()],
        likely: "a guess".to_owned(),
        stderr: vec!["a last word".to_owned()],
        expectation: "checks/kv/src/store.rs:9".to_owned(),
    };
    let transcript = Some(PathBuf::from("1-a_check/transcript.txt"));
    let measured = vec!["a figure".to_owned()];
    let failed = CheckFinished { evidence: Some(evidence), measured, transcript, ..finished(Verdict::Fail) };
    check(
        &Event::CheckFinished(Box::new(failed)),
        concat!(
            r#"{"event":"check_finished","id":"kv/1/a_check","points":2,"must":"it holds","verdict":{"kind":"fail"},"#,
            r#""evidence":{"did":["put \"a\" \"1\"","get \"a\""],"smallest_of":214,"expected":"\"1\"","got":"null","#,
            r#""picture":["|aa##bb|"],"likely":"a guess","stderr":["a last word"],"#,
            r#""expectation":"checks/kv/src/store.rs:9"},"measured":["a figure"],"elapsed_ms":7,"#,
            r#""transcript":"1-a_check/transcript.txt"}"#,
        ),
    );
}

#[test]
fn every_verdict() {
    let words = || "words".to_owned();
    for (verdict, json) in [
        (Verdict::Pass, r#"{"kind":"pass"}"#),
        (Verdict::Fail, r#"{"kind":"fail"}"#),
        (
            Verdict::NotStarted { at: "src/log.rs:31".to_owned(), task: words() },
            r#"{"kind":"not_started","at":"src/log.rs:31","task":"words"}"#,
        ),
        (Verdict::Crash { how: words() }, r#"{"kind":"crash","how":"words"}"#),
        (Verdict::Timeout { waiting_for: words() }, r#"{"kind":"timeout","waiting_for":"words"}"#),
        (Verdict::Limit { which: words() }, r#"{"kind":"limit","which":"words"}"#),
        (Verdict::Skip { reason: words() }, r#"{"kind":"skip","reason":"words"}"#),
        (Verdict::Fault { detail: words() }, r#"{"kind":"fault","detail":"words"}"#),
    ] {
        check(&verdict, json);
    }
}

#[test]
fn a_request() {
    let request = Request {
        v: VERSION,
        subject: Subject::Run(vec!["/a b/kv".to_owned(), "--flag".to_owned()]),
        stages: vec![1, 2],
        checks: vec!["kv/1/a_check".to_owned()],
        seed: 42,
        jobs: 2,
        keep_going: true,
        output: PathBuf::from("target/groundwork/kv/last"),
        file: None,
        announce: false,
    };
    check(
        &request,
        concat!(
            r#"{"v":1,"subject":{"run":["/a b/kv","--flag"]},"stages":[1,2],"checks":["kv/1/a_check"],"seed":42,"#,
            r#""jobs":2,"keep_going":true,"output":"target/groundwork/kv/last"}"#,
        ),
    );
    check(&Subject::Library("/a b/liba.so".into()), r#"{"library":"/a b/liba.so"}"#);
}

#[test]
fn a_catalogue() {
    let entry = CheckEntry {
        id: "kv/1/a_check".to_owned(),
        points: 2,
        must: "it holds".to_owned(),
        why: "it matters".to_owned(),
    };
    let stage = StageEntry {
        number: 1,
        slug: "append-log".to_owned(),
        bonus: false,
        with: None,
        checks: vec![entry],
    };
    let on_file = CheckEntry {
        id: "kv/0/a_file".to_owned(),
        points: 0,
        must: "it plays".to_owned(),
        why: "it is yours".to_owned(),
    };
    let catalogue = Catalogue {
        v: VERSION,
        project: "kv".to_owned(),
        contract: Contract::Library,
        lane: Lane::Local,
        stages: vec![stage],
        on_file: Some(on_file),
    };
    check(
        &catalogue,
        concat!(
            r#"{"v":1,"project":"kv","contract":"library","stages":[{"number":1,"slug":"append-log","bonus":false,"checks":["#,
            r#"{"id":"kv/1/a_check","points":2,"must":"it holds","why":"it matters"}]}],"#,
            r#""on_file":{"id":"kv/0/a_file","points":0,"must":"it plays","why":"it is yours"}}"#,
        ),
    );
    check(
        &Catalogue {
            contract: Contract::Program,
            lane: Lane::Lab,
            stages: vec![],
            on_file: None,
            ..catalogue
        },
        r#"{"v":1,"project":"kv","contract":"program","lane":"lab","stages":[]}"#,
    );
}

#[test]
fn a_reader_ignores_fields_that_it_does_not_know_and_refuses_events_that_it_does_not_know() {
    let with_more = r#"{"event":"run_finished","not_run":[],"weather":"fine"}"#;
    let read: Event =
        serde_json::from_str(with_more).expect("an addition keeps the version, so it has to be readable");
    assert_eq!(read, Event::RunFinished { not_run: Vec::new() }, "the rest is read as always");
    let unknown = serde_json::from_str::<Event>(r#"{"event":"run_paused"}"#);
    assert!(unknown.is_err(), "an event of another vocabulary is refused, not guessed at: {unknown:?}");
}

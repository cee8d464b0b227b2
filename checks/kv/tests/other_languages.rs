//! The contract asks for no particular language: a store in Python passes the stages that it implements, and says of
//! the others that they are not started.

use harness::{
    event::{CheckFinished, Subject},
    trial,
    verdict::Verdict,
};

/// Runs the suite on a program through `stages`, all of their checks or only some; what they came to.
fn check(run: &[&str], stages: &[u32], only: &[&str]) -> Vec<CheckFinished> {
    let subject = Subject::Run(run.iter().map(|word| (*word).to_owned()).collect());
    trial::run(env!("CARGO_BIN_EXE_kv-checks"), subject, |request| {
        request.stages = stages.to_vec();
        request.checks = only.iter().map(|id| (*id).to_owned()).collect();
    })
}

#[test]
fn a_store_in_python_passes_what_it_implements() {
    let Some(python) = trial::python() else { return };
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/kv.py");
    let checks = check(&[&python, program], &[1, 2], &[]);
    assert_eq!(checks.len(), 19, "both stages ran in full");
    for check in checks {
        assert_eq!(check.verdict, Verdict::Pass, "{} on the Python store: {:?}", check.id, check.evidence);
    }
    let flush = "kv/3/flush_makes_a_table";
    let checks = check(&[&python, program], &[3], &[flush]);
    let verdict = checks.iter().find(|check| check.id == flush).map(|check| &check.verdict);
    let not_started =
        |verdict: &Verdict| matches!(verdict, Verdict::NotStarted { task, .. } if task == "flush");
    assert!(verdict.is_some_and(not_started), "what it does not implement is not started: {verdict:?}");
}

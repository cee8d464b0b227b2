//! What everybody's `cargo test` does with the whole checkout: a sample of the audit, the house rules, the doctor.

use predicates::prelude::*;

use crate::desk::{HANGS, xtask};

#[test]
fn a_sample_of_the_audit_finds_nothing() {
    let args = ["audit", "--without-starter", "--own-stage", "--every", "18", "--seed", "1"];
    // Many runs, each of which may have to wait for a busy machine.
    xtask(&args).timeout(4 * HANGS).assert().code(0).stdout(predicates::str::contains("ok   mutants"));
}

#[test]
fn the_house_is_tidy() {
    xtask(&["tidy"]).assert().code(0).stdout(predicates::str::contains(" 0 findings"));
}

#[test]
fn the_doctor_knows_this_machine() {
    let complete_or_not = predicate::in_iter([0, 4]);
    xtask(&["doctor"]).assert().code(complete_or_not).stdout(predicates::str::contains("Linux  "));
}

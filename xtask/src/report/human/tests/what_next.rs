//! What a student is told to do next.

use insta::assert_snapshot;

use super::*;

/// A run of the last check of stage 1 by its id.
fn alone(outcome: Outcome) -> Report {
    let mut report = run(Choice::Exercise, &[(1, &[None, None, None, None, outcome])], &[]);
    report.stages[0].not_run.clear();
    report
}

#[test]
fn a_fresh_starter_is_told_where_to_begin() {
    let open = || not_started("exercises/kv/src/append_log.rs:31", "stage 1: open the log");
    let report = run(Choice::Exercise, &[(1, &[open(), open(), open(), open(), open()])], &[2, 3]);
    assert_snapshot!(whole(&report), @r"
    kv exercises/kv, seed 42

    stage 1  append-log
      todo    put_then_get_returns_the_value                        2 pts       7 ms
      todo    absent_key_is_null                                    1 pt        7 ms
      todo    deleted_key_is_null                                   2 pts       7 ms
      todo    data_survives_restarts                                3 pts       7 ms
      todo    deletes_survive_restarts                              2 pts       7 ms

    not started: exercises/kv/src/append_log.rs:31  stage 1: open the log (5 checks)

      open  stage 1 append-log        0 of  5 checks,  0 of 10 points
      --    not run: stages 2 and 3 (--keep-going goes on after a stage that failed)

    Nothing is written yet, which is how everybody begins.
      read   exercises/kv/README.md, then exercises/kv/stages/1-append-log.md
      open   exercises/kv/src/append_log.rs:31  stage 1: open the log
      then   cargo xtask check kv --stage 1
    ");
}

#[test]
fn nothing_that_could_run_is_no_success() {
    let skip = Some((Verdict::Skip { reason: "this needs ptrace".to_owned() }, Evidence::default()));
    let report = run(Choice::Exercise, &[(2, &[skip])], &[]);
    assert_snapshot!(ending(&report), @r"

      skip  stage 2 sstable           0 of  0 checks,  0 of  0 points, 1 skipped

    Nothing of this can run here: `cargo xtask doctor` says what would supply it.
    ");
}

#[test]
fn a_stage_that_passed_leads_to_the_next() {
    let report = run(Choice::Exercise, &[(1, &[pass(), pass(), pass(), pass(), pass()])], &[]);
    assert_snapshot!(ending(&report), @r"

      ok    stage 1 append-log        5 of  5 checks, 10 of 10 points

    All passed. Next is stage 2: exercises/kv/stages/2-sstable.md
    ");
}

#[test]
fn a_stage_that_is_not_started_comes_after_one_that_passed() {
    let open = || not_started("exercises/kv/src/sstable.rs:52", "stage 2: write a table");
    let report =
        run(Choice::Exercise, &[(1, &[pass(), pass(), pass(), pass(), pass()]), (2, &[open()])], &[3]);
    assert_snapshot!(after_the_checks(&report), @r"

    not started: exercises/kv/src/sstable.rs:52  stage 2: write a table (1 check)

      ok    stage 1 append-log        5 of  5 checks, 10 of 10 points
      open  stage 2 sstable           0 of  1 checks,  0 of  2 points
      --    not run: stage 3 (--keep-going goes on after a stage that failed)

    Next: exercises/kv/src/sstable.rs:52  stage 2: write a table
      read   exercises/kv/stages/2-sstable.md
    ");
}

#[test]
fn the_solution_leads_nowhere() {
    let report = run(Choice::Solution, &[(1, &[pass(), pass(), pass(), pass(), pass()])], &[]);
    assert_snapshot!(whole(&report), @r"
    kv solutions/kv, seed 42

    stage 1  append-log
      pass    put_then_get_returns_the_value                        2 pts       7 ms
      pass    absent_key_is_null                                    1 pt        7 ms
      pass    deleted_key_is_null                                   2 pts       7 ms
      pass    data_survives_restarts                                3 pts       7 ms
      pass    deletes_survive_restarts                              2 pts       7 ms

      ok    stage 1 append-log        5 of  5 checks, 10 of 10 points

    All passed.
    ");
}

#[test]
fn a_bonus_stage_is_called_one() {
    let report = run(Choice::Exercise, &[(3, &[pass()])], &[]);
    assert_snapshot!(whole(&report), @r"
    kv exercises/kv, seed 42

    stage 3  bloom (bonus)
      pass    absent_keys_read_no_blocks                            1 pt        7 ms

      ok    stage 3 bloom             1 of  1 checks,  1 of  1 points

    All passed.
    ");
}

#[test]
fn a_single_check_that_passed_is_not_the_stage() {
    let report = alone(pass());
    assert_snapshot!(ending(&report), @r"

      ok    stage 1 append-log        1 of  1 checks,  2 of  2 points

    Passed. The whole stage: cargo xtask check kv --stage 1
    ");
}

#[test]
fn a_single_check_that_is_not_started_is_not_a_fresh_starter() {
    let report = alone(not_started("exercises/kv/src/append_log.rs:31", "stage 1: replay deletes"));
    assert_snapshot!(ending(&report), @r"

      open  stage 1 append-log        0 of  1 checks,  0 of  2 points

    Next: exercises/kv/src/append_log.rs:31  stage 1: replay deletes
      read   exercises/kv/stages/1-append-log.md
    ");
}

#[test]
fn what_says_nothing_about_its_place_is_not_started_all_the_same() {
    let open = || not_started("", "the log");
    let report = run(Choice::Exercise, &[(1, &[open(), pass(), open(), pass(), pass()])], &[2, 3]);
    assert_snapshot!(after_the_checks(&report), @r"

    not started: the log (2 checks)

      open  stage 1 append-log        3 of  5 checks,  6 of 10 points
      --    not run: stages 2 and 3 (--keep-going goes on after a stage that failed)

    Next: the log
      read   exercises/kv/stages/1-append-log.md
    ");
}

#[test]
fn a_run_of_nothing_is_no_success() {
    let report = run(Choice::Exercise, &[], &[]);
    assert_snapshot!(ending(&report), @r"


    Nothing of this can run here: `cargo xtask doctor` says what would supply it.
    ");
}

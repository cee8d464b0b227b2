//! What is shown of a check that did not pass.

use insta::assert_snapshot;

use super::*;

fn wrong_value() -> Outcome {
    fail(&[r#"put "a" "1""#, r#"get "a""#], r#""1""#, "null")
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
    assert_snapshot!(whole(&report), @r#"
    kv exercises/kv, seed 42

    stage 1  append-log
      pass    put_then_get_returns_the_value                        2 pts       7 ms
      pass    absent_key_is_null                                    1 pt        7 ms
      pass    deleted_key_is_null                                   2 pts       7 ms
      pass    data_survives_restarts                                3 pts       7 ms
      FAIL    deletes_survive_restarts                              2 pts       7 ms

    FAIL kv/1/deletes_survive_restarts                                                             2 pts
      must      a deleted key stays deleted after a restart
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"; delete "a"; restart; get "a"    (smallest of 214 tried)
      expected  null
      got       "1"
      likely    the restart replays the puts and not the deletes
      again     cargo xtask check kv --check kv/1/deletes_survive_restarts --seed 42
      log       target/groundwork/kv/last/1-deletes_survive_restarts/transcript.txt

      open  stage 1 append-log        4 of  5 checks,  8 of 10 points
      --    not run: stages 2 and 3 (--keep-going goes on after a stage that failed)

    Next: deletes_survive_restarts (exercises/kv/stages/1-append-log.md).
      why it matters:  cargo xtask explain kv/1/deletes_survive_restarts
    "#);
}

#[test]
fn a_picture_and_figures_are_shown_as_they_are() {
    let drawn = Evidence {
        picture: vec!["0x10 |aaaa....bbbb| 0x1c".to_owned(), "         ^^ c here".to_owned()],
        ..evidence(&["c = malloc(2)"], "a block that no live block touches", "0x14")
    };
    let stage = [Some((Verdict::Fail, drawn))];
    let mut report = run(Choice::Exercise, &[(2, &stage)], &[]);
    let check = report.stages[0].checks.values_mut().next().expect("a check that was judged");
    check.measured = vec!["payload: mixed sizes 84 %".to_owned()];
    assert_snapshot!(whole(&report), @r#"
    kv exercises/kv, seed 42

    stage 2  sstable
      FAIL    flush_writes_a_table                                  2 pts       7 ms
              payload: mixed sizes 84 %

    FAIL kv/2/flush_writes_a_table                                                                 2 pts
      must      a flush writes one table, and empties the log
      page      exercises/kv/stages/2-sstable.md
      did       c = malloc(2)
      expected  a block that no live block touches
      got       0x14
      picture   0x10 |aaaa....bbbb| 0x1c
                         ^^ c here
      again     cargo xtask check kv --check kv/2/flush_writes_a_table --seed 42
      log       target/groundwork/kv/last/1-flush_writes_a_table/transcript.txt

      open  stage 2 sstable           0 of  1 checks,  0 of  2 points

    Next: flush_writes_a_table (exercises/kv/stages/2-sstable.md).
      why it matters:  cargo xtask explain kv/2/flush_writes_a_table
    "#);
}

#[test]
fn a_crash_shows_the_last_words() {
    let how =
        "panicked at exercises/kv/src/append_log.rs:88: range end index 9 out of range for slice of length 4";
    let crash = Evidence {
        stderr: vec![
            "thread 'main' (4711) panicked at exercises/kv/src/append_log.rs:88:21:".to_owned(),
            "range end index 9 out of range for slice of length 4".to_owned(),
        ],
        ..evidence(&[r#"put "a" "1""#, "restart"], r#"a reply to get "a""#, how)
    };
    let stage = [pass(), pass(), pass(), Some((Verdict::Crash { how: how.to_owned() }, crash)), pass()];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    assert_snapshot!(footers(&report), @r#"

    CRASH kv/1/data_survives_restarts                                                              3 pts
      must      what was acknowledged is there after a restart, and after a second one
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"; restart
      expected  a reply to get "a"
      got       panicked at exercises/kv/src/append_log.rs:88: range end index 9 out of range for slice
                of length 4
      stderr    thread 'main' (4711) panicked at exercises/kv/src/append_log.rs:88:21:
                range end index 9 out of range for slice of length 4
      again     cargo xtask check kv --check kv/1/data_survives_restarts --seed 42
      log       target/groundwork/kv/last/1-data_survives_restarts/transcript.txt
    "#);
}

#[test]
fn a_limit_is_named_with_its_peak() {
    let which = "256 MiB of memory (it had 311 MiB)";
    let over = evidence(&["put 1000 values of 1 MiB"], "a subject that stays within its limits", which);
    let stage = [pass(), pass(), pass(), Some((Verdict::Limit { which: which.to_owned() }, over)), pass()];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    assert_snapshot!(footers(&report), @r"

    LIMIT kv/1/data_survives_restarts                                                              3 pts
      must      what was acknowledged is there after a restart, and after a second one
      page      exercises/kv/stages/1-append-log.md
      did       put 1000 values of 1 MiB
      expected  a subject that stays within its limits
      got       256 MiB of memory (it had 311 MiB)
      again     cargo xtask check kv --check kv/1/data_survives_restarts --seed 42
      log       target/groundwork/kv/last/1-data_survives_restarts/transcript.txt
    ");
}

#[test]
fn timeouts_end_a_stage_early() {
    let silent = |awaited: &str| {
        let verdict = Verdict::Timeout { waiting_for: awaited.to_owned() };
        Some((verdict, evidence(&[r#"put "a" "1""#], awaited, "nothing for 10 s of its own time")))
    };
    let put = || silent(r#"a reply to put "a" "1""#);
    let report = run(Choice::Exercise, &[(1, &[put(), put(), put(), None, None])], &[2, 3]);
    assert_snapshot!(after_the_checks(&report), @r#"

    TIMEOUT kv/1/put_then_get_returns_the_value                                                    2 pts
      must      a get returns the value that was put under its key
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"
      expected  a reply to put "a" "1"
      got       nothing for 10 s of its own time
      again     cargo xtask check kv --check kv/1/put_then_get_returns_the_value --seed 42
      log       target/groundwork/kv/last/1-put_then_get_returns_the_value/transcript.txt

    TIMEOUT kv/1/absent_key_is_null                                                                 1 pt
      must      a get of a key that was never put returns null
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"
      expected  a reply to put "a" "1"
      got       nothing for 10 s of its own time
      again     cargo xtask check kv --check kv/1/absent_key_is_null --seed 42
      log       target/groundwork/kv/last/1-absent_key_is_null/transcript.txt

    TIMEOUT kv/1/deleted_key_is_null                                                               2 pts
      must      a deleted key is absent until it is put again
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"
      expected  a reply to put "a" "1"
      got       nothing for 10 s of its own time
      again     cargo xtask check kv --check kv/1/deleted_key_is_null --seed 42
      log       target/groundwork/kv/last/1-deleted_key_is_null/transcript.txt

    not run: 2 checks of this stage, after so many timeouts; --keep-going runs them all

      open  stage 1 append-log        0 of  5 checks,  0 of 10 points
      --    not run: stages 2 and 3 (--keep-going goes on after a stage that failed)

    Next: put_then_get_returns_the_value (exercises/kv/stages/1-append-log.md).
      why it matters:  cargo xtask explain kv/1/put_then_get_returns_the_value
    "#);
}

#[test]
fn a_skip_is_loud_and_out_of_the_denominator() {
    let reason = "this machine cannot mount a small disk; try: sysctl kernel.unprivileged_userns_clone=1";
    let skip = || Some((Verdict::Skip { reason: reason.to_owned() }, Evidence::default()));
    let report = run(Choice::Exercise, &[(1, &[pass(), pass(), pass(), skip(), pass()])], &[]);
    assert_snapshot!(after_the_checks(&report), @r"

    skip kv/1/data_survives_restarts                                                               3 pts
      because   this machine cannot mount a small disk; try: sysctl kernel.unprivileged_userns_clone=1
      again     cargo xtask check kv --check kv/1/data_survives_restarts --seed 42
      log       target/groundwork/kv/last/1-data_survives_restarts/transcript.txt

      ok    stage 1 append-log        4 of  4 checks,  7 of  7 points, 1 skipped

    All that can run here passed. Next is stage 2: exercises/kv/stages/2-sstable.md
    ");
}

#[test]
fn a_fault_is_the_graders_own() {
    let detail = "called `Option::unwrap()` on a `None` value (checks/kv/src/oracle.rs:71)".to_owned();
    let fault = Some((Verdict::Fault { detail }, Evidence::default()));
    let report = run(Choice::Exercise, &[(1, &[pass(), pass(), fault, pass(), pass()])], &[2, 3]);
    assert_snapshot!(after_the_checks(&report), @r"

    FAULT kv/1/deleted_key_is_null                                                                 2 pts
      fault     called `Option::unwrap()` on a `None` value (checks/kv/src/oracle.rs:71)
      whose     the grader's own, not yours: please report it, with the transcript
      again     cargo xtask check kv --check kv/1/deleted_key_is_null --seed 42
      log       target/groundwork/kv/last/1-deleted_key_is_null/transcript.txt

      open  stage 1 append-log        4 of  4 checks,  8 of  8 points, 1 not judged
      --    not run: stages 2 and 3 (--keep-going goes on after a stage that failed)

    The grader failed, not you. Please report it, with what is in target/groundwork/kv/last.
    ");
}

#[test]
fn beyond_three_failures_only_names_are_shown() {
    let stage = [wrong_value(), wrong_value(), wrong_value(), wrong_value(), wrong_value()];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    assert_snapshot!(footers(&report), @r#"

    FAIL kv/1/put_then_get_returns_the_value                                                       2 pts
      must      a get returns the value that was put under its key
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"; get "a"
      expected  "1"
      got       null
      again     cargo xtask check kv --check kv/1/put_then_get_returns_the_value --seed 42
      log       target/groundwork/kv/last/1-put_then_get_returns_the_value/transcript.txt

    FAIL kv/1/absent_key_is_null                                                                    1 pt
      must      a get of a key that was never put returns null
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"; get "a"
      expected  "1"
      got       null
      again     cargo xtask check kv --check kv/1/absent_key_is_null --seed 42
      log       target/groundwork/kv/last/1-absent_key_is_null/transcript.txt

    FAIL kv/1/deleted_key_is_null                                                                  2 pts
      must      a deleted key is absent until it is put again
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"; get "a"
      expected  "1"
      got       null
      again     cargo xtask check kv --check kv/1/deleted_key_is_null --seed 42
      log       target/groundwork/kv/last/1-deleted_key_is_null/transcript.txt

    and 2 more
      checks    data_survives_restarts, deletes_survive_restarts
      the first cargo xtask check kv --check kv/1/data_survives_restarts --seed 42
    "#);
}

#[test]
fn one_mistake_is_shown_once_and_failures_before_skips() {
    let reason =
        "this needs ptrace, which this container forbids; try: docker run --cap-add SYS_PTRACE".to_owned();
    let skip = || Some((Verdict::Skip { reason: reason.clone() }, Evidence::default()));
    let silent = || {
        let likely = "a reply that stays in a buffer: flush stdout after each".to_owned();
        Some((
            Verdict::Fail,
            Evidence { likely, ..evidence(&["put \"a\" \"1\""], r#"{"ok":true}"#, "nothing") },
        ))
    };
    let report = run(Choice::Exercise, &[(1, &[skip(), skip(), silent(), silent(), skip()])], &[2, 3]);
    assert_snapshot!(after_the_checks(&report), @r#"

    FAIL kv/1/deleted_key_is_null                                                                  2 pts
      must      a deleted key is absent until it is put again
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"
      expected  {"ok":true}
      got       nothing
      likely    a reply that stays in a buffer: flush stdout after each
      again     cargo xtask check kv --check kv/1/deleted_key_is_null --seed 42
      log       target/groundwork/kv/last/1-deleted_key_is_null/transcript.txt

    skip kv/1/put_then_get_returns_the_value                                                       2 pts
      because   this needs ptrace, which this container forbids; try: docker run --cap-add SYS_PTRACE
      again     cargo xtask check kv --check kv/1/put_then_get_returns_the_value --seed 42
      log       target/groundwork/kv/last/1-put_then_get_returns_the_value/transcript.txt

    and 3 more
      checks    data_survives_restarts, absent_key_is_null, deletes_survive_restarts
      the first cargo xtask check kv --check kv/1/data_survives_restarts --seed 42

      open  stage 1 append-log        0 of  2 checks,  0 of  5 points, 3 skipped
      --    not run: stages 2 and 3 (--keep-going goes on after a stage that failed)

    Next: deleted_key_is_null (exercises/kv/stages/1-append-log.md).
      why it matters:  cargo xtask explain kv/1/deleted_key_is_null
    "#);
}

#[test]
fn a_failure_of_the_solution_names_the_expectation() {
    let stage = [wrong_value(), pass(), pass(), pass(), pass()];
    let report = run(Choice::Solution, &[(1, &stage)], &[2, 3]);
    assert_snapshot!(footers(&report), @r#"

    FAIL kv/1/put_then_get_returns_the_value                                                       2 pts
      must      a get returns the value that was put under its key
      page      exercises/kv/stages/1-append-log.md
      did       put "a" "1"; get "a"
      expected  "1"
      got       null
      again     cargo xtask check kv --solution --check kv/1/put_then_get_returns_the_value --seed 42
      log       target/groundwork/kv/last/1-put_then_get_returns_the_value/transcript.txt
      asked at  checks/kv/src/append_log.rs:217
    "#);
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
    assert_snapshot!(footers(&report), @r#"

    FAIL kv/1/data_survives_restarts                                                               3 pts
      must      what was acknowledged is there after a restart, and after a second one
      page      exercises/kv/stages/1-append-log.md
      did       put "key0" ""; put "key1" "v"; put "key2" "vv"; put "key3" "vvv"; put "key4" "vvvv"; put
                … 34 lines left out; the log has more …
                "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"; put "key57"
                "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"; put "key58"
                "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"; put "key59"
                "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
      expected  a reply that takes a while to describe, since a suite may have much to say about what it
                … 7 lines left out; the log has more …
                much to say about what it wanted to see, a reply that takes a while to describe, since a
                suite may have much to say about what it wanted to see,
      got       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                … 9 lines left out; the log has more …
                xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      stderr    line 1 of stderr: a reply that takes a while to describe, since a suite may have much to
                … 9 lines left out; the log has more …
                say about what it wanted to see, a reply that takes a while to describe, since a suite
                may have much to say about what it wanted to see,
      likely    a reply that takes a while to describe, since a suite may have much to say about what it
                wanted to see, a reply that takes a while to describe, since a suite may have much to
                say about what it wanted to see,
      again     cargo xtask check kv --check kv/1/data_survives_restarts --seed 42
      log       target/groundwork/kv/last/1-data_survives_restarts/transcript.txt
    "#);
}

#[test]
fn control_characters_are_shown_and_never_sent() {
    let hostile = "\u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0";
    let mut shouted = evidence(&[hostile], hostile, hostile);
    shouted.stderr = vec![hostile.to_owned()];
    let stage = [not_started(hostile, hostile), pass(), Some((Verdict::Fail, shouted)), pass(), pass()];
    let report = run(Choice::Exercise, &[(1, &stage)], &[2, 3]);
    assert_snapshot!(after_the_checks(&report), @r"

    FAIL kv/1/deleted_key_is_null                                                                  2 pts
      must      a deleted key is absent until it is put again
      page      exercises/kv/stages/1-append-log.md
      did       \u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0
      expected  \u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0
      got       \u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0
      stderr    \u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0
      again     cargo xtask check kv --check kv/1/deleted_key_is_null --seed 42
      log       target/groundwork/kv/last/1-deleted_key_is_null/transcript.txt

    not started: \u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0  \u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0 (1 check)

      open  stage 1 append-log        3 of  5 checks,  6 of 10 points
      --    not run: stages 2 and 3 (--keep-going goes on after a stage that failed)

    Next: \u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0  \u{1b}]0;title\u{7}\u{1b}[2Jwiped\r\tover\u{9b}31m\0
      read   exercises/kv/stages/1-append-log.md
    ");
}

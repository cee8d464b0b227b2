//! Three new folders are a new project: nothing else has to be said anywhere. A workspace of its own, with the
//! harness's example as the suite, and the same binary as everywhere else.

mod house;

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead, BufReader},
    process::Stdio,
};

use predicates::str::contains;

use crate::processes::status_within;
use house::echo;

#[test]
fn three_folders_are_a_project() {
    let house = echo();
    house.xtask(&["list"]).assert().code(0).stdout(contains("echo\n  1 echo "));
    house.xtask(&["list", "echo"]).assert().code(0).stdout(contains(" 2  echo/1/echoes_a_line\n"));
    let explained = house.xtask(&["explain", "echo/1/echoes_a_line"]).assert().code(0);
    explained
        .stdout(contains("page  exercises/echo/stages/1-echo.md"))
        .stdout(contains("why   Who sent it may wait"));
    house.xtask(&["check", "ecoh"]).assert().code(2).stderr(contains("did you mean echo?"));

    let solution = house.xtask(&["check", "echo", "--solution"]).assert().code(0);
    solution
        .stdout(contains("All passed."))
        .stdout(contains("ok    stage 2 stamina           2 of  2 checks"));
    let starter = house.xtask(&["check", "echo"]).assert().code(1);
    let starter = starter
        .stdout(contains("not started: exercises/echo/src/echo.rs:5  stage 1: give it back (4 checks)"));
    starter.stdout(contains("Nothing is written yet")).stdout(contains("not run: stage 2 "));
}

#[test]
fn an_audit_finds_all_that_is_wrong_and_nothing_else() {
    let house = echo();
    let outcome = house.xtask(&["audit", "echo"]).assert().code(1);
    let stdout = String::from_utf8_lossy(&outcome.get_output().stdout).into_owned();
    let found: BTreeSet<_> = stdout.lines().filter_map(|line| line.strip_prefix("finding: ")).collect();
    let expected = BTreeSet::from([
        // The example is one file; a suite that is to stay has one a stage.
        "stage 1 echo has no checks/echo/src/echo.rs",
        "stage 2 stamina has no checks/echo/src/stamina.rs",
        "exercises/echo/notes.txt belongs to nothing",
        "exercises/echo/stages/9-forgotten.md belongs to no stage",
        "no mutant is killed by echo/2/later_lines_cost_no_more",
        "1-swallows-tildes names echo/1/echoes_tildes, which is no check",
        "1-swallows-tildes passes echo/1/echoes_a_line, which its header names",
        "1-swallows-tildes: echo/1/echoes_tildes was not run",
        "1-swallows-tildes fails echo/1/echoes_any_line, which its header does not name (FAIL)",
        "2-cuts-lines fails echo/1/echoes_any_line, which its header does not name (FAIL)",
    ]);
    assert_eq!(found, expected, "the findings, and no others, in:\n{stdout}");
    for part in ["open mirror", "open coverage", "ok   solution", "ok   starter", "open mutants"] {
        assert!(stdout.contains(part), "the audit should say {part:?}:\n{stdout}");
    }
}

#[test]
fn a_mutant_can_be_tried_on_its_own_stage_alone() {
    let house = echo();
    let mut audit =
        house.xtask(&["audit", "echo", "--without-starter", "--own-stage", "--mutant", "cuts-lines"]);
    audit.assert().code(1).stdout(contains("ok   mutants   1 of 3 tried"));
}

#[test]
fn an_audit_uses_nothing_of_one_that_was_stopped() {
    let house = echo();
    let workshop = house.own_folder().join("echo/audit");
    let stale = workshop.join("target/of a build that was stopped");
    fs::create_dir_all(&stale).expect("a folder in the target directory");
    fs::write(workshop.join(".unfinished"), "").expect("a file in it");
    let mut audit = house.xtask(&["audit", "echo", "--without-starter", "--mutant", "adds-a-blank"]);
    audit.assert().code(1).stdout(contains("ok   mutants   1 of 3 tried"));
    assert!(!stale.exists(), "what was built then is gone");
    assert!(!workshop.join(".unfinished").exists(), "this one was finished");
}

#[test]
fn an_audit_waits_for_another_of_the_same_project() {
    let house = echo();
    let workshop = house.own_folder().join("echo/audit");
    fs::create_dir_all(&workshop).expect("a folder in the target directory");
    let lock = File::create(workshop.join(".lock")).expect("a file in it");
    lock.lock().expect("the lock that another audit would hold");

    let mut command = house.command(&["audit", "echo", "--without-starter", "--mutant", "adds-a-blank"]);
    let mut audit = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(audit.stderr.take().expect("its stderr")).lines().map_while(Result::ok);
    assert!(
        said.any(|line| line.starts_with("waiting: another audit works in ")),
        "it says what it waits for"
    );
    assert_eq!(audit.try_wait().expect("a child of ours"), None, "and waits");
    drop(lock);
    said.for_each(drop);
    assert_eq!(status_within(&mut audit).code(), Some(1), "then it goes on, and finds what is wrong");
}

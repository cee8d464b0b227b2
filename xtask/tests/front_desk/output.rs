//! What goes to stdout: colour only where it is wanted, JSON and nothing else where that is asked for, and no fuss
//! when whoever reads it goes away.

use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use predicates::{prelude::*, str::contains};
use serde_json::Value;

use crate::{
    desk::{CHATTERS, CHECK, check_one, command, script, xtask},
    processes::{Mark, status_within},
};

const ESCAPE: &str = "\u{1b}[";

#[test]
fn colour_is_there_only_when_it_is_wanted() {
    let subject = script(CHATTERS);
    for (args, variable, coloured) in [
        (&[][..], None, false),
        (&["--color", "always"], None, true),
        (&["--color", "never"], None, false),
        (&["--color", "always"], Some(("NO_COLOR", "1")), true),
        (&["--color", "never"], Some(("CLICOLOR_FORCE", "1")), false),
        (&[], Some(("CLICOLOR_FORCE", "1")), true),
        (&[], Some(("CARGO_TERM_COLOR", "always")), true),
        (&[], Some(("CARGO_TERM_COLOR", "never")), false),
        (&[], Some(("NO_COLOR", "1")), false),
    ] {
        let mut command = check_one(subject.path());
        command.args(args).envs(variable);
        let output = command.output().expect("the front desk runs");
        assert_eq!(output.status.code(), Some(1), "{args:?} {variable:?}: the check fails");
        let found = String::from_utf8_lossy(&output.stdout).contains(ESCAPE);
        assert_eq!(found, coloured, "{args:?} {variable:?}: whether there are escape sequences on stdout");
    }
}

#[test]
fn no_colour_wins_over_a_colourful_cargo() {
    let envs = [("NO_COLOR", "1"), ("CARGO_TERM_COLOR", "always")];
    xtask(&["list", "kv"]).envs(envs).assert().code(0).stdout(contains(ESCAPE).not());
}

#[test]
fn json_is_all_that_stdout_gets() {
    let subject = script(CHATTERS);
    let output =
        check_one(subject.path()).args(["--format", "json", "--seed", "7"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "the check fails");
    let stdout = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let parse = |line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}"))
    };
    let events: Vec<_> = stdout.lines().map(parse).collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap_or("no event")).collect();
    assert_eq!(
        names,
        ["run_started", "stage_started", "check_finished", "stage_finished", "run_finished"],
        "one of each"
    );
    assert_eq!(events[0]["seed"], 7, "the seed is that of the command line");
    assert_eq!(
        (&events[2]["id"], &events[2]["verdict"]["kind"]),
        (&Value::from(CHECK), &Value::from("fail"))
    );
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let subject = script(CHATTERS);
    let path = subject.path().to_str().expect("a path in UTF-8");
    let mark = Mark::new("reader");
    let mut command = command(&["check", "kv", "--stage", "1", "--subject", path]);
    let mut child = mark
        .on(&mut command)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the front desk starts");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("its stdout")).read_line(&mut first).expect("a first line");
    assert!(first.starts_with("kv "), "the first line names the project: {first}");
    // The reader is gone; at least one line for each check was still to come.
    let status = status_within(&mut child);
    let mut stderr = String::new();
    child.stderr.take().expect("its stderr").read_to_string(&mut stderr).expect("text");
    assert_eq!(status.code(), Some(141), "128 + SIGPIPE, as a shell has it; stderr: {stderr}");
    assert!(
        !stderr.contains("error") && !stderr.contains("panicked"),
        "nobody is left to complain to: {stderr}"
    );
    mark.nobody_is_left();
}

#[test]
fn a_list_that_nobody_reads_ends_quietly() {
    for args in [&["list", "kv"][..], &["explain", CHECK]] {
        let mut child =
            command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(141), "{args:?}: 128 + SIGPIPE; stderr: {stderr}");
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    }
}

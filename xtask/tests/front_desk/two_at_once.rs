//! Two runs of one project at the same time, in two terminals: neither takes anything away from the other.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use tempfile::TempDir;

use crate::{
    desk::{CHATTERS, CHECK, HANGS, MANIFEST, ROOT, check_one, command, folder, script},
    processes::eventually,
};

#[test]
fn each_run_has_a_folder_of_its_own() {
    // Says that it has begun, and goes on when it is told to.
    let patient = script(
        "here=$(dirname \"$0\")\ntouch \"$here/begun\"\nuntil [ -e \"$here/go\" ]; do sleep 0.1; done\necho the patient one\n",
    );
    let hasty = script(CHATTERS);
    let (first, second) = while_the_first_waits(&patient, &["--check", CHECK], &hasty);
    for (output, its_words) in [(&first, "the patient one"), (&second, "debug: got")] {
        assert_eq!(output.status.code(), Some(1), "both fail");
        let log = log(&output.stdout);
        let text =
            fs::read_to_string(&log).unwrap_or_else(|error| panic!("no log {}: {error}", log.display()));
        assert!(text.contains(its_words), "the log that a run names is that of its own subject:\n{text}");
    }
}

/// Crates of one name are built to programs of one name.
#[test]
fn each_crate_is_graded_by_its_own_program() {
    let patient = crate_that_does(
        "let here = std::path::Path::new(env!(\"CARGO_MANIFEST_DIR\"));
        std::fs::write(here.join(\"begun\"), \"\").unwrap();
        while !here.join(\"go\").exists() { std::thread::sleep(std::time::Duration::from_millis(50)); }
        println!(\"the patient one\");",
    );
    let hasty = crate_that_does("println!(\"the hasty one\");");
    // One check after the other: the first waits, and those behind it start the program anew.
    let (first, second) = while_the_first_waits(&patient, &["--stage", "1", "--jobs", "1"], &hasty);
    for (output, its_words, others) in [(first, "patient", "hasty"), (second, "hasty", "patient")] {
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(
            stdout.contains(&format!("got       the {its_words} one")),
            "its own words are shown:\n{stdout}"
        );
        assert!(!stdout.contains(others), "no words of the other subject are:\n{stdout}");
    }
}

fn crate_that_does(body: &str) -> TempDir {
    folder(&[("Cargo.toml", MANIFEST), ("src/main.rs", &format!("fn main() {{\n{body}\n}}\n"))])
}

/// Begins a run on `patient`, which says that it has begun and waits for a word; runs `hasty` to its end; says the
/// word, and returns what both runs printed.
fn while_the_first_waits(patient: &TempDir, args: &[&str], hasty: &TempDir) -> (Output, Output) {
    let path = patient.path().to_str().expect("a path in UTF-8");
    let mut command = command(&["check", "kv", "--subject", path]);
    let first = command.args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let begun = patient.path().join("begun");
    eventually(HANGS, || if begun.exists() { Ok(()) } else { Err(()) })
        .expect("the first run reaches its subject");

    let second = check_one(hasty.path()).output().expect("the second run ends");
    fs::write(patient.path().join("go"), "").expect("a file in a temporary directory");
    (first.wait_with_output().expect("the first run ends"), second)
}

/// The transcript that a failure names.
fn log(stdout: &[u8]) -> PathBuf {
    let text = String::from_utf8_lossy(stdout);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("  log "))
        .unwrap_or_else(|| panic!("no log in:\n{text}"));
    Path::new(ROOT).join(line.trim())
}

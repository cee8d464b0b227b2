//! Everything that a user can get wrong, and what it leads to: an exit code, and a sentence that says what to do.

use std::path::{Path, PathBuf};

use predicates::{prelude::*, str::contains};
use tempfile::TempDir;

use crate::desk::{self, MANIFEST, PASSES, check_one, folder, script, xtask};

/// The command must end with `exit`, and every text must be on its stream.
#[track_caller]
fn check(mut command: assert_cmd::Command, exit: i32, stdout: &[&str], stderr: &[&str]) {
    let mut outcome = command.assert().code(exit);
    for &text in stdout {
        outcome = outcome.stdout(contains(text));
    }
    for &text in stderr {
        outcome = outcome.stderr(contains(text));
    }
    outcome.stderr(contains("panicked").not());
}

#[test]
fn no_arguments_print_help() {
    check(xtask(&[]), 2, &[], &["Usage: cargo xtask", "check", "explain"]);
}

#[test]
fn an_unknown_project_is_refused_with_the_nearest() {
    check(xtask(&["check", "kvs"]), 2, &[], &["no project \"kvs\"", "did you mean kv?"]);
    check(xtask(&["list", "zzz"]), 2, &[], &["no project \"zzz\" (there is: ", "kv"]);
}

#[test]
fn an_unknown_stage_is_refused_with_those_there_are() {
    let subject = script(PASSES);
    let path = subject.path().to_str().expect("a path in UTF-8");
    let command = xtask(&["check", "kv", "--stage", "99", "--subject", path]);
    check(command, 2, &[], &["kv has no stage 99: it has 1 to 5", "cargo xtask list kv"]);
}

#[test]
fn an_unknown_check_is_refused_with_the_nearest() {
    let subject = script(PASSES);
    let path = subject.path().to_str().expect("a path in UTF-8");
    let command = xtask(&["check", "kv", "--check", "absent_kye_is_null", "--subject", path]);
    check(command, 2, &[], &["no check \"absent_kye_is_null\"", "did you mean absent_key_is_null?"]);
    check(xtask(&["explain", "kv/1/absent_key_is_nul"]), 2, &[], &["did you mean kv/1/absent_key_is_null?"]);
    check(xtask(&["explain", "absent"]), 2, &[], &["\"absent\" is no check id: one looks like kv/3/"]);
}

#[test]
fn what_a_suite_cannot_be_built_with_is_refused() {
    check(
        xtask(&["check", "kv", "--with", "docker"]),
        2,
        &[],
        &["kv has no checks with \"docker\" (there is: nothing)"],
    );
    check(xtask(&["check", "lb", "--with", "dokcer"]), 2, &[], &["did you mean docker? (there is: docker)"]);
    check(xtask(&["audit", "kv", "--with", "docker"]), 2, &[], &["kv has no checks with \"docker\""]);
    check(xtask(&["audit", "--with", "dokcer"]), 2, &[], &["no project has checks with \"dokcer\""]);
}

#[test]
fn a_stage_that_needs_more_says_what_to_add() {
    let subject = folder(&[("subject.toml", "project = \"lb\"\nrun = [\"true\"]\n")]);
    let path = subject.path().to_str().expect("a path in UTF-8");
    let needs = "stage 8 real-servers needs docker; add --with docker";
    check(xtask(&["check", "lb", "--stage", "8", "--subject", path]), 2, &[], &[needs]);
    let named = ["check", "lb", "--check", "real_servers_take_turns", "--subject", path];
    check(xtask(&named), 2, &[], &[needs]);
    check(xtask(&["list", "lb"]), 0, &["8 real-servers  5 checks, 16 points, bonus, --with docker"], &[]);
    let explained = xtask(&["explain", "lb/8/real_servers_take_turns"]);
    check(explained, 0, &["--check lb/8/real_servers_take_turns --with docker"], &[]);
}

#[test]
fn a_machine_without_containers_is_told_what_helps() {
    let mut doctor = xtask(&["doctor"]);
    doctor.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let helps = ["no Docker engine answers at /nowhere/docker.sock", "try: apt-get install docker.io"];
    check(doctor, 4, &helps, &[]);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    check(xtask(&["check", "kv", "--only"]), 2, &[], &["--stage <N>"]);
    check(xtask(&["check", "kv", "--solution", "--subject", "."]), 2, &[], &["cannot be used with"]);
    check(xtask(&["check", "kv", "--stage", "two"]), 2, &[], &["invalid value 'two' for '--stage <N>'"]);
}

#[test]
fn outside_a_checkout_nothing_can_be_done() {
    let mut command = xtask(&["list"]);
    command.current_dir("/");
    check(command, 2, &[], &["/ is not inside a Groundwork checkout: cd into one"]);
}

#[test]
fn a_checkout_is_found_from_below() {
    let mut command = xtask(&["list", "kv"]);
    command.current_dir(Path::new(desk::ROOT).join("checks/kv/src"));
    check(command, 0, &["kv/1/absent_key_is_null"], &[]);
}

#[test]
fn a_subject_that_is_none_is_refused() {
    let nothing = folder(&[]);
    let file = folder(&[("main.rs", "fn main() {}")]);
    let missing = nothing.path().join("gone");
    check(
        check_one(&missing),
        2,
        &[],
        &["there is no folder", "gone; name one with a Cargo.toml or a subject.toml"],
    );
    check(check_one(&file.path().join("main.rs")), 2, &[], &["main.rs is a file; name the folder"]);
    check(check_one(nothing.path()), 2, &[], &["has neither a Cargo.toml nor a subject.toml"]);
}

#[test]
fn a_description_that_makes_no_sense_is_refused() {
    for (description, exit, sentence) in [
        ("project = \"kv\"\nrun = [\"sh\"]\ncolour = 1\n", 2, "unknown field `colour`"),
        ("project = \"kv\"\n", 2, "names no program"),
        ("project = \"kv\"\nrun = [\"sh\"]\nlibrary = \"a.so\"\n", 2, "keep one of `run` and `library`"),
        ("project = \"kv\"\nlibrary = \"a.so\"\n", 101, "which is no file there; does it need a `build`?"),
        ("project = \"kv\"\nlibrary = \"subject.toml\"\n", 2, "the contract asks for `run`"),
        ("project = kv\n", 2, "subject.toml: TOML parse error at line 1"),
        ("project = \"http\"\nrun = [\"sh\"]\n", 2, "check it with `cargo xtask check http`"),
        ("project = \"kv\"\nrun = []\n", 2, "`run` names no program"),
        (
            "project = \"kv\"\nrun = [\"no-such-program\"]\n",
            101,
            "neither a file there nor a program in PATH",
        ),
        (
            "project = \"kv\"\nbuild = [\"no-such-program\"]\nrun = [\"sh\"]\n",
            101,
            "cannot run no-such-program",
        ),
        ("project = \"kv\"\nbuild = [\"false\"]\nrun = [\"sh\"]\n", 101, "false failed (exit status: 1)"),
    ] {
        let subject = folder(&[("subject.toml", description)]);
        check(check_one(subject.path()), exit, &[], &["subject.toml", sentence][usize::from(exit == 101)..]);
    }
}

#[test]
fn what_a_build_says_goes_to_stderr() {
    let subject = folder(&[
        ("subject.toml", "project = \"kv\"\nbuild = [\"sh\", \"make.sh\"]\nrun = [\"sh\", \"store.sh\"]\n"),
        ("make.sh", &format!("echo building\ncat > store.sh <<'END'\n{PASSES}END\n")),
    ]);
    check_one(subject.path())
        .assert()
        .code(0)
        .stdout(contains("building").not())
        .stderr(contains("building"));
}

/// A Rust crate below a folder whose name has a space in it.
fn crate_with(path: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = folder(&[("my own store/Cargo.toml", MANIFEST), (&format!("my own store/{path}"), text)]);
    let subject = folder.path().join("my own store");
    (folder, subject)
}

#[test]
fn a_crate_that_does_not_compile_is_shown_as_the_compiler_shows_it() {
    let (_folder, subject) = crate_with("src/main.rs", "fn main() {\n    let number: u32 = \"text\";\n}\n");
    let expected =
        ["error[E0308]", "mismatched types", "my own store does not build; cargo's messages are above"];
    check(check_one(&subject), 101, &[], &expected);
}

#[test]
fn a_crate_without_a_program_is_told_what_is_missing() {
    let (_folder, subject) = crate_with("src/lib.rs", "");
    check(
        check_one(&subject),
        101,
        &[],
        &["my own store has no program; the contract asks for a src/main.rs"],
    );
}

#[test]
fn a_path_with_spaces_works() {
    let program = r##"fn main() {
        let mut value = "null";
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let put = line.contains(r#""op":"put""#);
            if put && line.contains(r#""key":"a""#) {
                value = "\"\"";
            }
            println!("{}", if put { r#"{"ok":true}"#.to_owned() } else { format!("{{\"value\":{value}}}") });
        }
    }"##;
    let (_folder, subject) = crate_with("src/main.rs", program);
    check(check_one(&subject), 0, &["my own store", "absent_key_is_null", "1 of  1 checks"], &[]);
}

#[test]
fn what_is_no_json_is_shown_and_explained() {
    let subject = script(desk::CHATTERS);
    let got = r#"got       debug: got {"#;
    check(check_one(subject.path()), 1, &["FAIL", got, "was it meant for stderr?"], &[]);
}

#[test]
fn a_second_answer_to_one_request_is_seen() {
    let subject = script("while read -r line; do echo '{\"value\":null}'; echo '{\"value\":null}'; done\n");
    check(
        check_one(subject.path()),
        1,
        &["FAIL", r#"expected  {"ok":true} in reply to put "b" "1""#, "got       null"],
        &[],
    );
}

#[test]
fn a_subject_that_exits_at_once_has_crashed() {
    let subject = script("echo 'no disk' >&2; exit 3\n");
    check(
        check_one(subject.path()),
        1,
        &["CRASH", "got       exited with status 3", "stderr    no disk"],
        &[],
    );
}

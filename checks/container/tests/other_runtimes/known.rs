//! The suite on runtimes that were not made for it: crun, runc and bubblewrap, each behind an adapter that speaks the
//! contract. They are right wherever they are not documented to be different: a check that one of them fails, and that is
//! in no list here, asks for more than the specification says, or hangs on chance.
//!
//! Tried here is what shows most, on the quickest; `cargo xtask check container --subject checks/container/tests/crun
//! --keep-going` tries all, and the lists are of all, but for bubblewrap, of which a filter or a user's container is not
//! asked: of it they are up to the fifth stage.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use harness::{trial::is_installed, verdict::Verdict};

use crate::front_desk::checked;

/// Where crun and runc, runtimes of the Open Container Initiative, are known to do something else than the specification
/// says, and why that is not the check's mistake.
const DIFFERENCES_OF_OCI: [(&str, &str); 11] = [
    ("container/1/words_arrive_byte_for_byte", "words stand in config.json, which is UTF-8"),
    (
        "container/1/what_cannot_be_run_is_126_or_127",
        "what the kernel refuses at the very exec is 1, like every failure of theirs, and said on stderr alone",
    ),
    (
        "container/3/nothing_is_made_in_the_root",
        "a /dev of their own needs a folder, which they make and leave",
    ),
    ("container/4/the_limit_is_exact", "a limit is a signed number in config.json, of 63 bits"),
    ("container/4/the_cgroup_goes_where_it_can", "they know cgroups in /sys/fs/cgroup alone"),
    ("container/4/a_limit_that_cannot_be_had_is_125", "without cgroups they run nothing, limited or not"),
    ("container/5/nothing_is_left_after_any_end", "the folder for /dev"),
    ("container/5/nothing_is_left_after_a_hundred_runs", "the folder for /dev"),
    ("container/5/a_failed_step_leaves_nothing", "the folder for /dev"),
    (
        "container/5/a_killed_runtime_takes_its_container_along",
        "a container of theirs outlives who started it",
    ),
    ("container/6/nothing_is_left_of_a_user_s_run", "the folder for /dev"),
];

/// The same of crun alone.
const DIFFERENCES_OF_CRUN: [(&str, &str); 1] = [(
    "container/7/a_failed_step_leaves_no_rights",
    "when a path cannot be made read-only it runs the command all the same, with the path writable",
)];

/// The same of runc alone.
const DIFFERENCES_OF_RUNC: [(&str, &str); 1] =
    [("container/1/stdio_is_the_caller_s", "without a terminal it copies through pipes of its own")];

/// The same of bubblewrap, which limits nothing: nor is anything with `--memory` in these, all of stage 4 and half of 5.
const DIFFERENCES_OF_BUBBLEWRAP: [(&str, &str); 7] = [
    ("container/1/words_arrive_byte_for_byte", "it adds PWD to the environment"),
    ("container/1/what_cannot_be_run_is_126_or_127", "every failure of its is 1, a failed exec too"),
    ("container/1/a_bare_name_is_looked_for_in_path", "so is one of a file that may not be executed"),
    ("container/3/the_command_is_looked_for_inside", "and one of a file that is not there"),
    ("container/5/signals_reach_the_command", "it passes none on"),
    ("container/5/no_descriptor_is_handed_on", "it hands on what its caller did not close"),
    ("container/5/root_cannot_walk_out", "by such a descriptor"),
];

#[track_caller]
fn is_right_but_for(adapter: &str, stage: &str, differences: &[(&str, &str)]) {
    for check in checked(adapter, &["--only", "--stage", stage]).unwrap_or_default() {
        let is_known = differences.iter().any(|(known, _)| *known == check.id);
        let is_right = matches!(check.verdict, Verdict::Pass | Verdict::Skip { .. });
        assert!(is_right || is_known, "{} on {adapter}: {:?}, {:?}", check.id, check.verdict, check.evidence);
    }
}

#[test]
fn crun_is_right_but_for_what_is_known_of_it() {
    if is_installed("crun", "crun") {
        is_right_but_for("crun", "3", &[&DIFFERENCES_OF_OCI[..], &DIFFERENCES_OF_CRUN].concat());
    }
}

#[test]
fn runc_is_right_but_for_what_is_known_of_it() {
    if is_installed("runc", "runc") {
        is_right_but_for("runc", "2", &[&DIFFERENCES_OF_OCI[..], &DIFFERENCES_OF_RUNC].concat());
    }
}

#[test]
fn bubblewrap_is_right_but_for_what_is_known_of_it() {
    if is_installed("bwrap", "bubblewrap") {
        for stage in ["1", "2", "3"] {
            is_right_but_for("bwrap", stage, &DIFFERENCES_OF_BUBBLEWRAP);
        }
    }
}

#[test]
fn what_makes_containers_makes_those_of_users_and_hard_ones() {
    if !is_installed("crun", "crun") {
        return;
    }
    for id in [
        "container/6/a_user_gets_a_whole_container",
        "container/6/the_ids_are_there_at_the_first_instruction",
        "container/7/calls_to_the_kernel_itself_are_refused",
        "container/7/no_other_door_is_open",
        "container/7/ordinary_programs_work",
    ] {
        for check in checked("crun", &["--check", id]).unwrap_or_default() {
            assert_eq!(check.verdict, Verdict::Pass, "{id} on crun: {:?}", check.evidence);
        }
    }
}

/// Root's checkout is often closed to others, who cannot start what lies in it; and a program is rarely one file.
#[test]
fn a_user_starts_what_lies_where_only_root_can_go() {
    if !is_installed("crun", "crun") {
        return;
    }
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let closed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("closed");
    let folder = closed.join("course/crun");
    fs::create_dir_all(&folder).expect("a folder can be made in the target directory");
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).expect("it is ours");
    for file in ["front.py", "crun/container.py", "crun/subject.toml"] {
        fs::copy(tests.join(file), closed.join("course").join(file)).expect("a file can be copied");
    }
    for id in ["container/6/a_user_gets_a_whole_container", "container/6/the_caller_s_ids_alone_are_mapped"] {
        for check in checked(folder.to_str().expect("UTF-8"), &["--check", id]).unwrap_or_default() {
            assert_eq!(check.verdict, Verdict::Pass, "{id} on crun, from afar: {:?}", check.evidence);
        }
    }
}

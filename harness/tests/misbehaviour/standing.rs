//! Subjects that are somebody, have something, and are not let do everything.

use crate::suite_run::check;

#[test]
fn a_descriptor_is_handed_on() {
    check("trial/4/has_descriptor_77", "test -d /dev/fd/77/. && echo yes || echo no", "pass", &[]);
    check(
        "trial/4/has_descriptor_77",
        "test -d /dev/fd/78/. && echo yes || echo no",
        "FAIL",
        &["got: \"no\""],
    );
}

#[test]
fn root_s_subjects_may_be_somebody_else() {
    let names = "echo $(id -u):$(id -g) $(id -G)";
    check("trial/4/is_65534_of_group_65533", names, "pass|skip", &[]);
    check("trial/4/is_65534_of_group_65533", &format!("{names}; exec cat"), "pass|skip", &[]);
}

#[test]
fn a_subject_is_in_its_cgroup_at_its_first_instruction() {
    let name = r"sed -n 's|^0::.*/||p' /proc/self/cgroup";
    check("trial/4/is_in_a_cgroup", name, "pass|skip", &[]);
    // Gone again with the first, or this could not make it.
    check("trial/4/is_in_a_cgroup", "echo elsewhere", "FAIL|skip", &[]);
}

#[test]
fn a_call_is_refused_and_others_are_not() {
    let refused = "mkdir b && { mkdir a 2>/dev/null || echo refused; }";
    check("trial/4/makes_no_folder", refused, "pass|skip", &[]);
    check("trial/4/makes_no_folder", "mkdir a 2>/dev/null && echo made || echo not made", "FAIL|skip", &[]);
}

#[test]
fn a_call_waits_for_another() {
    // Of two processes: whichever comes first, one of them has to wait.
    let both = "mkdir a & mkdir b; wait; test -d a && test -d b && echo both";
    check("trial/4/makes_a_folder_last", both, "pass|skip", &[]);
}

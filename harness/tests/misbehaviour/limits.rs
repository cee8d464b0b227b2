//! Subjects that take more of the machine than they may.

use crate::{
    processes,
    suite_run::{Run, check, expect},
};

#[test]
fn a_bomb_is_a_limit_and_nothing_of_it_is_left() {
    let seconds = processes::odd_duration();
    let scripts = [
        format!("for i in $(seq 200); do sleep {seconds} & done; wait"),
        format!("for i in $(seq 200); do setsid sleep {seconds} & done; wait"),
    ];
    for script in scripts {
        check("echo/1/echoes_a_line", &script, "LIMIT", &["processes at once, where 64 are allowed"]);
        processes::expect_none(&seconds, "no process of the bomb outlives the suite");
    }
}

#[test]
fn memory_is_limited() {
    // `tail` keeps all of its last line, and waits for its end.
    let hoard = "(head -c 90M /dev/zero; exec sleep 1000) | tail";
    check("trial/3/has_64_mib_of_memory", hoard, "LIMIT", &["MiB of memory, where 64 are allowed"]);
    // Faster than the watchdog looks: the kernel refuses, and the subject ends.
    check("trial/3/has_64_mib_of_memory", "head -c 4G /dev/zero | tail", "LIMIT|CRASH", &[]);
    check("echo/1/echoes_a_line", "head -c 4G /dev/zero | tail", "LIMIT|CRASH", &[]);
}

#[test]
fn disk_is_limited() {
    let many_files = "for i in 1 2 3 4 5 6; do head -c 2M /dev/zero > $i; done; exec sleep 1000";
    check("trial/3/has_8_mib_of_disk", many_files, "LIMIT", &["MiB on disk, where 8 are allowed"]);
    // One file above the limit is refused by the kernel: File size limit exceeded.
    check("trial/3/has_8_mib_of_disk", "exec dd if=/dev/zero of=big bs=1M count=20", "CRASH", &["SIGXFSZ"]);
    // A hole takes no room.
    let sparse = "for i in 1 2 3 4; do truncate -s 7M $i; done; echo done; exec cat";
    check("trial/3/has_8_mib_of_disk", sparse, "pass", &[]);
}

#[test]
fn processes_are_limited() {
    let five = "sleep 1000 & sleep 1000 & sleep 1000 & sleep 1000 & wait";
    check("trial/3/has_4_processes", five, "LIMIT", &["5 processes at once, where 4 are allowed"]);
}

#[test]
fn limits_leave_a_correct_subject_alone() {
    let three_processes = "echo hello | cat";
    let report = Run::of_shell(three_processes).suite(crate::suite_run::TRIAL, &[3]).finish();
    report.all_pass(three_processes);
    expect(report.of("has_4_processes"), three_processes, "pass", &[]);
}

//! Calls that do not come back: crashes, exits, loops. Each is told with the operation in which it happened.

use std::time::Duration;

use crate::{
    c, side_by_side,
    suite_run::{self, WRITABLE, expect},
};

/// The longest that one check may take on a library that hangs: a whole wait of 10 s, and then short ones.
const DEADLINE: Duration = Duration::from_secs(90);

/// What happens in my_malloc and in my_free, and what is said of that.
const ENDINGS: [(&str, &str, &str, &[&str]); 12] = [
    (
        "*(volatile int *)0x10 = 1;",
        "",
        "CRASH",
        &["SIGSEGV", "a = malloc(1) returns", "the address was 0x10"],
    ),
    ("abort();", "", "CRASH", &["SIGABRT", "a = malloc(1) returns"]),
    ("__builtin_trap();", "", "CRASH", &["SIGILL", "a = malloc(1) returns"]),
    ("volatile int zero = 0; size /= zero;", "", "CRASH", &["SIGFPE", "a = malloc(1) returns"]),
    ("raise(SIGKILL);", "", "CRASH", &["SIGKILL", "a = malloc(1) returns"]),
    ("return my_malloc(size + 1) + 1;", "", "CRASH", &["SIGSEGV", "a = malloc(1) returns"]),
    (
        "fputs(\"out of luck\\n\", stderr); exit(3);",
        "",
        "CRASH",
        &["exited with status 3", "a = malloc(1)", "out of luck"],
    ),
    ("_exit(0);", "", "CRASH", &["exited with status 0", "a = malloc(1) returns"]),
    ("", "abort();", "CRASH", &["SIGABRT", "free(a) returns"]),
    ("while (1);", "", "TIMEOUT", &["a = malloc(1) to return", "of its own time", "leads back into itself"]),
    ("", "pause();", "TIMEOUT", &["free(a) to return", "it does not run, it waits"]),
    (
        "static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; pthread_mutex_lock(&lock);",
        "",
        "TIMEOUT",
        &["b = malloc(8) to return", "it does not run, it waits", "a lock that is held already"],
    ),
];

#[test]
fn an_ending_is_told_with_its_operation() {
    if !c::is_there() {
        return;
    }
    side_by_side::test(&ENDINGS, |(in_malloc, in_free, word, says)| {
        let source = format!(
            "#include <bump.h>
             #include <signal.h>
             char *my_malloc(size_t size) {{ {in_malloc} return bump(size); }}
             void my_free(void *p) {{ {in_free} }}"
        );
        let report = suite_run::check(&c::build(&source, &["-O0"]), WRITABLE);
        expect(report.only(), &source, word, says);
        assert!(report.elapsed < DEADLINE, "{source}: {:?}", report.elapsed);
    });
}

/// Whatever it waits for between two operations: what goes on is no hang, though the whole takes longer than one.
#[test]
fn a_slow_allocator_is_not_taken_for_one_that_hangs() {
    if !c::is_there() {
        return;
    }
    let source = "
        #include <bump.h>
        void *my_malloc(size_t size) { usleep(40000); return bump(size); }
        void my_free(void *p) {}";
    let report = suite_run::check(&c::build(source, &[]), WRITABLE);
    report.all_pass("my_malloc that takes 40 ms", 1);
    assert!(report.elapsed > Duration::from_secs(11), "300 blocks take longer than a hang: {report:?}");
}

#[test]
fn a_panic_that_means_not_yet_is_not_started() {
    if !c::is_there() {
        return;
    }
    let source = "
        #include <bump.h>
        void *my_malloc(size_t size) { fputs(\"not yet implemented: stage 1\\n\", stderr); exit(1); }
        void my_free(void *p) {}";
    let report = suite_run::stages(&c::build(source, &[]), &[1]);
    assert_eq!(report.finished.len(), 9, "all checks of the stage are run");
    for check in &report.finished {
        if check.id != "malloc/1/free_of_null_does_nothing" {
            expect(check, source, "todo", &["stage 1"]);
        }
    }
}

/// A call that never returns, after some that did: every check of the stage ends, and in time.
#[test]
fn a_whole_stage_on_an_allocator_that_hangs_comes_to_its_end() {
    if !c::is_there() {
        return;
    }
    let source = "
        #include <bump.h>
        int calls;
        void *my_malloc(size_t size) { if (++calls > 8) pause(); return bump(size); }
        void my_free(void *p) {}";
    // Who sleeps needs no processor: all checks wait side by side.
    let library = c::build(source, &[]);
    let report = suite_run::run(&library, |request| (request.stages, request.jobs) = (vec![1], 9));
    assert_eq!(report.finished.len(), 9, "all checks of the stage are run: {report:?}");
    for check in &report.finished {
        match check.verdict.word() {
            "TIMEOUT" => {
                expect(check, source, "TIMEOUT", &["= malloc(", "to return", "it does not run, it waits"]);
            }
            // Fewer than 9 blocks are asked for, or none of them is used again.
            word => assert!(matches!(word, "pass" | "FAIL"), "{}: {:#?}", check.id, check.verdict),
        }
        assert!(check.elapsed_ms < 90_000, "{}: {} ms", check.id, check.elapsed_ms);
    }
    let timeouts = report.finished.iter().filter(|check| check.verdict.word() == "TIMEOUT").count();
    assert!(timeouts >= 4, "checks that ask for more than 8 blocks: {report:#?}");
}

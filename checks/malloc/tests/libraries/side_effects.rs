//! Libraries that do more than allocate: what they print, fork or leave running changes no verdict.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use crate::{
    c,
    suite_run::{self, WRITABLE},
};

/// What happens at load time and in every call of my_malloc, harmless all of it.
const HARMLESS: [(&str, &str); 8] = [
    ("", "dprintf(1, \"{\\\"played\\\":true}\\n\");"),
    ("dprintf(1, \"{\\\"error\\\":\\\"mine\\\"}\\n\");", "dprintf(1, \"taking %zu\\n\", size);"),
    ("", "for (int i = 0; i < 200; i++) dprintf(2, \"%080d\\n\", i);"),
    ("for (int i = 0; i < 200000; i++) dprintf(2, \"%080d\\n\", i);", ""),
    ("", "char line[80]; read(0, line, sizeof line);"),
    ("", "close(0); close(1); close(2);"),
    ("", "static int calls; if (!calls++) fork();"),
    ("pthread_t thread; pthread_create(&thread, NULL, forever, NULL);", ""),
];

fn library(at_load_time: &str, in_malloc: &str) -> c::Library {
    let source = format!(
        "#include <bump.h>
         #include <fcntl.h>
         static void *forever(void *p) {{ while (1) pause(); return p; }}
         __attribute__((constructor)) static void at_load_time(void) {{ {at_load_time} }}
         void *my_malloc(size_t size) {{ {in_malloc} return bump(size); }}
         void my_free(void *p) {{}}"
    );
    c::build(&source, &[])
}

#[test]
fn talk_and_threads_are_harmless() {
    if !c::is_there() {
        return;
    }
    for (at_load_time, in_malloc) in HARMLESS {
        let report = suite_run::check(&library(at_load_time, in_malloc), WRITABLE);
        report.all_pass(&format!("{at_load_time} {in_malloc}"), 1);
    }
}

#[test]
fn a_child_that_lives_on_is_ended_with_the_check() {
    if !c::is_there() {
        return;
    }
    // A name by which the children are found again, and nobody else's.
    let name = format!("left{}", std::process::id() % 100_000);
    let forks = format!(
        "static int done; if (!done++ && fork() == 0) {{
         int f = open(\"/proc/self/comm\", O_WRONLY); write(f, \"{name}\", {}); setsid(); while (1) pause(); }}",
        name.len()
    );
    for (at_load_time, in_malloc) in [("", forks.as_str()), (forks.as_str(), "")] {
        let report = suite_run::check(&library(at_load_time, in_malloc), WRITABLE);
        report.all_pass("a library that forks", 1);
        let end = Instant::now() + Duration::from_secs(10);
        while are_running(&name) {
            assert!(Instant::now() < end, "no process named {name} is left behind");
            thread::yield_now();
        }
    }
}

fn are_running(name: &str) -> bool {
    let processes = fs::read_dir("/proc").expect("a list of processes").flatten();
    let comm = |path: std::path::PathBuf| fs::read_to_string(path.join("comm")).unwrap_or_default();
    processes.map(|process| comm(process.path())).any(|comm| comm.trim() == name)
}

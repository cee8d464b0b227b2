//! The machine's processes, as the tests see them: who is there, and waiting until somebody comes or goes.

use std::{
    fs, process,
    process::{Child, Command},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How often a wait looks again.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Long enough for anything that does happen, on a machine with other things to do.
const SOON: Duration = Duration::from_secs(20);

/// Seconds for `sleep` that no other process of the machine was given: a process can be found by them.
pub(crate) fn odd_duration() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}.{:03}", 100_000 + process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The live processes with that exact argument.
pub(crate) fn with_argument(argument: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|&byte| byte == 0).any(|word| word == argument.as_bytes())
    })
    .collect()
}

/// Fails the test, in those words, if a live process has that argument.
#[track_caller]
pub(crate) fn expect_none(argument: &str, what: &str) {
    let left = with_argument(argument);
    assert!(left.is_empty(), "expected: {what}; but there are {left:?} with the argument {argument}");
}

/// Waits for a process with that argument.
#[track_caller]
pub(crate) fn wait_for(argument: &str) -> i32 {
    let mut found = Vec::new();
    wait_until(&format!("a process with the argument {argument} is there"), || {
        found = with_argument(argument);
        !found.is_empty()
    });
    found[0]
}

/// Waits until `done`.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < end, "expected within {} s: {what}", SOON.as_secs());
        thread::sleep(LOOK_AGAIN);
    }
}

/// The most memory that a process has had, in bytes; 0 for one that has ended.
pub(crate) fn peak_bytes(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Keeps every processor of the machine busy, twice over, until dropped; for two minutes, should a test be killed.
pub(crate) struct Load(Vec<Child>);

impl Load {
    pub(crate) fn begin() -> Self {
        let processors = thread::available_parallelism().map_or(2, usize::from);
        let spin = || {
            Command::new("sh")
                .args(["-c", "ulimit -t 120; while :; do :; done"])
                .spawn()
                .expect("sh is there")
        };
        Self((0..2 * processors).map(|_| spin()).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whether a program that not every machine has is there. Says so if not: a test that did nothing has to be seen.
pub(crate) fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: this test needs {program}, which is not installed");
    }
    there
}

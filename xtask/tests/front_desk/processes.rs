//! Looking for processes that a run has left behind.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use crate::desk::HANGS;

/// A variable in the environment of a command, which all that it starts inherits, but for subjects.
pub(crate) struct Mark(String);

const VARIABLE: &str = "GROUNDWORK_TEST";

impl Mark {
    pub(crate) fn new(name: &str) -> Self {
        Self(format!("{name}-{}", std::process::id()))
    }

    pub(crate) fn on<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env(VARIABLE, &self.0)
    }

    /// Fails if a process with this mark outlives the next few seconds.
    #[track_caller]
    pub(crate) fn nobody_is_left(&self) {
        let wanted = format!("{VARIABLE}={}\0", self.0);
        let left = eventually(Duration::from_secs(20), || {
            let left =
                all(|process| fs::read(process.join("environ")).is_ok_and(|text| contains(&text, &wanted)));
            if left.is_empty() { Ok(()) } else { Err(left) }
        });
        assert_eq!(left, Ok(()), "every process that the run started should have ended");
    }
}

/// Processes on whose command line `word` stands.
pub(crate) fn with_argument(word: &str) -> Vec<PathBuf> {
    all(|process| fs::read(process.join("cmdline")).is_ok_and(|text| contains(&text, word)))
}

/// Waits for the end of `child`.
#[track_caller]
pub(crate) fn status_within(child: &mut Child) -> ExitStatus {
    let ended = eventually(HANGS, || child.try_wait().expect("a child of ours").ok_or("still running"));
    if ended.is_err() {
        let _ = child.kill();
    }
    ended.expect("the front desk ends by itself")
}

/// Asks until the answer is good; the last bad one if that takes longer than `limit`.
pub(crate) fn eventually<T, E>(limit: Duration, mut ask: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let deadline = Instant::now() + limit;
    loop {
        match ask() {
            Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
            answer => return answer,
        }
    }
}

fn all(test: impl Fn(&PathBuf) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let numbered =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok());
    entries.map(|entry| entry.path()).filter(numbered).filter(test).collect()
}

fn contains(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|window| window == word.as_bytes())
}

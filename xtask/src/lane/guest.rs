//! One guest from its start to its end: what it says on its line, and what it does not say.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use harness::guest::Word;

use super::{Each, keeper, log::Words};
use crate::{interrupt, suite::SILENCE};

/// How often a wait looks up, in case of an interrupt that reached nobody but us.
const LOOK_UP: Duration = Duration::from_millis(100);

/// How long a guest may take to switch itself off once its suite has ended.
const SWITCHING_OFF: Duration = Duration::from_secs(10);

/// What is written to console and line besides words of its own. A kernel that says more is a subject shouting.
const FLOOD_BYTES: usize = 8 << 20;

/// How a guest ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Its suite came to its end.
    InOrder,
    /// It could not be set up: this kind of guest does not work here.
    Unfit(String),
    /// It was running the suite, and ended without its last word.
    Died(Death),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// How a guest died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Death {
    /// In a few words that go on from "ended: ".
    pub(super) how: String,
    /// The last lines of its kernel.
    pub(super) last_words: Vec<String>,
}

/// How long a guest is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// To be set up.
    pub(super) boot: Duration,
    /// To say anything, at least that it is alive, which it does every second.
    pub(super) silence: Duration,
}

/// A guest that was started. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Guest {
    keeper: Child,
    words: Receiver<Word>,
    console: Arc<Mutex<Words>>,
    /// Bytes that were none of its words.
    noise: Arc<AtomicUsize>,
    readers: Vec<JoinHandle<()>>,
}

/// What was heard so far.
#[derive(Debug, Default)]
struct Heard {
    begun: bool,
    failed: Option<String>,
    /// The suite's status.
    status: Option<i32>,
    /// Why it was given up.
    given_up: Option<String>,
}

impl Guest {
    /// Starts what `command` says, with its console as stdout. `line` is where its words come from; what they begin with is
    /// `nonce`. `inherited` is the descriptor that it writes them to.
    pub(super) fn start(
        mut command: Command,
        line: File,
        inherited: OwnedFd,
        nonce: String,
    ) -> anyhow::Result<Self> {
        let (console, console_end) = std::io::pipe().context("cannot make a pipe")?;
        command.stdin(Stdio::null()).stdout(console_end.try_clone()?).stderr(console_end);
        let shown = command.get_program().to_string_lossy().into_owned();
        let started = keeper::spawn(command, inherited.as_raw_fd());
        let keeper = started.with_context(|| format!("cannot start {shown}"))?;
        drop(inherited);

        let noise = Arc::new(AtomicUsize::new(0));
        let (send, words) = mpsc::channel();
        let heard = Arc::clone(&noise);
        let on_line = thread::spawn(move || read_words(line, &nonce, &send, &heard));
        let kept = Arc::new(Mutex::new(Words::default()));
        let (hear, heard) = (Arc::clone(&kept), Arc::clone(&noise));
        let on_console = thread::spawn(move || read_console(console, &hear, &heard));
        Ok(Self { keeper, words, console: kept, noise, readers: vec![on_line, on_console] })
    }

    /// Hands on the suite's events until the guest has ended, one way or another. `errand` is removed once it was read.
    pub(super) fn follow(
        &mut self,
        deadlines: Deadlines,
        errand: &Path,
        each: &mut Each<'_>,
    ) -> anyhow::Result<Ended> {
        let mut heard = Heard::default();
        let (mut word_at, mut event_at) = (Instant::now(), Instant::now());
        loop {
            if interrupt::happened() {
                return Ok(Ended::Interrupted);
            }
            if self.noise.load(Ordering::Relaxed) > FLOOD_BYTES {
                heard.given_up = Some(format!("it wrote more than {} MiB to its console", FLOOD_BYTES >> 20));
                break;
            }
            let word = match self.words.recv_timeout(LOOK_UP) {
                Ok(word) => word,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let limit = heard.limit(deadlines);
                    let silent = word_at.elapsed() > limit || event_at.elapsed() > SILENCE;
                    if !silent {
                        continue;
                    }
                    let limit = if word_at.elapsed() > limit { limit } else { SILENCE };
                    heard.given_up = Some(format!("nothing was heard from it for {} s", limit.as_secs()));
                    break;
                }
            };
            word_at = Instant::now();
            match word {
                Word::Begun => {
                    heard.begun = true;
                    self.console.lock().unwrap_or_else(PoisonError::into_inner).begin();
                    // A subject that looks for it learns no nonce.
                    let _ = fs::remove_file(errand);
                }
                Word::Alive => {}
                Word::Event(line) => {
                    event_at = word_at;
                    let event =
                        serde_json::from_str(&line).with_context(|| format!("not an event: {line}"))?;
                    each(event, &line)?;
                }
                Word::Failed(sentence) => heard.failed = Some(sentence),
                Word::Ended(status) => heard.status = Some(status),
            }
        }
        self.end();
        self.what_it_came_to(heard)
    }

    fn what_it_came_to(&self, heard: Heard) -> anyhow::Result<Ended> {
        let console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        let how = heard.given_up.unwrap_or_else(|| console.how_it_ended());
        let death = |how: String| Ended::Died(Death { how, last_words: console.last_lines() });
        Ok(match (heard.failed, heard.status) {
            (Some(sentence), _) => Ended::Unfit(sentence),
            (None, Some(0)) => Ended::InOrder,
            (None, Some(status)) if status > 128 => {
                death("the suite that ran in it was ended by a signal".to_owned())
            }
            (None, Some(status)) => bail!("the suite ended with status {status} in its guest"),
            (None, None) if heard.begun => death(how),
            (None, None) => {
                let said = console.last_lines().pop().unwrap_or_default();
                let said = said.trim_start_matches("kernel: ").trim();
                Ended::Unfit(format!("its kernel does not come up: {how}; it said: {said}"))
            }
        })
    }

    /// Kills it, if it still lives, and waits until all was heard that it said.
    pub(super) fn end(&mut self) {
        if self.readers.is_empty() {
            return;
        }
        keeper::kill(&self.keeper);
        let _ = self.keeper.wait();
        // Its pipes end with it, but for a process that would hold them although it was killed.
        let until = Instant::now() + SWITCHING_OFF;
        while Instant::now() < until && !self.readers.iter().all(JoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(1));
        }
        self.readers.clear();
    }

    /// What its kernel said.
    pub(super) fn console(&self) -> Words {
        std::mem::take(&mut self.console.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.end();
    }
}

impl Heard {
    fn limit(&self, deadlines: Deadlines) -> Duration {
        match (self.begun, self.status.is_some() || self.failed.is_some()) {
            (_, true) => SWITCHING_OFF,
            (true, false) => deadlines.silence,
            (false, false) => deadlines.boot,
        }
    }
}

/// Sends on the words among the lines; all else is noise.
fn read_words(line: File, nonce: &str, send: &mpsc::Sender<Word>, noise: &AtomicUsize) {
    let mut line = BufReader::new(line);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        // Longer than any event, so that a line without an end takes no memory without one.
        match line.by_ref().take(FLOOD_BYTES as u64).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let Some(word) = Word::read(&bytes, nonce) else {
            noise.fetch_add(bytes.len(), Ordering::Relaxed);
            continue;
        };
        if send.send(word).is_err() {
            return;
        }
    }
}

fn read_console(mut console: impl Read, words: &Mutex<Words>, noise: &AtomicUsize) {
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = console.read(&mut bytes) {
        noise.fetch_add(read, Ordering::Relaxed);
        words.lock().unwrap_or_else(PoisonError::into_inner).hear(&bytes[..read]);
    }
}

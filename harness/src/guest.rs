//! The wire between the front desk and a guest: a throw-away kernel whose first process is the suite itself.
//!
//! ```text
//!   front desk ── Errand, a file ──────────────► SUITE init ERRAND     (process 1 of the guest)
//!              ◄─ NONCE word, a line each ────── over a serial line of their own
//! ```
//!
//! Anything in the guest may write to that line, and subjects are root there: a line counts only behind the nonce, which
//! stands in the errand alone. That keeps accidents apart from what happened; it is no wall against malice.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::event::Request;

/// What a guest is started for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// What its words begin with.
    pub nonce: String,
    /// The device that its words are written to.
    pub line: PathBuf,
    /// The device to swap to.
    pub swap: PathBuf,
    /// How the folder for transcripts is reached.
    pub share: Share,
    /// `PATH`, as programs are looked up outside.
    pub path: String,
    /// Folders of the machine outside that have to be seen even where the guest mounts something of its own over them.
    pub keep: Vec<PathBuf>,
    /// What the suite is asked to do.
    pub request: Request,
}

/// How a guest reaches a folder of the machine that it runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// By its path there (User-Mode Linux).
    Hostfs,
    /// By the tag of a 9p file system.
    Plan9(String),
}

/// What a guest says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Everything is set up, and the suite is about to start.
    Begun,
    /// It is still there: said every second.
    Alive,
    /// A line of the suite's.
    Event(String),
    /// It cannot be set up; the sentence says which step failed, and why.
    Failed(String),
    /// The suite ended: with this status, or 128 + the signal.
    Ended(i32),
}

impl Word {
    /// The line that says it. It begins with a line break, since somebody may have left half a line there.
    pub fn line(&self, nonce: &str) -> String {
        match self {
            Self::Begun => format!("\n{nonce} begun\n"),
            Self::Alive => format!("\n{nonce} alive\n"),
            Self::Event(line) => format!("\n{nonce} event {line}\n"),
            Self::Failed(sentence) => format!("\n{nonce} failed {}\n", sentence.replace('\n', " ")),
            Self::Ended(status) => format!("\n{nonce} ended {status}\n"),
        }
    }

    /// What a line says, if it is one of this guest's words.
    pub fn read(line: &[u8], nonce: &str) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.trim_end_matches(['\r', '\n']);
        let said = line.strip_prefix(nonce)?.strip_prefix(' ')?;
        let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
        match word {
            "begun" => Some(Self::Begun),
            "alive" => Some(Self::Alive),
            "event" => Some(Self::Event(rest.to_owned())),
            "failed" => Some(Self::Failed(rest.to_owned())),
            "ended" => rest.parse().ok().map(Self::Ended),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read() {
        for word in [
            Word::Begun,
            Word::Alive,
            Word::Event(r#"{"event":"run_finished","not_run":[]}"#.to_owned()),
            Word::Failed("cannot mount proc: no such device".to_owned()),
            Word::Ended(137),
        ] {
            let line = word.line("c0ffee");
            assert_eq!(Word::read(line.trim_start().as_bytes(), "c0ffee"), Some(word), "{line:?}");
        }
    }

    #[test]
    fn what_others_write_is_none_of_its_words() {
        for line in ["", "ended 0", "c0ffee", "c0ffee ended", "c0ffee ended well", "beef ended 0", "c0ffee!"]
        {
            assert_eq!(Word::read(line.as_bytes(), "c0ffee"), None, "{line:?}");
        }
        assert_eq!(Word::read(b"c0ffee event \xff", "c0ffee"), None, "no event is anything but text");
    }
}

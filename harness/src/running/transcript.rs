//! The log of one check: every byte that passed between suite and subject, for a student who wants all of it.
//! Bounded: the beginning and the end are kept, which is where a failure begins and where it shows.

use std::{
    collections::VecDeque,
    fmt, fs, io,
    path::Path,
    time::{Duration, Instant},
};

const HEAD_LINES: usize = 400;
const TAIL_LINES: usize = 1600;
const LINE_BYTES: usize = 400;

/// The lines so far.
#[derive(Debug)]
pub(super) struct Transcript {
    began: Instant,
    head: Vec<Line>,
    tail: VecDeque<Line>,
    left_out: usize,
}

/// A line as it passed. It is made readable when it is written: of a hundred thousand lines most never are.
#[derive(Debug)]
struct Line {
    at: Duration,
    who: String,
    beginning: Vec<u8>,
    length: usize,
}

impl Transcript {
    /// An empty transcript that counts time from now.
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), head: Vec::new(), tail: VecDeque::new(), left_out: 0 }
    }

    /// Adds a line, without its end: `who` did it (`1<` is what process 1 was sent, `1>` what it said).
    pub(super) fn note(&mut self, who: &str, line: &[u8]) {
        let beginning = line[..line.len().min(LINE_BYTES)].to_vec();
        let line = Line { at: self.began.elapsed(), who: who.to_owned(), beginning, length: line.len() };
        if self.head.len() < HEAD_LINES {
            self.head.push(line);
            return;
        }
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
            self.left_out += 1;
        }
        self.tail.push_back(line);
    }

    /// Writes the transcript to `path`, whose folder is made if need be.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, self.to_string())
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        if self.left_out > 0 {
            writeln!(out, "         … {} lines left out …", self.left_out)?;
        }
        self.tail.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.beginning);
        let cut = self.length > self.beginning.len();
        // A character that was cut in two would look like a byte that is none.
        let text = if cut { text.trim_end_matches(char::REPLACEMENT_CHARACTER) } else { &text };
        let text = text.escape_debug().to_string().replace("\\\"", "\"");
        write!(out, "{:8.3} {:<3} {text}", self.at.as_secs_f64(), self.who)?;
        if cut { write!(out, "… ({} bytes)", self.length) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_are_kept() {
        let mut transcript = Transcript::begin();
        for number in 0..5000 {
            transcript.note("1<", format!("line {number}").as_bytes());
        }
        let text = transcript.to_string();
        assert!(text.contains("line 0\n") && text.contains("line 4999\n"), "first and last line are there");
        assert!(text.contains("… 3000 lines left out …"), "what is missing is counted: {}", &text[..80]);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let mut transcript = Transcript::begin();
        transcript.note("1>", format!("x{}", "é".repeat(LINE_BYTES)).as_bytes());
        transcript.note("1>", b"\"quoted\"\t\xff");
        let text = transcript.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].ends_with("é… (801 bytes)"), "{}", lines[0]);
        assert!(lines[1].ends_with("1>  \"quoted\"\\t\u{fffd}"), "{}", lines[1]);
    }
}

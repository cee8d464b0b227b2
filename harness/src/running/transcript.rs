//! The log of one check: every byte that passed between suite and subject, for a student who wants all of it.
//! Bounded: the beginning and the end are kept, which is where a failure begins and where it shows.

use std::{collections::VecDeque, fmt::Write, fs, io, path::Path, time::Instant};

const HEAD_LINES: usize = 400;
const TAIL_LINES: usize = 1600;
const LINE_BYTES: usize = 400;

/// The lines so far.
#[derive(Debug)]
pub(super) struct Transcript {
    began: Instant,
    head: Vec<String>,
    tail: VecDeque<String>,
    left_out: usize,
}

impl Transcript {
    /// An empty transcript that counts time from now.
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), head: Vec::new(), tail: VecDeque::new(), left_out: 0 }
    }

    /// Adds a line: `who` did it (`1<` is what process 1 was sent, `1>` what it said).
    pub(super) fn note(&mut self, who: &str, what: &str) {
        let line = format!("{:8.3} {who:<3} {}", self.began.elapsed().as_secs_f64(), shortened(what));
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
        fs::write(path, self.text())
    }

    fn text(&self) -> String {
        let mut text = self.head.join("\n");
        if self.left_out > 0 {
            let _ = write!(text, "\n         … {} lines left out …", self.left_out);
        }
        for line in &self.tail {
            text.push('\n');
            text.push_str(line);
        }
        text.push('\n');
        text
    }
}

/// The line itself, or its beginning and its length.
fn shortened(line: &str) -> String {
    let line = line.trim_end_matches('\n');
    if line.len() <= LINE_BYTES {
        return line.escape_debug().to_string().replace("\\\"", "\"");
    }
    let end = (0..=LINE_BYTES).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
    format!("{}… ({} bytes)", line[..end].escape_debug().to_string().replace("\\\"", "\""), line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_are_kept() {
        let mut transcript = Transcript::begin();
        for number in 0..5000 {
            transcript.note("1<", &format!("line {number}"));
        }
        let text = transcript.text();
        assert!(text.contains("line 0\n") && text.contains("line 4999\n"), "first and last line are there");
        assert!(text.contains("… 3000 lines left out …"), "what is missing is counted: {}", &text[..80]);
    }
}

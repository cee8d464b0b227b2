//! What the kernels of a run's guests said, kept in one file, and what can be told from it.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// As much of a kernel's words is kept from the beginning, and as much from the end.
const KEPT_BYTES: usize = 256 << 10;

/// Lines that show how a guest ended.
const LAST_LINES: usize = 4;

/// The file. One that is empty in the end is not left lying about.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    guests: u32,
}

/// The words of one kernel: their beginning and their end.
#[derive(Debug, Default)]
pub(super) struct Words {
    head: Vec<u8>,
    tail: Vec<u8>,
    left_out: usize,
    /// How much of it was said while the machine was set up.
    setting_up: usize,
}

impl Log {
    /// An empty one.
    pub(super) fn begin(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot keep what kernels say in {}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(path)).with_context(cannot)?;
        Ok(Self { path: path.to_owned(), file: File::create(path).with_context(cannot)?, guests: 0 })
    }

    /// Adds what a guest's kernel said.
    pub(super) fn add(&mut self, what: &str, words: &Words) -> anyhow::Result<()> {
        self.guests += 1;
        let written = writeln!(self.file, "== guest {}, {what}", self.guests)
            .and_then(|()| self.file.write_all(&words.text()));
        written.with_context(|| format!("cannot write to {}", self.path.display()))
    }
}

impl Words {
    /// Adds what was just said.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let room = KEPT_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(room);
        self.head.extend(head);
        self.tail.extend(rest);
        // Twice as much, so that what is dropped is not moved about at each call.
        if self.tail.len() > 2 * KEPT_BYTES {
            let excess = self.tail.len() - KEPT_BYTES;
            self.left_out += excess;
            self.tail.drain(..excess);
        }
    }

    /// From now on it is about what runs in it.
    pub(super) fn begin(&mut self) {
        self.setting_up = self.head.len();
    }

    fn text(&self) -> Vec<u8> {
        let mut text = self.head.clone();
        if self.left_out > 0 {
            text.extend(format!("\n… {} bytes left out …\n", self.left_out).into_bytes());
        }
        text.extend(&self.tail);
        text
    }

    /// How the kernel ended, as far as it said.
    pub(super) fn how_it_ended(&self) -> String {
        let text = String::from_utf8_lossy(&self.text()).into_owned();
        if let Some((_, panic)) = text.rsplit_once("Kernel panic - not syncing: ") {
            return format!("it panicked ({})", panic.lines().next().unwrap_or_default().trim());
        }
        let switched_off = ["reboot: Power down", "reboot: System halted", "reboot: Restarting system"];
        if switched_off.iter().any(|word| text.contains(word)) {
            return "somebody switched it off".to_owned();
        }
        "it stopped without a word".to_owned()
    }

    /// The lines around its end; what a panic prints after its first line says little to anybody, and what the kernel
    /// said before anything ran in it nothing.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.text()[self.setting_up..]).into_owned();
        let mut lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        if let Some(panic) = lines.iter().rposition(|line| line.contains("Kernel panic")) {
            lines.truncate(panic + 1);
        }
        let from = lines.len().saturating_sub(LAST_LINES);
        lines[from..].iter().map(|line| format!("kernel: {line}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        let mut words = Words::default();
        words.hear(text.as_bytes());
        words
    }

    #[test]
    fn a_panic_is_told_by_its_first_line() {
        let words = words(
            "booting\nsysrq: Trigger a crash\nKernel panic - not syncing: sysrq triggered crash\nCPU: 0\nCall Trace:\n",
        );
        assert_eq!(words.how_it_ended(), "it panicked (sysrq triggered crash)");
        let last = words.last_lines();
        assert!(last.last().is_some_and(|line| line.contains("Kernel panic")), "no traces: {last:?}");
    }

    #[test]
    fn an_end_is_told_from_a_stop() {
        assert_eq!(words("reboot: Power down\n").how_it_ended(), "somebody switched it off");
        assert_eq!(words("booting\n").how_it_ended(), "it stopped without a word");
    }

    #[test]
    fn of_endless_words_the_beginning_and_the_end_are_kept() {
        let mut words = words("the first\n");
        for _ in 0..100 {
            words.hear(&[b'x'; 64 << 10]);
        }
        words.hear(b"\nthe last\n");
        let text = String::from_utf8(words.text()).expect("ASCII");
        assert!(text.len() < 4 * KEPT_BYTES, "{} bytes are kept", text.len());
        assert!(text.starts_with("the first\n") && text.ends_with("\nthe last\n"), "its ends are kept");
    }
}

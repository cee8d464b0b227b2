//! A traced subject's input: a line at a time, the next one when the last was answered. The tracer looks at every
//! system call, so the line is there before the subject can wait for it.

use std::{
    fs::File,
    io::{PipeWriter, Write},
    os::unix::fs::FileExt,
    slice,
};

use crate::running::Judged;

/// Lines that are still to be sent.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    lines: slice::SplitInclusive<'a, u8, fn(&u8) -> bool>,
    /// Dropped at the end of the input, which the subject then sees.
    pipe: Option<PipeWriter>,
    sent: usize,
    stdout: File,
    /// How much of stdout was looked at, and how many lines are in it.
    seen_bytes: u64,
    answered: usize,
}

impl<'a> Feed<'a> {
    /// Sends the first line.
    pub(super) fn begin(pipe: PipeWriter, stdout: File, input: &'a [u8]) -> Judged<Self> {
        let lines = input.split_inclusive((|&byte| byte == b'\n') as fn(&u8) -> bool);
        let mut feed = Self { lines, pipe: Some(pipe), sent: 0, stdout, seen_bytes: 0, answered: 0 };
        feed.send();
        Ok(feed)
    }

    /// Sends the next line, or the end, if every line so far was answered; whether it did.
    pub(super) fn next_if_answered(&mut self) -> Judged<bool> {
        let length = self.stdout.metadata()?.len();
        if length > self.seen_bytes {
            let mut new = vec![0; (length - self.seen_bytes) as usize];
            self.stdout.read_exact_at(&mut new, self.seen_bytes)?;
            self.seen_bytes = length;
            self.answered += new.iter().filter(|&&byte| byte == b'\n').count();
        }
        Ok(self.answered >= self.sent && self.send())
    }

    fn send(&mut self) -> bool {
        match (self.lines.next(), &mut self.pipe) {
            (Some(line), Some(pipe)) => {
                self.sent += 1;
                // A subject that is gone, or has closed its stdin, does not need it.
                let _ = pipe.write_all(line);
                true
            }
            _ => self.pipe.take().is_some(),
        }
    }
}

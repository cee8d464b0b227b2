//! Bytes that a subject has said and nobody has read yet, cut into lines.

use crate::running::newline::first_line_end;

/// Unread output that a subject may pile up before it counts as a flood.
pub(super) const FLOOD_BYTES: usize = 64 << 20;

/// Unread stdout.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    /// Where the unread part begins; moved instead of copying the rest at every line.
    start: usize,
    /// No newline stands between `start` and here.
    searched: usize,
}

impl Inbox {
    /// Adds what was read from the pipe.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.searched = self.searched.saturating_sub(self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a whole line is there.
    pub(super) fn has_line(&self) -> bool {
        first_line_end(&self.bytes[self.searched.max(self.start)..]).is_some()
    }

    /// Takes a whole line, without its newline.
    pub(super) fn take_line(&mut self) -> Option<Vec<u8>> {
        let from = self.searched.max(self.start);
        let Some(length) = first_line_end(&self.bytes[from..]) else {
            self.searched = self.bytes.len();
            return None;
        };
        let line = self.bytes[self.start..from + length - 1].to_vec();
        self.start = from + length;
        self.searched = self.start;
        Some(line)
    }

    /// Whether nothing is unread.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Takes everything.
    pub(super) fn take_all(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.start);
        *self = Self::default();
        rest
    }

    /// Whether more is unread than any correct subject says at once.
    pub(super) fn is_flooded(&self) -> bool {
        self.bytes.len() - self.start > FLOOD_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_whole_however_they_went_in() {
        for cut in 0..=10 {
            let (first, second) = b"one\ntwo\nth".split_at(cut);
            let mut inbox = Inbox::default();
            inbox.push(first);
            let mut lines: Vec<_> = std::iter::from_fn(|| inbox.take_line()).collect();
            inbox.push(second);
            lines.extend(std::iter::from_fn(|| inbox.take_line()));
            assert_eq!(lines, [b"one".to_vec(), b"two".to_vec()], "cut at {cut}");
            assert_eq!(inbox.take_all(), b"th", "cut at {cut}");
        }
    }
}

//! Bytes as a reader can take them in.

/// How much of a run of bytes evidence shows.
#[derive(Clone, Copy, Debug)]
pub struct Excerpt {
    /// So many bytes are shown whole.
    pub whole: usize,
    /// Of more than those, so many of the beginning.
    pub beginning: usize,
    /// And so many of the end.
    pub end: usize,
    /// Of two runs that differ, so many before the first difference.
    pub before: usize,
    /// And so many from there on.
    pub after: usize,
}

impl Excerpt {
    /// Bytes in quotes, escaped; of a long run the beginning and the end.
    pub fn shown(&self, bytes: &[u8]) -> String {
        if bytes.len() <= self.whole {
            return format!("\"{}\"", escaped(bytes));
        }
        let (beginning, end) = (&bytes[..self.beginning], &bytes[bytes.len() - self.end..]);
        format!("\"{}\" … \"{}\" ({} bytes)", escaped(beginning), escaped(end), bytes.len())
    }

    /// Two runs of bytes, one above the other from a little before their first difference, with a caret at it. Nothing
    /// when they are equal.
    pub fn difference(&self, expected: &[u8], got: &[u8]) -> Vec<String> {
        if expected == got {
            return Vec::new();
        }
        let at = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
        let from = at.saturating_sub(self.before);
        let part = |bytes: &[u8]| {
            let to = bytes.len().min(at + self.after);
            let fold = |is_cut: bool| if is_cut { "…" } else { "" };
            format!("{}{}{}", fold(from > 0), escaped(&bytes[from..to]), fold(to < bytes.len()))
        };
        let before = part(&expected[..at]).chars().count();
        vec![
            format!("expected  {}", part(expected)),
            format!("got       {}", part(got)),
            format!(
                "          {}^ byte {at} of {}, of {} expected",
                " ".repeat(before),
                got.len(),
                expected.len()
            ),
        ]
    }
}

/// Printable ASCII as it is, the rest as Rust and C write it.
pub fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\'", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCERPT: Excerpt = Excerpt { whole: 160, beginning: 90, end: 30, before: 24, after: 40 };

    #[test]
    fn line_ends_are_seen() {
        assert_eq!(EXCERPT.shown(b"a: 'b'\r\n\x80"), r#""a: 'b'\r\n\x80""#);
    }

    #[test]
    fn long_runs_are_folded() {
        assert!(EXCERPT.shown(&[b'x'; 1000]).ends_with("(1000 bytes)"));
        assert!(EXCERPT.shown(&[b'x'; 1000]).len() < 200);
    }

    #[test]
    fn the_caret_stands_below_the_first_difference() {
        let rows = EXCERPT.difference(b"GET /a\r\nHost", b"GET /a\nHost");
        assert_eq!(rows[0], r"expected  GET /a\r\nHost");
        assert_eq!(rows[1], r"got       GET /a\nHost");
        assert_eq!(rows[2].find('^'), rows[1].find("\\n"), "{rows:#?}");
        let rows = EXCERPT.difference(b"one\x00two", b"one\x01two");
        assert_eq!(rows[0], r"expected  one\x00two");
        assert_eq!(rows[2].find('^'), rows[1].find("\\x01"), "{rows:#?}");
        assert!(EXCERPT.difference(b"same", b"same").is_empty());
    }

    #[test]
    fn what_is_missing_differs_at_its_end() {
        let rows = EXCERPT.difference(b"abc", b"ab");
        assert_eq!(rows[2], "            ^ byte 2 of 2, of 3 expected");
    }
}

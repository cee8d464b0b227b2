//! Bytes as a reader can take them in: heads are long, and their lines make sense whole.

use harness::bytes::{Excerpt, escaped};

const EXCERPT: Excerpt = Excerpt { whole: 160, beginning: 90, end: 30, before: 24, after: 40 };

/// Bytes in quotes: see [`Excerpt::shown`].
pub(crate) fn shown(bytes: &[u8]) -> String {
    EXCERPT.shown(bytes)
}

/// The first difference of two runs: see [`Excerpt::difference`].
pub(crate) fn difference(expected: &[u8], got: &[u8]) -> Vec<String> {
    EXCERPT.difference(expected, got)
}

/// Where a run of bytes was cut: the bytes around, with a caret below the cut.
pub(crate) fn cut_shown(bytes: &[u8], cut: usize) -> Vec<String> {
    const AROUND: usize = 28;
    let (from, to) = (cut.saturating_sub(AROUND), bytes.len().min(cut + AROUND));
    let fold = |is_cut: bool| if is_cut { "…" } else { "" };
    let before = format!("{}{}", fold(from > 0), escaped(&bytes[from..cut]));
    vec![
        format!("sent  {before}|{}{}", escaped(&bytes[cut..to]), fold(to < bytes.len())),
        format!("      {}^ cut after byte {cut} of {}", " ".repeat(before.chars().count()), bytes.len()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_seen_between_its_pieces() {
        let rows = cut_shown(b"OK\r\n\r\nhello", 4);
        assert_eq!(rows[0], r"sent  OK\r\n|\r\nhello");
        assert_eq!(rows[1].find('^'), rows[0].find('|'), "{rows:#?}");
    }
}

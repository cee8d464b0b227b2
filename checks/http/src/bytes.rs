//! Bytes as a reader can take them in.

/// Bytes in quotes, escaped; of a long run the beginning and the end.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const WHOLE: usize = 160;
    const BEGINNING: usize = 90;
    const END: usize = 30;
    if bytes.len() <= WHOLE {
        return format!("\"{}\"", escaped(bytes));
    }
    let (beginning, end) = (&bytes[..BEGINNING], &bytes[bytes.len() - END..]);
    format!("\"{}\" … \"{}\" ({} bytes)", escaped(beginning), escaped(end), bytes.len())
}

/// Two runs of bytes, one above the other from a little before their first difference, with a caret at it. Nothing when
/// they are equal.
pub(crate) fn difference(expected: &[u8], got: &[u8]) -> Vec<String> {
    const BEFORE: usize = 24;
    const AFTER: usize = 40;
    if expected == got {
        return Vec::new();
    }
    let at = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    let from = at.saturating_sub(BEFORE);
    let part = |bytes: &[u8]| {
        let to = bytes.len().min(at + AFTER);
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

/// Printable ASCII as it is, the rest as Rust and C write it.
fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\'", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_seen() {
        assert_eq!(shown(b"a: 'b'\r\n\x80"), r#""a: 'b'\r\n\x80""#);
    }

    #[test]
    fn long_runs_are_folded() {
        assert!(shown(&[b'x'; 1000]).ends_with("(1000 bytes)"));
        assert!(shown(&[b'x'; 1000]).len() < 200);
    }

    #[test]
    fn the_caret_stands_below_the_first_difference() {
        let rows = difference(b"GET /a\r\nHost", b"GET /a\nHost");
        assert_eq!(rows[0], r"expected  GET /a\r\nHost");
        assert_eq!(rows[1], r"got       GET /a\nHost");
        assert_eq!(rows[2].find('^'), rows[1].find("\\n"), "{rows:#?}");
        assert!(difference(b"same", b"same").is_empty());
    }

    #[test]
    fn a_cut_is_seen_between_its_pieces() {
        let rows = cut_shown(b"OK\r\n\r\nhello", 4);
        assert_eq!(rows[0], r"sent  OK\r\n|\r\nhello");
        assert_eq!(rows[1].find('^'), rows[0].find('|'), "{rows:#?}");
    }

    #[test]
    fn what_is_missing_differs_at_its_end() {
        let rows = difference(b"abc", b"ab");
        assert_eq!(rows[2], "            ^ byte 2 of 2, of 3 expected");
    }
}

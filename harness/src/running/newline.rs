//! Where lines end. Everything that passes between suite and subject goes through here.

use std::io::BufRead;

/// The length of the first line with its newline, if it has one.
///
/// By way of `skip_until`, which asks libc: an iterator over bytes would be compiled here, where nothing is optimised, and
/// take twenty times as long.
pub(super) fn first_line_end(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let length = rest.skip_until(b'\n').unwrap_or(0);
    bytes[..length].ends_with(b"\n").then_some(length)
}

/// The lines, without their newlines; what follows the last newline is a line if it is not empty.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = first_line_end(rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after;
        (!line.is_empty()).then(|| line.strip_suffix(b"\n").unwrap_or(line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_after_its_newline() {
        let ends = [&b"one\ntwo"[..], b"\n", b"one", b""].map(first_line_end);
        assert_eq!(ends, [Some(4), Some(1), None, None]);
    }

    #[test]
    fn the_last_line_needs_no_newline() {
        assert_eq!(lines(b"one\n\ntwo").collect::<Vec<_>>(), [&b"one"[..], b"", b"two"]);
        assert_eq!(lines(b"one\n").collect::<Vec<_>>(), [b"one"]);
        assert_eq!(lines(b"").count(), 0);
    }
}

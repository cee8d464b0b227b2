//! Bytes as a reader can take them in: streams mean nothing, so that a little of them is enough.

use harness::bytes::Excerpt;

const EXCERPT: Excerpt = Excerpt { whole: 80, beginning: 40, end: 16, before: 12, after: 16 };

/// Bytes in quotes: see [`Excerpt::shown`].
pub(crate) fn shown(bytes: &[u8]) -> String {
    EXCERPT.shown(bytes)
}

/// The first difference of two runs: see [`Excerpt::difference`].
pub(crate) fn difference(expected: &[u8], got: &[u8]) -> Vec<String> {
    EXCERPT.difference(expected, got)
}

/// A number of bytes, in the unit that a reader would choose.
pub(crate) fn amount(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        _ if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes >= 1 << 10 && bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_their_own_unit() {
        let told = [1, 1000, 4096, 3 << 20].map(amount);
        assert_eq!(told, ["1 byte", "1000 bytes", "4 KiB", "3 MiB"]);
    }
}

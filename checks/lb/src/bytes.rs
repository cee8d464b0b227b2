//! Bytes as a reader can take them in.

/// Bytes in quotes, escaped; of a long run the beginning and the end.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const WHOLE: usize = 80;
    const BEGINNING: usize = 40;
    const END: usize = 16;
    if bytes.len() <= WHOLE {
        return format!("\"{}\"", escaped(bytes));
    }
    let (beginning, end) = (&bytes[..BEGINNING], &bytes[bytes.len() - END..]);
    format!("\"{}\" … \"{}\" ({} bytes)", escaped(beginning), escaped(end), bytes.len())
}

/// Two runs of bytes, one above the other from a little before their first difference, with a caret at it. Nothing when
/// they are equal.
pub(crate) fn difference(expected: &[u8], got: &[u8]) -> Vec<String> {
    const BEFORE: usize = 12;
    const AFTER: usize = 16;
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

/// A number of bytes, in the unit that a reader would choose.
pub(crate) fn amount(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        _ if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes >= 1 << 10 && bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

/// Printable ASCII as it is, the rest as Rust and C write it.
fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\'", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_first_difference() {
        let rows = difference(b"one\x00two", b"one\x01two");
        assert_eq!(rows[0], r"expected  one\x00two");
        assert_eq!(rows[2].find('^'), rows[1].find("\\x01"), "{rows:#?}");
        assert!(difference(b"same", b"same").is_empty());
    }

    #[test]
    fn amounts_are_read_in_their_own_unit() {
        let told = [1, 1000, 4096, 3 << 20].map(amount);
        assert_eq!(told, ["1 byte", "1000 bytes", "4 KiB", "3 MiB"]);
    }
}

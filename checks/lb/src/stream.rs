//! Bytes without end that everybody can tell apart: any part of them can be had, and compared, without the rest.
//!
//! ```text
//!   table   2^20 - 3 bytes, a prime number of them, repeated for ever
//!   stream  the table from some place on
//! ```
//!
//! A copy that is moved by the size of any buffer differs, and so does the stream of another connection.

use std::sync::OnceLock;

use crate::bytes::difference;

/// The length of the table.
const PERIOD: usize = 1_048_573;

/// Bytes without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    start: usize,
}

/// A first difference between a stream and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The offset of the first byte that is another one.
    pub(crate) at: u64,
    /// Both runs around it, with a caret.
    pub(crate) picture: Vec<String>,
}

impl Stream {
    /// A stream of its own.
    pub(crate) fn new(rng: &mut fastrand::Rng) -> Self {
        Self { start: rng.usize(0..PERIOD) }
    }

    /// The bytes from `at` on: at most so many, and at least one.
    pub(crate) fn part(self, at: u64, at_most: usize) -> &'static [u8] {
        let from = ((self.start as u64 + at) % PERIOD as u64) as usize;
        &table()[from..from + at_most.min(PERIOD)]
    }

    /// Where `got`, which should be the bytes from `at` on, is something else.
    pub(crate) fn difference(self, mut at: u64, mut got: &[u8]) -> Option<Difference> {
        const AROUND: usize = 24;
        while !got.is_empty() {
            let expected = self.part(at, got.len());
            let (these, rest) = got.split_at(expected.len());
            if these != expected {
                let same = these.iter().zip(expected).take_while(|(got, expected)| got == expected).count();
                let (from, to) = (same.saturating_sub(AROUND), (same + AROUND).min(these.len()));
                let mut picture = difference(&expected[from..to], &these[from..to]);
                let offset = at + same as u64;
                // The last row speaks of the parts that are shown; what a reader needs is where in the stream it is.
                if let Some(row) = picture.last_mut()
                    && let Some(caret) = row.find('^')
                {
                    row.replace_range(caret.., &format!("^ byte {offset} of the stream"));
                }
                return Some(Difference { at: offset, picture });
            }
            (at, got) = (at + expected.len() as u64, rest);
        }
        None
    }
}

/// The table twice, so that a part may run over its end.
fn table() -> &'static [u8] {
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = vec![0; PERIOD];
        fastrand::Rng::with_seed(0x6c62).fill(&mut table);
        table.extend_from_within(..);
        table
    })
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    fn bytes(stream: Stream, range: Range<u64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() as u64 != range.end - range.start {
            let at = range.start + bytes.len() as u64;
            bytes.extend_from_slice(stream.part(at, (range.end - at).min(1000) as usize));
        }
        bytes
    }

    #[test]
    fn a_part_is_the_same_however_it_is_cut() {
        let stream = Stream { start: PERIOD - 5 };
        let whole = bytes(stream, 0..3 * PERIOD as u64);
        assert_eq!(bytes(stream, 7..29), whole[7..29]);
        assert_eq!(stream.difference(0, &whole), None);
        assert_eq!(stream.difference(1, &whole[1..]), None);
        assert!(stream.difference(1, &whole).is_some(), "moved by a byte");
    }

    #[test]
    fn a_difference_is_told_by_its_place_in_the_stream() {
        let stream = Stream { start: 3 };
        let mut bytes = bytes(stream, 100..200);
        bytes[50] ^= 1;
        let difference = stream.difference(100, &bytes).expect("a byte is another one");
        assert_eq!(difference.at, 150);
        assert!(difference.picture[2].ends_with("^ byte 150 of the stream"), "{difference:#?}");
    }
}

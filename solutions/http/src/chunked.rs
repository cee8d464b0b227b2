//! Stage 3: the chunked coding (RFC 9112 §7.1): a body in pieces, for whoever begins to send before they
//! know how much it will be.
//!
//! ```text
//!   5;note="a;b"\r\n  hello \r\n   1A\r\n … \r\n   0\r\n   Trailer: x\r\n   \r\n
//!   │ └ extension     └ as many bytes   └ hex      │      └ discarded       └ the end
//!   └ size              as was said                └ the last chunk
//!
//!   Size ─► Extension ─► SizeEnd ─┬─► Data ─► DataReturn ─► DataEnd ─► Size …
//!                                 └─► Trailer … ─► Complete            (after a size of 0)
//! ```
//!
//! One state for each place where the input may break off, so it may break off anywhere. Framing goes byte
//! by byte, data by the piece. Lines end in `\r\n` and in nothing else: where two readers differ over where
//! a chunk ends, they differ over what is body and what is the next response.

use crate::error::{Error, Kind};
use crate::framing::Step;
use crate::hostile::{Budget, MAX_CHUNK_LINE_BYTES};

/// What the next byte has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A digit of a size, or what may follow one; the size so far, none before its first digit.
    Size(Option<u64>),
    /// Space after a size; an extension or the line's end follows.
    SizeSpace(u64),
    /// Part of an extension.
    Extension(u64),
    /// The `\n` after a size.
    SizeEnd(u64),
    /// Data; so many bytes are left, and there is at least one.
    Data(u64),
    /// The `\r` after data.
    DataReturn,
    /// The `\n` after that.
    DataEnd,
    /// Part of a trailer line; whether it is empty so far.
    Trailer { empty: bool },
    /// The `\n` of a trailer line.
    TrailerEnd { empty: bool },
    /// Nothing: the body is over.
    Complete,
}

/// Undoes the chunked coding.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// For all that stands between two pieces of data, or after the last.
    budget: Budget,
}

impl Decoder {
    /// A decoder at the beginning of a body.
    #[expect(clippy::new_without_default, reason = "a decoder is begun, not defaulted to")]
    pub fn new() -> Decoder {
        Decoder { state: State::Size(None), budget: line_budget() }
    }

    /// Whether the last chunk and its trailers have been read.
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// How many of the next bytes are data.
    pub fn verbatim(&self) -> u64 {
        if let State::Data(left) = self.state { left } else { 0 }
    }

    /// Counts `bytes` of those as had.
    pub fn skip(&mut self, bytes: usize) {
        if let State::Data(left) = self.state {
            self.state =
                if left == bytes as u64 { State::DataReturn } else { State::Data(left - bytes as u64) };
        }
    }

    /// Moves data from `input` to `output` until one of them is used up, or the body is over.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Error> {
        let mut step = Step { consumed: 0, produced: 0 };
        while step.consumed < input.len() && !self.is_complete() {
            let State::Data(left) = self.state else {
                match self.after(input[step.consumed]) {
                    Ok(next) => self.state = next,
                    // First the data that came before it. The byte stays, and is looked at again.
                    Err(_) if step.produced > 0 => break,
                    Err(error) => return Err(error),
                }
                step.consumed += 1;
                continue;
            };
            let (from, to) = (&input[step.consumed..], &mut output[step.produced..]);
            let moved = from.len().min(to.len()).min(usize::try_from(left).unwrap_or(usize::MAX));
            if moved == 0 {
                break;
            }
            to[..moved].copy_from_slice(&from[..moved]);
            self.skip(moved);
            step.consumed += moved;
            step.produced += moved;
        }
        Ok(step)
    }

    /// The state after a byte that is not data.
    fn after(&mut self, byte: u8) -> Result<State, Error> {
        self.budget.spend(1)?;
        let next = match (self.state, byte) {
            (State::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                // Digit by digit: `from_str_radix` would take a sign as well.
                let digit = u64::from(char::from(byte).to_digit(16).unwrap_or(0));
                let larger = size.unwrap_or(0).checked_mul(16).map(|size| size + digit);
                State::Size(Some(larger.ok_or_else(|| bad("a chunk size of more than 64 bits"))?))
            }
            (State::Size(Some(size)) | State::SizeSpace(size), b' ' | b'\t') => State::SizeSpace(size),
            (State::Size(Some(size)) | State::SizeSpace(size), b';') => State::Extension(size),
            (State::Size(Some(size)) | State::SizeSpace(size) | State::Extension(size), b'\r') => {
                State::SizeEnd(size)
            }
            (State::Extension(size), byte) if byte != b'\n' => State::Extension(size),
            (State::SizeEnd(0), b'\n') => State::Trailer { empty: true },
            (State::SizeEnd(size), b'\n') => State::Data(size),
            (State::DataReturn, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => State::Size(None),
            (State::Trailer { empty }, b'\r') => State::TrailerEnd { empty },
            (State::Trailer { .. }, byte) if byte != b'\n' => State::Trailer { empty: false },
            (State::TrailerEnd { empty: true }, b'\n') => State::Complete,
            (State::TrailerEnd { empty: false }, b'\n') => State::Trailer { empty: true },
            (state, byte) => {
                let place = match state {
                    State::DataReturn | State::DataEnd => "after the data of a chunk",
                    State::Trailer { .. } | State::TrailerEnd { .. } => "in a trailer",
                    _ => "in the size of a chunk",
                };
                return Err(bad(&format!("{:?} {place}", char::from(byte))));
            }
        };
        if matches!(next, State::Data(_)) {
            self.budget = line_budget();
        }
        Ok(next)
    }
}

fn line_budget() -> Budget {
    Budget::new("what stands between chunks, or after them, is", MAX_CHUNK_LINE_BYTES)
}

fn bad(detail: &str) -> Error {
    Error::new(Kind::BadResponse, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The body of what arrives in these pieces, and the bytes that are left, through a buffer of that size.
    fn decode<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
        room: usize,
    ) -> Result<(Vec<u8>, usize, bool), Error> {
        let (mut decoder, mut body, mut output, mut left) = (Decoder::new(), Vec::new(), vec![0; room], 0);
        for mut piece in pieces {
            while !piece.is_empty() && !decoder.is_complete() {
                let step = decoder.decode(piece, &mut output)?;
                assert!(step.consumed > 0, "it goes on");
                piece = &piece[step.consumed..];
                body.extend_from_slice(&output[..step.produced]);
            }
            left += piece.len();
        }
        Ok((body, left, decoder.is_complete()))
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "\r\n",
            "+2\r\nab\r\n",
            "-1\r\n",
            "0x2\r\nab\r\n",
            " 2\r\nab\r\n",
            "2 2\r\n",
            "2\nab",
            "2\rab",
            "g\r\n",
            ";x\r\n",
            "2;a\rb\r\n",
            "2;a\nab\r\n",
            "2\r\nabc\r\n",
            "2\r\nab0\r\n",
            "2\r\nab\n0",
            "2\r\nab\r0",
            "0\r\nA\nB",
            "0\r\n\n",
            "10000000000000000\r\n",
        ] {
            assert_eq!(decode([text.as_bytes()], 9).unwrap_err().kind, Kind::BadResponse, "{text:?}");
        }
        let endless = format!("2;{}", "x".repeat(MAX_CHUNK_LINE_BYTES));
        assert_eq!(decode([endless.as_bytes()], 9).unwrap_err().kind, Kind::TooLarge);
    }

    /// The trap: half a body that passes for a whole one.
    #[test]
    fn only_the_whole_of_it_is_complete() {
        let text = b"00a;x=\"a;b\"\r\nhelloworld\r\n1 \r\n!\r\n0\r\nA: b\r\n\r\nsurplus";
        let whole = text.len() - "surplus".len();
        for end in 0..=text.len() {
            let (body, left, complete) = decode([&text[..end]], 9).unwrap();
            assert_eq!((complete, left), (end >= whole, end.saturating_sub(whole)), "the first {end} bytes");
            assert!(b"helloworld!".starts_with(&body[..]), "the first {end} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_coding_of_a_body_arriving_anyhow_gives_the_body(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            upper_case in any::<bool>(),
            extension in prop::sample::select(vec!["", ";a", ";a=b", "; a=\"x;y\"", " ", "\t;"]),
            trailers in prop::sample::select(vec!["", "A: b\r\n", "A: b\r\nContent-Length: 3\r\n"]),
            surplus in prop::sample::select(vec!["", "\r\n", "0\r\n\r\n", "a", "5\r\nhello\r\n"]),
            piece in 1usize..30,
            room in 1usize..50,
        ) {
            let mut coded = Vec::new();
            for chunk in &chunks {
                let size = chunk.len();
                let size = if upper_case { format!("{size:03X}") } else { format!("{size:x}") };
                coded.extend([size.as_bytes(), extension.as_bytes(), b"\r\n", chunk, b"\r\n"].concat());
            }
            coded.extend([b"0", extension.as_bytes(), b"\r\n", trailers.as_bytes(), b"\r\n", surplus.as_bytes()].concat());
            let expected = (chunks.concat(), surplus.len(), true);
            prop_assert_eq!(decode(coded.chunks(piece), room).unwrap(), expected);
        }
    }
}

//! Stages 2 and 3: where a body ends (RFC 9112 §6.3). There are four answers, and the head says which holds.
//!
//! ```text
//! status 1xx, 204, 304                     there is no body, whatever the headers say
//! Transfer-Encoding: chunked               it says itself: see `chunked`. Wins over any Content-Length
//! Content-Length: 5                        after five bytes
//! none of these                            where the stream ends
//! ```
//!
//! Wrong in one direction, a client waits for bytes that never come; in the other, it takes the next response
//! for the body of this one. Only the last answer needs the connection to end, and so it alone cannot tell a
//! whole body from half of one. Bytes after the end are never part of the body.

use crate::chunked::Decoder;
use crate::error::{Error, Kind};
use crate::response::Head;

/// How far a body has come.
#[derive(Debug)]
pub enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    /// The body says.
    Chunked(Decoder),
    /// All that comes is body.
    UntilClose,
}

/// What a piece of input came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are done with.
    pub consumed: usize,
    /// Bytes of the body that were written to the output.
    pub produced: usize,
}

impl Framing {
    /// The framing of the body that follows `head`, in answer to a GET or POST.
    pub fn of(head: &Head) -> Result<Framing, Error> {
        if matches!(head.status, 100..=199 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        let codings = head.list("transfer-encoding");
        if !codings.is_empty() {
            let named: Vec<&str> = codings.into_iter().filter(|coding| !coding.is_empty()).collect();
            return match named[..] {
                [coding] if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked(Decoder::new())),
                _ => Err(Error::new(Kind::Unsupported, format!("transfer coding {:?}", named.join(", ")))),
            };
        }
        let mut lengths = head.list("content-length").into_iter().map(parse_length);
        let Some(first) = lengths.next() else { return Ok(Framing::UntilClose) };
        let length = first?;
        for other in lengths {
            // Two lengths are two bodies, and who sees which is what an attacker would like to choose.
            if other? != length {
                return Err(Error::new(
                    Kind::BadResponse,
                    "several values of Content-Length, and they differ",
                ));
            }
        }
        Ok(Framing::Length(length))
    }

    /// Whether the body has been had, whole.
    pub fn is_complete(&self) -> bool {
        match self {
            Framing::Length(left) => *left == 0,
            Framing::Chunked(decoder) => decoder.is_complete(),
            Framing::UntilClose => false,
        }
    }

    /// Moves what `input` holds of the body to `output`, as much as there is and fits.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Error> {
        if let Framing::Chunked(decoder) = self {
            return decoder.decode(input, output);
        }
        let moved = input.len().min(output.len()).min(usize::try_from(self.verbatim()).unwrap_or(usize::MAX));
        output[..moved].copy_from_slice(&input[..moved]);
        self.skip(moved);
        Ok(Step { consumed: moved, produced: moved })
    }

    /// How many of the next bytes are body, just as they are: these need not pass through `decode`.
    pub fn verbatim(&self) -> u64 {
        match self {
            Framing::Length(left) => *left,
            Framing::Chunked(decoder) => decoder.verbatim(),
            Framing::UntilClose => u64::MAX,
        }
    }

    /// Counts `bytes` of those as had.
    pub fn skip(&mut self, bytes: usize) {
        match self {
            Framing::Length(left) => *left -= bytes as u64,
            Framing::Chunked(decoder) => decoder.skip(bytes),
            Framing::UntilClose => {}
        }
    }

    /// What the end of the stream means: the end of the body, or half a body.
    pub fn end_of_stream(&self) -> Result<(), Error> {
        match self {
            Framing::UntilClose | Framing::Length(0) => Ok(()),
            Framing::Length(left) => Err(truncated(&format!("{left} bytes before the end of the body"))),
            Framing::Chunked(_) => Err(truncated("before the last chunk")),
        }
    }
}

fn truncated(place: &str) -> Error {
    Error::new(Kind::Truncated, format!("the server closed the connection {place}"))
}

/// One or more digits that make a u64. `u64::from_str` takes `+5` too, and who else does?
fn parse_length(text: &str) -> Result<u64, Error> {
    let length = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    length.ok_or_else(|| Error::new(Kind::BadResponse, format!("{text:?} is no Content-Length")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(status: u16, headers: &[(&str, &str)]) -> Result<String, Kind> {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        match Framing::of(&Head { minor_version: 1, status, headers }) {
            Ok(Framing::Length(length)) => Ok(length.to_string()),
            Ok(Framing::Chunked(_)) => Ok("chunked".to_owned()),
            Ok(Framing::UntilClose) => Ok("until close".to_owned()),
            Err(error) => Err(error.kind),
        }
    }

    #[test]
    fn each_answer_to_where_it_ends() {
        let (length, coding) = ("content-LENGTH", "transfer-ENCODING");
        for (status, headers, expected) in [
            (200, &[][..], "until close"),
            (200, &[(length, "5")], "5"),
            (200, &[(length, "5, 5"), (length, "05")], "5"),
            (200, &[(length, "18446744073709551615")], "18446744073709551615"),
            (200, &[(coding, "Chunked"), (length, "5")], "chunked"),
            (200, &[(length, "nonsense"), (coding, " ,chunked")], "chunked"),
            (204, &[(coding, "chunked")], "0"),
            (304, &[(length, "5")], "0"),
            (103, &[(length, "nonsense")], "0"),
        ] {
            assert_eq!(framing(status, headers).as_deref(), Ok(expected), "{status} {headers:?}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in ["", "+5", "-1", "5,", "5 5", "0x5", "5.0", "18446744073709551616", "5, 6", "\u{fffd}"] {
            assert_eq!(framing(200, &[("content-length", text)]), Err(Kind::BadResponse), "{text:?}");
        }
        for text in ["", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked;a=b"] {
            assert_eq!(framing(200, &[("transfer-encoding", text)]), Err(Kind::Unsupported), "{text:?}");
        }
    }
}

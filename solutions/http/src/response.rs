//! Stage 2: the head of a response: status line and header fields, up to the empty line.
//!
//! ```text
//! HTTP/1.1 200 OK\r\n              ◄ refused at once if it is something else: no need to wait for the rest
//! Content-Type: text/plain\r\n     ◄ each line is understood when its \n has come, and not kept
//! X-Long: one\r\n
//!   two\r\n                        ◄ obs-fold: the line before goes on; counts as one space
//! \r\n                             ◄ the end: the next byte is the body's, or the next response's
//! ```
//!
//! TCP keeps the bytes in order and nothing else: a read may end anywhere, in the middle of `\r\n` too. So the
//! parser is fed pieces, keeps the line that is still incomplete, and says how much of a piece was head.
//! Invariant: how the bytes were cut into pieces makes no difference, not even to the kind of error.
//! A head is text and a body is bytes; nothing here looks at the body.

use std::mem;

use crate::error::{Error, Kind};
use crate::hostile::{Budget, MAX_HEAD_BYTES};

/// What every status line begins with; the version follows.
const PROTOCOL: &[u8] = b"HTTP/";
/// What counts as space in a line, and nothing else does.
const SPACE: [char; 2] = [' ', '\t'];

/// A head, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// 0 in HTTP/1.0, 1 in HTTP/1.1.
    pub minor_version: u8,
    /// 100 to 999.
    pub status: u16,
    /// Names as they came, values without the space around them, in the order in which they came.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The values of all fields of that name, in whatever case.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let fields = self.headers.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_str()).collect()
    }

    /// The members of a field that is a list: `a, b` in one line means the same as `a` and `b` in two.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let members = self.values(name).into_iter().flat_map(|value| value.split(','));
        members.map(|member| member.trim_matches(SPACE)).collect()
    }
}

/// Reads one head from pieces.
#[derive(Debug)]
pub struct HeadParser {
    /// The line that is still incomplete.
    line: Vec<u8>,
    /// What was understood so far.
    head: Option<Head>,
    budget: Budget,
}

impl HeadParser {
    /// A parser that has seen nothing.
    #[expect(clippy::new_without_default, reason = "a parser is begun, not defaulted to")]
    pub fn new() -> HeadParser {
        HeadParser { line: Vec::new(), head: None, budget: Budget::new("a head", MAX_HEAD_BYTES) }
    }

    /// Takes the next piece. Says how many of its bytes belong to the head, and, if that was the last of it,
    /// what it says. Not to be called again after that, or after an error.
    pub fn push(&mut self, piece: &[u8]) -> Result<(usize, Option<Head>), Error> {
        let mut rest = piece;
        while let Some(newline) = rest.iter().position(|&byte| byte == b'\n') {
            let (end, following) = rest.split_at(newline + 1);
            rest = following;
            self.budget.spend(end.len())?;
            let mut line = mem::take(&mut self.line);
            line.extend_from_slice(end);
            let head = self.take_line(&line)?;
            if head.is_some() {
                return Ok((piece.len() - rest.len(), head));
            }
            line.clear();
            self.line = line;
        }
        self.budget.spend(rest.len())?;
        self.line.extend_from_slice(rest);
        // A server of another protocol may wait for us now, and its line may never end.
        let known = self.line.len().min(PROTOCOL.len());
        if self.head.is_none() && self.line[..known] != PROTOCOL[..known] {
            return Err(not_http(&self.line));
        }
        Ok((piece.len(), None))
    }

    /// Takes a whole line with its end; gives the head if that was the empty one.
    fn take_line(&mut self, line: &[u8]) -> Result<Option<Head>, Error> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A return that ends no line ends one for some readers, and what follows is a header to them.
        if let Some(&byte) = line.iter().find(|byte| matches!(byte, b'\r' | b'\0')) {
            return Err(bad(format!("{:?} in a line of the head", char::from(byte))));
        }
        match &mut self.head {
            None => self.head = Some(parse_status_line(line)?),
            Some(_) if line.is_empty() => return Ok(self.head.take()),
            Some(head) if line[0] == b' ' || line[0] == b'\t' => {
                let Some((_, value)) = head.headers.last_mut() else {
                    return Err(bad("space before the first header".to_owned()));
                };
                // In place: a new string for each line of an endless value would be quadratic work.
                let more = trimmed(line);
                if !value.is_empty() && !more.is_empty() {
                    value.push(' ');
                }
                value.push_str(&more);
            }
            Some(head) => head.headers.push(parse_field(line)?),
        }
        Ok(None)
    }
}

fn bad(detail: String) -> Error {
    Error::new(Kind::BadResponse, detail)
}

fn not_http(line: &[u8]) -> Error {
    bad(format!("the response begins with {:?}, not with HTTP/1.1", shown(line)))
}

/// `HTTP/1.1 200 Some reason`. The reason may be empty, or missing with its space: it is for people.
fn parse_status_line(line: &[u8]) -> Result<Head, Error> {
    let (version, rest) = line.split_at(line.len().min("HTTP/1.1".len()));
    let minor_version = match version {
        b"HTTP/1.0" => 0,
        b"HTTP/1.1" => 1,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', ..] => {
            return Err(Error::new(Kind::Unsupported, format!("the version in {:?}", shown(line))));
        }
        _ => return Err(not_http(line)),
    };
    match rest {
        [b' ', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9']
        | [b' ', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', ..] => {
            let status = [a, b, c].into_iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
            Ok(Head { minor_version, status, headers: Vec::new() })
        }
        _ => Err(bad(format!("no status in {:?}", shown(line)))),
    }
}

/// `Name: value`. A space before the colon is refused: to some readers it is part of the name, to others not.
fn parse_field(line: &[u8]) -> Result<(String, String), Error> {
    let colon = line.iter().position(|&byte| byte == b':');
    let (name, value) = line.split_at(colon.ok_or_else(|| bad(format!("no colon in {:?}", shown(line))))?);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(is_token) {
        return Err(bad(format!("{:?} is no name of a header", shown(name))));
    }
    Ok((text(name), trimmed(&value[1..])))
}

/// A value, without the space around it.
fn trimmed(bytes: &[u8]) -> String {
    text(bytes).trim_matches(SPACE).to_owned()
}

/// Bytes that are not UTF-8 become U+FFFD. No header has a meaning that hangs on them.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The beginning of a line, for a message.
fn shown(line: &[u8]) -> String {
    text(&line[..line.len().min(60)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a parser that is fed these pieces says, and how many bytes it took; none if it wants more.
    fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<(usize, Head)>, Kind> {
        let mut parser = HeadParser::new();
        let mut taken = 0;
        for piece in pieces {
            let (used, head) = parser.push(piece).map_err(|error| error.kind)?;
            taken += used;
            if let Some(head) = head {
                return Ok(Some((taken, head)));
            }
        }
        Ok(None)
    }

    #[test]
    fn what_is_read_leniently() {
        for (lines, status, expected) in [
            ("HTTP/1.1 200\r\n", 200, &[][..]),
            ("HTTP/1.0 404 \u{ff}\n", 404, &[][..]),
            (
                "HTTP/1.1 999 a  b\r\nA:b\r\na: \t c:d \t\r\nE:\r\n",
                999,
                &[("A", "b"), ("a", "c:d"), ("E", "")],
            ),
            ("HTTP/1.1 200 OK\r\nA: b\r\n \r\n\t c\r\nD:\r\n e\r\n", 200, &[("A", "b c"), ("D", "e")]),
        ] {
            let bytes: Vec<u8> = format!("{lines}\r\n").chars().map(|c| c as u8).collect();
            let (taken, head) = parse([&bytes[..]]).unwrap().unwrap();
            let headers: Vec<_> =
                head.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!((taken, head.status, &headers[..]), (bytes.len(), status, expected), "{lines:?}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (lines, kind) in [
            ("HTTP/2 200 OK\n", Kind::Unsupported),
            ("HTTP/1.2 200 OK\n", Kind::Unsupported),
            ("HTTP/1.1 20 OK\n", Kind::BadResponse),
            ("HTTP/1.1 2000 OK\n", Kind::BadResponse),
            ("HTTP/1.1 099 OK\n", Kind::BadResponse),
            ("HTTP/1.1  200 OK\n", Kind::BadResponse),
            ("HTTP/1.1 +20 OK\n", Kind::BadResponse),
            ("HTTP/1.1\n", Kind::BadResponse),
            ("\nHTTP/1.1 200 OK\n", Kind::BadResponse),
            ("SSH", Kind::BadResponse),
            ("HTTP/1.1 200 OK\nA b\n", Kind::BadResponse),
            ("HTTP/1.1 200 OK\nA : b\n", Kind::BadResponse),
            ("HTTP/1.1 200 OK\n: b\n", Kind::BadResponse),
            ("HTTP/1.1 200 OK\n A: b\n", Kind::BadResponse),
            ("HTTP/1.1 200 OK\nA: b\rC: d\n", Kind::BadResponse),
            ("HTTP/1.1 200 OK\nA: b\0\n", Kind::BadResponse),
        ] {
            assert_eq!(parse([lines.as_bytes()]).unwrap_err(), kind, "{lines:?}");
        }
        let endless = "A: b\r\n".repeat(MAX_HEAD_BYTES / 6);
        let pieces = ["HTTP/1.1 200 OK\r\n", &endless].map(str::as_bytes);
        assert_eq!(parse(pieces).unwrap_err(), Kind::TooLarge);
    }

    /// The trap: a `\r\n\r\n` that is only found when it arrives in one piece.
    #[test]
    fn any_two_pieces_make_the_same_head_and_the_body_is_left() {
        let bytes = b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\nHTTP/1.1 body";
        let whole = parse([&bytes[..]]).unwrap().unwrap();
        assert_eq!(whole.0, bytes.len() - "HTTP/1.1 body".len());
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            assert_eq!(parse([first, second]).unwrap().as_ref(), Some(&whole), "cut at {cut}");
        }
        assert_eq!(parse(bytes.chunks(1)).unwrap(), Some(whole));
    }

    /// Of the alphabet that a head is made of: such bytes get deeper into it than any others.
    fn letter() -> impl Strategy<Value = Vec<u8>> {
        let special =
            ["\r\n", "\r", "\n", ":", " ", "\t", "\0", "\u{e9}"].map(|text| text.as_bytes().to_vec());
        prop_oneof![(b' '..=b'~').prop_map(|byte| vec![byte]), prop::sample::select(special.to_vec())]
    }

    proptest! {
        #[test]
        fn how_it_was_cut_makes_no_difference(
            begin in prop::sample::select(vec!["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n"]),
            rest in prop::collection::vec(letter(), 0..40),
            piece in 1usize..9,
        ) {
            let bytes = [begin.as_bytes(), &rest.concat()].concat();
            prop_assert_eq!(parse([&bytes[..]]), parse(bytes.chunks(piece)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(parse([&bytes[..]]), parse(bytes.chunks(1)));
        }
    }
}

//! Chunked streams, made from parts that can be chosen one by one.

use harness::property::proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    strategy::{BoxedStrategy, Strategy},
};

/// The head of a chunked response.
pub(super) const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A body, and how it is written.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    chunks: Vec<Chunk>,
    last: Line,
    trailers: Vec<&'static str>,
}

#[derive(Clone, Debug)]
struct Chunk {
    data: Vec<u8>,
    line: Line,
}

/// What is free about the line of a size.
#[derive(Clone, Debug)]
struct Line {
    is_upper: bool,
    leading_zeros: usize,
    extension: &'static str,
}

/// Extensions as the standard has them (RFC 9112 section 7.1.1): names, tokens and quoted strings.
const EXTENSIONS: [&str; 8] = [
    "",
    ";a",
    ";a=b",
    ";a=1;b=2;c",
    ";note=\"a;b\"",
    ";note=\"say \\\"5;0\\\"\"",
    ";note=\"\\\\\";x",
    ";sig=0123456789abcdef",
];

const TRAILERS: [&str; 5] =
    ["Digest: abc", "X-Empty:", "Set-Cookie: a=b", "Content-Length: 3", "Transfer-Encoding: gzip"];

impl Stream {
    /// A short one that has everything.
    pub(super) fn example() -> Self {
        let line = |leading_zeros, extension| Line { is_upper: false, leading_zeros, extension };
        Self {
            chunks: vec![
                Chunk { data: b"\r\n0\r\n\r\n".to_vec(), line: line(0, ";n=\"a;b\"") },
                Chunk { data: b"5\r\nhello\r\n0\r\n\r\n;x".to_vec(), line: line(1, "") },
                Chunk { data: b"\r".to_vec(), line: line(0, "") },
            ],
            last: line(0, ";end"),
            trailers: vec!["Digest: abc", "X-Empty:"],
        }
    }

    /// A shorter one, in which every byte that is not data can be broken in turn.
    pub(super) fn short() -> Self {
        let line = |extension| Line { is_upper: false, leading_zeros: 0, extension };
        Self {
            chunks: vec![
                Chunk { data: b"hello".to_vec(), line: line("") },
                Chunk { data: b", 1\r\n0 end".to_vec(), line: line(";b") },
            ],
            last: line(""),
            trailers: vec!["T: u"],
        }
    }

    /// Which of the bytes as it is written are not data.
    pub(super) fn framing(&self) -> Vec<usize> {
        let mut at = 0;
        let mut framing = Vec::new();
        for chunk in &self.chunks {
            let line = chunk.line.bytes(chunk.data.len()).len();
            framing.extend(at..at + line);
            at += line + chunk.data.len();
            framing.extend(at..at + 2);
            at += 2;
        }
        framing.extend(at..self.bytes().len());
        framing
    }

    /// The body that it carries.
    pub(super) fn body(&self) -> Vec<u8> {
        self.chunks.iter().flat_map(|chunk| chunk.data.clone()).collect()
    }

    /// As it is written.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for chunk in &self.chunks {
            bytes.extend(chunk.line.bytes(chunk.data.len()));
            bytes.extend_from_slice(&chunk.data);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend(self.last.bytes(0));
        for trailer in &self.trailers {
            bytes.extend_from_slice(trailer.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}

impl Line {
    fn bytes(&self, size: usize) -> Vec<u8> {
        let size = if self.is_upper { format!("{size:X}") } else { format!("{size:x}") };
        format!("{}{size}{}\r\n", "0".repeat(self.leading_zeros), self.extension).into_bytes()
    }
}

/// Any stream.
pub(super) fn any_stream() -> impl Strategy<Value = Stream> {
    let chunk = (data(), line(11)).prop_map(|(data, line)| Chunk { data, line });
    (vec(chunk, 0..6), line(15), vec(select(&TRAILERS[..]), 0..3))
        .prop_map(|(chunks, last, trailers)| Stream { chunks, last, trailers })
}

fn line(most_zeros: usize) -> impl Strategy<Value = Line> {
    let zeros = prop_oneof![3 => Just(0), 1 => 0..=most_zeros];
    (zeros, any::<bool>(), select(&EXTENSIONS[..])).prop_map(|(leading_zeros, is_upper, extension)| Line {
        is_upper,
        leading_zeros,
        extension,
    })
}

/// At least a byte, and at most five digits of size; line ends and digits more often than other bytes.
fn data() -> BoxedStrategy<Vec<u8>> {
    let byte = || prop_oneof![1 => any::<u8>(), 1 => select(&b"\r\n\r\n05aA;"[..])];
    prop_oneof![4 => vec(byte(), 1..20), 2 => vec(byte(), 20..300), 1 => (1_usize..100_000).prop_map(long)]
        .boxed()
}

fn long(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 251) as u8).collect()
}

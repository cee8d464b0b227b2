//! Responses that no server should send: valid ones with bytes changed, and noise. Each is read in one piece
//! and again in many. Nothing may panic, nothing may stall, and both readings must agree about every
//! response, every byte of every body and the place where the next one begins: a reader that can be made to
//! differ from itself can be made to take part of one response for another.
//!
//! `cargo test --release -p http-solution -- --ignored fuzz` reads a million; without that, a few thousand.

use std::panic;

use http::Kind;
use http::framing::Framing;
use http::response::HeadParser;

const SAMPLES: [&str; 10] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=\"b;c\"\r\n world\r\n0\r\nA: b\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.0 200\r\nServer: x\r\n\r\nuntil the end",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 302 Found\r\nLocation: http://h/\r\nConnection: close\r\nContent-Length: 2, 2\r\n\r\nno",
    "HTTP/1.1 200 OK\nFolded: a\n b\n\tc\nContent-Length: 1\n\nx",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nA \r\n0123456789\r\n0\r\n\r\n",
    "HTTP/1.1 413 \r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000001\r\n\r\n\r\n0\r\n\r\n",
];

/// Pieces that change the meaning of what they get into.
const WORDS: [&str; 24] = [
    "\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "0",
    "5",
    "-1",
    "+2",
    "0x2",
    "ffffffffffffffff",
    "\r\n\r\n",
    "chunked",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 7\r\n",
    "Content-Length: 18446744073709551615\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "\u{e9}",
    "0\r\n\r\n",
];

/// Status, headers, and what came of the body.
type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// What a client sees of a stream: responses, then how it ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    responses: Vec<Answer>,
    error: Option<Kind>,
}

/// Reads responses one after the other from a stream that arrives in these pieces.
fn read(pieces: &[&[u8]], room: usize) -> Seen {
    let mut seen = Seen::default();
    seen.error = read_all(pieces, room, &mut seen.responses).err();
    seen
}

fn read_all(pieces: &[&[u8]], room: usize, seen: &mut Vec<Answer>) -> Result<(), Kind> {
    let mut output = vec![0; room];
    let mut parser = HeadParser::new();
    let mut body: Option<Framing> = None;
    for &piece in pieces {
        let mut rest = piece;
        // A body of no bytes is over before the next one has come.
        while !rest.is_empty() || body.as_ref().is_some_and(Framing::is_complete) {
            match &mut body {
                Some(framing) if framing.is_complete() => body = None,
                Some(framing) => {
                    let step = framing.decode(rest, &mut output).map_err(|error| error.kind)?;
                    assert!(step.consumed > 0, "stalled at {rest:?}");
                    rest = &rest[step.consumed..];
                    let response = seen.last_mut().expect("a body follows a head");
                    response.2.extend_from_slice(&output[..step.produced]);
                }
                None => {
                    let (used, head) = parser.push(rest).map_err(|error| error.kind)?;
                    rest = &rest[used..];
                    let Some(head) = head else { continue };
                    body = Some(Framing::of(&head).map_err(|error| error.kind)?);
                    seen.push((head.status, head.headers, Vec::new()));
                    parser = HeadParser::new();
                }
            }
        }
    }
    body.map_or(Ok(()), |framing| framing.end_of_stream().map_err(|error| error.kind))
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

fn case(random: &mut Random) -> Vec<u8> {
    if random.below(8) == 0 {
        return (0..random.below(60)).map(|_| random.below(256) as u8).collect();
    }
    let mut bytes: Vec<u8> =
        (0..=random.below(2)).flat_map(|_| SAMPLES[random.below(SAMPLES.len())].bytes()).collect();
    for _ in 0..random.below(5) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(9)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            3 => bytes.truncate(at),
            _ => drop(bytes.splice(at..end, WORDS[random.below(WORDS.len())].bytes())),
        }
    }
    bytes
}

/// Cuts at random places; often at every byte.
fn cut<'a>(bytes: &'a [u8], random: &mut Random) -> Vec<&'a [u8]> {
    let longest = [1, 2, 7, 40][random.below(4)];
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, following) = rest.split_at((1 + random.below(longest)).min(rest.len()));
        pieces.push(piece);
        rest = following;
    }
    pieces
}

/// Reads `cases`, and says how many there were of which outcome.
fn fuzz(cases: u32) {
    let mut random = Random(42);
    let (mut whole, mut refused, mut truncated) = (0, 0, 0);
    for number in 0..cases {
        let bytes = case(&mut random);
        let pieces = cut(&bytes, &mut random);
        let room = 1 + random.below(30);
        let outcome = panic::catch_unwind(|| (read(&[&bytes], 4096), read(&pieces, room)));
        let Ok((at_once, in_pieces)) = outcome else {
            panic!("case {number}: {:?}", String::from_utf8_lossy(&bytes))
        };
        assert_eq!(at_once, in_pieces, "case {number}: {:?}", String::from_utf8_lossy(&bytes));
        match at_once.error {
            None => whole += 1,
            Some(Kind::Truncated) => truncated += 1,
            Some(_) => refused += 1,
        }
    }
    println!("{cases} streams: {whole} whole, {refused} refused, {truncated} truncated");
    assert!(
        [whole, refused, truncated].iter().all(|&count| count > cases / 200),
        "the cases are not all alike"
    );
}

#[test]
fn no_stream_is_read_in_two_ways() {
    fuzz(5000);
}

#[test]
#[ignore = "takes a while: a million streams"]
fn fuzz_a_million_streams() {
    fuzz(1_000_000);
}

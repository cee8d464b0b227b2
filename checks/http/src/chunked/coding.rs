//! What is part of the coding and not of the body: the field that names it, sizes, extensions, trailers.

use harness::{Context, Judged};

use super::{chunked, expect};
use crate::server::{Reply, Then};

const HELLO: &str = "5\r\nhello\r\n0\r\n\r\n";

/// A response with these fields, and this behind it.
fn with(fields: &str, behind: &str) -> Reply {
    Reply::new(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{behind}")).then(Then::Close)
}

pub(super) fn sizes_are_hexadecimal(context: &Context) -> Judged {
    for size in [1, 9, 10, 15, 16, 17, 31, 32, 159, 171, 255, 256, 4096, 48_879] {
        let body: Vec<u8> = (b'!'..=b'~').cycle().take(size).collect();
        let digits = [format!("{size:x}"), format!("{size:X}"), format!("0{size:x}"), format!("{size:016X}")];
        for digits in digits {
            let stream = [digits.as_bytes(), b"\r\n", &body, b"\r\n0\r\n\r\n"].concat();
            expect(chunked(stream).outcome(context)?, &body)?;
        }
    }
    let mixed = format!("aB\r\n{}\r\n0\r\n\r\n", "x".repeat(0xab));
    expect(chunked(mixed).outcome(context)?, "x".repeat(0xab).as_bytes())?;
    for last in ["00", "0000000000000000"] {
        expect(chunked(format!("5\r\nhello\r\n{last}\r\n\r\nmore")).outcome(context)?, b"hello")?;
    }
    // More digits than 64 bits have, of a number that they hold.
    let long = format!("{}5\r\nhello\r\n0\r\n\r\n", "0".repeat(16));
    chunked(long).outcome(context)?.may_be(200, b"hello")
}

pub(super) fn many_small_chunks_are_a_body(context: &Context) -> Judged {
    const CHUNKS: usize = 50_000;
    let chunk = |number: usize| format!("{:03}", number % 1000)[..1 + number % 2].to_owned();
    let body: String = (0..CHUNKS).map(chunk).collect();
    let chunks = (0..CHUNKS).map(chunk).map(|data| format!("{}\r\n{data}\r\n", data.len()));
    let stream: String = chunks.chain(["0\r\n\r\n".to_owned()]).collect();
    expect(chunked(stream).outcome(context)?, body.as_bytes())
}

pub(super) fn extensions_are_ignored(context: &Context) -> Judged {
    let long = format!(";long={}", "x".repeat(4000));
    let many = ";a=1".repeat(1000);
    let extensions = [
        ";a",
        ";a=b",
        ";a=b;c=d;e",
        ";5=6",
        ";note=\"a b\"",
        ";note=\"a;b\"",
        ";note=\"a;b=\\\"c;d\\\"\";e=\"\"",
        ";note=\"\\\\\"",
        ";length=0",
        &long,
        &many,
    ];
    for extension in extensions {
        for stream in [
            format!("5{extension}\r\nhello\r\n0\r\n\r\n"),
            format!("2\r\nhe\r\n3{extension}\r\nllo\r\n0{extension}\r\n\r\n"),
        ] {
            expect(chunked(stream).outcome(context)?, b"hello")?;
        }
    }
    Ok(())
}

pub(super) fn trailers_are_dropped(context: &Context) -> Judged {
    let long = format!("X-Long: {}\r\n", "x".repeat(16_000));
    let many = "X-Many: 1\r\n".repeat(1400);
    let trailers = [
        "Digest: abc\r\n",
        "A: b\r\nC: d\r\nA: e\r\n",
        "Set-Cookie: a=b\r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: gzip\r\nConnection: close\r\n",
        "Transfer-Encoding: chunked\r\n",
        "X-Empty:\r\n",
        &long,
        &many,
    ];
    for trailers in trailers {
        // Behind them nothing is of interest any more.
        let stream = format!("5\r\nhello\r\n0\r\n{trailers}\r\n3\r\nend\r\n0\r\n\r\n");
        expect(chunked(stream).outcome(context)?, b"hello")?;
    }
    Ok(())
}

pub(super) fn chunked_goes_before_content_length(context: &Context) -> Judged {
    for length in ["3", "0", "5", "15", "1000"] {
        for fields in [
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
            format!("Transfer-Encoding: chunked\r\nX-Between: them\r\nContent-Length: {length}"),
        ] {
            with(&fields, HELLO).outcome(context)?.is(200, b"hello")?;
        }
    }
    // A length that is none is ignored with the others, or refused.
    with("Content-Length: five\r\nTransfer-Encoding: chunked", HELLO).outcome(context)?.may_be(200, b"hello")
}

pub(super) fn chunked_is_a_whole_word(context: &Context) -> Judged {
    for fields in [
        "Transfer-Encoding: Chunked",
        "Transfer-Encoding: CHUNKED",
        "TRANSFER-ENCODING:cHuNkEd",
        "transfer-encoding: \t chunked \t",
        "X-A: b\r\nTransfer-Encoding: chunked\r\nX-C: gzip",
    ] {
        with(fields, HELLO).outcome(context)?.is(200, b"hello")?;
    }
    for coding in [
        "gzip",
        "xchunked",
        "notchunked",
        "chunkedx",
        "chunked-ish",
        "chunke",
        "gzip, chunked",
        "chunked, gzip",
        "gzip\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: gzip",
        "deflate,chunked",
        "\"chunked\"",
        "x chunked",
    ] {
        for fields in ["", "\r\nContent-Length: 5"] {
            with(&format!("Transfer-Encoding: {coding}{fields}"), HELLO)
                .outcome(context)?
                .fails_within(&["unsupported", "bad-response"], b"")?;
        }
    }
    // Where clients differ.
    for fields in [
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked,",
        "Transfer-Encoding: , chunked",
    ] {
        with(fields, HELLO).outcome(context)?.may_be(200, b"hello")?;
    }
    for coding in ["identity", ""] {
        let fields = format!("Transfer-Encoding: {coding}\r\nContent-Length: 5");
        with(&fields, "hello").outcome(context)?.may_be(200, b"hello")?;
    }
    let old = format!("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{HELLO}");
    Reply::new(old).then(Then::Close).outcome(context)?.may_be(200, b"hello")
}

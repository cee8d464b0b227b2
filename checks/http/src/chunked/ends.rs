//! Where a chunked body ends: with its last chunk, and neither before nor after.

use harness::{Context, Judged, verdict::Verdict};

use super::{
    chunked, expect,
    reading::{End, read},
    stream::{HEAD, Stream},
};
use crate::server::Then;

pub(super) fn the_last_chunk_is_the_end(context: &Context) -> Judged {
    let streams: [(&[u8], &[u8]); 4] = [
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"0\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\nDigest: abc\r\n\r\n", b"hello"),
        (b"1\r\na\r\n1\r\nb\r\n000;x\r\n\r\n", b"ab"),
    ];
    for (stream, body) in streams {
        let length = HEAD.len() + stream.len();
        for surplus in ["5\r\nagain\r\n0\r\n\r\n", "HTTP/1.1 404 Not Found\r\n\r\n", "\0", "\r\n"] {
            let reply = chunked([stream, surplus.as_bytes()].concat());
            for cuts in [&[][..], &[length], &[HEAD.len(), length - 1]] {
                expect(reply.clone().cut_at(cuts).outcome(context)?, body)?;
            }
        }
        for cuts in [&[][..], &[HEAD.len()], &[length - 2], &[length - 1]] {
            match chunked(stream).cut_at(cuts).then(Then::Hold).outcome(context) {
                Ok(outcome) => expect(outcome, body)?,
                Err(halt) if matches!(halt.verdict, Verdict::Timeout { .. }) => {
                    return Err(halt.likely("it waits for something after the empty line that ends the body"));
                }
                Err(halt) => return Err(halt),
            }
        }
    }
    Ok(())
}

pub(super) fn a_body_that_breaks_off_is_no_success(context: &Context) -> Judged {
    for stream in [Stream::short(), Stream::example()] {
        let (bytes, body) = (stream.bytes(), stream.body());
        // From the likeliest mistake on: the end is taken for the last chunk.
        for end in (0..bytes.len()).rev() {
            let reading = read(&bytes[..end]);
            let outcome = chunked(&bytes[..end]).outcome(context)?;
            match reading.end {
                End::Complete => outcome.may_be(200, &body)?,
                End::Broken => outcome.fails_within(&["truncated", "bad-response"], &reading.body)?,
            }
        }
    }
    for data in ["hel", "hello", ""] {
        let reply = chunked(format!("5\r\n{data}"));
        // The line's end behind the data is a line's as well.
        let kinds: &[&str] = if data == "hello" { &["truncated", "bad-response"] } else { &["truncated"] };
        reply.clone().outcome(context)?.fails_within(kinds, b"hello")?;
        reply.then(Then::Reset).outcome(context)?.fails_within(&["truncated", "io"], b"hello")?;
    }
    Ok(())
}

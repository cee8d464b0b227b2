//! Heads that two readers may read differently, which is how a response, or a request, is smuggled past one of them
//! (RFC 9112 section 11.2). Judged three ways: what has one meaning has that, what has none is refused, and what good clients
//! read differently may be either, but nothing else.

use harness::{Context, Judged};

use crate::server::Reply;

/// What a response has to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// This body.
    Is(&'static str),
    /// None.
    Refused,
    /// This body, or none.
    Either(&'static str),
}

use Meaning::{Either, Is, Refused};

pub(super) fn framing_in_disguise_is_seen_through(context: &Context) -> Judged {
    // What follows is `hello` if the coding counts, and `5` and a line end if the length does.
    const AFTER: &str = "5\r\nhello\r\n0\r\n\r\n";
    let cases: [(&str, Meaning); 21] = [
        // Both: the coding counts.
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", Is("hello")),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", Is("hello")),
        ("Content-Length: 3\r\ntRANSFER-eNCODING:cHUNKED\t\r\n", Is("hello")),
        // A coding that only looks like the one.
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\u{200b}\r\n", Refused),
        ("Content-Length: 3\r\nTransfer-Encoding: chun\u{212a}ed\r\n", Refused),
        ("Content-Length: 3\r\nTransfer-Encoding: \u{a0}chunked\r\n", Refused),
        ("Content-Length: 3\r\nTransfer-Encoding: \"chunked\"\r\n", Refused),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked-but-not\r\n", Refused),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", Refused),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked;q=1\r\n", Either("hello")),
        // A name that only looks like the one: another field, or no field at all.
        ("Content-Length: 3\r\nTransfer_Encoding: chunked\r\n", Is("5\r\n")),
        ("Content-Length: 3\r\nX-Transfer-Encoding: chunked\r\n", Is("5\r\n")),
        ("Content-Length: 3\r\nTransfer-Encoding : chunked\r\n", Refused),
        ("Content-Length: 3\r\nTransfer-Encoding\u{a0}: chunked\r\n", Either("5\r\n")),
        ("Content-Length: 3\r\nX: a\rTransfer-Encoding: chunked\r\n", Either("5\r\n")),
        // A line of the value before it, as white space at its beginning says.
        ("Content-Length: 3\r\nX: a\r\n Transfer-Encoding: chunked\r\n", Is("5\r\n")),
        ("Content-Length: 3\r\nTransfer-Encoding:\r\n chunked\r\n", Is("hello")),
        // A number that only looks like one.
        ("Content-Length: \u{663}\r\n", Refused),
        ("Content-Length: \u{a0}3\r\n", Refused),
        ("Content-Length: 0x3\r\n", Refused),
        ("Content-Length: 3\r\nContent-Length: 5\r\n", Refused),
    ];
    for (fields, meaning) in cases {
        let reply = Reply::new(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{AFTER}"));
        let outcome = reply.outcome(context)?;
        match meaning {
            Is(body) => drop(outcome.is(200, body.as_bytes())?),
            Refused => outcome.fails_within(&["bad-response", "unsupported"], b"")?,
            Either(body) => outcome.may_be(200, body.as_bytes())?,
        }
    }
    Ok(())
}

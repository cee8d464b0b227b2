//! `Content-Length`: where a body ends, and what is no length.

use harness::{Context, Judged, verdict::Verdict};

use super::closing;
use crate::{
    outcome::Outcome,
    server::{Reply, Then},
};

/// A response with this length, whatever it is, and `body` behind it.
fn of_length(length: &str, body: &str) -> Reply {
    closing(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"))
}

pub(super) fn a_length_is_where_the_body_ends(context: &Context) -> Judged {
    // Names have no case: the length is seen by what is not printed.
    for name in ["Content-Length", "content-length", "CONTENT-LENGTH", "cOnTeNt-LeNgTh"] {
        let reply = closing(format!("HTTP/1.1 200 OK\r\n{name}: 5\r\n\r\nhello and more"));
        ends_there(reply.outcome(context)?, b"hello")?;
    }
    // More than any buffer on the way holds at once.
    let long = "0123456789".repeat(30_000);
    for body in ["hello", "", "h", &long] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let end = head.len() + body.len();
        let surplus = "\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n?";
        for reply in [
            closing(format!("{head}{body}{surplus}")),
            closing(format!("{head}{body}{surplus}")).cut_at(&[head.len()]),
        ] {
            ends_there(reply.outcome(context)?, body.as_bytes())?;
        }
        let reply = Reply::new(format!("{head}{body}"));
        let reply = if end > head.len() { reply.cut_at(&[head.len()]) } else { reply };
        match reply.then(Then::Hold).outcome(context) {
            Ok(outcome) => drop(outcome.is(200, body.as_bytes())?),
            Err(halt) if matches!(halt.verdict, Verdict::Timeout { .. }) => {
                return Err(halt.likely("it waits for the connection to end, although the body is complete"));
            }
            Err(halt) => return Err(halt),
        }
    }
    Ok(())
}

/// Has to be this body, although the connection brought more.
#[track_caller]
fn ends_there(outcome: Outcome, body: &[u8]) -> Judged {
    let is_longer = outcome.result.as_ref().is_ok_and(|response| response.body.len() > body.len());
    match outcome.is(200, body) {
        Ok(_) => Ok(()),
        Err(halt) if is_longer => Err(halt.likely("what follows the body is taken for a part of it")),
        Err(halt) => Err(halt),
    }
}

pub(super) fn an_early_end_is_no_success(context: &Context) -> Judged {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let whole = format!("{HEAD}hello");
    // From the likeliest mistake on: a body that ends early, then a head that does.
    for end in (0..whole.len()).rev() {
        let kinds = if end < HEAD.len() { &["truncated", "bad-response", "io"][..] } else { &["truncated"] };
        closing(&whole[..end]).outcome(context)?.fails_within(kinds, b"hello")?;
    }
    for end in [HEAD.len() + 4, HEAD.len(), HEAD.len() - 1, 10, 0] {
        let kinds =
            if end < HEAD.len() { &["truncated", "bad-response", "io"][..] } else { &["truncated", "io"] };
        closing(&whole[..end]).then(Then::Reset).outcome(context)?.fails_within(kinds, b"hello")?;
    }
    let body = "0123456789".repeat(20_000);
    let most = &body[..body.len() - 1];
    of_length(&body.len().to_string(), most)
        .outcome(context)?
        .fails_within(&["truncated"], body.as_bytes())?;
    // Up to the close: a reset is none.
    closing("HTTP/1.1 200 OK\r\n\r\nhello")
        .then(Then::Reset)
        .outcome(context)?
        .fails_within(&["truncated", "io"], b"hello")
}

pub(super) fn a_length_is_digits(context: &Context) -> Judged {
    for length in [
        "5",
        "05",
        "000000000000000000000005",
        "5, 5",
        "5,5",
        "5\r\nContent-Length: 5",
        "5\r\ncontent-length:5",
    ] {
        // What comes behind shows that it is the length which ends the body.
        of_length(length, "hello...").outcome(context)?.is(200, b"hello")?;
    }
    let refused = [
        "+5",
        "-5",
        "-0",
        "",
        "5.0",
        "5e0",
        "0x5",
        "5a",
        "a",
        "five",
        "5 5",
        "5;",
        "'5'",
        "5 bytes",
        "٥",
        "18446744073709551616",
        "18446744073709551621",
        "340282366920938463463374607431768211461",
        "-18446744073709551611",
        "5, 6",
        "6, 5",
        "5, 5, 6",
        "5, x",
        "5\r\nContent-Length: 6",
        "6\r\nContent-Length: 5",
        "5\r\nX-A: b\r\nCONTENT-LENGTH: 3",
        "5\r\nContent-Length: +5",
    ];
    for length in refused {
        of_length(length, "hello").outcome(context)?.fails_within(&["bad-response"], b"")?;
    }
    for length in ["5, 05", "5,", ",5"] {
        of_length(length, "hello").outcome(context)?.may_be(200, b"hello")?;
    }
    // As long as a length may be, and the beginning of such a body.
    of_length("9223372036854775807", "hello").outcome(context)?.fails_within(&["truncated"], b"hello")?;
    for length in ["9223372036854775808", "18446744073709551615"] {
        let kinds = ["truncated", "bad-response", "too-large", "unsupported"];
        of_length(length, "hello").outcome(context)?.fails_within(&kinds, b"hello")?;
    }
    Ok(())
}

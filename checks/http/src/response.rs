//! Stage 2: from the bytes of a response to its status, its fields, and a body that ends where the head says.
//!
//! Servers here close the connection after their response, as after `Connection: close`, so that a client that
//! waits for the end is told of it by one check, and not by all of them.

mod body;
pub(crate) mod fields;
mod head;
mod length;

use harness::{Check, Context, Judged, Stage};

use crate::{
    arrival::any_cut,
    flow::{self, Large},
    server::{Reply, Then},
};

pub(crate) const STAGE: Stage = Stage {
    number: 2,
    slug: "response",
    bonus: false,
    checks: &[
        Check::new("any_cut_gives_the_same_response", any_cut_gives_the_same_response)
            .points(3)
            .must("a response is the same in one piece, in two, cut anywhere, and byte by byte")
            .why("TCP carries a stream. Where a read ends is up to the network, and it differs from one day to the next."),
        Check::new("a_length_is_where_the_body_ends", length::a_length_is_where_the_body_ends)
            .points(3)
            .must("with Content-Length: N the body is N bytes, no more, whether or not the connection stays open")
            .why("A server that may get another request keeps the connection. Who waits for its end waits until somebody gives up."),
        Check::new("an_early_end_is_no_success", length::an_early_end_is_no_success)
            .points(3)
            .must("a response that ends before its framing said so is refused: truncated, within a head also bad-response")
            .why("Half a download with exit status 0 is installed, unpacked and backed up."),
        Check::new("fields_are_names_and_values", fields::fields_are_names_and_values)
            .points(3)
            .must("names have no case; white space around a value is none of it, colons are; bytes of 128 and more are accepted")
            .why("Every server writes its fields a little differently, and all of them are right."),
        Check::new("repeated_fields_are_all_kept", fields::repeated_fields_are_all_kept)
            .points(2)
            .must("repeated fields are all reported, in their order; those of Set-Cookie apart")
            .why("A map with one value a name loses the session cookie, as soon as the server sets another one."),
        Check::new("a_folded_line_goes_on", fields::a_folded_line_goes_on)
            .must("a line that begins with a space or tab continues the value before it")
            .why("Nobody should write it any more. Who takes it for a field of its own lets a value make up fields."),
        Check::new("a_status_line_may_be_short", head::a_status_line_may_be_short)
            .points(2)
            .must("HTTP/1.0 and 1.1 with any status from 200 to 599 are accepted; a reason may be empty, missing, or no UTF-8")
            .why("The reason is for people. Servers translate it, leave it out, and forget the space before it."),
        Check::new("a_body_is_bytes", body::a_body_is_bytes)
            .points(3)
            .must("a body comes out byte for byte, whatever it is made of")
            .why("Pictures and archives are no text. What passes through a string comes out with other bytes in it."),
        Check::new("the_close_ends_a_body_without_a_length", body::the_close_ends_a_body_without_a_length)
            .points(2)
            .must("a body of which nothing tells the length is all that comes until the server closes")
            .why("For HTTP/1.0 it is the usual way, and small servers still do it."),
        Check::new("some_responses_have_no_body", body::some_responses_have_no_body)
            .points(2)
            .must("204 and 304 have no byte of body, whatever their fields say")
            .why("A 304 tells the length of what it does not send. Who believes it waits for nothing, or takes the next response."),
        Check::new("interim_responses_are_skipped", head::interim_responses_are_skipped)
            .points(2)
            .must("1xx responses before the final one are skipped, up to 16, with their fields; 101 is refused")
            .why("Servers send 100 and 103 without being asked. They are not the answer."),
        Check::new("a_length_is_digits", length::a_length_is_digits)
            .points(3)
            .must("Content-Length is digits; repeated ones that are equal count as one, and anything else is bad-response")
            .why("Two programs that read two lengths from the same bytes disagree about where the next message begins."),
        Check::new("what_is_no_response_is_refused", head::what_is_no_response_is_refused)
            .points(2)
            .must("what has no status line of version 1.0 or 1.1 with three digits is refused")
            .why("The port may be another service's. Its greeting is not a page."),
        Check::new("what_is_no_field_is_refused", fields::what_is_no_field_is_refused)
            .points(2)
            .must("a line without a colon or a name, a space before the colon or within the name, and NUL are bad-response")
            .why("What one program ignores, the next one obeys: `Content-Length : 5` has been used for attacks."),
        Check::new("doubtful_heads_are_understood_or_refused", head::doubtful_heads_are_understood_or_refused)
            .must("where clients differ about a head, it is accepted as described or refused, and CR without LF is never kept")
            .why("Either is right. A hang, a crash or a guess is not."),
        Check::new("a_body_is_shown_as_it_comes", a_body_is_shown_as_it_comes)
            .points(3)
            .must("the line of JSON appears with the head, and bytes of the body as they arrive")
            .why("Logs, progress and chat are responses that do not end for hours."),
        Check::new("a_large_body_takes_little_memory", a_large_body_takes_little_memory)
            .points(3)
            .must("the peak of resident memory stays below 32 MiB, however long the body is")
            .why("Whoever keeps the body until it is complete can fetch what fits into memory, and one at a time."),
    ],
};

/// A response in one piece, after which the server closes its side.
fn closing(bytes: impl Into<Vec<u8>>) -> Reply {
    Reply::new(bytes).then(Then::Close)
}

/// These head lines, then a length of five, then `hello`.
fn hello_after(lines: &[u8]) -> Reply {
    closing([lines, b"\r\nContent-Length: 5\r\n\r\nhello"].concat())
}

fn any_cut_gives_the_same_response(context: &Context) -> Judged {
    // The body begins with what ends a head, and goes on with what begins one.
    let reply = closing(
        "HTTP/1.1 200 All is well\r\nX-First: one\r\ncontent-length:  36\r\nX-Empty:\r\n\r\n\
         \r\n\r\nHTTP/1.1 404 Nothing\r\n\r\nA: b\r\n\r\n",
    );
    any_cut(context, &reply, |outcome| {
        let told = outcome.told.clone();
        let response = outcome.is(200, b"\r\n\r\nHTTP/1.1 404 Nothing\r\n\r\nA: b\r\n\r\n")?;
        let expected = [("X-First", "one"), ("content-length", "36"), ("X-Empty", "")];
        fields::are(&response, &expected).map_err(|halt| halt.did(told))
    })
}

fn a_body_is_shown_as_it_comes(context: &Context) -> Judged {
    let parts = ["o", "ne line\n", "half of", " another"].map(|part| (part.as_bytes(), part.as_bytes()));
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n";
    flow::is_shown_as_it_comes(context, head, &parts)?;
    flow::is_shown_as_it_comes(context, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", &parts)
}

fn a_large_body_takes_little_memory(context: &Context) -> Judged {
    // A quarter of the GiB that the specification names: enough to be noticed wherever it is kept.
    let of = |body_bytes: usize| Large {
        before: format!("HTTP/1.1 200 OK\r\nContent-Length: {body_bytes}\r\n\r\n"),
        body_bytes,
        after: "",
    };
    flow::takes_little_memory(context, of(1000), of(256 << 20))
}

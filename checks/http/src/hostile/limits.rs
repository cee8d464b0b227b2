//! What is large, and has to be accepted all the same; and what is only said to be large.

use std::fmt::Write;

use harness::{Context, Halt, Judged};

use super::endless::Watch;
use crate::{
    bytes::shown,
    client,
    outcome::Outcome,
    server::{self, Reply, Then},
};

pub(super) fn a_large_head_is_accepted(context: &Context) -> Judged {
    const STATUS: &str = "HTTP/1.1 200 OK\r\n";
    const END: &str = "Content-Length: 5\r\n\r\n";
    const HEAD_BYTES: usize = 64 << 10;
    for fields in [1, 99] {
        let names: Vec<_> = (0..fields).map(|number| format!("x-{number:02}")).collect();
        let around = STATUS.len() + END.len() + fields * "x-00: \r\n".len();
        let value_bytes = (HEAD_BYTES - around) / fields;
        let values: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(number, _)| char::from(b'a' + (number % 26) as u8).to_string().repeat(value_bytes))
            .collect();
        let mut head = STATUS.to_owned();
        for (name, value) in names.iter().zip(&values) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let told = format!("the server sends a head of {} KiB in {} fields", HEAD_BYTES >> 10, fields + 1);
        let reply = Reply::new(format!("{head}{END}hello"));
        let origin = reply.serve(context)?;
        let outcome = client::get(context, &origin.url("/"))?.against([told.clone()]).outcome()?;
        let response = outcome.is(200, b"hello")?;
        for (name, value) in names.iter().zip(&values) {
            if response.values(name) != [value.as_str()] {
                let got: Vec<_> = response.values(name).iter().map(|value| shown(value.as_bytes())).collect();
                let expected = format!("{name}: {}", shown(value.as_bytes()));
                return Err(Halt::fail(expected, format!("{name}: {}", got.join(" and "))).did([told]));
            }
        }
    }
    each_head_has_its_own_room(context)
}

/// Six heads, which make more together than some clients take, and less than others do.
#[track_caller]
fn each_head_has_its_own_room(context: &Context) -> Judged {
    const HEAD_BYTES: usize = 45 << 10;
    let head = |first: &str| format!("{first}\r\nX-Large: {}\r\n\r\n", "x".repeat(HEAD_BYTES));
    let hints = head("HTTP/1.1 103 Early Hints").repeat(2);
    let answers = [
        "HTTP/1.1 302 Found\r\nLocation: /b\r\nConnection: close\r\nContent-Length: 0",
        "HTTP/1.1 200 OK\r\nContent-Length: 5",
    ];
    let [redirect, page] = answers.map(|answer| format!("{hints}{}", head(answer)));
    let redirect = Reply::new(redirect).then(Then::Close);
    let page = Reply::new(format!("{page}hello"));
    let origin = context.origin().play(move |connection| {
        let reply = if connection.request()?.target() == "/a" { &redirect } else { &page };
        reply.play(connection)
    })?;
    let told = format!(
        "the server redirects, and answers then, each time after two responses 103; each head has {} KiB",
        HEAD_BYTES >> 10
    );
    client::get(context, &origin.url("/a"))?.against([told]).outcome()?.is(200, b"hello").map(drop)
}

pub(super) fn a_length_is_a_claim(context: &Context) -> Judged {
    // Of 2^32 + 5 some keep the 5. 2^63 - 1 is the largest that has to be read as what it is.
    let claims =
        ["4294967301", "9223372036854775807"].map(|length| format!("Content-Length: {length}\r\n\r\n"));
    let sizes = ["100000005", "7fffffffffffffff"]
        .map(|size| format!("Transfer-Encoding: chunked\r\n\r\n{size};why=not\r\n"));
    let watch = Watch::new(context)?;
    for claim in claims.iter().chain(&sizes) {
        let reply = Reply::new(format!("HTTP/1.1 200 OK\r\n{claim}hello")).then(Then::Close);
        let outcome = cheaply(context, &watch, &reply)?;
        outcome.fails_within(&["truncated"], b"hello")?;
        // A body that nobody wants, of the same length.
        let reply = Reply::new(format!("HTTP/1.1 302 Found\r\nLocation: /target\r\n{claim}hello"));
        cheaply(context, &watch, &reply.then(Then::Close))?.is(200, b"hello")?;
    }
    Ok(())
}

/// What a client makes of a reply, with no more memory than any other takes. `/target` is there for whoever is sent to it.
#[track_caller]
fn cheaply(context: &Context, watch: &Watch, reply: &Reply) -> Judged<Outcome> {
    let watch = watch.anew();
    let origin = context.origin().play({
        let (reply, watch) = (reply.clone(), watch.clone());
        move |connection| {
            if connection.request()?.target() == "/target" {
                return server::ok("hello").play(connection);
            }
            connection.send(reply.bytes())?;
            connection.arrived()?;
            watch.look();
            Ok(())
        }
    })?;
    let run = client::get(context, &origin.url("/"))?.against([reply.told()]);
    let outcome = watch.outcome(run)?;
    if watch.is_too_large() {
        let got = "memory was set aside for what was only announced";
        return Err(Halt::fail("no more memory than a short response takes", got).did(outcome.told));
    }
    Ok(outcome)
}

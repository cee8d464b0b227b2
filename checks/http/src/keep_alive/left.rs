//! Connections that are left in the middle of something: a body without end, a request that was not sent whole.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use harness::{Context, Halt, Judged, origin::Request};

use super::site::PAGE;
use crate::{
    bytes::shown,
    client,
    hostile::unread::{Pause, Waiting, large_body},
    server,
};

/// No redirect's body is worth reading so much of it; and then the rest comes slowly, for a bound may be one of time.
const MOST_BYTES: usize = 64 << 20;
const SLOWLY: Duration = Duration::from_millis(100);

/// A piece of it, in chunked coding a chunk.
const PIECE_BYTES: usize = 0x40000;

pub(super) fn draining_has_a_bound(context: &Context) -> Judged {
    let framings: [(&str, &str, &str); 3] = [
        ("Content-Length: 9223372036854775807\r\n\r\n", "", ""),
        ("Transfer-Encoding: chunked\r\n\r\n", "40000\r\n", "\r\n"),
        ("\r\n", "", ""),
    ];
    for (framing, before, after) in framings {
        let has_drained = Arc::new(AtomicBool::new(false));
        let origin = context.origin().play({
            let has_drained = Arc::clone(&has_drained);
            move |connection| {
                if connection.request()?.target() != "/a" {
                    return server::ok("the page").play(connection);
                }
                connection.send(format!("HTTP/1.1 302 Found\r\nLocation: /b\r\n{framing}"))?;
                let piece = [before.as_bytes(), &[b'x'; PIECE_BYTES], after.as_bytes()].concat();
                for _ in 0..MOST_BYTES / PIECE_BYTES {
                    connection.send(&piece)?;
                }
                has_drained.store(true, Ordering::Release);
                loop {
                    thread::sleep(SLOWLY);
                    connection.send(&piece)?;
                }
            }
        })?;
        let told = format!("the server redirects with {} and a body without end", shown(framing.as_bytes()));
        let outcome = client::get(context, &origin.url("/a"))?.against([told.clone()]).outcome();
        let served = outcome.and_then(|outcome| outcome.is(200, PAGE).map(drop));
        if served.is_err() && has_drained.load(Ordering::Acquire) {
            let got = format!("{} MiB of it were read, and no page came", MOST_BYTES >> 20);
            let halt = Halt::fail("a redirect's body without end is left where it is", got).did([told]);
            return Err(halt.likely("it is read to its end, for the sake of a connection that costs less"));
        }
        served?;
    }
    Ok(())
}

pub(super) fn a_request_cut_short_is_followed_by_none(context: &Context) -> Judged {
    let waiting = Waiting::default();
    let origin = context.origin().play({
        let waiting = waiting.clone();
        move |connection| {
            if connection.number() > 0 {
                connection.request()?;
                return server::ok("the page").play(connection);
            }
            connection.head()?;
            connection.send("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved")?;
            waiting.wait();
            Ok(())
        }
    })?;
    // Dropped before the server, whose end waits for its scripts.
    let _pause = Pause::of(waiting);
    let told = "the server reads the head, redirects, and reads no more of the body".to_owned();
    let run = client::post(context, &origin.url("/a"), &large_body()?)?.against([told.clone()]);
    run.outcome()?.is(200, PAGE)?;
    let received = server::first(&origin).map(|record| record.received).unwrap_or_default();
    match Request::all(&received).first() {
        None => Ok(()),
        Some(request) => Err(Halt::fail("a request that was not sent whole", request.line()).did([told])),
    }
}

//! Servers that are silent, or slow, and never done. All cases of a check run at the same time, since each takes as
//! long as the client is allowed.
//!
//! What is tested is time, so here scripts sleep. No verdict hangs on how long anything takes exactly: a slow server
//! goes on for sixteen times the client's allowance before it gives up on a client that has not.

mod servers;

use std::{thread, time::Duration};

use harness::{Context, Judged};

use self::servers::{
    FullHouse, Secure, Started, dripping, dripping_handshake, silent, silent_handshake, unread,
};
use crate::{client, server};

pub(super) fn silence_ends_with_the_time(context: &Context) -> Judged {
    let secure = Secure::new()?;
    let full = FullHouse::new()?;
    let mut started = Vec::new();
    for start in [
        "",
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhello",
    ] {
        started.push(silent(context, start, None)?);
    }
    started.push(silent(context, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", Some(&secure))?);
    started.push(silent_handshake(context)?);
    if let Some(full) = &full {
        let run = client::get(context, &format!("http://{}/", full.address))?;
        let told = "the server's queue is full: it neither accepts nor refuses a connection";
        started.push(Started::new(run, told.to_owned(), None)?.or_fails_as(&["timeout", "connect"]));
    } else {
        context
            .measured("no listener with a full queue on this machine: a connection that hangs was not tried");
    }
    for secure in [None, Some(&secure)] {
        started.push(unread(context, secure)?);
    }
    started.into_iter().try_for_each(Started::ends)
}

pub(super) fn a_byte_now_and_then_gains_no_time(context: &Context) -> Judged {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let secure = Secure::new()?;
    let drips: [(&str, &str); 9] = [
        ("HTTP/1.1 200 ", "O"),
        ("HTTP/1.1 200 OK\r\nX: ", "a"),
        ("HTTP/1.1 200 OK\r\n", "a:\r\n"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "a"),
        ("HTTP/1.1 200 OK\r\n\r\n", "a"),
        (CHUNKED, "1\r\na\r\n"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "a"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", "a"),
    ];
    let mut started = Vec::new();
    for (start, again) in drips {
        started.push(dripping(context, start, again, None)?);
    }
    started.push(dripping(context, drips[4].0, drips[4].1, Some(&secure))?);
    started.push(dripping_handshake(context)?);
    started.into_iter().try_for_each(Started::ends)
}

pub(super) fn all_hops_share_one_time(context: &Context) -> Judged {
    const DELAY: Duration = Duration::from_millis(300);
    let origin = context.origin().play(|connection| {
        loop {
            let hop: u32 = connection.request()?.target().trim_start_matches('/').parse().unwrap_or(0);
            thread::sleep(DELAY);
            match hop {
                5 => connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")?,
                hop => connection.send(format!(
                    "HTTP/1.1 302 Found\r\nLocation: /{}\r\nContent-Length: 0\r\n\r\n",
                    hop + 1
                ))?,
            }
        }
    })?;
    let told = format!("the server redirects five times, and takes {} ms for each answer", DELAY.as_millis());
    let run = client::get(context, &origin.url("/0"))?.against([told]).max_time("1");
    match run.outcome()?.fails_as(&["timeout"]) {
        Ok(_) => Ok(()),
        Err(halt) => Err(halt.likely("the time begins anew with each hop")),
    }
}

pub(super) fn an_exchange_within_its_time_succeeds(context: &Context) -> Judged {
    let reply = server::ok("a body that takes its time, a byte after the other");
    let told = format!("the server sends a response of {} bytes, one every 2 ms", reply.bytes().len());
    let origin = context.origin().play({
        let reply = reply.clone();
        move |connection| {
            connection.request()?;
            for byte in reply.bytes() {
                connection.send([*byte])?;
                thread::sleep(Duration::from_millis(2));
            }
            connection.hold()
        }
    })?;
    let body = b"a body that takes its time, a byte after the other";
    for seconds in [Some("30"), Some("30.5"), None] {
        let run = client::get(context, &origin.url("/"))?.against([told.clone()]);
        let run = if let Some(seconds) = seconds { run.max_time(seconds) } else { run };
        run.outcome()?.is(200, body)?;
    }
    Ok(())
}

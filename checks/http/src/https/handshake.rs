//! What is said in a handshake, what is said under it, and to whom neither is said.

use harness::{
    Context, Halt, Judged,
    origin::{
        Request,
        certificate::{Leaf, Versions},
    },
};

use super::identity::{World, serve};
use crate::{
    bytes::{difference, shown},
    client,
    server::{self, Reply, Then},
};

pub(super) fn requests_and_responses_go_through_tls(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    let mut posted = [0; 5000];
    context.rng().fill(&mut posted);
    let replies = [
        server::closing("hello"),
        Reply::new("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
            .then(Then::Close),
        Reply::new("HTTP/1.0 200 OK\r\n\r\nhello").then(Then::Close),
    ];
    for (versions, version) in
        [(Versions::Only12, "1.2"), (Versions::Only13, "1.3"), (Versions::Both, "1.2 and 1.3")]
    {
        let identity = world.root.issue_with(&Leaf::new(&["localhost"]), versions)?;
        for (number, reply) in replies.iter().enumerate() {
            let origin = serve(context, &identity, reply)?;
            let url = origin.url_as("localhost", "/a/b?c#d");
            let told = [format!("the server speaks TLS {version}"), reply.told()];
            let is_post = number == 0;
            let run =
                if is_post { client::post(context, &url, &posted)? } else { client::get(context, &url)? };
            let outcome = run.trusting(&world.root)?.against(told).outcome()?;
            let steps = outcome.told.clone();
            outcome.is(200, b"hello")?;
            server::settled([&origin]);
            let received = server::first(&origin).map(|record| record.received).unwrap_or_default();
            let (method, body) = if is_post { ("POST", &posted[..]) } else { ("GET", &b""[..]) };
            let host = format!("localhost:{}", origin.port());
            if let Some(halt) = differs(&received, &format!("{method} /a/b?c HTTP/1.1"), &host, body) {
                return Err(halt.did(steps));
            }
        }
    }
    Ok(())
}

/// Why this is not one request with this line, host and body.
#[track_caller]
fn differs(received: &[u8], line: &str, host: &str, body: &[u8]) -> Option<Box<Halt>> {
    let requests = Request::all(received);
    let [request] = &requests[..] else {
        let got = format!("{} requests in {}", requests.len(), shown(received));
        return Some(Halt::fail("one whole request", got));
    };
    if request.bytes() != received {
        return Some(Halt::fail("nothing behind the request", shown(&received[request.bytes().len()..])));
    }
    if request.line() != line {
        return Some(Halt::fail(format!("the line {line:?}"), format!("{:?}", request.line())));
    }
    let hosts = request.values("host");
    if !matches!(&hosts[..], [value] if value.eq_ignore_ascii_case(host)) {
        return Some(Halt::fail(format!("Host: {host}"), format!("Host: {}", hosts.join(" and "))));
    }
    (request.body() != body).then(|| {
        let halt = Halt::fail(format!("the body {}", shown(body)), shown(request.body()));
        halt.drawn(difference(body, request.body()))
    })
}

pub(super) fn the_server_is_told_its_name(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    for (host, expected) in
        [("localhost", Some("localhost")), ("LOCALHOST", Some("localhost")), ("127.0.0.1", None)]
    {
        let identity = world.root.issue(&Leaf::new(&["localhost", "127.0.0.1"]))?;
        let origin = serve(context, &identity, &server::closing("hello"))?;
        let outcome = world.get(&origin.url_as(host, "/"))?.outcome()?;
        server::settled([&origin]);
        let got = server::first(&origin).and_then(|record| record.server_name);
        if got.as_deref().map(str::to_ascii_lowercase).as_deref() != expected {
            let said =
                |name: Option<&str>| name.map_or("no name".to_owned(), |name| format!("the name {name:?}"));
            let halt = Halt::fail(format!("{} in the handshake", said(expected)), said(got.as_deref()));
            return Err(halt.did(outcome.told));
        }
        outcome.is(200, b"hello")?;
    }
    Ok(())
}

pub(super) fn nothing_is_offered_that_is_not_spoken(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    let identity = world.root.issue(&Leaf::new(&["localhost"]))?;
    // A server that speaks one protocol alone refuses clients that offer others, and no client that offers none.
    let meet = |protocol: &str| {
        let origin = serve(context, &identity.speaking(protocol), &server::closing("hello"))?;
        let told = [format!("by ALPN the server speaks {protocol:?} alone")];
        world.get(&origin.url_as("localhost", "/"))?.against(told).outcome()
    };
    if meet("groundwork")?.result.is_ok() {
        return Ok(());
    }
    meet("http/1.1")?.is(200, b"hello")?;
    for protocol in ["h2", "h3", "http/1.0", "spdy/3"] {
        let outcome = meet(protocol)?;
        if outcome.result.is_ok() {
            let expected = "no ALPN, or http/1.1 alone: a server that speaks nothing of it refuses";
            let got = format!("the client offered {protocol}, and the server chose it");
            return Err(Halt::fail(expected, got).did(outcome.told));
        }
    }
    Ok(())
}

pub(super) fn who_speaks_no_tls_is_refused(context: &Context) -> Judged {
    let world = World::new(context)?;
    // One that speaks of its own accord, since it waits for no end of a line in what a handshake begins with.
    for said in ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "220 mail.example ESMTP\r\n"] {
        let origin = context.origin().play(move |connection| {
            connection.send(said)?;
            connection.hold()
        })?;
        let url = origin.url_as("localhost", "/secret").replacen("http", "https", 1);
        let told = [format!("a server without TLS says {}", shown(said.as_bytes()))];
        let outcome = world.get(&url)?.against(told).outcome()?;
        server::settled([&origin]);
        for record in origin.connections() {
            if String::from_utf8_lossy(&record.received).contains("/secret") {
                let halt = Halt::fail("no request in the clear", shown(&record.received));
                return Err(halt.did(outcome.told));
            }
        }
        outcome.fails_as(&["tls", "io", "truncated"])?;
    }
    Ok(())
}

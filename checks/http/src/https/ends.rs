//! How a body ends over TLS. `close_notify` says that a stream is complete; the end of a TCP connection says nothing.

use std::io;

use harness::{Context, Judged, origin::Connection, origin::certificate::Leaf};

use super::identity::World;
use crate::{bytes::shown, outcome::Outcome};

/// How a server ends a connection after its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// By `close_notify`.
    Goodbye,
    /// By the end of the TCP connection alone.
    Cut,
    /// Not at all.
    Open,
}

impl End {
    fn play(self, connection: &mut Connection) -> io::Result<()> {
        match self {
            Self::Goodbye => Ok(()),
            Self::Cut => {
                connection.arrived()?;
                connection.cut()
            }
            Self::Open => connection.hold(),
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Goodbye => "says goodbye (close_notify)",
            Self::Cut => "ends the TCP connection without close_notify",
            Self::Open => "keeps the connection open",
        }
    }
}

/// What a client makes of a response that ends like this.
#[track_caller]
fn outcome(context: &Context, world: &mut World<'_>, response: &str, end: End) -> Judged<Outcome> {
    let identity = world.root.issue(&Leaf::new(&["localhost"]))?;
    let bytes = response.to_owned();
    let origin = context.origin().secure(&identity).play(move |connection| {
        connection.request()?;
        connection.send(&bytes)?;
        end.play(connection)
    })?;
    let told = [format!("over TLS the server sends {} and {}", shown(response.as_bytes()), end.told())];
    world.get(&origin.url_as("localhost", "/"))?.against(told).outcome()
}

pub(super) fn a_known_end_needs_no_goodbye(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    for (response, status, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        // What is going to be closed has no later end for it.
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, "hello"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    ] {
        for end in [End::Cut, End::Open, End::Goodbye] {
            outcome(context, &mut world, response, end)?.is(status, body.as_bytes())?;
        }
    }
    Ok(())
}

pub(super) fn an_end_without_goodbye_is_truncated(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    for up_to_the_close in ["HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.0 200 OK\r\n\r\nhello"] {
        outcome(context, &mut world, up_to_the_close, End::Goodbye)?.is(200, b"hello")?;
        outcome(context, &mut world, up_to_the_close, End::Cut)?.fails_as(&["truncated", "tls"])?;
    }
    // What is too short is so whoever says goodbye.
    for too_short in [
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        outcome(context, &mut world, too_short, End::Cut)?.fails_as(&["truncated", "tls"])?;
        outcome(context, &mut world, too_short, End::Goodbye)?.fails_as(&["truncated"])?;
    }
    let in_the_head = "HTTP/1.1 200 OK\r\nContent-Le";
    outcome(context, &mut world, in_the_head, End::Cut)?
        .fails_as(&["truncated", "tls", "bad-response", "io"])
        .map(drop)
}

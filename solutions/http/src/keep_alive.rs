//! Stage 7: a connection that has served one request may serve the next: no handshakes, no slow start.
//!
//! ```text
//! request ─► head ─► body, to its framed end ─► nothing more has come ─► next request
//!            │       └ bounded: else drop it     └ else drop it
//!            └ must not say close, nor be framed by it
//! ```
//!
//! This is what framing is for. Where two answers follow one another in a stream, an end that is one byte off
//! makes the rest of this answer the beginning of the next (desynchronisation). A connection whose place in
//! the stream is not beyond doubt is dropped; a new one costs milliseconds.
//!
//! One slot, not a pool: a run asks one thing after another.

use std::io::Read;
use std::time::Duration;

use crate::body::Body;
use crate::connection::Connection;
use crate::framing::Framing;
use crate::hostile::Deadline;
use crate::response::Head;
use crate::url::Url;

/// The most of a body nobody wants that is read for the sake of the connection.
const MAX_DRAINED_BYTES: usize = 64 * 1024;
/// And the longest that it is waited for. More than a new connection would take is not worth it.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// Whether the connection may be used again when the body after `head` has been read (RFC 9112 §9.3).
pub fn is_persistent(head: &Head, framing: &Framing) -> bool {
    let says =
        |option: &str| head.list("connection").iter().any(|member| member.eq_ignore_ascii_case(option));
    let framed = match framing {
        Framing::Length(_) => true,
        // A length beside it, or a version that has no chunks: some other reader saw another end (§6.1).
        Framing::Chunked(_) => head.minor_version >= 1 && head.values("content-length").is_empty(),
        Framing::UntilClose => false,
    };
    framed && !says("close") && (head.minor_version >= 1 || says("keep-alive"))
}

/// The connection that waits for its next request, if there is one.
#[derive(Debug, Default)]
pub struct Kept {
    slot: Option<(Url, Connection)>,
}

impl Kept {
    /// Keeps the connection that `url` was asked over, if `body`, which nobody wants, soon comes to its end.
    pub fn put(&mut self, url: &Url, body: Body, deadline: Deadline) {
        let mut body = body;
        body.connection.set_deadline(deadline.within(DRAIN_TIME));
        let mut scratch = [0; 4096];
        let mut drained = 0;
        while !body.framing.is_complete() && drained < MAX_DRAINED_BYTES {
            match body.read(&mut scratch) {
                Ok(bytes) => drained += bytes,
                Err(_) => return,
            }
        }
        if body.framing.is_complete() {
            body.connection.set_deadline(deadline);
            self.slot = Some((url.clone(), body.connection));
        }
    }

    /// The connection, if it leads to where `url` is and nothing has come in since. One that leads elsewhere
    /// is dropped.
    pub fn take(&mut self, url: &Url) -> Option<Connection> {
        let (origin, mut connection) = self.slot.take()?;
        (origin.same_origin(url) && connection.is_idle()).then_some(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_persists_where_both_sides_know_where_they_are() {
        for (minor_version, headers, expected) in [
            (1, &[("content-length", "0")][..], true),
            (1, &[("transfer-encoding", "chunked")], true),
            (1, &[], false),
            (1, &[("content-length", "0"), ("connection", "foo, Close")], false),
            (1, &[("content-length", "0"), ("transfer-encoding", "chunked")], false),
            (0, &[("content-length", "0")], false),
            (0, &[("content-length", "0"), ("connection", "Keep-Alive")], true),
            (0, &[("transfer-encoding", "chunked"), ("connection", "keep-alive")], false),
        ] {
            let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            let head = Head { minor_version, status: 302, headers };
            let framing = Framing::of(&head).unwrap();
            assert_eq!(is_persistent(&head, &framing), expected, "{head:?}");
        }
    }
}

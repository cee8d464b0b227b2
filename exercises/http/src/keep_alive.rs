//! Stage 7: a connection that has served one request may serve the next.
//!
//! What must hold: a connection is used again only where its place in the stream is beyond doubt. Bytes past
//! the end of one answer never become part of the next. What may have been carried out is not sent again,
//! unless asking twice does no harm.

use crate::body::Body;
use crate::connection::Connection;
use crate::framing::Framing;
use crate::hostile::Deadline;
use crate::response::Head;
use crate::url::Url;

/// Whether the connection may be used again when the body after `head` has been read (RFC 9112 §9.3).
pub fn is_persistent(head: &Head, framing: &Framing) -> bool {
    todo!("stage 7: what version, headers and framing say")
}

/// The connection that waits for its next request, if there is one.
#[derive(Debug, Default)]
pub struct Kept {
    // Your fields.
}

impl Kept {
    /// Keeps the connection that `url` was asked over, if `body`, which nobody wants, soon comes to its end.
    pub fn put(&mut self, url: &Url, body: Body, deadline: Deadline) {
        todo!("stage 7: bounded in bytes and in time; until then, drop it")
    }

    /// The connection, if it leads to where `url` is and nothing has come in since. One that leads elsewhere
    /// is dropped.
    pub fn take(&mut self, url: &Url) -> Option<Connection> {
        todo!("stage 7: one that is fit for a request to `url`; until then, none")
    }
}

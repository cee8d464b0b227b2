//! What a server of a web answers, and how it goes on afterwards.

use std::{io, ops::ControlFlow};

use harness::origin::Connection;

use crate::bytes::shown;

/// What one request is answered with.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    then: Then,
}

/// How a server goes on after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Listens for another request on the same connection.
    Listen,
    Close,
    /// Sends more and more, for as long as somebody takes it.
    Pour,
}

impl Answer {
    /// These bytes, after which the connection is kept.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::Listen }
    }

    /// A redirect without a body.
    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::new(format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
    }

    /// A response with a body.
    pub(crate) fn page(status: u16, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status} Here\r\nContent-Length: {}\r\n\r\n", body.len());
        Self::new([head.as_bytes(), body].concat())
    }

    /// The server closes the connection afterwards.
    pub(crate) fn and_close(mut self) -> Self {
        self.then = Then::Close;
        self
    }

    /// The server goes on sending, and does not stop.
    pub(crate) fn and_pour(mut self) -> Self {
        self.then = Then::Pour;
        self
    }

    /// Sends it. Breaks if the connection ends with it.
    pub(super) fn play(&self, connection: &mut Connection) -> io::Result<ControlFlow<()>> {
        connection.send(&self.bytes)?;
        if self.then == Then::Pour {
            loop {
                connection.send([b'x'; 16 << 10])?;
            }
        }
        Ok(if self.then == Then::Close { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// What a student is told of it.
    pub(super) fn told(&self) -> String {
        let then = match self.then {
            Then::Listen => "",
            Then::Close => ", and the connection is closed",
            Then::Pour => ", and more of it without end",
        };
        format!("{}{then}", shown(&self.bytes))
    }
}

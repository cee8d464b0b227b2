//! Stage 5: a line for each connection, written when it has ended.
//!
//! ```text
//! 2026-11-22T10:00:00.123Z client=127.0.0.1:51234 backend=127.0.0.1:9001 sent=1234 received=5678 status=ok
//! ```
//!
//! What must hold: one line, one write, at once. The time is UTC; std knows only seconds since 1970, so the
//! calendar is yours to compute, and easy to test.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::SystemTime;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Both directions ended.
    Ok,
    /// Every backend was tried, or is down.
    NoBackend,
    /// The backend's connection was reset, or otherwise broke.
    BackendError,
    /// The client's was.
    ClientError,
}

/// What is logged of a connection. Shown, it is the line, without its end.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// When it ended.
    pub at: SystemTime,
    /// The client, as `accept` saw it.
    pub client: SocketAddr,
    /// The backend that served it.
    pub backend: Option<SocketAddr>,
    /// Bytes of the client that the backend's socket took.
    pub sent: u64,
    /// Bytes of the backend that the client's socket took.
    pub received: u64,
    /// How it ended.
    pub status: Status,
}

impl Record {
    /// Writes the line, by one call of `write`.
    pub fn write_to(&self, log: &mut impl Write) -> io::Result<()> {
        todo!("stage 5: the line and its end, by one write")
    }
}

impl Display for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        todo!("stage 5: the line")
    }
}

impl Display for Status {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        todo!("stage 5: ok, no-backend, backend-error, client-error")
    }
}

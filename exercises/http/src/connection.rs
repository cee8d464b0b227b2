//! Stage 1: a connection: bytes out, bytes in, and the one place where this program waits for a server.
//!
//! What must hold: the order of bytes, and nothing about how many come at once. Large bodies pass through
//! little memory. From stage 6 on: a request that is still being sent does not keep its answer from being
//! heard, and no wait outlasts the deadline.
//!
//! `poll.rs` can wait for both directions at once, in plain connections and under TLS. Until you need that,
//! a blocking socket with timeouts will do.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::error::Error;
use crate::hostile::Deadline;

/// Bytes read from the socket at once, unless the caller has room for more.
pub const BUFFER_BYTES: usize = 64 * 1024;

/// What carries the bytes: a socket, or a TLS session over one. Neither blocks.
pub trait Transport: Read + Write + Debug {
    /// The socket, to wait for.
    fn socket(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

/// A connection to a server, for one exchange at a time.
#[derive(Debug)]
pub struct Connection {
    // Your fields.
}

impl Connection {
    /// A connection over `transport`.
    pub fn new(transport: Box<dyn Transport>, deadline: Deadline) -> Connection {
        todo!("stage 1: nothing sent, nothing read")
    }

    /// Begins to send a request. What the socket does not take now follows while its answer is waited for.
    pub fn send(&mut self, request: Vec<u8>) {
        todo!("stage 1: the server gets every byte; from stage 6 on it may answer before that")
    }

    /// Whether some of the request has not been sent.
    pub fn is_sending(&self) -> bool {
        todo!("stage 6: until the socket has taken the last byte")
    }

    /// Sends no more of the request: the answer does not depend on it. This connection is of no further use.
    pub fn stop_sending(&mut self) {
        todo!("stage 6: what has not been sent never will be, and that is no failure")
    }

    /// Whether not a byte has come since the request began.
    pub fn is_unanswered(&self) -> bool {
        todo!("stage 7: what tells a connection that had ended before from one that broke")
    }

    /// Whether a request may be sent over it: all of the last one was sent, and nothing has come since its
    /// answer ended.
    pub fn is_idle(&mut self) -> bool {
        todo!(
            "stage 7: neither surplus bytes nor the end of the stream, as far as one can see without waiting"
        )
    }

    /// Waits no longer than until `deadline` from now on.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        todo!("stage 7: a body nobody wants is not waited for as long as one that somebody does")
    }

    /// The bytes that have come and are not consumed; waits until there are some. None: the stream has ended.
    pub fn fill(&mut self) -> Result<&[u8], Error> {
        todo!("stage 1: at least one byte, or none if there will never be any")
    }

    /// Bytes of what `fill` gave that are done with.
    pub fn consume(&mut self, bytes: usize) {
        todo!("stage 1: the next `fill` begins after them")
    }

    /// Reads what has come into `out`; waits until there is something. 0: the stream has ended.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        todo!("stage 2: bytes in order, those that `fill` has shown and nobody consumed first")
    }
}

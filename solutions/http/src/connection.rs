//! Stage 1: a connection: bytes out, bytes in, and the one place where this program waits for a server.
//!
//! ```text
//! send ──► outgoing ──► ┌───────────┐ ──► socket          plain, or through TLS
//!              push     │ transport │
//! fill ◄── buffer ◄──── └───────────┘ ◄── socket
//! read ◄── buffer, or past it: large reads go straight to the caller
//!
//! nothing to read?  wait for: bytes to come, room to send the rest (push it), or the deadline
//! ```
//!
//! So a large request is sent *while* its answer is waited for. A client that sends first and listens then
//! never sees a `413 Content Too Large`: the server says it, closes, and the client dies of a broken pipe; or
//! the server stops reading, and both wait for ever. The socket never blocks; waiting is `poll`'s, for both
//! directions at once. Read and write timeouts can wait for one at a time, threads cannot share a TLS session.

use std::fmt::Debug;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::error::{Error, Kind};
use crate::hostile::Deadline;
use crate::poll::{self, Interest};

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

/// What is read from: the transport behind a buffer.
type Stream = BufReader<Box<dyn Transport>>;

/// A connection to a server, for one exchange at a time.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    deadline: Deadline,
    /// The request that is being sent, and how much of it has been.
    outgoing: Vec<u8>,
    sent: usize,
    /// Whether some of it has not got to the socket.
    sending: bool,
    /// Why the rest of it never will.
    lost: Option<Error>,
    /// Whether any byte has come in answer to it.
    answered: bool,
}

impl Connection {
    /// A connection over `transport`.
    pub fn new(transport: Box<dyn Transport>, deadline: Deadline) -> Connection {
        Connection {
            stream: BufReader::with_capacity(BUFFER_BYTES, transport),
            deadline,
            outgoing: Vec::new(),
            sent: 0,
            sending: false,
            lost: None,
            answered: false,
        }
    }

    /// Begins to send a request. What the socket does not take now follows while its answer is waited for.
    pub fn send(&mut self, request: Vec<u8>) {
        (self.outgoing, self.sent, self.sending, self.answered) = (request, 0, true, false);
        self.push();
    }

    /// Whether some of the request has not been sent.
    pub fn is_sending(&self) -> bool {
        self.sending
    }

    /// Sends no more of the request: the answer does not depend on it. This connection is of no further use.
    pub fn stop_sending(&mut self) {
        if self.sending {
            self.give_up(Error::new(Kind::Io, "the request was not sent to its end"));
        }
    }

    /// Whether not a byte has come since the request began.
    pub fn is_unanswered(&self) -> bool {
        !self.answered
    }

    /// Whether a request may be sent over it: all of the last one was sent, and nothing has come since its
    /// answer ended. What does come is either the end (the server got tired of waiting) or surplus bytes,
    /// which must not be taken for the answer to the next request.
    pub fn is_idle(&mut self) -> bool {
        let nothing_came = self.stream.fill_buf().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        nothing_came && !self.sending && self.lost.is_none()
    }

    /// Waits no longer than until `deadline` from now on.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// The bytes that have come and are not consumed; waits until there are some. None: the stream has ended.
    pub fn fill(&mut self) -> Result<&[u8], Error> {
        self.waiting(|stream| stream.fill_buf().map(<[u8]>::len))?;
        Ok(self.stream.buffer())
    }

    /// Bytes of what `fill` gave that are done with.
    pub fn consume(&mut self, bytes: usize) {
        self.stream.consume(bytes);
    }

    /// Reads what has come into `out`; waits until there is something. 0: the stream has ended.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        self.waiting(|stream| stream.read(out))
    }

    /// Does `read`, and waits as often as that finds nothing.
    fn waiting(&mut self, mut read: impl FnMut(&mut Stream) -> io::Result<usize>) -> Result<usize, Error> {
        loop {
            // Before each read: bytes that keep coming must not outrun the deadline.
            let left = self.deadline.remaining()?;
            match read(&mut self.stream) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let interest = if self.sending { Interest::ReadOrWrite } else { Interest::Read };
                    if poll::wait(self.stream.get_ref().socket(), interest, left)?.writable {
                        self.push();
                    }
                }
                Ok(bytes) if bytes > 0 => {
                    self.answered = true;
                    return Ok(bytes);
                }
                // The end, or an error. If it is all the answer there is, then because the request was lost.
                ended => match &self.lost {
                    Some(lost) if !self.answered => return Err(lost.clone()),
                    _ => return ended.map_err(failure),
                },
            }
        }
    }

    /// Sends what one write takes. An error is not yet a failure: a server that listens no more may have said
    /// why.
    fn push(&mut self) {
        match self.write_some() {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => {
                let why = format!("connection lost while sending: {error}");
                self.give_up(Error::new(Kind::Io, why));
            }
            Ok(()) => {}
        }
    }

    fn write_some(&mut self) -> io::Result<()> {
        let transport = self.stream.get_mut();
        if self.sent < self.outgoing.len() {
            self.sent += transport.write(&self.outgoing[self.sent..])?;
        }
        if self.sent == self.outgoing.len() {
            transport.flush()?;
            self.sending = false;
        }
        Ok(())
    }

    fn give_up(&mut self, why: Error) {
        (self.outgoing, self.sent, self.sending, self.lost) = (Vec::new(), 0, false, Some(why));
    }
}

/// What became of a connection, told by what the system says of it.
fn failure(error: io::Error) -> Error {
    match error.kind() {
        // Under TLS the end has to be announced: without that, anybody on the way may have cut it off.
        ErrorKind::UnexpectedEof => {
            Error::new(Kind::Truncated, "the server closed the connection without close_notify")
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            Error::new(Kind::Truncated, format!("the connection was lost: {error}"))
        }
        _ => error.into(),
    }
}

//! One end of one connection: what it still has to send, what it has received, and how the other side ended.
//!
//! ```text
//!   queue ──► write_some ──► socket ──► read_some ──► received, and what it makes the end do (reaction)
//! ```
//!
//! Nothing here waits. The poller says when the socket may be ready; [`Endpoint::work`] moves what can be moved.

mod moving;

use std::{collections::VecDeque, io, net::SocketAddr, time::Instant};

use mio::net::TcpStream;
use nix::sys::socket::{setsockopt, sockopt};

use crate::stream::{Difference, Stream};

/// How the other side ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By an end of stream.
    Fin,
    /// By a reset, or whatever else breaks a connection.
    Reset,
}

/// What an end does by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Nothing.
    None,
    /// Sends back all that comes, and ends its side after the other one did.
    Echo,
    /// Answers the first bytes with these, and ends its side.
    Say(Vec<u8>),
    /// Answers the first bytes with a reset.
    Reset,
}

/// Something to be sent.
#[derive(Clone, Debug)]
enum Outgoing {
    Bytes(Vec<u8>, usize),
    Stream(Stream, u64, u64),
    Fin,
}

/// One end of one connection.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// What a reader is told of it.
    pub(crate) name: String,
    socket: Option<TcpStream>,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// When it was accepted, or began to connect.
    pub(crate) opened: Instant,
    pub(crate) is_connected: bool,
    /// Why it could not be connected.
    pub(crate) refused: Option<io::ErrorKind>,
    is_readable: bool,
    is_writable: bool,
    queue: VecDeque<Outgoing>,
    /// Bytes that its socket has taken.
    pub(crate) sent_bytes: u64,
    pub(crate) fin_sent: bool,
    /// How much it may read yet.
    pub(crate) appetite_bytes: u64,
    /// Makes the sizes of reads and writes random.
    pub(crate) ragged: Option<fastrand::Rng>,
    pub(crate) reaction: Reaction,
    pub(crate) received_bytes: u64,
    pub(crate) kept: Vec<u8>,
    /// How many of these a check has asked for.
    pub(crate) taken: usize,
    /// The stream that is expected, and how many bytes had come before it.
    pub(crate) expected: Option<(Stream, u64)>,
    pub(crate) difference: Option<Difference>,
    /// A reset was seen; what had come before it may still be unread.
    is_broken: bool,
    end: Option<End>,
    pub(crate) ended: Option<Instant>,
}

impl Endpoint {
    pub(crate) fn new(
        name: String,
        socket: TcpStream,
        remote: SocketAddr,
        is_connected: bool,
    ) -> io::Result<Self> {
        let local = socket.local_addr()?;
        Ok(Self {
            name,
            socket: Some(socket),
            local,
            remote,
            opened: Instant::now(),
            is_connected,
            refused: None,
            is_readable: false,
            is_writable: false,
            queue: VecDeque::new(),
            sent_bytes: 0,
            fin_sent: false,
            appetite_bytes: u64::MAX,
            ragged: None,
            reaction: Reaction::None,
            received_bytes: 0,
            kept: Vec::new(),
            taken: 0,
            expected: None,
            difference: None,
            is_broken: false,
            end: None,
            ended: None,
        })
    }

    /// Its socket, for the poller to register.
    pub(crate) fn socket(&mut self) -> Option<&mut TcpStream> {
        self.socket.as_mut()
    }

    /// Takes what the poller has seen.
    pub(crate) fn notice(&mut self, event: &mio::event::Event) {
        self.is_readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.is_writable |= event.is_writable() || event.is_write_closed() || event.is_error();
        if self.is_connected && event.is_error() {
            self.break_off();
        }
    }

    /// How the other side ended, if it has and all before it was read; a reset is seen without reading, too.
    pub(crate) fn end(&self) -> Option<End> {
        self.end.or(self.is_broken.then_some(End::Reset))
    }

    /// Whether all that it had to send has been taken by its socket.
    pub(crate) fn is_sent(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.socket.is_none()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        match self.queue.back_mut() {
            Some(Outgoing::Bytes(last, _)) => last.extend_from_slice(bytes),
            _ => self.queue.push_back(Outgoing::Bytes(bytes.to_vec(), 0)),
        }
    }

    pub(crate) fn send_stream(&mut self, stream: Stream, from: u64, to: u64) {
        self.queue.push_back(Outgoing::Stream(stream, from, to));
    }

    /// Ends its side after all that was to be sent.
    pub(crate) fn finish(&mut self) {
        self.queue.push_back(Outgoing::Fin);
    }

    /// Closes both ways at once. The kernel makes a reset of it if something is unread.
    pub(crate) fn close(&mut self) {
        self.queue.clear();
        self.socket = None;
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(&mut self) {
        if let Some(socket) = &self.socket {
            let now = nix::libc::linger { l_onoff: 1, l_linger: 0 };
            // Where it fails the connection has gone already.
            let _ = setsockopt(socket, sockopt::Linger, &now);
        }
        self.close();
    }
}

//! Stage 1: two half-pipes between two sockets, and when they are done.
//!
//! ```text
//!             ┌──── up ─────────────────────────────►┐
//!   client ◄──┘           end: shut down for writing └──► backend
//!          └◄───────────────────────────── down ─────┘
//!
//!   end, end           over: ok
//!   a read fails       over: all that had come before was passed on already (see `half_pipe.rs`)
//!   a write fails      that direction is lost; the other one goes on to its end: what the broken side
//!                      has said before it broke may still be there to be read
//! ```
//!
//! The last end is not passed on by itself: it is followed by `close`, which says the same.

use std::io::ErrorKind;
use std::net::Shutdown;

use mio::event::Event;
use mio::net::TcpStream;

use crate::half_pipe::{Flow, HalfPipe};
use crate::log::Status;
use crate::ten_thousand::Pool;

/// How much of what the surviving side says is thrown away before it is closed.
const MAX_DISCARDED_BUFFERS: usize = 16;

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who came to us.
    Client,
    /// Whom we went to.
    Backend,
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// An event will tell when there is more to do.
    Waiting,
    /// Its turn is over, and there may be more to do: no event will tell.
    Again,
    /// It is to be closed.
    Over(Status),
}

/// Both directions of a connection.
#[derive(Debug)]
pub struct Proxy {
    up: HalfPipe,
    down: HalfPipe,
    /// The side to which nothing can be written any more.
    broken: Option<Side>,
}

impl Proxy {
    /// Nothing has happened yet.
    pub fn new() -> Proxy {
        Proxy { up: HalfPipe::new(), down: HalfPipe::new(), broken: None }
    }

    /// Bytes of the client that the backend took.
    pub fn sent(&self) -> u64 {
        self.up.moved()
    }

    /// Bytes of the backend that the client took.
    pub fn received(&self) -> u64 {
        self.down.moved()
    }

    /// Notes what an event says of one side's socket. Nothing is done yet.
    pub fn on_event(&mut self, side: Side, event: &Event) {
        let (from, to) = match side {
            Side::Client => (&mut self.up, &mut self.down),
            Side::Backend => (&mut self.down, &mut self.up),
        };
        if event.is_readable() {
            from.source_ready();
        }
        if event.is_read_closed() || event.is_error() {
            from.source_closing();
        }
        if event.is_writable() || event.is_error() {
            to.target_ready();
        }
    }

    /// Moves what can be moved without waiting, for one turn at most.
    pub fn drive(&mut self, client: &TcpStream, backend: &TcpStream, pool: &mut Pool) -> Progress {
        let before = (self.up.has_ended(), self.down.has_ended());
        let up = match self.broken {
            Some(Side::Backend) => Flow::Waiting,
            _ => self.up.pump(&mut &*client, &mut &*backend, pool),
        };
        let down = match self.broken {
            Some(Side::Client) => Flow::Waiting,
            _ => self.down.pump(&mut &*backend, &mut &*client, pool),
        };
        if up == Flow::TargetBroke {
            self.broken = Some(Side::Backend);
            self.down.source_closing();
        } else if down == Flow::TargetBroke {
            self.broken = Some(Side::Client);
            self.up.source_closing();
        }
        if let Some(status) = self.verdict(up, down) {
            if status != Status::Ok {
                discard(if status == Status::ClientError { backend } else { client }, pool);
            }
            return Progress::Over(status);
        }
        // A socket that broke meanwhile refuses; reading from it will tell.
        if self.up.has_ended() && !before.0 {
            let _ = backend.shutdown(Shutdown::Write);
        }
        if self.down.has_ended() && !before.1 {
            let _ = client.shutdown(Shutdown::Write);
        }
        let again = [Flow::Again, Flow::TargetBroke];
        if again.contains(&up) || again.contains(&down) { Progress::Again } else { Progress::Waiting }
    }

    /// How it ended, if it is over.
    fn verdict(&self, up: Flow, down: Flow) -> Option<Status> {
        let error = |side| if side == Side::Client { Status::ClientError } else { Status::BackendError };
        // Who broke first is to blame: its socket may fail a second time, or make the other one fail.
        if let Some(side) = self.broken {
            let (other_way, flow) = if side == Side::Client { (&self.up, up) } else { (&self.down, down) };
            let no_more = [Flow::SourceBroke, Flow::TargetBroke].contains(&flow);
            return (no_more || other_way.has_ended()).then_some(error(side));
        }
        match (up, down) {
            (Flow::SourceBroke, _) => Some(error(Side::Client)),
            (_, Flow::SourceBroke) => Some(error(Side::Backend)),
            _ => (self.up.has_ended() && self.down.has_ended()).then_some(Status::Ok),
        }
    }
}

impl Default for Proxy {
    fn default() -> Proxy {
        Proxy::new()
    }
}

/// Reads and forgets what the surviving side has said to the broken one. A socket that is closed with something
/// unread is reset, and a reset may overtake what was written to it: the last words of the broken side.
fn discard(mut survivor: &TcpStream, pool: &mut Pool) {
    let _ = survivor.shutdown(Shutdown::Write);
    let mut buffer = pool.lend();
    for _ in 0..MAX_DISCARDED_BUFFERS {
        match buffer.fill(&mut survivor) {
            Ok(bytes) if bytes > 0 => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => break,
        }
    }
    pool.take_back(buffer);
}

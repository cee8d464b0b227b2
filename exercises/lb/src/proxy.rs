//! Stage 1: two half-pipes between two sockets, and when they are done.
//!
//! What must hold: each direction goes on until its own end, whatever the other one does; its end is passed on
//! when all before it was. One side that broke ends the connection, and what it had said before is delivered.
//!
//! Write down all ways for a connection to end, and for each what either side sees, and what the log says.

use mio::event::Event;
use mio::net::TcpStream;

use crate::log::Status;
use crate::ten_thousand::Pool;

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
    // Your fields.
}

impl Proxy {
    /// Nothing has happened yet.
    pub fn new() -> Proxy {
        todo!("stage 1: two half-pipes that have done nothing")
    }

    /// Bytes of the client that the backend took.
    pub fn sent(&self) -> u64 {
        todo!("stage 5: what the backend took")
    }

    /// Bytes of the backend that the client took.
    pub fn received(&self) -> u64 {
        todo!("stage 5: what the client took")
    }

    /// Notes what an event says of one side's socket. Nothing is done yet.
    pub fn on_event(&mut self, side: Side, event: &Event) {
        todo!("stage 1: which half-pipe has to know of it, and does only one?")
    }

    /// Moves what can be moved without waiting, for one turn at most.
    pub fn drive(&mut self, client: &TcpStream, backend: &TcpStream, pool: &mut Pool) -> Progress {
        todo!(
            "stage 1: both directions; then, what has ended, what has broken, and what does that mean for the other?"
        )
    }
}

impl Default for Proxy {
    fn default() -> Proxy {
        Proxy::new()
    }
}

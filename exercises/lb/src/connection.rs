//! Stages 1 and 4: the life of a client: a backend is found, bytes go both ways, it is over.
//!
//! What must hold: nothing waits, whatever state it is in. Until a backend's connection stands, nothing of the
//! client's is lost, its end included, whoever is tried.
//!
//! Draw the states, and what leads from one to the next. Where do the client's bytes wait meanwhile?

use std::net::SocketAddr;

use mio::event::Event;
use mio::net::TcpStream;

use crate::backends::Backends;
use crate::log::{Record, Status};
use crate::proxy::{Progress, Side};
use crate::ten_thousand::Pool;
use crate::turn::Turn;

/// A client that was accepted, and its backend.
#[derive(Debug)]
pub struct Connection {
    // Your fields.
}

impl Connection {
    /// A client for whom nothing has been done yet, and the slot that it is going to have.
    pub fn new(client: TcpStream, address: SocketAddr, slot: usize) -> Connection {
        todo!("stage 1: a client, and nobody else")
    }

    /// Begins to connect to a backend: to the next in turn, or after a failure to the one that follows. Nobody
    /// may be left.
    pub fn dial(&mut self, backends: &mut Backends, turn: Turn<'_>) -> Progress {
        todo!("stage 1: begin to connect to the next in turn; from stage 4 on, to whoever follows")
    }

    /// Notes what an event says of one side's socket. Nothing is done yet; whether it is to have a turn for that,
    /// which it has not been promised before.
    pub fn on_event(&mut self, side: Side, event: &Event) -> bool {
        todo!("stage 1: remember it; act later")
    }

    /// The time of the attempt with this number is up. It may have succeeded or failed long ago.
    pub fn on_timeout(&mut self, number: u64, backends: &mut Backends, turn: Turn<'_>) -> Progress {
        todo!("stage 4: is it this attempt, and is it still under way?")
    }

    /// Its turn: does what can be done without waiting.
    pub fn drive(&mut self, backends: &mut Backends, pool: &mut Pool, turn: Turn<'_>) -> Progress {
        todo!("stage 1: what its state allows")
    }

    /// What is logged of it when it is over.
    pub fn record(&self, status: Status, backends: &Backends) -> Record {
        todo!("stage 5: what is known at the end")
    }
}

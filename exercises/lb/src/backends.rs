//! Stage 2: the backends, and the way to one of them. Rotation, health and failures decide; here it is done.
//!
//! What must hold: one pick for each connection, whatever becomes of it. At stage 1 the first backend is all of
//! them.

use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;

use crate::Config;
use crate::failures::Attempt;
use crate::turn::Turn;

/// All backends, and what is known of them.
#[derive(Debug)]
pub struct Backends {
    // Your fields.
}

/// A connection to a backend that has begun.
#[derive(Debug)]
pub struct Dialling {
    /// The socket, which is registered.
    pub socket: TcpStream,
    /// Who it leads to.
    pub attempt: Attempt,
    /// What tells this attempt from others of the same client.
    pub number: u64,
}

impl Backends {
    /// Those of the configuration.
    pub fn new(config: &Config, now: Instant) -> Backends {
        todo!("stage 1: the addresses; later, what is known of them")
    }

    /// Where an attempt leads.
    pub fn address(&self, attempt: &Attempt) -> SocketAddr {
        todo!("stage 1: the address")
    }

    /// Whose turn it is; none if there is nobody.
    pub fn pick(&mut self) -> Option<Attempt> {
        todo!("stage 2: whose turn it is; before that, the first")
    }

    /// Who follows after an attempt that failed; none if nobody is left.
    pub fn after(&self, failed: &Attempt) -> Option<Attempt> {
        todo!("stage 4: who is next; before that, nobody")
    }

    /// Begins to connect the connection in `slot`, with this attempt or one that follows; none if nobody is left.
    pub fn dial(&mut self, attempt: Attempt, slot: usize, turn: Turn<'_>) -> Option<Dialling> {
        todo!("stage 1: begin to connect, and have the socket watched; from stage 4 on, whoever can be tried")
    }

    /// Something has happened to the check of `backend`.
    pub fn on_probe(&mut self, backend: usize, now: Instant) {
        todo!("stage 3: an answer, or a refusal")
    }

    /// Begins and gives up checks.
    pub fn on_time(&mut self, turn: Turn<'_>) {
        todo!("stage 3: checks that are due or late")
    }

    /// An attempt whose time is up: its connection, and its number.
    pub fn expired(&mut self, now: Instant) -> Option<(usize, u64)> {
        todo!("stage 4: who has waited too long")
    }

    /// When there is something to do next without an event.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!("stage 3: the earliest of all; before that, none")
    }
}

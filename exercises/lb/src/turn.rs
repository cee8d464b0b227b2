//! Stage 1: one turn of the loop: what an event is about, and what all that happens in the turn shares.
//!
//! What must hold: every socket has a number of its own, and every number leads back to its socket.

use std::time::Instant;

use mio::{Registry, Token};

use crate::proxy::Side;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Clients wait to be accepted.
    Listener,
    /// SIGTERM has come.
    Stop,
    /// The check of this backend.
    Probe(usize),
    /// One side of the connection in this slot.
    Connection(usize, Side),
}

/// The numbers under which the system tells of events.
#[derive(Debug, Clone, Copy)]
pub struct Tokens {
    // Your fields.
}

impl Tokens {
    /// With so many backends.
    pub fn new(backends: usize) -> Tokens {
        todo!("stage 1: what the numbers depend on")
    }

    /// The token of a subject.
    pub fn token(&self, subject: Subject) -> Token {
        todo!("stage 1: a number for each subject")
    }

    /// The subject of a token.
    pub fn subject(&self, Token(number): Token) -> Subject {
        todo!("stage 1: and back")
    }
}

/// What is the same for all that happens in one turn.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// Where sockets are registered.
    pub registry: &'a Registry,
    /// Under which tokens.
    pub tokens: Tokens,
    /// The time, asked for once.
    pub now: Instant,
}

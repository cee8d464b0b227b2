//! Stage 1: one turn of the loop: what an event is about, and what all that happens in the turn shares.
//!
//! ```text
//!   token   0         1       2 … 1 + n        then two for each connection
//!           listener  stop    probe of 0 … n-1   client of 0, backend of 0, client of 1, …
//! ```

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
    first_probe: usize,
    first_connection: usize,
}

impl Tokens {
    /// With so many backends.
    pub fn new(backends: usize) -> Tokens {
        Tokens { first_probe: 2, first_connection: 2 + backends }
    }

    /// The token of a subject.
    pub fn token(&self, subject: Subject) -> Token {
        Token(match subject {
            Subject::Listener => 0,
            Subject::Stop => 1,
            Subject::Probe(backend) => self.first_probe + backend,
            Subject::Connection(slot, Side::Client) => self.first_connection + 2 * slot,
            Subject::Connection(slot, Side::Backend) => self.first_connection + 2 * slot + 1,
        })
    }

    /// The subject of a token.
    pub fn subject(&self, Token(number): Token) -> Subject {
        match number {
            0 => Subject::Listener,
            1 => Subject::Stop,
            probe if probe < self.first_connection => Subject::Probe(probe - self.first_probe),
            side => {
                let place = side - self.first_connection;
                let side = if place.is_multiple_of(2) { Side::Client } else { Side::Backend };
                Subject::Connection(place / 2, side)
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_has_a_token_of_its_own() {
        let tokens = Tokens::new(3);
        let probes = (0..3).map(Subject::Probe);
        let sides =
            (0..4).flat_map(|slot| [Side::Client, Side::Backend].map(|side| Subject::Connection(slot, side)));
        let subjects: Vec<_> =
            [Subject::Listener, Subject::Stop].into_iter().chain(probes).chain(sides).collect();
        for (number, &subject) in subjects.iter().enumerate() {
            assert_eq!((tokens.token(subject), tokens.subject(Token(number))), (Token(number), subject));
        }
    }
}

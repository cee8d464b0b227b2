//! Stage 2: the backends, and the way to one of them. Rotation, health and failures decide; here it is done.
//!
//! ```text
//!   a client ──► pick ──► connect ──► under way ──► stands
//!                            │ at once     │ refused, or timed out
//!                            └─────────────┴──► next attempt ──► none left
//! ```

use std::net::SocketAddr;
use std::time::Instant;

use mio::Interest;
use mio::net::TcpStream;

use crate::Config;
use crate::dial;
use crate::failures::{Attempt, Deadlines};
use crate::health::Health;
use crate::probe::Probes;
use crate::proxy::Side;
use crate::round_robin::Rotation;
use crate::turn::{Subject, Turn};

/// All backends, and what is known of them.
#[derive(Debug)]
pub struct Backends {
    addresses: Vec<SocketAddr>,
    rotation: Rotation,
    health: Health,
    probes: Probes,
    deadlines: Deadlines,
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
        let count = config.backends.len();
        Backends {
            addresses: config.backends.clone(),
            rotation: Rotation::new(count),
            health: Health::new(count, config.health_interval, config.connect_timeout, now),
            probes: Probes::new(&config.backends),
            deadlines: Deadlines::new(config.connect_timeout),
        }
    }

    /// Where an attempt leads.
    pub fn address(&self, attempt: &Attempt) -> SocketAddr {
        self.addresses[attempt.backend()]
    }

    /// Whose turn it is; none if there is nobody.
    pub fn pick(&mut self) -> Option<Attempt> {
        let picked = self.rotation.pick(|backend| self.health.is_candidate(backend))?;
        Some(Attempt::new(picked, self.addresses.len()))
    }

    /// Who follows after an attempt that failed; none if nobody is left.
    pub fn after(&self, failed: &Attempt) -> Option<Attempt> {
        failed.next(|backend| self.health.is_candidate(backend))
    }

    /// Begins to connect the connection in `slot`, with this attempt or one that follows; none if nobody is left.
    pub fn dial(&mut self, attempt: Attempt, slot: usize, turn: Turn<'_>) -> Option<Dialling> {
        let mut attempt = attempt;
        let token = turn.tokens.token(Subject::Connection(slot, Side::Backend));
        loop {
            let begun = dial::begin(self.address(&attempt)).and_then(|mut socket| {
                // Both, and for good: each is told once when it changes (edge-triggered), and costs nothing else.
                turn.registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
                Ok(socket)
            });
            if let Ok(socket) = begun {
                return Some(Dialling { socket, attempt, number: self.deadlines.begin(slot, turn.now) });
            }
            attempt = self.after(&attempt)?;
        }
    }

    /// Something has happened to the check of `backend`.
    pub fn on_probe(&mut self, backend: usize, now: Instant) {
        self.probes.on_event(backend, &mut self.health, now);
    }

    /// Begins and gives up checks.
    pub fn on_time(&mut self, turn: Turn<'_>) {
        self.probes.on_time(&mut self.health, turn);
    }

    /// An attempt whose time is up: its connection, and its number.
    pub fn expired(&mut self, now: Instant) -> Option<(usize, u64)> {
        self.deadlines.expired(now)
    }

    /// When there is something to do next without an event.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.health.next_deadline().into_iter().chain(self.deadlines.next_deadline()).min()
    }
}

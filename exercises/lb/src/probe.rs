//! Stage 3: the sockets of the checks. What they mean is decided in `health.rs`.
//!
//! What must hold: a check never waits for anything but an event; it closes what it has opened, however it ends.

use std::net::SocketAddr;
use std::time::Instant;

use crate::health::Health;
use crate::turn::Turn;

/// The checks that are under way.
#[derive(Debug)]
pub struct Probes {
    // Your fields.
}

impl Probes {
    /// None under way, for the backends at these addresses.
    pub fn new(addresses: &[SocketAddr]) -> Probes {
        todo!("stage 3: none under way; before that, nothing")
    }

    /// Begins what is due, gives up what is late.
    pub fn on_time(&mut self, health: &mut Health, turn: Turn<'_>) {
        todo!("stage 3: begin what is due, give up what is late; before that, nothing")
    }

    /// Something has happened to the check of `backend`.
    pub fn on_event(&mut self, backend: usize, health: &mut Health, now: Instant) {
        todo!("stage 3: how did it go, and what does that mean?")
    }
}

//! Stage 3: the sockets of the checks: one for each backend at most. What they mean is decided in `health.rs`.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use mio::Interest;
use mio::net::TcpStream;

use crate::dial::{self, Dialled};
use crate::health::Health;
use crate::turn::{Subject, Turn};

/// The checks that are under way.
#[derive(Debug)]
pub struct Probes {
    addresses: Vec<SocketAddr>,
    sockets: Vec<Option<TcpStream>>,
}

impl Probes {
    /// None under way, for the backends at these addresses.
    pub fn new(addresses: &[SocketAddr]) -> Probes {
        let sockets = addresses.iter().map(|_| None).collect();
        Probes { addresses: addresses.to_vec(), sockets }
    }

    /// Begins what is due, gives up what is late.
    pub fn on_time(&mut self, health: &mut Health, turn: Turn<'_>) {
        while let Some(late) = health.give_up_check(turn.now) {
            self.sockets[late] = None;
        }
        while let Some(due) = health.begin_check(turn.now) {
            match self.begin(due, turn) {
                Ok(socket) => self.sockets[due] = Some(socket),
                Err(error) if dial::is_our_own(&error) => health.skipped(due, turn.now),
                Err(_) => health.failed(due, turn.now),
            }
        }
    }

    /// Something has happened to the check of `backend`.
    pub fn on_event(&mut self, backend: usize, health: &mut Health, now: Instant) {
        let Some(socket) = &self.sockets[backend] else { return };
        match dial::outcome(socket) {
            Dialled::UnderWay => return,
            Dialled::Connected => health.succeeded(backend, now),
            Dialled::Failed(error) if dial::is_our_own(&error) => health.skipped(backend, now),
            Dialled::Failed(_) => health.failed(backend, now),
        }
        // Closed at once: a backend that serves one at a time is not kept waiting by a visitor without a word.
        self.sockets[backend] = None;
    }

    fn begin(&self, backend: usize, turn: Turn<'_>) -> io::Result<TcpStream> {
        let mut socket = dial::begin(self.addresses[backend])?;
        turn.registry.register(
            &mut socket,
            turn.tokens.token(Subject::Probe(backend)),
            Interest::WRITABLE,
        )?;
        Ok(socket)
    }
}

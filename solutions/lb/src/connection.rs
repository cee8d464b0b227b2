//! Stages 1 and 4: the life of a client: a backend is found, bytes go both ways, it is over.
//!
//! ```text
//!                   refused, timed out: the next backend
//!                  ┌──────────┐
//!   accepted ──► dialling ◄───┘ ──► connected ──► over
//!                  └──► nobody is left: over
//! ```
//!
//! While dialling, the client's socket is not even watched. What the client says waits in the kernel, and its
//! end too; so it does not matter how many backends are tried.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::time::SystemTime;

use mio::Interest;
use mio::event::Event;
use mio::net::TcpStream;

use crate::backends::{Backends, Dialling};
use crate::dial::{self, Dialled};
use crate::log::{Record, Status};
use crate::proxy::{Progress, Proxy, Side};
use crate::ten_thousand::Pool;
use crate::turn::{Subject, Turn};

/// A client that was accepted, and its backend.
#[derive(Debug)]
pub struct Connection {
    client: TcpStream,
    address: SocketAddr,
    slot: usize,
    backend: Option<Dialling>,
    is_connected: bool,
    /// It is among those whose turn comes.
    is_ready: bool,
    proxy: Proxy,
}

impl Connection {
    /// A client for whom nothing has been done yet, and the slot that it is going to have.
    pub fn new(client: TcpStream, address: SocketAddr, slot: usize) -> Connection {
        // As for the backend's: see `dial.rs`. A client that has left already will be noticed later.
        let _ = client.set_nodelay(true);
        let (is_connected, is_ready) = (false, false);
        Connection { client, address, slot, backend: None, is_connected, is_ready, proxy: Proxy::new() }
    }

    /// Begins to connect to a backend: to the next in turn, or after a failure to the one that follows. Nobody
    /// may be left.
    pub fn dial(&mut self, backends: &mut Backends, turn: Turn<'_>) -> Progress {
        let attempt = match &self.backend {
            None => backends.pick(),
            Some(failed) => backends.after(&failed.attempt),
        };
        self.backend = attempt.and_then(|attempt| backends.dial(attempt, self.slot, turn));
        // What an event has said of the last backend's socket does not go for this one's.
        self.proxy = Proxy::new();
        if self.backend.is_some() { Progress::Waiting } else { Progress::Over(Status::NoBackend) }
    }

    /// Notes what an event says of one side's socket. Nothing is done yet; whether it is to have a turn for that,
    /// which it has not been promised before.
    pub fn on_event(&mut self, side: Side, event: &Event) -> bool {
        self.proxy.on_event(side, event);
        !mem::replace(&mut self.is_ready, true)
    }

    /// The time of the attempt with this number is up. It may have succeeded or failed long ago.
    pub fn on_timeout(&mut self, number: u64, backends: &mut Backends, turn: Turn<'_>) -> Progress {
        match &self.backend {
            Some(dialling) if !self.is_connected && dialling.number == number => self.dial(backends, turn),
            _ => Progress::Waiting,
        }
    }

    /// Its turn: does what can be done without waiting.
    pub fn drive(&mut self, backends: &mut Backends, pool: &mut Pool, turn: Turn<'_>) -> Progress {
        let progress = self.advance(backends, pool, turn);
        self.is_ready = progress == Progress::Again;
        progress
    }

    fn advance(&mut self, backends: &mut Backends, pool: &mut Pool, turn: Turn<'_>) -> Progress {
        let Some(backend) = &self.backend else { return Progress::Over(Status::NoBackend) };
        if !self.is_connected {
            match dial::outcome(&backend.socket) {
                Dialled::UnderWay => return Progress::Waiting,
                Dialled::Failed(_) => return self.dial(backends, turn),
                Dialled::Connected => self.is_connected = true,
            }
            if self.watch_client(turn).is_err() {
                return Progress::Over(Status::ClientError);
            }
        }
        let Some(backend) = &self.backend else { return Progress::Over(Status::NoBackend) };
        self.proxy.drive(&self.client, &backend.socket, pool)
    }

    /// What is logged of it when it is over.
    pub fn record(&self, status: Status, backends: &Backends) -> Record {
        let backend = self.backend.as_ref().map(|backend| backends.address(&backend.attempt));
        Record {
            at: SystemTime::now(),
            client: self.address,
            backend,
            sent: self.proxy.sent(),
            received: self.proxy.received(),
            status,
        }
    }

    /// From now on events tell of the client, beginning with what is there already.
    fn watch_client(&mut self, turn: Turn<'_>) -> io::Result<()> {
        let token = turn.tokens.token(Subject::Connection(self.slot, Side::Client));
        turn.registry.register(&mut self.client, token, Interest::READABLE | Interest::WRITABLE)
    }
}

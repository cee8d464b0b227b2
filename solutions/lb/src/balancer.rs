//! All stages, tied together: the loop. This is the only place where the program waits.
//!
//! ```text
//!   ┌─► wait ─► note what events say ─► drive who is ready ─► what is due ─► accept ─┐
//!   └───────────────────────────────────────────────────────────────────────────────┘
//!       for an event, or the next deadline; not at all while somebody's turn has to go on
//! ```
//!
//! Events are noted first and acted upon then, so that a connection with events for both sides is driven once.
//! Those who come are accepted last: no event of this turn can be meant for them, or for who had their slot
//! before. Each phase is bounded, however much there is to do.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::{TcpListener, TcpStream, UnixStream};
use mio::{Events, Interest, Poll};

use crate::Config;
use crate::backends::Backends;
use crate::backpressure_and_draining::Admission;
use crate::connection::Connection;
use crate::load::Table;
use crate::log::Status;
use crate::os;
use crate::proxy::Progress;
use crate::ten_thousand::Pool;
use crate::turn::{Subject, Tokens, Turn};

/// Clients that may wait to be accepted: what most systems allow at most.
const BACKLOG: i32 = 4096;
/// The system is asked for as many events at once.
const EVENTS_A_TURN: usize = 1024;
/// As many clients are accepted before it is somebody else's turn.
const ACCEPTS_A_TURN: usize = 256;

/// A load balancer that listens.
#[derive(Debug)]
pub struct Balancer {
    poll: Poll,
    tokens: Tokens,
    listener: Option<TcpListener>,
    admission: Admission,
    backends: Backends,
    connections: Table<Connection>,
    /// Connections that can do something.
    ready: VecDeque<usize>,
    pool: Pool,
}

impl Balancer {
    /// Listens. From now on clients can connect; they are served by `run`.
    pub fn bind(config: Config) -> io::Result<Balancer> {
        let poll = Poll::new()?;
        let tokens = Tokens::new(config.backends.len());
        let mut listener = TcpListener::bind(config.listen)?;
        os::set_backlog(&listener, BACKLOG)?;
        poll.registry().register(&mut listener, tokens.token(Subject::Listener), Interest::READABLE)?;
        Ok(Balancer {
            poll,
            tokens,
            listener: Some(listener),
            admission: Admission::new(config.max_descriptors, config.backends.len()),
            backends: Backends::new(&config, Instant::now()),
            connections: Table::new(),
            ready: VecDeque::new(),
            pool: Pool::new(),
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.as_ref().ok_or(ErrorKind::NotConnected)?.local_addr()
    }

    /// Serves clients until `stop` becomes readable and the last connection has ended; each has a line in `log`.
    pub fn run(&mut self, stop: &mut UnixStream, log: &mut File) -> io::Result<()> {
        self.poll.registry().register(stop, self.tokens.token(Subject::Stop), Interest::READABLE)?;
        let mut events = Events::with_capacity(EVENTS_A_TURN);
        while !(self.admission.is_draining() && self.connections.is_empty()) {
            self.wait(&mut events)?;
            let now = Instant::now();
            let stops = self.note(&events, now);
            self.drive_ready(now, log);
            self.on_time(now, log);
            self.accept(now, log);
            if stops {
                // Who waited until now was accepted, who comes from now on is refused.
                self.listener = None;
                self.admission.drain();
            }
        }
        Ok(())
    }

    /// Waits for an event or the next deadline.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let now = Instant::now();
        let is_busy = !self.ready.is_empty() || self.admission.may_accept(self.connections.len(), now);
        let deadline =
            [self.backends.next_deadline(), self.admission.next_deadline()].into_iter().flatten().min();
        let deadline = if is_busy { Some(now) } else { deadline };
        match self.poll.poll(events, deadline.map(|at| at.saturating_duration_since(now))) {
            // By a signal, which its socket tells of.
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            result => result,
        }
    }

    /// Notes what events say; whether it is time to stop.
    fn note(&mut self, events: &Events, now: Instant) -> bool {
        let mut stops = false;
        for event in events {
            match self.tokens.subject(event.token()) {
                Subject::Listener => self.admission.clients_wait(),
                Subject::Stop => {
                    stops = true;
                    // Whoever is in the queue by now would be reset when it is closed.
                    self.admission.clients_wait();
                }
                Subject::Probe(backend) => self.backends.on_probe(backend, now),
                Subject::Connection(slot, side) => {
                    if let Some(connection) = self.connections.get_mut(slot)
                        && connection.on_event(side, event)
                    {
                        self.ready.push_back(slot);
                    }
                }
            }
        }
        stops
    }

    /// Gives each connection that can do something one turn.
    fn drive_ready(&mut self, now: Instant, log: &mut File) {
        for _ in 0..self.ready.len() {
            let Some(slot) = self.ready.pop_front() else { return };
            let turn = Turn { registry: self.poll.registry(), tokens: self.tokens, now };
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            match connection.drive(&mut self.backends, &mut self.pool, turn) {
                Progress::Waiting => {}
                Progress::Again => self.ready.push_back(slot),
                Progress::Over(status) => self.end(slot, status, log),
            }
        }
    }

    /// Does what is due: checks of backends, attempts that are given up.
    fn on_time(&mut self, now: Instant, log: &mut File) {
        let turn = Turn { registry: self.poll.registry(), tokens: self.tokens, now };
        self.backends.on_time(turn);
        while let Some((slot, number)) = self.backends.expired(now) {
            let turn = Turn { registry: self.poll.registry(), tokens: self.tokens, now };
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            if let Progress::Over(status) = connection.on_timeout(number, &mut self.backends, turn) {
                self.end(slot, status, log);
            }
        }
    }

    /// Accepts those who wait, as long as there is a place for them.
    fn accept(&mut self, now: Instant, log: &mut File) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some(listener) = &self.listener else { return };
            if !self.admission.may_accept(self.connections.len(), now) {
                return;
            }
            match listener.accept() {
                Ok((client, address)) => self.welcome(client, address, now, log),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => self.admission.nobody_waits(),
                    // This one has left already; the next one may still be there.
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                    _ => self.admission.pause(now),
                },
            }
        }
    }

    /// Finds a backend for a client.
    fn welcome(&mut self, client: TcpStream, address: SocketAddr, now: Instant, log: &mut File) {
        let turn = Turn { registry: self.poll.registry(), tokens: self.tokens, now };
        let slot = self.connections.insert(|slot| Connection::new(client, address, slot));
        let Some(connection) = self.connections.get_mut(slot) else { return };
        if let Progress::Over(status) = connection.dial(&mut self.backends, turn) {
            self.end(slot, status, log);
        }
    }

    /// Closes a connection, and logs it.
    fn end(&mut self, slot: usize, status: Status, log: &mut File) {
        let Some(connection) = self.connections.remove(slot) else { return };
        // A full disk is no reason to serve nobody.
        let _ = connection.record(status, &self.backends).write_to(log);
        self.admission.resume();
    }
}

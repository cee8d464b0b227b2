//! The loop under a scene: one thread that moves the bytes of all clients and backends.
//!
//! Edge-triggered: an end is listed as ready when the kernel said something about it or a check changed it, and stays so
//! until it can move nothing more. Tokens: ports are even, ends are odd.

use std::{io, net::SocketAddr, time::Duration};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use super::{
    endpoint::{Endpoint, Reaction},
    port::Port,
};
use crate::stream::Stream;

/// What a backend does with a connection that it accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Sends back all that comes, and ends its side after the other one did.
    Echo,
    /// Answers the first bytes with its name, and ends its side.
    Name,
    /// Sends so many bytes of a stream without being asked, and ends its side; meanwhile it reads.
    Speak(Stream, u64),
    /// Reads nothing and says nothing.
    Stall,
    /// Reads, and says nothing: what is said, and when, is the check's to say.
    Hold,
    /// Ends its side at once, and goes on reading.
    HalfClose,
    /// Answers the first bytes with a reset.
    Reset,
}

/// A backend, as the loop sees it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) port: Port,
    pub(crate) behaviour: Behaviour,
    /// What was accepted, in this order.
    pub(crate) accepted: Vec<usize>,
    /// Swallows connections: there is nothing to accept.
    pub(crate) is_blackhole: bool,
}

/// The loop and all that it moves.
#[derive(Debug)]
pub(crate) struct Poller {
    poll: Poll,
    events: Events,
    pub(crate) places: Vec<Place>,
    pub(crate) ends: Vec<Endpoint>,
    ready: Vec<usize>,
    buffer: Vec<u8>,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            places: Vec::new(),
            ends: Vec::new(),
            ready: Vec::new(),
            buffer: vec![0; 256 << 10],
        })
    }

    /// Adds a backend whose port refuses connections.
    pub(crate) fn add_place(&mut self, place: Place) -> usize {
        self.places.push(place);
        self.places.len() - 1
    }

    /// Lets a backend accept.
    pub(crate) fn listen(&mut self, number: usize) -> io::Result<()> {
        let place = &mut self.places[number];
        let was_registered = place.port.listener.is_some() && !place.is_blackhole;
        place.port.listen()?;
        place.is_blackhole = false;
        match &mut place.port.listener {
            Some(listener) if !was_registered => {
                self.poll.registry().register(listener, Token(2 * number), Interest::READABLE)
            }
            _ => Ok(()),
        }
    }

    /// Lets a backend swallow connections.
    pub(crate) fn swallow(&mut self, number: usize) -> io::Result<()> {
        self.accept(number)?;
        let place = &mut self.places[number];
        if let Some(listener) = &mut place.port.listener
            && !place.is_blackhole
        {
            self.poll.registry().deregister(listener)?;
        }
        place.is_blackhole = true;
        place.port.swallow()
    }

    /// Begins to connect to an address.
    pub(crate) fn connect(&mut self, name: String, address: SocketAddr) -> io::Result<usize> {
        let socket = TcpStream::connect(address)?;
        self.add_end(Endpoint::new(name, socket, address, false)?)
    }

    /// Lists an end, which a check has changed, as ready.
    pub(crate) fn touch(&mut self, end: usize) {
        self.ready.push(end);
    }

    /// Moves what can be moved; waits for something to move, if there is nothing.
    pub(crate) fn turn(&mut self, at_most: Duration) -> io::Result<()> {
        let timeout = if self.ready.is_empty() { at_most } else { Duration::ZERO };
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let mut accepting = Vec::new();
        for event in &self.events {
            let Token(token) = event.token();
            if token % 2 == 0 {
                accepting.push(token / 2);
            } else {
                self.ends[token / 2].notice(event);
                self.ready.push(token / 2);
            }
        }
        for place in accepting {
            self.accept(place)?;
        }
        let mut ready = std::mem::take(&mut self.ready);
        ready.sort_unstable();
        ready.dedup();
        ready.retain(|&end| self.ends[end].work(&mut self.buffer));
        self.ready = ready;
        Ok(())
    }

    /// Accepts all that waits.
    pub(crate) fn accept(&mut self, number: usize) -> io::Result<()> {
        if self.places[number].is_blackhole {
            return Ok(());
        }
        loop {
            let place = &mut self.places[number];
            let Some(listener) = &place.port.listener else { return Ok(()) };
            match listener.accept() {
                Ok((_, remote)) if place.port.is_ours(remote) => {}
                Ok((socket, remote)) => {
                    let name = format!("backend {} (connection {})", place.name, place.accepted.len() + 1);
                    let mut end = Endpoint::new(name, socket, remote, true)?;
                    begin(&mut end, place);
                    let number_of_end = self.add_end(end)?;
                    self.places[number].accepted.push(number_of_end);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // Reset before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn add_end(&mut self, mut end: Endpoint) -> io::Result<usize> {
        let number = self.ends.len();
        if let Some(socket) = end.socket() {
            // Every write is a segment of its own.
            socket.set_nodelay(true)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(socket, Token(2 * number + 1), interest)?;
        }
        self.ends.push(end);
        Ok(number)
    }
}

/// Makes an accepted connection behave as its backend does.
fn begin(end: &mut Endpoint, place: &Place) {
    match &place.behaviour {
        Behaviour::Echo => end.reaction = Reaction::Echo,
        Behaviour::Name => end.reaction = Reaction::Say(place.name.clone().into_bytes()),
        Behaviour::Speak(stream, bytes) => {
            end.send_stream(*stream, 0, *bytes);
            end.finish();
        }
        Behaviour::Stall => end.appetite_bytes = 0,
        Behaviour::Hold => {}
        Behaviour::HalfClose => end.finish(),
        Behaviour::Reset => end.reaction = Reaction::Reset,
    }
}

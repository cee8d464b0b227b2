//! All stages, tied together: the loop. Here alone the program waits: for an event, or for the next deadline.
//!
//! What must hold: nothing else in the program waits. However much one connection has to do, the others have
//! their turn; however many events come, none is lost, although each is told only once.
//!
//! Begin here: one listener, one backend, one connection; then more of each. Mio's documentation has an example
//! of a loop, and says what edge-triggered means for you.

use std::fs::File;
use std::io;
use std::net::SocketAddr;

use mio::net::UnixStream;

use crate::Config;

/// A load balancer that listens.
#[derive(Debug)]
pub struct Balancer {
    // Your fields.
}

impl Balancer {
    /// Listens. From now on clients can connect; they are served by `run`.
    pub fn bind(config: Config) -> io::Result<Balancer> {
        todo!("stage 1: a listening socket, and a poll that watches it")
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        todo!("stage 1: the address that was really given")
    }

    /// Serves clients until `stop` becomes readable and the last connection has ended; each has a line in `log`.
    pub fn run(&mut self, stop: &mut UnixStream, log: &mut File) -> io::Result<()> {
        todo!(
            "stage 1: wait, do what can be done, wait again; from stage 6 on, until `stop` has spoken and everybody has gone"
        )
    }
}

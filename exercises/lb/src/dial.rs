//! Stage 1: a connection to a backend, begun without waiting, and how it went.
//!
//! What must hold: nothing here waits. That a connection stands is known when the system says so, which is not
//! the same as an event (connect(2), on EINPROGRESS).

use std::io;
use std::net::SocketAddr;

use mio::net::TcpStream;

/// How a connection that was begun has gone so far.
#[derive(Debug)]
pub enum Dialled {
    /// No answer yet.
    UnderWay,
    /// It stands.
    Connected,
    /// It will not stand.
    Failed(io::Error),
}

/// Begins to connect.
pub fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    todo!(
        "stage 1: begin to connect, and come back at once; what does a socket that carries other people's bytes need?"
    )
}

/// How it went, once an event has come.
pub fn outcome(stream: &TcpStream) -> Dialled {
    todo!("stage 1: connected, failed, or too early to tell")
}

/// Whether a failure says nothing about the backend: what was lacking was lacking here.
pub fn is_our_own(error: &io::Error) -> bool {
    todo!("stage 3: no descriptors, no ports, no memory: not the backend's fault")
}

//! Stage 1: from a name to a connected socket.
//!
//! What must hold: every address of the name is tried, in the order in which the resolver gives them, until
//! one accepts. From stage 6 on the deadline bounds this too: an address that swallows packets, and a name
//! server that does not answer.

use std::net::TcpStream;

use crate::error::Error;
use crate::hostile::Deadline;
use crate::url::Url;

/// A connection to the first address of the URL's host that accepts one.
pub fn connect(url: &Url, deadline: Deadline) -> Result<TcpStream, Error> {
    todo!("stage 1: a socket, set to non-blocking if `Connection` waits by `poll`")
}

//! Stages 2 and 3: the body of a response, read as it arrives.
//!
//! What must hold: 0 means that the body was had, whole. One that ends too early, or breaks the rules of its
//! framing, is an error of `read`, which carries an [`Error`](crate::Error). The body may be larger than the
//! memory, and a byte that has arrived is not held back until more do.

use std::io::{self, Read};

use crate::connection::Connection;
use crate::framing::Framing;

/// A body that is still arriving.
#[derive(Debug)]
pub struct Body {
    // Your fields.
}

impl Body {
    /// The body that comes next in `connection`.
    pub fn new(connection: Connection, framing: Framing) -> Body {
        todo!("stage 2: a body of which nothing has been read")
    }
}

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        todo!("stage 2: what has arrived of the body, decoded; 0 at its end and only there")
    }
}

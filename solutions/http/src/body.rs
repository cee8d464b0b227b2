//! Stages 2 and 3: the body of a response, read as it arrives. It may be larger than the memory: what is held
//! of it is one buffer.
//!
//! ```text
//! connection ──► buffer ──► framing ──► out      heads, and chunks that are smaller than the buffer
//!          └────────────────────────────► out    the rest, which is most of it: nothing copies it
//! ```
//!
//! Invariant: 0 means that the body was had, whole. One that ends too early, or breaks the rules of its
//! framing, is an error of `read`, which carries an [`Error`].

use std::io::{self, Read};

use crate::connection::{BUFFER_BYTES, Connection};
use crate::error::Error;
use crate::framing::Framing;

/// A body that is still arriving.
#[derive(Debug)]
pub struct Body {
    pub(crate) connection: Connection,
    pub(crate) framing: Framing,
}

impl Body {
    /// The body that comes next in `connection`.
    pub fn new(connection: Connection, framing: Framing) -> Body {
        Body { connection, framing }
    }

    fn read_some(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        while !out.is_empty() && !self.framing.is_complete() {
            let verbatim = usize::try_from(self.framing.verbatim()).unwrap_or(usize::MAX);
            if verbatim >= BUFFER_BYTES {
                let room = verbatim.min(out.len());
                let bytes = self.connection.read(&mut out[..room])?;
                if bytes == 0 {
                    self.framing.end_of_stream()?;
                }
                self.framing.skip(bytes);
                return Ok(bytes);
            }
            let input = self.connection.fill()?;
            if input.is_empty() {
                self.framing.end_of_stream()?;
                return Ok(0);
            }
            let step = self.framing.decode(input, out)?;
            self.connection.consume(step.consumed);
            if step.produced > 0 {
                return Ok(step.produced);
            }
        }
        Ok(0)
    }
}

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_some(out)?)
    }
}

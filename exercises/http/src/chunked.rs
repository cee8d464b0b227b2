//! Stage 3: the chunked coding (RFC 9112 §7.1): a body in pieces, for whoever begins to send before they
//! know how much it will be.
//!
//! What must hold: the input may break off anywhere and go on later. What is not a chunk is refused, never
//! guessed at. The body is whole after the last chunk and its trailers, and not a byte earlier or later.
//!
//! Draw your states here, with the bytes that lead from one to the next.

use crate::error::Error;
use crate::framing::Step;

/// Undoes the chunked coding.
#[derive(Debug)]
pub struct Decoder {
    // Your fields.
}

impl Decoder {
    /// A decoder at the beginning of a body.
    #[expect(clippy::new_without_default, reason = "a decoder is begun, not defaulted to")]
    pub fn new() -> Decoder {
        todo!("stage 3: a decoder that waits for the first size")
    }

    /// Whether the last chunk and its trailers have been read.
    pub fn is_complete(&self) -> bool {
        todo!("stage 3: true once the body is over")
    }

    /// How many of the next bytes are data.
    pub fn verbatim(&self) -> u64 {
        todo!("stage 3: what is left of this chunk's data")
    }

    /// Counts `bytes` of those as had.
    pub fn skip(&mut self, bytes: usize) {
        todo!("stage 3: as if they had been decoded")
    }

    /// Moves data from `input` to `output` until one of them is used up, or the body is over.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Error> {
        todo!("stage 3: the data, without all that stands around it")
    }
}

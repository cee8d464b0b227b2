//! Stages 2 and 3: where a body ends (RFC 9112 §6.3).
//!
//! What must hold: the head alone decides. Bytes after the end are never part of the body, and a body that
//! ends too early is never taken for a whole one.
//!
//! Write down the answers that there are, and which one wins where a head gives two.

use crate::chunked::Decoder;
use crate::error::Error;
use crate::response::Head;

/// How far a body has come.
#[derive(Debug)]
pub enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    /// The body says.
    Chunked(Decoder),
    /// All that comes is body.
    UntilClose,
}

/// What a piece of input came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are done with.
    pub consumed: usize,
    /// Bytes of the body that were written to the output.
    pub produced: usize,
}

impl Framing {
    /// The framing of the body that follows `head`, in answer to a GET or POST.
    pub fn of(head: &Head) -> Result<Framing, Error> {
        todo!("stage 2: what status and headers say; from stage 3 on chunked too")
    }

    /// Whether the body has been had, whole.
    pub fn is_complete(&self) -> bool {
        todo!("stage 2: whether there is nothing left to wait for")
    }

    /// Moves what `input` holds of the body to `output`, as much as there is and fits.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Error> {
        todo!("stage 2: bytes of the body, and no others")
    }

    /// How many of the next bytes are body, just as they are: these need not pass through `decode`.
    pub fn verbatim(&self) -> u64 {
        todo!("stage 2: if you like, so that large bodies are not copied; 0 is always true")
    }

    /// Counts `bytes` of those as had.
    pub fn skip(&mut self, bytes: usize) {
        todo!("stage 2: as if they had been decoded")
    }

    /// What the end of the stream means: the end of the body, or half a body.
    pub fn end_of_stream(&self) -> Result<(), Error> {
        todo!("stage 2: an error unless the body may end here")
    }
}

//! Stage 7: what an idle connection costs.
//!
//! What must hold: memory follows what is under way, not the number of connections. A buffer is needed between
//! a read and the write that follows; whose is it the rest of the time?
//!
//! Before stage 7 the simplest will do: a new buffer whenever one is asked for. How large? Measure.

use std::io::{self, Read, Write};

/// The size of a buffer. Larger ones save system calls. (And what do they cost?)
pub const BUFFER_BYTES: usize = 64 * 1024;

/// Bytes on their way: those between `start` and `end` were read, and are still to be written.
#[derive(Debug)]
pub struct Buffer {
    // Your fields.
}

impl Buffer {
    /// Whether nothing is left to write.
    pub fn is_empty(&self) -> bool {
        todo!("stage 1: whether everything that was read is written")
    }

    /// Whether the last read found as much as there was room for.
    pub fn is_full(&self) -> bool {
        todo!("stage 1: whether there may be more to read at once")
    }

    /// Forgets what is in it.
    pub fn clear(&mut self) {
        todo!("stage 1: as if nothing had been read")
    }

    /// One read; how many bytes came, 0 at the end of the stream. The buffer has to be empty.
    pub fn fill(&mut self, source: &mut impl Read) -> io::Result<usize> {
        todo!("stage 1: one read, and its result")
    }

    /// One write of what is left; how many bytes were taken.
    pub fn drain(&mut self, target: &mut impl Write) -> io::Result<usize> {
        todo!("stage 1: one write, which may take a part; the rest is next")
    }
}

/// Buffers that nobody uses.
#[derive(Debug, Default)]
pub struct Pool {
    // Your fields.
}

impl Pool {
    /// A pool without buffers: they are made when they are asked for.
    pub fn new() -> Pool {
        todo!("stage 7: no buffer yet; before that, an empty struct")
    }

    /// An empty buffer, the one that was used last if there is one.
    pub fn lend(&mut self) -> Buffer {
        todo!("stage 7: one that is already there, if there is one; before that, a new one")
    }

    /// Takes a buffer back; what is in it is forgotten.
    pub fn take_back(&mut self, buffer: Buffer) {
        todo!("stage 7: keep it for the next; how many? before that, drop it")
    }
}

//! Stage 7: what an idle connection costs: nothing but its own few words.
//!
//! ```text
//!   Pool  [spare] [spare] …          a buffer is lent for one read and one write, and is back
//!     │ lend          ▲ take_back    before the next connection's turn: all share the one whose
//!     ▼               │              memory is still in the cache
//!   half-pipe: read ─► write ──┬──► all taken: back to the pool
//!                              └──► some is left: it stays, until the target takes the rest
//! ```
//!
//! So there are as many buffers as there are half-pipes with something pending, whatever the number of
//! connections. The rivals: two buffers in each connection, which is 64 KiB for one that says nothing; and
//! splice(2), which copies nothing and costs two pipes, four descriptors, for each connection instead.

use std::io::{self, Read, Write};

/// The size of a buffer. With 16 KiB a GiB costs nearly twice as much in system calls; and so it does with 64 KiB, since
/// what was read has left the processor's nearest cache before it is written.
pub const BUFFER_BYTES: usize = 32 * 1024;
/// As many buffers are kept for the next who asks. After a burst of stalled readers the others are freed.
const MAX_SPARE: usize = 16;

/// Bytes on their way: those between `start` and `end` were read, and are still to be written.
#[derive(Debug)]
pub struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// Whether nothing is left to write.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether the last read found as much as there was room for.
    pub fn is_full(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// Forgets what is in it.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// One read; how many bytes came, 0 at the end of the stream. The buffer has to be empty.
    pub fn fill(&mut self, source: &mut impl Read) -> io::Result<usize> {
        self.clear();
        self.end = source.read(&mut self.bytes)?;
        Ok(self.end)
    }

    /// One write of what is left; how many bytes were taken.
    pub fn drain(&mut self, target: &mut impl Write) -> io::Result<usize> {
        let taken = target.write(&self.bytes[self.start..self.end])?;
        self.start += taken;
        Ok(taken)
    }
}

/// Buffers that nobody uses.
#[derive(Debug, Default)]
pub struct Pool {
    spare: Vec<Buffer>,
}

impl Pool {
    /// A pool without buffers: they are made when they are asked for.
    pub fn new() -> Pool {
        Pool::default()
    }

    /// An empty buffer, the one that was used last if there is one.
    pub fn lend(&mut self) -> Buffer {
        let new = || Buffer { bytes: vec![0; BUFFER_BYTES].into(), start: 0, end: 0 };
        let mut buffer = self.spare.pop().unwrap_or_else(new);
        buffer.clear();
        buffer
    }

    /// Takes a buffer back; what is in it is forgotten.
    pub fn take_back(&mut self, buffer: Buffer) {
        if self.spare.len() < MAX_SPARE {
            self.spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lent_last_is_lent_next_and_is_empty() {
        let mut pool = Pool::new();
        let mut buffer = pool.lend();
        assert_eq!(buffer.fill(&mut &b"hello"[..]).unwrap(), 5);
        let place = buffer.bytes.as_ptr();
        pool.take_back(buffer);
        let again = pool.lend();
        assert!(again.is_empty() && !again.is_full());
        assert_eq!(again.bytes.as_ptr(), place, "the same memory, which is still in the cache");
    }

    #[test]
    fn a_burst_of_buffers_is_not_kept() {
        let mut pool = Pool::new();
        let burst: Vec<Buffer> = (0..100).map(|_| pool.lend()).collect();
        burst.into_iter().for_each(|buffer| pool.take_back(buffer));
        assert_eq!(pool.spare.len(), MAX_SPARE);
    }
}

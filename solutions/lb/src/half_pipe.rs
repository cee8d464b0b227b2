//! Stage 1: one direction of a connection: bytes of a source go to a target, in order, and then the end.
//!
//! ```text
//!                     ┌──────── buffer ────────┐
//!   source ── read ──►│ taken │ pending │ room  │── write ──► target
//!                     └───────┴─────────┴───────┘
//!        only while nothing is pending         until the target takes no more
//! ```
//!
//! Invariants: nothing is read while something is pending, so that a target that stalls stops its source, and
//! a break is only seen when all that came before it was passed on. What is pending is less than one buffer;
//! a half-pipe that has nothing pending holds none. `moved` counts what the target took.
//!
//! Readiness is edge-triggered: it is told once, and holds until a call finds it spent. So it is remembered
//! here. It is a hint: if it is wrong, a call says `WouldBlock`, and no more has happened.

use std::io::{ErrorKind, Read, Write};

use crate::ten_thousand::{Buffer, Pool};

/// As many buffers are read in one turn. A source that is never empty gives way to the other connections then.
const BUFFERS_A_TURN: usize = 8;

/// How far a half-pipe came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The source has nothing, or the target takes nothing: an event will tell when that changes.
    Waiting,
    /// Its turn is over, and there may be more to do: no event will tell.
    Again,
    /// The source has ended, and the target has all that came before.
    Ended,
    /// The source broke, and the target has all that came before.
    SourceBroke,
    /// The target broke: what is left is lost.
    TargetBroke,
}

/// One direction of a connection.
#[derive(Debug)]
pub struct HalfPipe {
    /// What was read and not yet written.
    pending: Option<Buffer>,
    readable: bool,
    /// The source has ended or broken: there is something to be read until a read has said so.
    closing: bool,
    writable: bool,
    ended: bool,
    moved: u64,
}

impl HalfPipe {
    /// A half-pipe whose source has said nothing yet, and whose target takes bytes.
    pub fn new() -> HalfPipe {
        HalfPipe { pending: None, readable: false, closing: false, writable: true, ended: false, moved: 0 }
    }

    /// The source may have something to read.
    pub fn source_ready(&mut self) {
        self.readable = true;
    }

    /// The source has ended or broken, perhaps after bytes that are still to be read.
    pub fn source_closing(&mut self) {
        self.readable = true;
        self.closing = true;
    }

    /// The target may take bytes.
    pub fn target_ready(&mut self) {
        self.writable = true;
    }

    /// How many bytes the target took.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether the source has ended, and the target has it all.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Moves what can be moved without waiting, for one turn at most.
    pub fn pump(&mut self, source: &mut impl Read, target: &mut impl Write, pool: &mut Pool) -> Flow {
        if self.ended {
            return Flow::Ended;
        }
        for _ in 0..BUFFERS_A_TURN {
            let mut buffer = match self.pending.take() {
                Some(buffer) => buffer,
                None if !self.readable => return Flow::Waiting,
                None => pool.lend(),
            };
            let flow = self.step(&mut buffer, source, target);
            if buffer.is_empty() {
                pool.take_back(buffer);
            } else {
                self.pending = Some(buffer);
            }
            if let Some(flow) = flow {
                self.ended = flow == Flow::Ended;
                return flow;
            }
        }
        Flow::Again
    }

    /// Reads one buffer, if nothing is pending, and writes it; none if that can be repeated.
    fn step(&mut self, buffer: &mut Buffer, source: &mut impl Read, target: &mut impl Write) -> Option<Flow> {
        if buffer.is_empty() {
            match buffer.fill(source) {
                Ok(0) => return Some(Flow::Ended),
                // A short read has emptied a socket (epoll(7)), unless its end is what comes next.
                Ok(_) => self.readable = self.closing || buffer.is_full(),
                Err(error) if error.kind() == ErrorKind::Interrupted => return None,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Some(Flow::Waiting);
                }
                Err(_) => return Some(Flow::SourceBroke),
            }
        }
        if !self.writable {
            return Some(Flow::Waiting);
        }
        match buffer.drain(target) {
            Ok(bytes) => {
                self.moved += bytes as u64;
                // A short write has filled the target.
                self.writable = buffer.is_empty();
                if self.writable { None } else { Some(Flow::Waiting) }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.writable = false;
                Some(Flow::Waiting)
            }
            Err(_) => {
                buffer.clear();
                Some(Flow::TargetBroke)
            }
        }
    }
}

impl Default for HalfPipe {
    fn default() -> HalfPipe {
        HalfPipe::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::io;

    /// A socket that gives and takes what the test says, call by call, and otherwise has nothing and no room.
    #[derive(Default)]
    struct Scripted {
        reads: VecDeque<io::Result<Vec<u8>>>,
        room: VecDeque<io::Result<usize>>,
        taken: Vec<u8>,
    }

    impl Read for Scripted {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let bytes = self.reads.pop_front().unwrap_or(Err(ErrorKind::WouldBlock.into()))?;
            out[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.room.pop_front().unwrap_or(Err(ErrorKind::WouldBlock.into()))?.min(bytes.len());
            self.taken.extend_from_slice(&bytes[..room]);
            Ok(room)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn source(reads: impl IntoIterator<Item = io::Result<Vec<u8>>>) -> Scripted {
        Scripted { reads: reads.into_iter().collect(), ..Scripted::default() }
    }

    fn target(room: impl IntoIterator<Item = usize>) -> Scripted {
        Scripted { room: room.into_iter().map(Ok).collect(), ..Scripted::default() }
    }

    fn readable() -> HalfPipe {
        let mut pipe = HalfPipe::new();
        pipe.source_ready();
        pipe
    }

    #[test]
    fn nothing_is_read_before_an_event() {
        let (mut source, mut target) = (source([Ok(b"hello".into())]), target([9]));
        assert_eq!(HalfPipe::new().pump(&mut source, &mut target, &mut Pool::new()), Flow::Waiting);
        assert_eq!(source.reads.len(), 1);
    }

    /// The trap: the end overtakes what the target has not taken yet.
    #[test]
    fn the_end_comes_after_all_that_was_before_it() {
        let (mut pipe, mut pool) = (readable(), Pool::new());
        pipe.source_closing();
        let (mut source, mut target) = (source([Ok(b"hello".into()), Ok(vec![])]), target([2]));
        assert_eq!(pipe.pump(&mut source, &mut target, &mut pool), Flow::Waiting);
        assert!(!pipe.has_ended() && pipe.moved() == 2);
        target.room.extend([Ok(1), Ok(9)]);
        for (taken, flow) in [(&b"hel"[..], Flow::Waiting), (b"hello", Flow::Ended)] {
            pipe.target_ready();
            assert_eq!((pipe.pump(&mut source, &mut target, &mut pool), &target.taken[..]), (flow, taken));
        }
        assert!(pipe.has_ended() && pipe.moved() == 5);
    }

    /// The trap: a short read means that the socket is empty, but for an end that was told with the bytes.
    #[test]
    fn an_end_that_was_told_is_read_for() {
        let mut pipe = HalfPipe::new();
        pipe.source_closing();
        let (mut source, mut target) = (source([Ok(b"bye".into()), Ok(vec![])]), target([9]));
        assert_eq!(pipe.pump(&mut source, &mut target, &mut Pool::new()), Flow::Ended);
    }

    #[test]
    fn a_target_that_stalls_stops_its_source() {
        let (mut pipe, mut pool) = (readable(), Pool::new());
        let (mut source, mut target) = (source((0..9).map(|_| Ok(vec![b'x'; 100]))), target([]));
        for _ in 0..5 {
            pipe.source_ready();
            assert_eq!(pipe.pump(&mut source, &mut target, &mut pool), Flow::Waiting);
        }
        assert_eq!(source.reads.len(), 8, "one buffer was read, and no more");
    }

    #[test]
    fn what_came_before_a_break_is_passed_on() {
        let mut pipe = HalfPipe::new();
        pipe.source_closing();
        let broken = || Err(ErrorKind::ConnectionReset.into());
        let (mut source, mut target) = (source([Ok(b"last words".into()), broken()]), target([99]));
        assert_eq!(pipe.pump(&mut source, &mut target, &mut Pool::new()), Flow::SourceBroke);
        assert_eq!(target.taken, b"last words");
    }

    #[test]
    fn a_target_that_breaks_is_told_from_a_source_that_does() {
        let (mut source, mut target) = (source([Ok(b"hello".into())]), target([]));
        target.room.push_back(Err(ErrorKind::BrokenPipe.into()));
        let mut pipe = readable();
        assert_eq!(pipe.pump(&mut source, &mut target, &mut Pool::new()), Flow::TargetBroke);
        assert_eq!(pipe.moved(), 0, "what was read and not taken is not counted");
    }

    /// The trap: who is always ready is served for ever, or is not asked again.
    #[test]
    fn a_source_that_is_never_empty_gives_way() {
        let full = || Ok(vec![b'x'; crate::ten_thousand::BUFFER_BYTES]);
        let (mut source, mut target) = (source((0..20).map(|_| full())), target([usize::MAX; 20]));
        let (mut pipe, mut pool) = (readable(), Pool::new());
        assert_eq!(pipe.pump(&mut source, &mut target, &mut pool), Flow::Again);
        assert_eq!(source.reads.len(), 20 - BUFFERS_A_TURN);
        assert_eq!(pipe.pump(&mut source, &mut target, &mut pool), Flow::Again);
    }

    /// Any cuts, any room, waits and interruptions anywhere: the same bytes, once and in order.
    #[test]
    fn any_schedule_moves_the_same_bytes() {
        for seed in 0..500 {
            let mut random = fastrand::Rng::with_seed(seed);
            let bytes: Vec<u8> = (0..random.usize(0..5000)).map(|_| random.u8(..)).collect();
            let (mut source, mut target) = (source([]), target([]));
            let mut left = &bytes[..];
            while !left.is_empty() {
                let (now, later) = left.split_at(random.usize(1..=left.len().min(900)));
                left = later;
                source.reads.extend((0..random.usize(0..3)).map(|_| Err(waits(&mut random))));
                source.reads.push_back(Ok(now.into()));
            }
            source.reads.push_back(Ok(vec![]));
            let (mut pipe, mut pool) = (HalfPipe::new(), Pool::new());
            for _ in 0..100_000 {
                match random.u8(0..3) {
                    0 => pipe.source_closing(),
                    1 => pipe.source_ready(),
                    _ => {}
                }
                target.room.push_back(if random.bool() {
                    Ok(random.usize(1..700))
                } else {
                    Err(waits(&mut random))
                });
                pipe.target_ready();
                if pipe.pump(&mut source, &mut target, &mut pool) == Flow::Ended {
                    break;
                }
            }
            assert!(pipe.has_ended(), "seed {seed}: it never ended");
            assert!(target.taken == bytes && pipe.moved() == bytes.len() as u64, "seed {seed}: other bytes");
        }
    }

    fn waits(random: &mut fastrand::Rng) -> io::Error {
        if random.bool() { ErrorKind::WouldBlock.into() } else { ErrorKind::Interrupted.into() }
    }
}

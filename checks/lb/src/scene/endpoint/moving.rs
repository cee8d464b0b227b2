//! What an end does when its socket may be ready: connects, reads, reacts, writes; never more than can be done without
//! waiting, and never so much that others wait for it.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
    time::Instant,
};

use super::{End, Endpoint, Outgoing, Reaction};

/// What is kept of the bytes that no stream is expected to bring.
const KEPT_BYTES: usize = 256 << 10;

/// An echo that is not taken stops the reading.
const ECHO_BYTES: usize = 1 << 20;

impl Endpoint {
    /// Moves what can be moved without waiting, up to a bound; whether there may be more.
    pub(crate) fn work(&mut self, buffer: &mut [u8]) -> bool {
        const ROUNDS: usize = 16;
        if !self.is_connected && !self.connect() {
            return false;
        }
        let has_more = (0..ROUNDS).all(|_| {
            let has_read = self.read_some(buffer);
            let has_written = self.write_some();
            has_read || has_written
        });
        // Both directions have ended, or it is broken: a program would close it now, and so does this one.
        if self.end == Some(End::Reset) || (self.end.is_some() && self.fin_sent) {
            self.close();
        }
        has_more
    }

    /// Whether it is connected by now.
    fn connect(&mut self) -> bool {
        let Some(socket) = &self.socket else { return false };
        if !self.is_writable {
            return false;
        }
        match (socket.take_error(), socket.peer_addr()) {
            // It stood, and was reset at once.
            (Ok(Some(error)), _) if error.kind() == io::ErrorKind::ConnectionReset => {
                self.is_connected = true;
                self.break_off();
            }
            (Ok(Some(error)) | Err(error), _) => self.refuse(&error),
            (Ok(None), Ok(_)) => self.is_connected = true,
            // Not yet: the event was an earlier one.
            (Ok(None), Err(_)) => self.is_writable = false,
        }
        self.is_connected
    }

    fn refuse(&mut self, error: &io::Error) {
        self.refused = Some(error.kind());
        self.ended = Some(Instant::now());
        self.close();
    }

    /// Whether a read was tried that another one may follow.
    fn read_some(&mut self, buffer: &mut [u8]) -> bool {
        let is_full = self.reaction == Reaction::Echo
            && matches!(self.queue.front(), Some(Outgoing::Bytes(bytes, at)) if bytes.len() - at > ECHO_BYTES);
        if !self.is_readable || self.end.is_some() || self.appetite_bytes == 0 || is_full {
            return false;
        }
        let size = some_of(&mut self.ragged, buffer.len()).min(self.appetite_bytes.min(1 << 30) as usize);
        let Some(socket) = &mut self.socket else { return false };
        match socket.read(&mut buffer[..size]) {
            Ok(0) => self.end_by(if self.is_broken { End::Reset } else { End::Fin }),
            Ok(count) => self.receive(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_readable = false,
            Err(_) => self.end_by(End::Reset),
        }
        self.is_readable
    }

    fn receive(&mut self, bytes: &[u8]) {
        if let Some((stream, before)) = self.expected {
            if self.difference.is_none() {
                self.difference = stream.difference(self.received_bytes - before, bytes);
            }
        } else {
            let room = KEPT_BYTES.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        let is_first = self.received_bytes == 0;
        self.received_bytes += bytes.len() as u64;
        if self.appetite_bytes != u64::MAX {
            self.appetite_bytes -= bytes.len() as u64;
        }
        match self.reaction.clone() {
            Reaction::Echo => self.send(bytes),
            Reaction::Say(words) if is_first => {
                self.send(&words);
                self.finish();
            }
            Reaction::Reset => self.reset(),
            Reaction::None | Reaction::Say(_) => {}
        }
    }

    fn end_by(&mut self, end: End) {
        self.is_readable = false;
        self.end = Some(end);
        self.ended = self.ended.or_else(|| Some(Instant::now()));
        match self.reaction {
            Reaction::Echo => self.finish(),
            // Nothing has come, so this was a probe.
            Reaction::Say(_) | Reaction::Reset if self.received_bytes == 0 => self.finish(),
            _ => {}
        }
    }

    /// The connection is broken: nothing more can be sent, and something may still be read.
    pub(crate) fn break_off(&mut self) {
        self.is_broken = true;
        self.is_readable = true;
        self.is_writable = false;
        self.ended = self.ended.or_else(|| Some(Instant::now()));
        self.queue.clear();
    }

    /// Whether a write was tried that another one may follow.
    fn write_some(&mut self) -> bool {
        if !self.is_writable || self.fin_sent {
            return false;
        }
        let (Some(socket), Some(next)) = (&mut self.socket, self.queue.front_mut()) else { return false };
        let written = match next {
            Outgoing::Bytes(bytes, at) => {
                let part = &bytes[*at..];
                socket.write(&part[..some_of(&mut self.ragged, part.len())])
            }
            Outgoing::Stream(stream, at, to) => {
                let size = some_of(&mut self.ragged, (*to - *at).min(256 << 10) as usize);
                socket.write(stream.part(*at, size))
            }
            Outgoing::Fin => {
                self.fin_sent = true;
                // Where it fails the connection is broken, which the next read says.
                let _ = socket.shutdown(Shutdown::Write);
                Ok(0)
            }
        };
        match written {
            Ok(count) => self.take(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_writable = false,
            Err(_) => self.break_off(),
        }
        self.is_writable
    }

    /// Takes from the queue what the socket has taken.
    fn take(&mut self, count: usize) {
        self.sent_bytes += count as u64;
        let is_done = match self.queue.front_mut() {
            Some(Outgoing::Bytes(bytes, at)) => {
                *at += count;
                // An echo goes on for long; what it has sent is not kept.
                if *at > ECHO_BYTES / 4 {
                    bytes.drain(..*at);
                    *at = 0;
                }
                *at == bytes.len()
            }
            Some(Outgoing::Stream(_, at, to)) => {
                *at += count as u64;
                at == to
            }
            Some(Outgoing::Fin) => true,
            None => false,
        };
        if is_done {
            self.queue.pop_front();
        }
    }
}

/// All of `most`, or a random part of it, small ones as often as large ones.
fn some_of(ragged: &mut Option<fastrand::Rng>, most: usize) -> usize {
    match ragged {
        Some(rng) => {
            let scale = rng.u32(0..=17);
            rng.usize(1..=1 << scale).min(most)
        }
        None => most,
    }
}

//! One end of a connection, as a check holds it: a client of the balancer, or a backend's side of what it accepted.
//!
//! What is to be sent is queued, and goes out while the check waits for something. What comes is read at once, unless the
//! check says how much may be read; it is kept, or compared with the stream that is expected.

use std::{net::SocketAddr, time::Instant};

use harness::{Halt, Judged, verdict::Verdict};

use crate::{
    bytes::{amount, difference, shown},
    scene::{End, Endpoint, Scene},
    stream::{Difference, Stream},
};

/// One end of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer<'s> {
    scene: &'s Scene<'s>,
    end: usize,
}

impl<'s> Peer<'s> {
    pub(crate) fn new(scene: &'s Scene<'s>, end: usize) -> Self {
        Self { scene, end }
    }

    /// What a reader is told of it.
    pub(crate) fn name(self) -> String {
        self.scene.end(self.end).name.clone()
    }

    /// Its own address: of a client, what the balancer logs.
    pub(crate) fn local(self) -> SocketAddr {
        self.scene.end(self.end).local
    }

    /// The other side's address.
    pub(crate) fn remote(self) -> SocketAddr {
        self.scene.end(self.end).remote
    }

    // Sending.

    /// Sends bytes.
    pub(crate) fn send(self, bytes: &[u8]) {
        self.scene.tell(format!("{} sends {}", self.name(), shown(bytes)));
        self.scene.change_end(self.end, |end| end.send(bytes));
    }

    /// Sends these bytes of a stream.
    pub(crate) fn send_stream(self, stream: Stream, from: u64, to: u64) {
        self.scene.tell(format!("{} sends {}", self.name(), amount(to - from)));
        self.scene.change_end(self.end, |end| end.send_stream(stream, from, to));
    }

    /// Ends its side of the stream once all was sent: half-close.
    pub(crate) fn finish(self) {
        self.scene.tell(format!("{} ends its side (FIN)", self.name()));
        self.scene.change_end(self.end, Endpoint::finish);
    }

    /// Closes the connection at once, both ways. If something was not read, the kernel makes a reset of it.
    pub(crate) fn close(self) {
        self.scene.tell(format!("{} closes", self.name()));
        self.scene.change_end(self.end, Endpoint::close);
    }

    /// Ends the connection with a reset, at once.
    pub(crate) fn reset(self) {
        self.scene.tell(format!("{} resets its connection (RST)", self.name()));
        self.scene.change_end(self.end, Endpoint::reset);
    }

    /// Waits until its socket has taken all that is to be sent.
    ///
    /// # Errors
    /// Timeout.
    #[track_caller]
    pub(crate) fn has_sent(self) -> Judged {
        let awaited = format!("{} can send all that it has", self.name());
        self.scene.wait(awaited, || self.scene.end(self.end).is_sent())
    }

    /// Waits until its socket has taken some of what is to be sent.
    ///
    /// # Errors
    /// Timeout.
    #[track_caller]
    pub(crate) fn has_begun_to_send(self) -> Judged {
        self.scene.wait(format!("{} can send", self.name()), || self.sent_bytes() > 0)
    }

    /// How many bytes its socket has taken.
    pub(crate) fn sent_bytes(self) -> u64 {
        self.scene.end(self.end).sent_bytes
    }

    /// Makes the sizes of its reads and writes random, from a byte to 128 KiB.
    pub(crate) fn in_random_pieces(self) {
        let rng = self.scene.rng().fork();
        self.scene.change_end(self.end, |end| end.ragged = Some(rng));
    }

    // Receiving.

    /// Reads no more, until [`Peer::read_on`].
    pub(crate) fn stop_reading(self) {
        self.scene.tell(format!("{} stops reading", self.name()));
        self.scene.change_end(self.end, |end| end.appetite_bytes = 0);
    }

    /// Reads so many bytes more, and then no more.
    pub(crate) fn read_only(self, bytes: u64) {
        self.scene.change_end(self.end, |end| end.appetite_bytes = bytes);
    }

    /// Reads all that comes again.
    pub(crate) fn read_on(self) {
        self.scene.tell(format!("{} reads on", self.name()));
        self.scene.change_end(self.end, |end| end.appetite_bytes = u64::MAX);
    }

    /// What comes from now on should be this stream, from its beginning.
    pub(crate) fn expects(self, stream: Stream) {
        self.scene.change_end(self.end, |end| end.expected = Some((stream, end.received_bytes)));
    }

    /// How many bytes it has received.
    pub(crate) fn received_bytes(self) -> u64 {
        self.scene.end(self.end).received_bytes
    }

    /// The bytes it has received, of which the first 256 KiB are kept; those of an expected stream are not.
    pub(crate) fn received(self) -> Vec<u8> {
        self.scene.end(self.end).kept.clone()
    }

    /// Waits for exactly these bytes, after those that were asked for before.
    ///
    /// # Errors
    /// When others come, fewer, or none.
    #[track_caller]
    pub(crate) fn receives(self, bytes: &[u8]) -> Judged {
        let rest = || {
            let end = self.scene.end(self.end);
            end.kept[end.taken..].to_vec()
        };
        let enough = || (rest().len() >= bytes.len() || self.end().is_some()).then_some(());
        let came = self.scene.attempt(enough)?;
        let got = rest();
        if got.starts_with(bytes) {
            self.scene.change_end(self.end, |end| end.taken += bytes.len());
            return Ok(());
        }
        let expected = format!("{} receives {}", self.name(), shown(bytes));
        let halt = self.fell_short(expected, &shown(&got), came.is_none());
        Err(if got.is_empty() { halt } else { halt.drawn(difference(bytes, &got)) })
    }

    /// Waits until all these bytes of the stream that it [expects](Peer::expects) have come, and not one that is wrong.
    ///
    /// # Errors
    /// When others come, fewer, or none.
    #[track_caller]
    pub(crate) fn receives_stream(self, bytes: u64) -> Judged {
        let count = || {
            let end = self.scene.end(self.end);
            end.received_bytes - end.expected.map_or(0, |(_, before)| before)
        };
        let is_wrong = || self.scene.end(self.end).difference.is_some();
        let came =
            self.scene.attempt(|| (count() >= bytes || self.end().is_some() || is_wrong()).then_some(()))?;
        let expected = format!("{} receives all {} as they were sent", self.name(), amount(bytes));
        if let Some(difference) = self.scene.end(self.end).difference.clone() {
            let got = format!("another byte at offset {}", difference.at);
            return Err(Halt::fail(expected, got).drawn(difference.picture));
        }
        if count() >= bytes {
            return Ok(());
        }
        Err(self.fell_short(expected, &format!("{} of {bytes} bytes", count()), came.is_none()))
    }

    /// Demands that what has come is a part of the stream that it [expects](Peer::expects), however much.
    ///
    /// # Errors
    /// When it is something else.
    #[track_caller]
    pub(crate) fn is_unchanged(self) -> Judged {
        match self.scene.end(self.end).difference.clone() {
            None => Ok(()),
            Some(Difference { at, picture }) => {
                let expected = format!("{} receives what was sent, or the beginning of it", self.name());
                Err(Halt::fail(expected, format!("another byte at offset {at}")).drawn(picture))
            }
        }
    }

    /// Waits for the end of the stream, before which nothing has come that was not asked for.
    ///
    /// # Errors
    /// When there is no end, a reset, or more bytes.
    #[track_caller]
    pub(crate) fn receives_end(self) -> Judged {
        let expected = format!("{} receives the end of the stream", self.name());
        match self.ends(&expected)? {
            End::Fin => self.has_nothing_more(),
            End::Reset => Err(Halt::fail(expected, "a reset")),
        }
    }

    /// Waits for the end of the connection, whichever: an end of stream or a reset.
    ///
    /// # Errors
    /// Timeout when there is none.
    #[track_caller]
    pub(crate) fn is_closed_on(self) -> Judged<End> {
        self.ends(&format!("{} is closed", self.name()))
    }

    /// How the other side has ended the connection, if it has: after all that came before was read.
    pub(crate) fn end(self) -> Option<End> {
        self.scene.end(self.end).end()
    }

    /// Demands that not more has come than was asked for.
    ///
    /// # Errors
    /// When more has come.
    #[track_caller]
    pub(crate) fn has_nothing_more(self) -> Judged {
        let end = self.scene.end(self.end);
        match &end.kept[end.taken..] {
            [] => Ok(()),
            more => Err(Halt::fail(format!("{} receives nothing more", end.name), shown(more))),
        }
    }

    // The connection.

    /// Waits until it is connected.
    ///
    /// # Errors
    /// When it is refused.
    #[track_caller]
    pub(crate) fn is_accepted(self) -> Judged {
        let expected = format!("{} can connect to {}", self.name(), self.remote());
        match self.is_connected()? {
            true => Ok(()),
            false => Err(Halt::fail(expected, "it is refused")),
        }
    }

    /// Waits until it is connected or refused; whether it is connected.
    ///
    /// # Errors
    /// Timeout when it is neither.
    #[track_caller]
    pub(crate) fn is_connected(self) -> Judged<bool> {
        self.scene.until(format!("{} is connected or refused", self.name()), || self.is_connected_yet())
    }

    /// Whether it is connected, if that is known by now.
    pub(crate) fn is_connected_yet(self) -> Option<bool> {
        let end = self.scene.end(self.end);
        (end.is_connected || end.refused.is_some()).then_some(end.is_connected)
    }

    /// When it was accepted, or began to connect.
    pub(crate) fn opened(self) -> Instant {
        self.scene.end(self.end).opened
    }

    /// Whether this side has closed it, or both have ended.
    pub(crate) fn is_closed(self) -> bool {
        self.scene.end(self.end).is_closed()
    }

    #[track_caller]
    fn ends(self, awaited: &str) -> Judged<End> {
        self.scene.until(awaited, || self.end())
    }

    /// Not what was expected came, but `got`, and then an end, or nothing more in all the time that there was.
    #[track_caller]
    fn fell_short(self, expected: String, got: &str, is_late: bool) -> Box<Halt> {
        match (self.end(), is_late) {
            (Some(End::Fin), _) => Halt::fail(expected, format!("{got}, and then the end of the stream")),
            (Some(End::Reset), _) => Halt::fail(expected, format!("{got}, and then a reset")),
            (None, true) => {
                let verdict = Verdict::Timeout { waiting_for: expected.clone() };
                Halt::new(verdict, expected, format!("{got}, and then nothing"))
            }
            (None, false) => Halt::fail(expected, got),
        }
    }
}

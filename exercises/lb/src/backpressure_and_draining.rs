//! Stage 6: who is let in, and when. (That a slow reader stops its source is the half-pipes' part.)
//!
//! What must hold: running out of descriptors neither ends the program nor makes it spin, and it goes on when
//! there are some again. Nobody is let in while draining.
//!
//! That clients wait is told once (edge-triggered). If you do not accept them now, who will remind you?

use std::time::Instant;

/// Decides whether a client may be accepted.
#[derive(Debug)]
pub struct Admission {
    // Your fields.
}

impl Admission {
    /// With so many descriptors, of which each backend's check may need one.
    pub fn new(max_descriptors: usize, backends: usize) -> Admission {
        todo!("stage 6: how many connections are possible? before that, as many as come")
    }

    /// Whether to accept a client, beside `open` connections.
    pub fn may_accept(&self, open: usize, now: Instant) -> bool {
        todo!("stage 6: whether there is a place, and no reason to wait; before that, whether clients wait")
    }

    /// Clients wait, says an event.
    pub fn clients_wait(&mut self) {
        todo!("stage 1: until `accept` says otherwise")
    }

    /// Nobody waits, says `accept`.
    pub fn nobody_waits(&mut self) {
        todo!("stage 1: until the next event")
    }

    /// `accept` failed for want of something.
    pub fn pause(&mut self, now: Instant) {
        todo!("stage 6: for how long?")
    }

    /// A connection has ended, and what it held is free.
    pub fn resume(&mut self) {
        todo!("stage 6: there is a place again")
    }

    /// Nobody is accepted any more.
    pub fn drain(&mut self) {
        todo!("stage 6: from now on nobody")
    }

    /// Whether that is so.
    pub fn is_draining(&self) -> bool {
        todo!("stage 6: whether `drain` was called; before that, false")
    }

    /// When to try again without an event.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!("stage 6: the end of a pause, if anybody waits for it; before that, none")
    }
}

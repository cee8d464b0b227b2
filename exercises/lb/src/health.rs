//! Stage 3: who is up, and who has to be asked when. It knows times and answers; the asking is in `probe.rs`.
//!
//! What must hold: each backend has a check every interval, up or down, and no backend's check waits for another
//! one's. The state follows the answers, within three intervals and a timeout, in both directions.
//!
//! Draw the states of one backend, with the times and answers that lead from one to the next.

use std::time::{Duration, Instant};

/// The health of all backends.
#[derive(Debug)]
pub struct Health {
    // Your fields.
}

impl Health {
    /// So many backends, all up, all to be checked at `now`.
    pub fn new(backends: usize, interval: Duration, timeout: Duration, now: Instant) -> Health {
        todo!("stage 3: what is known before the first check?")
    }

    /// Whether the last check of `backend` has succeeded.
    pub fn is_up(&self, backend: usize) -> bool {
        todo!("stage 3: what the last answers say; before that, true")
    }

    /// Whether `backend` is given connections: those that are up, or all of them if nobody is. One may have come
    /// back since its check; and if all have failed at once, it may be the checks that are wrong.
    pub fn is_candidate(&self, backend: usize) -> bool {
        todo!("stage 3: who is up; and if nobody is?")
    }

    /// A backend that is to be checked now. Its check has begun, and the next call gives another one.
    pub fn begin_check(&mut self, now: Instant) -> Option<usize> {
        todo!("stage 3: each backend once, when it is due")
    }

    /// A backend whose check has taken too long. It is down, and the check is over.
    pub fn give_up_check(&mut self, now: Instant) -> Option<usize> {
        todo!("stage 3: one that has had its time, and what that means")
    }

    /// The check of `backend` has connected.
    pub fn succeeded(&mut self, backend: usize, now: Instant) {
        todo!("stage 3: the check is over, and the next one has its time")
    }

    /// The check of `backend` was refused, or broke.
    pub fn failed(&mut self, backend: usize, now: Instant) {
        todo!("stage 3: the same, with the other result")
    }

    /// The check of `backend` could not be made, for want of something here. What was known stays known.
    pub fn skipped(&mut self, backend: usize, now: Instant) {
        todo!("stage 3: no answer is not an answer; with few descriptors left it happens")
    }

    /// When there is something to begin or to give up next.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!("stage 3: the earliest of all that are due or late; before that, none")
    }
}

//! Stage 4: a backend refuses, or says nothing: who is tried next, and when is one given up?
//!
//! What must hold: each backend is asked at most once for one client, in the order of the cycle; a client waits
//! no longer for each than the timeout; and nothing of what it said is lost or said twice.
//!
//! Which moment must not have come yet, if another backend is to get everything?

use std::time::{Duration, Instant};

/// A client's way through the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    // Your fields.
}

impl Attempt {
    /// The first attempt, with the backend that the rotation has picked, of so many.
    pub fn new(picked: usize, backends: usize) -> Attempt {
        todo!("stage 2: the pick, and that nobody else was asked yet")
    }

    /// The backend to connect to.
    pub fn backend(&self) -> usize {
        todo!("stage 2: the backend of this attempt")
    }

    /// The attempt after this one: the next in the cycle that is up; none when all were asked.
    pub fn next(&self, is_up: impl Fn(usize) -> bool) -> Option<Attempt> {
        todo!("stage 4: the next in the cycle that is up and was not asked; before that, none")
    }
}

/// When attempts to connect are given up. All have the same time, so they expire in the order in which they
/// began: a queue does what would otherwise need a heap or a timer wheel.
///
/// An attempt that ends early leaves its entry behind. Each has a number, which tells whoever it expires for
/// whether it still means the attempt that is under way.
#[derive(Debug)]
pub struct Deadlines {
    // Your fields.
}

impl Deadlines {
    /// None begun; each will have this time.
    pub fn new(timeout: Duration) -> Deadlines {
        todo!("stage 4: none begun; before that, nothing")
    }

    /// An attempt of `connection` begins; its number.
    pub fn begin(&mut self, connection: usize, now: Instant) -> u64 {
        todo!("stage 4: remember when it has to be over, and give it a number; before that, 0")
    }

    /// An attempt whose time is up, once: its connection and its number.
    pub fn expired(&mut self, now: Instant) -> Option<(usize, u64)> {
        todo!("stage 4: the one whose time was up first, if it is up; before that, none")
    }

    /// When the next one expires.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!("stage 4: so that the loop does not sleep too long; before that, none")
    }
}

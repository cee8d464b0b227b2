//! Stage 4: a backend refuses, or says nothing: who is tried next, and when is one given up?
//!
//! ```text
//!   picked C of A B C D:   C ─refused─► D ─timed out─► A ─► connected       B was not asked
//!                          └ first                     └ step 2
//! ```
//!
//! An attempt is the pick and the number of steps from there: each backend comes up at most once without a list
//! of those that were tried. The rotation knows nothing of it: the next client's pick is D, as if C had
//! accepted. So a dead backend's share goes to its neighbour, until a check has found out; to step the
//! rotation as well would take the neighbour's own turn away.
//!
//! Nothing of a client is read before a backend has accepted. So what it said waits in the kernel, and whoever
//! accepts in the end gets all of it: there is nothing to say again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A client's way through the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    backends: usize,
    first: usize,
    step: usize,
}

impl Attempt {
    /// The first attempt, with the backend that the rotation has picked, of so many.
    pub fn new(picked: usize, backends: usize) -> Attempt {
        Attempt { backends, first: picked, step: 0 }
    }

    /// The backend to connect to.
    pub fn backend(&self) -> usize {
        (self.first + self.step) % self.backends
    }

    /// The attempt after this one: the next in the cycle that is up; none when all were asked.
    pub fn next(&self, is_up: impl Fn(usize) -> bool) -> Option<Attempt> {
        let later = (self.step + 1..self.backends).map(|step| Attempt { step, ..*self });
        later.into_iter().find(|attempt| is_up(attempt.backend()))
    }
}

/// When attempts to connect are given up. All have the same time, so they expire in the order in which they
/// began: a queue does what would otherwise need a heap or a timer wheel.
///
/// An attempt that ends early leaves its entry behind. Each has a number, which tells whoever it expires for
/// whether it still means the attempt that is under way.
#[derive(Debug)]
pub struct Deadlines {
    timeout: Duration,
    queue: VecDeque<Deadline>,
    begun: u64,
}

#[derive(Debug)]
struct Deadline {
    at: Instant,
    connection: usize,
    number: u64,
}

impl Deadlines {
    /// None begun; each will have this time.
    pub fn new(timeout: Duration) -> Deadlines {
        Deadlines { timeout, queue: VecDeque::new(), begun: 0 }
    }

    /// An attempt of `connection` begins; its number.
    pub fn begin(&mut self, connection: usize, now: Instant) -> u64 {
        self.begun += 1;
        self.queue.push_back(Deadline { at: now + self.timeout, connection, number: self.begun });
        self.begun
    }

    /// An attempt whose time is up, once: its connection and its number.
    pub fn expired(&mut self, now: Instant) -> Option<(usize, u64)> {
        self.queue.front().filter(|deadline| deadline.at <= now)?;
        self.queue.pop_front().map(|expired| (expired.connection, expired.number))
    }

    /// When the next one expires.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.queue.front().map(|deadline| deadline.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The backends that are asked, by a client whom none accepts.
    fn way(picked: usize, backends: usize, is_up: impl Fn(usize) -> bool + Copy) -> Vec<usize> {
        let attempts = std::iter::successors(Some(Attempt::new(picked, backends)), |last| last.next(is_up));
        attempts.map(|attempt| attempt.backend()).collect()
    }

    #[test]
    fn each_is_asked_once_in_the_order_of_the_cycle() {
        assert_eq!(way(2, 4, |_| true), [2, 3, 0, 1]);
        assert_eq!(way(0, 1, |_| true), [0]);
    }

    #[test]
    fn who_is_down_is_not_asked() {
        assert_eq!(way(2, 5, |backend| backend != 3 && backend != 1), [2, 4, 0]);
        assert_eq!(way(1, 3, |_| false), [1], "the pick was up when it was made");
    }

    #[test]
    fn attempts_expire_once_and_in_order() {
        let (start, timeout) = (Instant::now(), Duration::from_secs(2));
        let mut deadlines = Deadlines::new(timeout);
        assert_eq!(deadlines.next_deadline(), None);
        let first = deadlines.begin(7, start);
        let second = deadlines.begin(7, start + timeout / 2);
        assert_ne!(first, second, "two attempts of one connection are told apart");
        assert_eq!(deadlines.next_deadline(), Some(start + timeout));
        assert_eq!(deadlines.expired(start), None);
        assert_eq!(deadlines.expired(start + timeout), Some((7, first)));
        assert_eq!(deadlines.expired(start + timeout), None);
        assert_eq!(deadlines.next_deadline(), Some(start + timeout * 3 / 2));
        assert_eq!(deadlines.expired(start + timeout * 2), Some((7, second)));
    }
}

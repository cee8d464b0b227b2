//! Stage 6: who is let in, and when. (That a slow reader stops its source is the way of the half-pipe.)
//!
//! ```text
//!                      may it be accepted now?
//!   clients wait ───► below capacity ───► not pausing ───► accept ───► until nobody waits
//!                         │ no                │ no            │ error, such as "too many open files"
//!                         └ a connection ends └ a while passes, or a connection ends ◄── pause
//!   SIGTERM ────────► nobody any more; the last connection that ends, ends the program
//! ```
//!
//! Each client needs a second descriptor, for its backend. So the capacity is counted beforehand, and a client
//! who would find no place waits in the listening socket's queue, which costs nothing and keeps its order.
//! That leaves errors that nobody can foresee (the whole system has run out, a limit was lowered). To try
//! again at once would spin: `accept` fails, and the client still waits.
//!
//! That clients wait is told once (edge-triggered), and so it is remembered until `accept` finds nobody.

use std::time::{Duration, Instant};

/// Descriptors that are no connection's: stdin, stdout, stderr, the poll, the listener, the log, SIGTERM's
/// socket pair, and some that the program was started with.
const RESERVED_DESCRIPTORS: usize = 16;
/// How long accepting rests after an error.
const PAUSE: Duration = Duration::from_millis(100);

/// Decides whether a client may be accepted.
#[derive(Debug)]
pub struct Admission {
    capacity: usize,
    clients_wait: bool,
    paused_until: Option<Instant>,
    is_draining: bool,
}

impl Admission {
    /// With so many descriptors, of which each backend's check may need one.
    pub fn new(max_descriptors: usize, backends: usize) -> Admission {
        let for_connections = max_descriptors.saturating_sub(RESERVED_DESCRIPTORS + backends);
        Admission {
            capacity: (for_connections / 2).max(1),
            clients_wait: false,
            paused_until: None,
            is_draining: false,
        }
    }

    /// Whether to accept a client, beside `open` connections.
    pub fn may_accept(&self, open: usize, now: Instant) -> bool {
        let is_paused = self.paused_until.is_some_and(|until| now < until);
        self.clients_wait && !is_paused && !self.is_draining && open < self.capacity
    }

    /// Clients wait, says an event.
    pub fn clients_wait(&mut self) {
        self.clients_wait = true;
    }

    /// Nobody waits, says `accept`.
    pub fn nobody_waits(&mut self) {
        self.clients_wait = false;
    }

    /// `accept` failed for want of something.
    pub fn pause(&mut self, now: Instant) {
        self.paused_until = Some(now + PAUSE);
    }

    /// A connection has ended, and what it held is free.
    pub fn resume(&mut self) {
        self.paused_until = None;
    }

    /// Nobody is accepted any more.
    pub fn drain(&mut self) {
        self.is_draining = true;
    }

    /// Whether that is so.
    pub fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// When to try again without an event.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.paused_until.filter(|_| self.clients_wait && !self.is_draining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_may_mean_many_clients() {
        let (mut admission, now) = (Admission::new(1024, 3), Instant::now());
        assert!(!admission.may_accept(0, now));
        admission.clients_wait();
        assert!(admission.may_accept(0, now) && admission.may_accept(1, now));
        admission.nobody_waits();
        assert!(!admission.may_accept(2, now));
    }

    #[test]
    fn who_finds_no_descriptors_waits_for_an_end() {
        let (mut admission, now) = (Admission::new(64, 4), Instant::now());
        admission.clients_wait();
        assert!(admission.may_accept(21, now) && !admission.may_accept(22, now));
        assert_eq!(admission.next_deadline(), None, "an end is an event: no clock is needed");
        assert!(Admission::new(0, 4).capacity > 0, "with too few, it is tried nevertheless");
    }

    /// The trap: an error that is tried again at once, for ever, or never.
    #[test]
    fn an_error_is_followed_by_a_pause_that_ends() {
        let (mut admission, now) = (Admission::new(1024, 3), Instant::now());
        admission.clients_wait();
        admission.pause(now);
        assert!(!admission.may_accept(5, now));
        let later = admission.next_deadline().unwrap();
        assert!(admission.may_accept(5, later));
        admission.resume();
        assert!(admission.may_accept(4, now), "an end shortens it");
        assert_eq!(admission.next_deadline(), None);
    }

    #[test]
    fn nobody_is_let_in_while_draining() {
        let (mut admission, now) = (Admission::new(1024, 3), Instant::now());
        admission.clients_wait();
        admission.pause(now);
        admission.drain();
        assert!(!admission.may_accept(0, now + PAUSE) && admission.next_deadline().is_none());
    }
}

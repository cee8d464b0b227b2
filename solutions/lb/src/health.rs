//! Stage 3: who is up, and who has to be asked when. The asking is in `probe.rs`.
//!
//! ```text
//!            due at T                          connects, at any time
//!   Waiting ──────────► Checking ─────────────────────────────────────► Waiting, up
//!      ▲                   │  refused, broken, or not connected by T + timeout
//!      └───────────────────┴──────────────────────────────────────────► Waiting, down
//!            next check: T + interval, or at once if that has passed
//! ```
//!
//! Each backend has a clock of its own, so that one which does not answer delays nobody else's check. The last
//! check decides, up or down. The rival is to count some in a row, as HAProxy does: that keeps a backend in
//! that fails now and then, and keeps one for longer that is dead; with a blackhole each count costs a timeout.
//!
//! All are up at first: refused connections go elsewhere, while nobody can be served by "not known yet". A
//! client's failure is no check, since it may be ours (no descriptors, no ports).

use std::time::{Duration, Instant};

/// What is known of one backend.
#[derive(Debug)]
struct Backend {
    is_up: bool,
    check: Check,
}

#[derive(Debug, Clone, Copy)]
enum Check {
    /// The next one begins then.
    Waiting(Instant),
    /// One has begun then, and is under way.
    Checking(Instant),
}

/// The health of all backends.
#[derive(Debug)]
pub struct Health {
    backends: Vec<Backend>,
    interval: Duration,
    timeout: Duration,
}

impl Health {
    /// So many backends, all up, all to be checked at `now`.
    pub fn new(backends: usize, interval: Duration, timeout: Duration, now: Instant) -> Health {
        let backend = |_| Backend { is_up: true, check: Check::Waiting(now) };
        Health { backends: (0..backends).map(backend).collect(), interval, timeout }
    }

    /// Whether the last check of `backend` has succeeded.
    pub fn is_up(&self, backend: usize) -> bool {
        self.backends[backend].is_up
    }

    /// Whether `backend` is given connections: those that are up, or all of them if nobody is. One may have come
    /// back since its check; and if all have failed at once, it may be the checks that are wrong.
    pub fn is_candidate(&self, backend: usize) -> bool {
        self.is_up(backend) || !self.backends.iter().any(|backend| backend.is_up)
    }

    /// A backend that is to be checked now. Its check has begun, and the next call gives another one.
    pub fn begin_check(&mut self, now: Instant) -> Option<usize> {
        let is_due = |backend: &Backend| matches!(backend.check, Check::Waiting(at) if at <= now);
        let due = self.backends.iter().position(is_due)?;
        self.backends[due].check = Check::Checking(now);
        Some(due)
    }

    /// A backend whose check has taken too long. It is down, and the check is over.
    pub fn give_up_check(&mut self, now: Instant) -> Option<usize> {
        let is_late = |backend: &Backend| matches!(backend.check, Check::Checking(began) if began + self.timeout <= now);
        let late = self.backends.iter().position(is_late)?;
        self.failed(late, now);
        Some(late)
    }

    /// The check of `backend` has connected.
    pub fn succeeded(&mut self, backend: usize, now: Instant) {
        self.end_check(backend, now);
        self.backends[backend].is_up = true;
    }

    /// The check of `backend` was refused, or broke.
    pub fn failed(&mut self, backend: usize, now: Instant) {
        self.end_check(backend, now);
        self.backends[backend].is_up = false;
    }

    /// The check of `backend` could not be made, for want of something here. What was known stays known.
    pub fn skipped(&mut self, backend: usize, now: Instant) {
        self.end_check(backend, now);
    }

    /// When there is something to begin or to give up next.
    pub fn next_deadline(&self) -> Option<Instant> {
        let deadline = |backend: &Backend| match backend.check {
            Check::Waiting(at) => at,
            Check::Checking(began) => began + self.timeout,
        };
        self.backends.iter().map(deadline).min()
    }

    fn end_check(&mut self, backend: usize, now: Instant) {
        if let Check::Checking(began) = self.backends[backend].check {
            // From its beginning, so that the time a check takes is not added. What was missed is not made up for.
            self.backends[backend].check = Check::Waiting((began + self.interval).max(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);
    const TIMEOUT: Duration = Duration::from_secs(2);
    const SECOND: Duration = Duration::from_secs(1);

    /// Two backends whose first check has succeeded; the time of that.
    fn checked() -> (Health, Instant) {
        let start = Instant::now();
        let mut health = Health::new(2, INTERVAL, TIMEOUT, start);
        assert_eq!((health.begin_check(start), health.begin_check(start)), (Some(0), Some(1)));
        assert_eq!(health.begin_check(start), None, "each once");
        health.succeeded(0, start);
        health.succeeded(1, start);
        (health, start)
    }

    #[test]
    fn all_are_up_before_the_first_check() {
        let health = Health::new(2, INTERVAL, TIMEOUT, Instant::now());
        assert!(health.is_up(0) && health.is_up(1));
    }

    #[test]
    fn a_check_begins_an_interval_after_the_last_one_began() {
        let (mut health, start) = checked();
        assert_eq!(health.next_deadline(), Some(start + INTERVAL));
        assert_eq!(health.begin_check(start + INTERVAL - SECOND), None);
        assert_eq!(health.begin_check(start + INTERVAL), Some(0));
        health.failed(0, start + INTERVAL + SECOND);
        assert!(!health.is_up(0) && health.is_up(1));
        assert_eq!(health.begin_check(start + INTERVAL), Some(1));
        health.succeeded(1, start + INTERVAL);
        assert_eq!(
            health.next_deadline(),
            Some(start + INTERVAL * 2),
            "the second that it took is not added"
        );
    }

    #[test]
    fn one_success_brings_a_backend_back() {
        let (mut health, start) = checked();
        health.begin_check(start + INTERVAL);
        health.failed(0, start + INTERVAL);
        assert_eq!(health.begin_check(start + INTERVAL), Some(1));
        assert_eq!(health.begin_check(start + INTERVAL * 2), Some(0), "a dead backend is asked as well");
        health.succeeded(0, start + INTERVAL * 2);
        assert!(health.is_up(0));
    }

    #[test]
    fn who_is_down_is_a_candidate_only_when_nobody_is_up() {
        let (mut health, start) = checked();
        health.begin_check(start + INTERVAL);
        health.failed(0, start + INTERVAL);
        assert!(!health.is_candidate(0) && health.is_candidate(1));
        health.begin_check(start + INTERVAL);
        health.failed(1, start + INTERVAL);
        assert!(health.is_candidate(0) && health.is_candidate(1));
    }

    /// The trap: one who does not answer is waited for, and the others with it.
    #[test]
    fn a_blackhole_costs_its_own_timeout_only() {
        let (mut health, start) = checked();
        let now = start + INTERVAL;
        assert_eq!((health.begin_check(now), health.begin_check(now)), (Some(0), Some(1)));
        health.succeeded(1, now);
        assert_eq!(health.next_deadline(), Some(now + TIMEOUT));
        assert_eq!(health.give_up_check(now + TIMEOUT - SECOND), None);
        assert_eq!(health.give_up_check(now + TIMEOUT), Some(0));
        assert!(!health.is_up(0) && health.is_up(1));
        assert_eq!(health.next_deadline(), Some(now + INTERVAL));
    }

    /// With a timeout above the interval: no check begins before the last is over, and none is made up for.
    #[test]
    fn checks_of_one_backend_do_not_overlap() {
        let start = Instant::now();
        let mut health = Health::new(1, SECOND, TIMEOUT, start);
        assert_eq!(health.begin_check(start), Some(0));
        assert_eq!(health.begin_check(start + SECOND), None);
        assert_eq!(health.give_up_check(start + TIMEOUT), Some(0));
        assert_eq!(health.begin_check(start + TIMEOUT), Some(0));
        assert_eq!(health.begin_check(start + TIMEOUT), None);
    }
}

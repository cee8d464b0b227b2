//! How long to wait for a subject, on a machine that may be slow or busy.
//!
//! A wait ends when the subject has been *idle or spinning* for its allowance, not when the machine was. A subject
//! that is runnable but was given little processor time since the last look is starved by its neighbours, so the
//! wait goes on, up to [`STARVED_FACTOR`] times as long. The verdict then depends on the subject alone.

use std::time::{Duration, Instant};

use super::observe;

/// The allowance of an ordinary wait: hundreds of times what any reply takes.
pub(super) const REPLY: Duration = Duration::from_secs(10);

/// How many allowances a starved subject is given.
const STARVED_FACTOR: u32 = 6;

/// Before this, a wait costs nothing but a look at the clock.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// One wait for one subject.
#[derive(Debug)]
pub struct Patience {
    pid: i32,
    allowance: Duration,
    began: Instant,
    until: Instant,
    /// Processor time that the subject had used at the first look.
    cpu_before: Option<Duration>,
}

impl Patience {
    /// Begins a wait of `allowance` for the process `pid`.
    pub fn begin(pid: i32, allowance: Duration) -> Self {
        let began = Instant::now();
        Self { pid, allowance, began, until: began + allowance, cpu_before: None }
    }

    /// The time left before the next decision; zero when the wait is over.
    pub fn left(&mut self) -> Duration {
        let now = Instant::now();
        if self.cpu_before.is_none() && now >= self.began + FIRST_LOOK {
            self.cpu_before = Some(observe::family_cpu_time(self.pid));
        }
        if now >= self.until && now < self.began + self.allowance * STARVED_FACTOR && self.is_starved() {
            self.until = now + self.allowance / 2;
        }
        self.until.saturating_duration_since(now)
    }

    /// Runnable, and yet with less than half an allowance of processor time since the wait began.
    fn is_starved(&self) -> bool {
        let used = observe::family_cpu_time(self.pid).saturating_sub(self.cpu_before.unwrap_or_default());
        observe::is_any_runnable(self.pid) && used < self.allowance / 2
    }
}

//! How long to wait for a subject, on a machine that may be slow or busy.
//!
//! A wait ends when the subject has been *idle or spinning* for its allowance, not when the machine was. A subject
//! that has work to do but was given little processor time since the last look is starved by its neighbours, so the
//! wait goes on, up to [`STARVED_FACTOR`] times as long. So it does for as long as the suite itself held one of its
//! calls. The verdict then depends on the subject alone.

use std::time::{Duration, Instant};

use super::{calls::Held, observe};

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
    /// For how long its calls were held: all in all, and before the wait.
    held: Held,
    held_before: Duration,
}

impl Patience {
    /// Begins a wait of `allowance` for the process `pid`.
    pub fn begin(pid: i32, allowance: Duration) -> Self {
        let began = Instant::now();
        let (held, held_before) = (Held::default(), Duration::ZERO);
        Self { pid, allowance, began, until: began + allowance, cpu_before: None, held, held_before }
    }

    /// Leaves out the time for which its calls are held.
    pub(super) fn but_while_held(mut self, held: Held) -> Self {
        self.held_before = held.time();
        self.held = held;
        self
    }

    /// The time left before the next decision; zero when the wait is over.
    pub fn left(&mut self) -> Duration {
        let now = Instant::now();
        if self.cpu_before.is_none() && now >= self.began + FIRST_LOOK {
            self.cpu_before = Some(observe::family_cpu_time(self.pid));
        }
        let latest = self.began + self.allowance * STARVED_FACTOR;
        let held = self.held.time() - self.held_before;
        let until = self.until.max(latest.min(self.until + held));
        if now < until {
            return until - now;
        }
        if now < latest && self.is_starved() {
            self.until = now + self.allowance / 2;
        }
        self.until.saturating_duration_since(now)
    }

    /// At work, and yet with less than half an allowance of processor time since the wait began.
    fn is_starved(&self) -> bool {
        let used = observe::family_cpu_time(self.pid).saturating_sub(self.cpu_before.unwrap_or_default());
        observe::is_any_at_work(self.pid) && used < self.allowance / 2
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// The trap: a subject that the suite has stopped in a call sleeps, like one that hangs.
    #[test]
    fn a_wait_goes_on_while_the_suite_itself_holds_the_subject() {
        let mut idle = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().expect("sleep starts");
        let late = |by: Duration, held_for: Duration| {
            let held = Held::default();
            let mut patience = Patience::begin(idle.id() as i32, REPLY).but_while_held(held.clone());
            held.add(held_for);
            patience.began -= REPLY + by;
            patience.until -= REPLY + by;
            patience.left().is_zero()
        };
        let second = Duration::from_secs(1);
        assert!(late(second, Duration::ZERO));
        assert!(!late(second, 30 * second));
        assert!(late(20 * second, 10 * second));
        assert!(late(STARVED_FACTOR * REPLY, 10_000 * second), "there is an end to it");
        let _ = idle.kill();
        let _ = idle.wait();
    }
}

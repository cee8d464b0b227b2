//! Stage 6: a server may be broken, or mean harm. It decides what it sends, and when; how much of that is
//! kept, and how long it is waited for, is decided here.
//!
//! ```text
//! endless head, endless 1xx, endless trailers      a budget of bytes, or a count
//! Content-Length: 9223372036854775808              a number to count down, never one to allocate
//! one byte a minute, for ever                      one deadline for the whole exchange
//! ```
//!
//! A limit on each wait is no limit: a server that sends a byte every so often renews it each time. So what
//! is passed around is a point in time, and whoever waits waits for what is left until then.

use std::time::{Duration, Instant};

use crate::error::{Error, Kind};

/// The longest head (status line and headers) that is read. Real ones seldom exceed 16 KiB. What is
/// kept of one takes a multiple of its bytes if its lines are short.
pub const MAX_HEAD_BYTES: usize = 128 * 1024;
/// The most interim responses (1xx) before the final one.
pub const MAX_INTERIM_RESPONSES: usize = 64;
/// The most bytes between the data of two chunks, extensions included, or after the last, trailers included.
pub const MAX_CHUNK_LINE_BYTES: usize = 64 * 1024;

/// The point in time at which the whole exchange has to be over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// None if it is too far off for the clock to tell.
    end: Option<Instant>,
    allowed: Duration,
}

impl Deadline {
    /// `time` from now.
    pub fn after(time: Duration) -> Deadline {
        Deadline { end: Instant::now().checked_add(time), allowed: time }
    }

    /// `time` from now, but no later than this one.
    pub fn within(self, time: Duration) -> Deadline {
        let sooner = Deadline::after(time);
        if sooner.end.is_some_and(|sooner| self.end.is_none_or(|end| sooner < end)) { sooner } else { self }
    }

    /// What is left of the time; never zero, which to the system may mean "for ever".
    pub fn remaining(self) -> Result<Duration, Error> {
        let Some(end) = self.end else { return Ok(Duration::MAX) };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.exceeded()) } else { Ok(left) }
    }

    /// The failure to be over in time.
    pub fn exceeded(self) -> Error {
        Error::new(Kind::Timeout, format!("not over after {} s", self.allowed.as_secs_f64()))
    }
}

/// Bytes that may still come, of something that has to be kept or waited through.
#[derive(Debug, Clone)]
pub struct Budget {
    what: &'static str,
    limit: usize,
    left: usize,
}

impl Budget {
    /// `limit` bytes for `what`.
    pub fn new(what: &'static str, limit: usize) -> Budget {
        Budget { what, limit, left: limit }
    }

    /// Takes `bytes` off it.
    pub fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                Err(Error::new(Kind::TooLarge, format!("{} of more than {} bytes", self.what, self.limit)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sooner_deadline_holds_and_a_far_one_does_not_overflow() {
        let far = Deadline::after(Duration::MAX);
        assert!(far.remaining().is_ok());
        assert!(far.within(Duration::ZERO).remaining().is_err());
        let past = Deadline::after(Duration::ZERO);
        assert_eq!(past.within(Duration::from_secs(60)).remaining().unwrap_err().kind, Kind::Timeout);
    }
}

//! Stage 6: a server may be broken, or mean harm. It decides what it sends, and when; how much of that is
//! kept, and how long it is waited for, is decided here.
//!
//! What must hold: whatever a server sends, memory is bounded, and the whole exchange is over by the deadline.
//! Before stage 6 you can do with little of this: time in which a silent server is given up, and no more.

use std::time::Duration;

use crate::error::Error;

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
    // Your fields.
}

impl Deadline {
    /// `time` from now.
    pub fn after(time: Duration) -> Deadline {
        todo!("stage 1: a point in time, however far off; only from stage 6 on is it kept to exactly")
    }

    /// `time` from now, but no later than this one.
    pub fn within(self, time: Duration) -> Deadline {
        todo!("stage 7: the sooner of two")
    }

    /// What is left of the time; never zero, which to the system may mean "for ever".
    pub fn remaining(self) -> Result<Duration, Error> {
        todo!("stage 1: how long to wait at most, or that time is up")
    }

    /// The failure to be over in time.
    pub fn exceeded(self) -> Error {
        todo!("stage 1: an error of kind timeout")
    }
}

/// Bytes that may still come, of something that has to be kept or waited through.
#[derive(Debug, Clone)]
pub struct Budget {
    // Your fields.
}

impl Budget {
    /// `limit` bytes for `what`.
    pub fn new(what: &'static str, limit: usize) -> Budget {
        todo!("stage 6: nothing spent")
    }

    /// Takes `bytes` off it.
    pub fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        todo!("stage 6: an error once there were more than the limit")
    }
}

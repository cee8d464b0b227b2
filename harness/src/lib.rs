//! The library that every suite is written with. It knows no project.
//!
//! ```text
//!   Request ─► executor ─► Check::run(&mut Context) ─► Judged ─► Event (one JSON line)
//!                              │
//!                              └─ Process: the subject, limited, watched, reaped
//! ```
//!
//! Two halves. The *vocabulary* ([`event`], [`verdict`], [`evidence`], [`guest`]) is plain data that crosses the pipe
//! between a suite and the front desk; it is all that `xtask` compiles. The rest, behind the feature `suite`, runs
//! subjects and judges what it sees.
//!
//! Invariants: nothing here names a project; a check never prints; a failed expectation is a value and a panic is
//! our own fault; dropping a handle cleans up after the subject, whatever it left behind.

pub mod event;
pub mod evidence;
pub mod guest;
pub mod verdict;

#[cfg(feature = "suite")]
mod running;
#[cfg(feature = "suite")]
pub use running::*;

//! Your load balancer. The specification is in this crate's README.md, and each stage has a page in `stages/`.
//!
//! What is graded is the program `lb`, and so [`Balancer`]: begin in `balancer.rs`, and follow one connection
//! from there. `main.rs` and `os.rs` are given. The other modules are a suggestion, one or two a stage, with
//! the types and verbs that the reference solution has; change them, or do it your way. The grader looks at
//! what clients, backends and `/proc` see of the program, and at nothing else.
//!
//! One thing in the suggestion is worth keeping: what decides, counts and moves is fed times, numbers and
//! anything that can be read or written, and knows no socket. It can be tested in microseconds, with clocks that
//! you set and writes that take one byte.

#![deny(unsafe_code)]

use std::net::SocketAddr;
use std::time::Duration;

// Stage 1: bytes both ways, and what they need: a loop, and a backend's socket.
pub mod connection;
pub mod dial;
pub mod half_pipe;
pub mod proxy;
pub mod turn;

// Stage 2: whose turn it is.
pub mod backends;
pub mod round_robin;

// Stage 3: who is up.
pub mod health;
pub mod probe;

// Stage 4: who is next when somebody is not.
pub mod failures;

// Stage 5: many, and a line for each.
pub mod load;
pub mod log;

// Stage 6: who is let in, and until when.
pub mod backpressure_and_draining;

// Stage 7: what one costs that says nothing.
pub mod ten_thousand;

// All of them, tied together.
pub mod balancer;

// What std and mio do not offer. Given.
pub mod os;

pub use balancer::Balancer;

/// What the command line says.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 for any.
    pub listen: SocketAddr,
    /// The backends, in the order of the rotation: at least one, all different.
    pub backends: Vec<SocketAddr>,
    /// From one check of a backend to the next.
    pub health_interval: Duration,
    /// How long a connection to a backend may take to stand.
    pub connect_timeout: Duration,
    /// How many descriptors this process may have.
    pub max_descriptors: usize,
}

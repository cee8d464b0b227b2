//! A TCP load balancer: one loop, two sockets a connection, and a few small decisions.
//!
//! # The life of a connection
//!
//! 1. [`Admission`](backpressure_and_draining::Admission) lets a client in, if there is a place for it. It gets
//!    a slot in the [`Table`](load::Table), and so a number that events can name.
//! 2. [`Rotation`](round_robin::Rotation) says whose turn it is among those that [`Health`](health::Health)
//!    holds to be up. [`dial`] begins to connect, and the loop goes on.
//! 3. An event tells how that went. [`Attempt`](failures::Attempt) says who is next if it went wrong, and
//!    [`Deadlines`](failures::Deadlines) when it has taken too long.
//! 4. Two [`HalfPipe`](half_pipe::HalfPipe)s move bytes, each at the pace of its slower end, with buffers
//!    lent by a [`Pool`](ten_thousand::Pool). [`Proxy`](proxy::Proxy) passes ends on, and knows when both are done.
//! 5. The [`Record`](log::Record) is written, the sockets are closed, the slot is free.
//!
//! What decides, counts and moves is plain data: it is fed times, numbers and anything that can be read or
//! written, and knows no socket. `dial`, `probe`, `backends`, `connection` and `balancer` are the shell that
//! has them; the only wait is in `balancer`.
//!
//! Left out on purpose: several loops, weights, the PROXY protocol, splice(2), timeouts for silent connections.
//! Measured against HAProxy and nginx by `cargo run --release -p lb-solution --example cost`.
//!
//! The modules stand in the order of the stages.

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

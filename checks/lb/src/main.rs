//! The suite for the load balancer: what `exercises/lb/README.md` promises, looked for from both sides of it.
//!
//! ```text
//!   proxy … real_servers   the checks, a file a stage
//!   scene      backends and clients, moved by one loop; every wait ends up there
//!   backend    a backend as a check holds it: what it does, whether it lives, what it has accepted
//!   client     one end of a connection: sends, expects, ends
//!   balancer   the subject: options, first line, log, end
//!   log        a line of the log
//!   machine    what the system knows of the balancer: processor time, queues of sockets, limits
//!   stall      connections of which one side does not read
//!   stream     endless bytes that can be told apart
//!   bytes      bytes as a reader can take them in
//! ```
//!
//! A check speaks of connections, bytes, log lines and exit statuses; never of how a balancer is built.

mod proxy;

mod round_robin;

mod health;

mod failures;

mod load;

mod backpressure_and_draining;

mod ten_thousand;

mod real_servers;

mod scene;

mod backend;

mod client;

mod balancer;

mod log;

mod machine;

mod stall;

mod stream;

mod bytes;

use std::process::ExitCode;

use harness::Suite;

static SUITE: Suite = Suite::new(
    "lb",
    &[
        proxy::STAGE,
        round_robin::STAGE,
        health::STAGE,
        failures::STAGE,
        load::STAGE,
        backpressure_and_draining::STAGE,
        ten_thousand::STAGE,
    ],
)
.with(&[("docker", real_servers::STAGE)]);

fn main() -> ExitCode {
    harness::main(&SUITE)
}

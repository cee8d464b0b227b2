//! The suite for the HTTP client: what `exercises/http/README.md` promises, looked for from the server's side of the
//! wire and from the terminal's.
//!
//! ```text
//!   request … real_servers     the checks, a file a stage
//!   client     the subject, run once: its command line, what it says and how it ends
//!   outcome    what a run came to, and whether it had to come to that
//!   server     what a server sends in which pieces, and how it ends: scripts for the harness's origins
//!   arrival    the same bytes, cut in every way
//!   flow       bytes that have to be seen before the next ones come, and many bytes in little memory
//!   bytes      bytes as a reader can take them in: escaped, folded, with a caret at the first difference
//! ```
//!
//! A check speaks of bytes on the wire, of stdout, stderr and the exit status; never of how a client is built.

mod request;
mod response;

mod chunked;

mod redirects;

mod https;

mod hostile;

mod keep_alive;

mod real_servers;

mod client;

mod outcome;

mod server;

mod arrival;

mod flow;

mod bytes;

use std::process::ExitCode;

use harness::Suite;

static SUITE: Suite = Suite::new(
    "http",
    &[
        request::STAGE,
        response::STAGE,
        chunked::STAGE,
        redirects::STAGE,
        https::STAGE,
        hostile::STAGE,
        keep_alive::STAGE,
    ],
)
.with(&[("docker", real_servers::STAGE)]);

fn main() -> ExitCode {
    harness::main(&SUITE)
}

//! Real servers, in containers of this machine's Docker engine.
//!
//! ```text
//!   Engine     the daemon behind a socket, asked without any library: whether it answers, and to remove what is left
//!   Server     an nginx in a container, on a port of 127.0.0.1 that stays its own while it is stopped
//!   image      what it runs from: made of the nginx of this machine, without a network; pulled where there is none
//!   guests     the containers that are there, which a run takes with it however it ends
//! ```
//!
//! All but the first need the feature `docker`. A suite declares a feature of the same name, and puts the checks that
//! need containers into a stage that is run [with](super::Suite::with) it.

mod engine;
#[cfg(feature = "docker")]
mod guests;
#[cfg(feature = "docker")]
mod image;
#[cfg(feature = "docker")]
mod server;

pub use engine::Engine;
#[cfg(feature = "docker")]
pub(super) use guests::remove_all;
#[cfg(feature = "docker")]
pub use server::{Port, Server};

use super::{Context, Halt, Judged};

/// Stands for a check that needs containers in a suite that was built without them.
///
/// # Errors
/// Always a skip.
pub fn left_out(_: &Context) -> Judged {
    Err(Halt::skip("this suite was built without containers; add --with docker"))
}

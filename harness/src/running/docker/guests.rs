//! The containers of this run. A container belongs to the engine, not to us: neither a signal nor the end of the process
//! takes it away, so that whoever ends a run has to know their names.
//!
//! ```text
//!   dropped      the check is over                            testcontainers removes it
//!   interrupted  Ctrl-C, the death of the front desk          remove_all
//!   killed       nobody could do anything                     sweep, before the next run's first container
//! ```

use std::{
    fmt::Display,
    path::Path,
    process,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use serde::Deserialize;

use super::Engine;
use crate::running::{Halt, Judged};

/// What the names of our containers begin with; the process that started it follows, and a number.
const PREFIX: &str = "groundwork-";

/// The names of those that are there. Held while one is started or removed.
static GUESTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A name for a container, which is there for as long as this is.
#[derive(Debug)]
pub(super) struct Guest(String);

impl Guest {
    /// Starts a container under a name of its own. A run that is being ended starts no other.
    ///
    /// # Errors
    /// Fault when the engine cannot.
    pub(super) fn admit<T, E: Display>(start: impl FnOnce(&str) -> Result<T, E>) -> Judged<(Self, T)> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let mut guests = guests();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let guest = Self(format!("{PREFIX}{}-{number}", process::id()));
        guests.push(guest.0.clone());
        let started = start(&guest.0);
        drop(guests);
        match started {
            Ok(container) => Ok((guest, container)),
            Err(error) => Err(Halt::fault(format!("the Docker engine cannot start a container: {error}"))),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        guests().retain(|name| *name != self.0);
    }
}

/// Removes every container of this process, for its end: from now on none is started, and none goes by itself.
pub(in crate::running) fn remove_all() {
    let guests = guests();
    if let Ok(engine) = Engine::find() {
        guests.iter().for_each(|name| remove(&engine, name));
    }
    // The check that waits to start one is not to be told that it may.
    std::mem::forget(guests);
}

/// Removes the containers of processes that are no more.
pub(super) fn sweep(engine: &Engine) {
    #[derive(Deserialize)]
    struct Listed {
        #[serde(rename = "Names")]
        names: Vec<String>,
    }
    let Ok((200, body)) = engine.ask("GET", "/containers/json?all=1") else { return };
    let listed: Vec<Listed> = serde_json::from_slice(&body).unwrap_or_default();
    for name in listed.iter().flat_map(|container| &container.names) {
        let name = name.trim_start_matches('/');
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse::<i32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            remove(engine, name);
        }
    }
}

fn remove(engine: &Engine, name: &str) {
    // One that cannot be removed is the next run's to sweep.
    let _ = engine.ask("DELETE", &format!("/containers/{name}?force=1&v=1"));
}

fn guests() -> MutexGuard<'static, Vec<String>> {
    GUESTS.lock().unwrap_or_else(PoisonError::into_inner)
}

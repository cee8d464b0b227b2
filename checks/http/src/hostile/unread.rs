//! Servers that do not read what they are sent: the client can write until every buffer between the two is full.

use std::{
    fs,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use harness::{Halt, Judged};

const MIB: usize = 1 << 20;

/// The most that a client need be able to post is 64 MiB.
const MOST_BYTES: usize = 48 * MIB;

/// A body of which a part is left to send when the kernel has taken all that it takes for somebody who does not read.
///
/// # Errors
/// Skip where it takes everything.
pub(crate) fn large_body() -> Judged<Vec<u8>> {
    // Smallest, usual and largest size of a buffer (tcp(7)). One that nobody reads from stays at the usual size.
    let sizes = |name: &str| -> Vec<usize> {
        let text = fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
        text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    let written = sizes("tcp_wmem").get(2).copied().unwrap_or(4 * MIB);
    let read = sizes("tcp_rmem").get(1).copied().unwrap_or(MIB);
    let body_bytes = written + 2 * read + 3 * MIB;
    if body_bytes > MOST_BYTES {
        return Err(Halt::skip(format!(
            "sockets hold {written} bytes here, more than a body has; try `sysctl net.ipv4.tcp_wmem='4096 16384 4194304'`"
        )));
    }
    Ok(vec![b'x'; body_bytes])
}

/// What a script waits with that neither reads nor closes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<(Mutex<bool>, Condvar)>);

/// Ends the wait when it is dropped: to be declared after the server, whose own end waits for its scripts.
#[derive(Debug)]
pub(crate) struct Pause(Waiting);

impl Pause {
    /// For all who wait with it.
    pub(crate) fn of(waiting: Waiting) -> Self {
        Self(waiting)
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        let (is_over, changed) = &*self.0.0;
        *is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

impl Waiting {
    /// Waits until the check is over.
    pub(crate) fn wait(&self) {
        let (is_over, changed) = &*self.0;
        let mut guard = is_over.lock().unwrap_or_else(PoisonError::into_inner);
        while !*guard {
            guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

//! What the system knows of a balancer and nobody else: how much processor time it takes, and how many bytes wait in
//! the queues of its sockets.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use harness::{Halt, Judged};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{balancer::Balancer, scene::Scene};

/// Lets this suite have at least so many descriptors.
///
/// # Errors
/// Skip when the machine does not.
pub(crate) fn have_descriptors(needed: u64) -> Judged {
    match most_descriptors()? {
        most if most >= needed => Ok(()),
        most => Err(Halt::skip(format!(
            "{needed} open descriptors are needed, and {most} are allowed: raise the hard limit (ulimit -Hn)"
        ))),
    }
}

/// Lets this suite have as many descriptors as it may; how many that are.
///
/// # Errors
/// Fault when the system has no such limit.
pub(crate) fn most_descriptors() -> Judged<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

/// Demands that the balancer takes next to no processor time while nothing changes: less than a fifth of what a loop
/// takes beside it that never waits. On a busy machine both get less.
///
/// # Errors
/// A failure when it takes more.
#[track_caller]
pub(crate) fn is_idle(scene: &Scene<'_>, lb: &Balancer<'_>, state: &str) -> Judged {
    const ENOUGH: Duration = Duration::from_millis(120);
    const AT_MOST: Duration = Duration::from_secs(20);
    // What is under way comes to its end first.
    settles(scene, lb, || 0)?;
    let busy = BusyLoop::start();
    let (before, began) = (lb.usage().cpu_nanos, Instant::now());
    while busy.used() < ENOUGH && began.elapsed() < AT_MOST {
        scene.spend(Duration::from_millis(20))?;
    }
    let (used, whole) = (lb.usage().cpu_nanos - before, busy.used().as_nanos() as u64);
    scene.tell(state);
    if used < whole / 5 {
        return Ok(());
    }
    let percent = 100 * used / whole.max(1);
    Err(Halt::fail(
        "next to no processor time while nothing is to be done",
        format!("{percent} % of what a loop takes that never waits"),
    ))
}

/// Waits until `value` stays the same while the balancer waits for something.
///
/// # Errors
/// Timeout when it goes on changing.
#[track_caller]
pub(crate) fn settles(scene: &Scene<'_>, lb: &Balancer<'_>, value: impl Fn() -> u64) -> Judged {
    const QUIET: Duration = Duration::from_millis(150);
    const OFTEN: Duration = Duration::from_millis(10);
    let began = Instant::now();
    let (mut last, mut since, mut looked) = (value(), began, began);
    let is_quiet = || {
        if looked.elapsed() > OFTEN {
            looked = Instant::now();
            // One that never waits is waited for in vain: whoever asks for it has another complaint then.
            let is_spinning = began.elapsed() > 20 * QUIET;
            if value() != last || !(lb.is_waiting() || is_spinning) {
                (last, since) = (value(), looked);
            }
        }
        since.elapsed() > QUIET
    };
    scene.wait("nothing to change any more", is_quiet)
}

/// Bytes in the queues of a connection's socket: received and not read, sent and not acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Queues {
    pub(crate) unread: u64,
    pub(crate) unacknowledged: u64,
}

/// The queues of the socket with these addresses, its own and the other side's (IPv4).
///
/// # Errors
/// Fault when there is none.
pub(crate) fn queues(local: SocketAddr, remote: SocketAddr) -> Judged<Queues> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let found =
        table.lines().find_map(|line| parse(line).filter(|(from, to, _)| (*from, *to) == (local, remote)));
    found.map(|(.., queues)| queues).ok_or_else(|| Halt::fault(format!("no socket from {local} to {remote}")))
}

/// A line of `/proc/net/tcp`: `0: 0100007F:1F90 0100007F:C350 01 00000000:00000005 …`.
fn parse(line: &str) -> Option<(SocketAddr, SocketAddr, Queues)> {
    let mut words = line.split_whitespace().skip(1);
    let mut address = || {
        let (ip, port) = words.next()?.split_once(':')?;
        let ip = u32::from_str_radix(ip, 16).ok()?.to_ne_bytes();
        Some(SocketAddr::from((ip, u16::from_str_radix(port, 16).ok()?)))
    };
    let (local, remote) = (address()?, address()?);
    let (sent, received) = words.nth(1)?.split_once(':')?;
    let bytes = |text| u64::from_str_radix(text, 16).ok();
    Some((local, remote, Queues { unread: bytes(received)?, unacknowledged: bytes(sent)? }))
}

/// A loop that never waits, and how much processor time that takes.
struct BusyLoop {
    goes_on: Arc<AtomicBool>,
    nanos: Arc<AtomicU64>,
}

impl BusyLoop {
    fn start() -> Self {
        let (goes_on, nanos) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
        let busy = Self { goes_on: Arc::clone(&goes_on), nanos: Arc::clone(&nanos) };
        thread::spawn(move || {
            while goes_on.load(Ordering::Relaxed) {
                (0..10_000).for_each(|_| std::hint::spin_loop());
                nanos.store(own_time().unwrap_or(0), Ordering::Relaxed);
            }
        });
        busy
    }

    fn used(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

impl Drop for BusyLoop {
    fn drop(&mut self) {
        self.goes_on.store(false, Ordering::Relaxed);
    }
}

/// Processor time of this thread, in nanoseconds.
fn own_time() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_is_read() {
        let line =
            "   0: 0100007F:1F90 0200007F:C350 01 00000010:00000005 01:00000014 00000000  0 0 1 2 0 20";
        let (local, remote, queues) = parse(line).expect("a line");
        assert_eq!(
            (local.to_string(), remote.to_string()),
            ("127.0.0.1:8080".into(), "127.0.0.2:50000".into())
        );
        assert_eq!(queues, Queues { unread: 5, unacknowledged: 16 });
        assert_eq!(parse("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when"), None);
    }
}

//! Scripted servers on loopback, for subjects that connect to something. A script says byte by byte what a connection
//! is sent, and when; whatever comes in is recorded.
//!
//! ```text
//!   check ── Origin::play(script) ──► acceptor thread ──► a thread a connection: script(&mut Connection)
//!     │                                                        │
//!     └── origin.connections(): what each one received ◄───────┘
//! ```
//!
//! Plain sockets and bytes by hand, since a script has to be able to send what no library would. A script has no
//! deadlines: it waits as long as it takes, and dropping the [`Origin`] ends its sockets and so its waits. Whoever
//! waits for the subject judges that it hangs.

mod arrival;
mod connection;
mod request;
#[cfg(test)]
mod tests;

pub mod certificate;

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::AsRawFd,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

pub use connection::Connection;
pub use request::Request;

use nix::sys::socket::{Shutdown as Direction, shutdown};

use super::{Context, Halt, Judged, context::Services};
use certificate::Identity;

/// What happens on each connection. What it returns when the other side went away is of no interest.
type Script = dyn Fn(&mut Connection) -> io::Result<()> + Send + Sync;

/// A server about to be started.
#[derive(Debug)]
pub struct Setting<'c> {
    context: &'c Context,
    address: IpAddr,
    listener: Option<TcpListener>,
    identity: Option<Identity>,
}

/// A server that plays its script to everybody who connects, until it is dropped.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    is_secure: bool,
    stage: Arc<Stage>,
    listener: Arc<TcpListener>,
    acceptor: Option<JoinHandle<()>>,
}

/// What one connection came to.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The bytes that arrived; over TLS, those that were decrypted.
    pub received: Vec<u8>,
    /// How many bytes were sent, before encryption.
    pub sent_bytes: u64,
    /// The name that the client asked for (SNI, RFC 6066 section 3), over TLS.
    pub server_name: Option<String>,
    /// Why there was no handshake, as our side saw it: its own words, or the client's alert.
    pub refusal: Option<String>,
    /// Whether the script has come to its end.
    pub is_over: bool,
}

/// What the threads of a server share.
struct Stage {
    script: Box<Script>,
    identity: Option<Identity>,
    stopping: AtomicBool,
    records: Mutex<Vec<Record>>,
    sockets: Mutex<Vec<TcpStream>>,
    services: Arc<Services>,
    name: String,
}

impl Context {
    /// A server on a free port of 127.0.0.1.
    pub fn origin(&self) -> Setting<'_> {
        Setting { context: self, address: Ipv4Addr::LOCALHOST.into(), listener: None, identity: None }
    }
}

impl Setting<'_> {
    /// Listens on a free port of another address.
    #[must_use]
    pub fn on(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Takes what listens already, for a port that has to be a certain one. To look whether it is free and to take it
    /// are one step this way: between two, a subject that another check starts holds a copy of whatever was closed.
    #[must_use]
    pub fn listening(mut self, listener: TcpListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Speaks TLS, as this identity.
    #[must_use]
    pub fn secure(mut self, identity: &Identity) -> Self {
        self.identity = Some(identity.clone());
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// Fault when there is no free port, or no such address on this machine: ask [`has_address`] first.
    #[track_caller]
    pub fn play(
        self,
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Judged<Origin> {
        let listener = Arc::new(self.listener.map_or_else(|| listen(self.address), Ok)?);
        let address = listener.local_addr()?;
        let is_secure = self.identity.is_some();
        let stage = Arc::new(Stage {
            script: Box::new(script),
            identity: self.identity,
            stopping: AtomicBool::new(false),
            records: Mutex::default(),
            sockets: Mutex::default(),
            services: self.context.services(),
            name: format!(":{}", address.port()),
        });
        let acceptor = thread::spawn({
            let (listener, stage) = (Arc::clone(&listener), Arc::clone(&stage));
            move || accept(&listener, &stage)
        });
        Ok(Origin { address, is_secure, stage, listener, acceptor: Some(acceptor) })
    }
}

/// A listener. That no port is left for one is said in words, since the system's sound like somebody else's fault.
#[track_caller]
fn listen(address: IpAddr) -> Judged<TcpListener> {
    match TcpListener::bind((address, 0)) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(Halt::fault(
            "no port is left on this machine: all of net.ipv4.ip_local_port_range are in use, or were a minute ago; \
                 look with `ss -tan`, wait, or widen the range",
        )),
        Err(error) => Err(error.into()),
    }
}

/// Demands that the machine has a port left to connect from. Without one nobody can connect, however right they are.
///
/// # Errors
/// Fault when it has none.
#[track_caller]
pub fn a_port_is_left() -> Judged {
    listen(Ipv4Addr::LOCALHOST.into()).map(drop)
}

/// Whether this machine has the address: not every one has `::1`.
pub fn has_address(address: IpAddr) -> bool {
    TcpListener::bind((address, 0)).is_ok()
}

impl Origin {
    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The URL of `path` on it, with its address as the host.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.is_secure { "https" } else { "http" }, self.address)
    }

    /// The URL of `path` on it, under a name.
    pub fn url_as(&self, host: &str, path: &str) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{host}:{}{path}", self.port())
    }

    /// What every connection came to, or has come to so far, in the order in which they were accepted.
    pub fn connections(&self) -> Vec<Record> {
        self.stage.records().clone()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stage.stopping.store(true, Ordering::Release);
        // An acceptor that waits is woken by this (Linux). Connecting to it would do the same, and need a port.
        if shutdown(self.listener.as_raw_fd(), Direction::Both).is_ok()
            && let Some(acceptor) = self.acceptor.take()
        {
            let _ = acceptor.join();
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Stage").field("records", &self.records).finish_non_exhaustive()
    }
}

impl Stage {
    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sockets(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Changes the record of a connection.
    fn record(&self, number: usize, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.records().get_mut(number) {
            change(record);
        }
    }

    /// Adds to the check's transcript: `<` came in, `>` was sent, `.` happened.
    fn note(&self, number: usize, what: char, bytes: &[u8]) {
        const NOTED_BYTES: usize = 1 << 10;
        let who = format!("{}/{number}{what}", self.name);
        match bytes.get(..NOTED_BYTES) {
            None => self.services.note_as(&who, bytes),
            Some(beginning) => {
                self.services.note_as(&who, beginning);
                self.services.note_as(&who, format!("({} bytes)", bytes.len()).as_bytes());
            }
        }
    }
}

/// Accepts until told to stop, then ends every connection and waits for their scripts.
fn accept(listener: &TcpListener, stage: &Arc<Stage>) {
    let mut players = Vec::new();
    while let Ok((socket, _)) = listener.accept() {
        if stage.is_stopping() {
            break;
        }
        // Every write is a segment of its own: where a response is cut is the script's to say.
        let (Ok(()), Ok(copy)) = (socket.set_nodelay(true), socket.try_clone()) else { continue };
        stage.sockets().push(copy);
        let number = {
            let mut records = stage.records();
            records.push(Record::default());
            records.len() - 1
        };
        let stage = Arc::clone(stage);
        players.push(thread::spawn(move || connection::play(&stage, number, socket)));
    }
    for socket in stage.sockets().iter() {
        let _ = socket.shutdown(Shutdown::Both);
    }
    for player in players {
        let _ = player.join();
    }
}

//! A port of a backend: one that listens, refuses or swallows connections, and that nobody else can take meanwhile.
//!
//! ```text
//!   reservation   a socket that is bound to the port and never listens: it keeps the port (SO_REUSEADDR lets the
//!                 listener stand beside it); while there is no listener, the kernel refuses whoever connects
//!   listener      comes and goes
//!   blackhole     a listener with room for no connection, which one of ours fills: the kernel drops every SYN then,
//!                 as a machine does that is not there
//! ```

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpStream},
    os::fd::{AsRawFd, OwnedFd},
    time::Duration,
};

use mio::net::TcpListener;
use nix::sys::socket::{
    AddressFamily, Backlog, Shutdown, SockFlag, SockType, SockaddrStorage, bind, getsockname, listen,
    setsockopt, shutdown, socket, sockopt,
};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A reserved port.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    pub(crate) listener: Option<TcpListener>,
    /// Connections of our own that fill its backlog.
    fillers: Vec<TcpStream>,
    /// Where such connections came from: they are nobody's.
    ours: Vec<SocketAddr>,
    _reservation: OwnedFd,
}

impl Port {
    /// A free port of this address, which is kept. Nobody listens.
    pub(crate) fn reserve(address: IpAddr) -> io::Result<Self> {
        let reservation = bound(SocketAddr::new(address, 0))?;
        let name: SockaddrStorage = getsockname(reservation.as_raw_fd())?;
        let port = match (name.as_sockaddr_in(), name.as_sockaddr_in6()) {
            (Some(name), _) => name.port(),
            (_, Some(name)) => name.port(),
            _ => return Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        Ok(Self {
            address: SocketAddr::new(address, port),
            listener: None,
            fillers: Vec::new(),
            ours: Vec::new(),
            _reservation: reservation,
        })
    }

    /// Listens, if nobody does yet.
    pub(crate) fn listen(&mut self) -> io::Result<()> {
        self.fillers.clear();
        self.listen_with_room_for(BACKLOG)
    }

    /// Refuses whoever connects.
    pub(crate) fn refuse(&mut self) {
        self.fillers.clear();
        if let Some(listener) = self.listener.take() {
            // To close is not enough: a subject that another check is starting right now has a copy until its exec.
            let _ = shutdown(listener.as_raw_fd(), Shutdown::Both);
        }
    }

    /// Swallows whoever connects: neither accepts nor refuses.
    pub(crate) fn swallow(&mut self) -> io::Result<()> {
        const CONNECTIONS: usize = 2;
        self.listen_with_room_for(0)?;
        for _ in 0..CONNECTIONS {
            // The first one fills the backlog, unless somebody else's has done so. That the next one is not answered
            // either is the proof.
            if let Ok(filler) = TcpStream::connect_timeout(&self.address, Duration::from_millis(20)) {
                self.ours.extend(filler.local_addr());
                self.fillers.push(filler);
            }
        }
        Ok(())
    }

    /// Whether a connection is one of our own.
    pub(crate) fn is_ours(&self, remote: SocketAddr) -> bool {
        self.ours.contains(&remote)
    }

    fn listen_with_room_for(&mut self, connections: i32) -> io::Result<()> {
        let backlog = Backlog::new(connections)?;
        if let Some(listener) = &self.listener {
            // To listen once more only changes the room.
            return Ok(listen(listener, backlog)?);
        }
        let socket = bound(self.address)?;
        listen(&socket, backlog)?;
        self.listener = Some(TcpListener::from_std(socket.into()));
        Ok(())
    }
}

/// A socket that is bound to an address.
fn bound(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None)?;
    setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    Ok(socket)
}

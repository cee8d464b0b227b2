//! Stage 1: a connection to a backend, begun without waiting, and how it went.
//!
//! ```text
//!   connect ──► EINPROGRESS ──► "writable" ──┬─ getpeername knows the peer     it stands
//!                                            ├─ SO_ERROR: refused, reset …     it failed
//!                                            └─ neither: the event came early  under way
//! ```

use std::io;
use std::net::SocketAddr;

use mio::net::TcpStream;

/// How a connection that was begun has gone so far.
#[derive(Debug)]
pub enum Dialled {
    /// No answer yet.
    UnderWay,
    /// It stands.
    Connected,
    /// It will not stand.
    Failed(io::Error),
}

/// Begins to connect.
pub fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    // What has arrived is passed on at once: to wait for more to send along is for those who make the bytes.
    // Refused to a socket that has failed already, which `outcome` will tell.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// How it went, once an event has come.
pub fn outcome(stream: &TcpStream) -> Dialled {
    let Ok(peer) = stream.peer_addr() else {
        return match stream.take_error() {
            Ok(None) => Dialled::UnderWay,
            Ok(Some(error)) | Err(error) => Dialled::Failed(error),
        };
    };
    // A port of this machine on which nobody listens may be the one that the system gives to this very
    // connection. Then it is connected to itself (TCP's simultaneous open), and a dead backend seems alive.
    if stream.local_addr().is_ok_and(|own| own == peer) {
        return Dialled::Failed(io::ErrorKind::ConnectionRefused.into());
    }
    Dialled::Connected
}

/// Whether a failure says nothing about the backend: what was lacking was lacking here.
pub fn is_our_own(error: &io::Error) -> bool {
    let ours = [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS, libc::EADDRNOTAVAIL, libc::EAGAIN];
    error.raw_os_error().is_some_and(|code| ours.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Interest, Poll, Token};
    use std::net::TcpListener;
    use std::time::Duration;

    /// Waits for an outcome; none within ten seconds is a failed test.
    fn dial(address: SocketAddr) -> Dialled {
        let mut poll = Poll::new().unwrap();
        let mut stream = begin(address).unwrap();
        poll.registry().register(&mut stream, Token(0), Interest::WRITABLE).unwrap();
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
        outcome(&stream)
    }

    #[test]
    fn a_listener_accepts_and_a_closed_port_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(matches!(dial(address), Dialled::Connected));
        drop(listener);
        assert!(
            matches!(dial(address), Dialled::Failed(error) if error.kind() == io::ErrorKind::ConnectionRefused)
        );
    }
}

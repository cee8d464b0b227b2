//! Whether what was sent has been read: the difference between "sent in two writes" and "arrived in two reads".
//!
//! The kernel knows: `/proc/net/tcp` (proc(5)) lists, for both ends of a loopback connection, the bytes that wait to be
//! acknowledged and those that wait to be read. No time to wait is long enough on a machine that is busy enough, and
//! none is needed.

use std::{fs, io, net::SocketAddr};

/// Whether nothing is on its way from `here` to `peer`, an end of the same connection on this machine. Also when the
/// peer has closed: nobody will read any more.
pub(super) fn is_complete(here: SocketAddr, peer: SocketAddr) -> io::Result<bool> {
    let table = if here.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let text = fs::read_to_string(table)?;
    let (here, peer) = (here.port(), peer.port());
    let waiting = text.lines().skip(1).filter_map(Row::parse).find_map(|row| {
        if (row.local, row.remote) == (here, peer) && row.unacknowledged > 0 {
            return Some(row.unacknowledged);
        }
        ((row.local, row.remote) == (peer, here) && row.unread > 0).then_some(row.unread)
    });
    Ok(waiting.is_none())
}

/// One end of a connection.
struct Row {
    local: u16,
    remote: u16,
    unacknowledged: u64,
    unread: u64,
}

impl Row {
    /// `sl local_address rem_address st tx_queue:rx_queue …`, all in hexadecimal.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().skip(1);
        let mut port = || u16::from_str_radix(words.next()?.rsplit_once(':')?.1, 16).ok();
        let (local, remote) = (port()?, port()?);
        let (sent, received) = words.nth(1)?.split_once(':')?;
        let count = |text| u64::from_str_radix(text, 16).ok();
        Some(Self { local, remote, unacknowledged: count(sent)?, unread: count(received)? })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn what_was_sent_is_complete_once_it_was_read() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let mut client = TcpStream::connect(listener.local_addr().expect("its address")).expect("a client");
        let (mut server, peer) = listener.accept().expect("a connection");
        let here = server.local_addr().expect("its address");
        assert!(is_complete(here, peer).expect("the table"), "nothing was sent yet");
        server.write_all(b"two").expect("room for three bytes");
        assert!(!is_complete(here, peer).expect("the table"), "three bytes wait");
        client.read_exact(&mut [0; 2]).expect("two bytes");
        assert!(!is_complete(here, peer).expect("the table"), "one byte waits");
        client.read_exact(&mut [0; 1]).expect("one byte");
        let began = Instant::now();
        while !is_complete(here, peer).expect("the table") {
            assert!(began.elapsed() < Duration::from_secs(60), "all was read");
        }
    }
}

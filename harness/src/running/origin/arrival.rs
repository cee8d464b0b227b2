//! Whether what was sent has been read: the difference between "sent in two writes" and "arrived in two reads".
//!
//! The kernel knows, for both ends of a loopback connection, how many bytes wait to be acknowledged and how many wait to
//! be read. No time to wait is long enough on a machine that is busy enough, and none is needed. It is asked about the
//! two sockets alone (sock_diag(7)): the table in `/proc/net/tcp` has a row for every connection of the last minute, and
//! is read only where asking is not possible.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    os::fd::{AsRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket},
};

/// Whether nothing is on its way from `here` to `peer`, an end of the same connection on this machine. Also when the
/// peer has closed: nobody will read any more.
pub(super) fn is_complete(here: SocketAddr, peer: SocketAddr) -> io::Result<bool> {
    let ends = match ask(here, peer) {
        Ok(ends) => ends,
        Err(_) => look_up(here, peer)?,
    };
    Ok(ends == Waiting::default())
}

/// Bytes that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Waiting {
    /// Sent from here, and not acknowledged.
    unacknowledged: u32,
    /// Received by the peer, and not read.
    unread: u32,
}

/// Asks the kernel about both ends.
fn ask(here: SocketAddr, peer: SocketAddr) -> nix::Result<Waiting> {
    let kernel = socket(
        AddressFamily::Netlink,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkSockDiag,
    )?;
    let (_, unacknowledged) = queues(&kernel, here, peer)?.unwrap_or_default();
    let (unread, _) = queues(&kernel, peer, here)?.unwrap_or_default();
    Ok(Waiting { unacknowledged, unread })
}

/// How many bytes wait to be read, and to be acknowledged, at the socket between these addresses; `None` when it is gone.
///
/// ```text
///   struct nlmsghdr (16)  struct inet_diag_req_v2 (56)      request      <linux/netlink.h>, <linux/inet_diag.h>
///   struct nlmsghdr (16)  struct inet_diag_msg (72)         reply: rqueue at 56, wqueue at 60 of the message
/// ```
fn queues(kernel: &OwnedFd, local: SocketAddr, remote: SocketAddr) -> nix::Result<Option<(u32, u32)>> {
    const REQUEST_BYTES: u32 = 72;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const NLMSG_ERROR: u16 = 2;
    const ANY_STATE: u32 = u32::MAX;
    const NO_COOKIE: [u8; 8] = [0xff; 8];
    let family = if local.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 } as u8;
    let mut request = Vec::with_capacity(REQUEST_BYTES as usize);
    request.extend(REQUEST_BYTES.to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(NLM_F_REQUEST.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([family, libc::IPPROTO_TCP as u8, 0, 0]);
    request.extend(ANY_STATE.to_ne_bytes());
    request.extend(local.port().to_be_bytes());
    request.extend(remote.port().to_be_bytes());
    request.extend(padded(local.ip()));
    request.extend(padded(remote.ip()));
    request.extend([0; 4]);
    request.extend(NO_COOKIE);
    send(kernel.as_raw_fd(), &request, MsgFlags::empty())?;

    let mut reply = [0; 1024];
    let length = recv(kernel.as_raw_fd(), &mut reply, MsgFlags::empty())?;
    let reply = reply.get(..length).unwrap_or_default();
    let word =
        |at: usize| reply.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_ne_bytes);
    if reply.get(4..6) == Some(&NLMSG_ERROR.to_ne_bytes()) {
        return match word(16).map(|error| Errno::from_raw((error as i32).wrapping_neg())) {
            Some(Errno::ENOENT) => Ok(None),
            error => Err(error.unwrap_or(Errno::EPROTO)),
        };
    }
    word(16 + 56).zip(word(16 + 60)).map(Some).ok_or(Errno::EPROTO)
}

/// An address in the 16 bytes that the kernel keeps for either kind.
fn padded(address: IpAddr) -> [u8; 16] {
    let mut bytes = [0; 16];
    match address {
        IpAddr::V4(address) => bytes[..4].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => bytes.copy_from_slice(&address.octets()),
    }
    bytes
}

/// Looks both ends up in the kernel's table (proc(5)).
fn look_up(here: SocketAddr, peer: SocketAddr) -> io::Result<Waiting> {
    let table = if here.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let text = fs::read_to_string(table)?;
    let (here, peer) = (here.port(), peer.port());
    let mut waiting = Waiting::default();
    for row in text.lines().skip(1).filter_map(Row::parse) {
        if (row.local, row.remote) == (here, peer) {
            waiting.unacknowledged += row.unacknowledged;
        }
        if (row.local, row.remote) == (peer, here) {
            waiting.unread += row.unread;
        }
    }
    Ok(waiting)
}

/// One end of a connection.
struct Row {
    local: u16,
    remote: u16,
    unacknowledged: u32,
    unread: u32,
}

impl Row {
    /// `sl local_address rem_address st tx_queue:rx_queue …`, all in hexadecimal.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().skip(1);
        let mut port = || u16::from_str_radix(words.next()?.rsplit_once(':')?.1, 16).ok();
        let (local, remote) = (port()?, port()?);
        let (sent, received) = words.nth(1)?.split_once(':')?;
        let count = |text| u32::from_str_radix(text, 16).ok();
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

    /// Two ends of a connection between these loopback addresses, and what waits between them, asked in both ways.
    fn follow(address: &str) {
        let listener = TcpListener::bind((address, 0)).expect("a listener");
        let mut client = TcpStream::connect(listener.local_addr().expect("its address")).expect("a client");
        let (mut server, peer) = listener.accept().expect("a connection");
        let here = server.local_addr().expect("its address");
        for ask in [|a, b| Ok(ask(a, b)?), look_up] as [fn(_, _) -> io::Result<Waiting>; 2] {
            let waiting = || ask(here, peer).expect("the kernel answers");
            assert_eq!(waiting().unread, 0, "nothing was sent yet");
            server.write_all(b"two").expect("room for three bytes");
            assert_eq!(waiting().unread, 3, "three bytes wait");
            client.read_exact(&mut [0; 2]).expect("two bytes");
            assert_eq!(waiting().unread, 1, "one byte waits");
            client.read_exact(&mut [0; 1]).expect("one byte");
            let began = Instant::now();
            while waiting() != Waiting::default() {
                assert!(began.elapsed() < Duration::from_secs(60), "all was read");
            }
        }
        drop(client);
        let began = Instant::now();
        while !is_complete(here, peer).expect("the kernel answers") {
            assert!(began.elapsed() < Duration::from_secs(60), "nobody will read any more");
        }
    }

    #[test]
    fn what_was_sent_is_complete_once_it_was_read() {
        follow("127.0.0.1");
    }

    #[test]
    fn the_same_holds_for_ipv6() {
        if TcpListener::bind("[::1]:0").is_ok() {
            follow("::1");
        } else {
            eprintln!("SKIPPED: this machine has no ::1");
        }
    }
}

//! Given: waits until a socket can be read or written, or until time is up.
//!
//! A socket that is set to non-blocking answers `WouldBlock` where it would have waited. This is the waiting,
//! in one place for every reason to wait, so that one deadline can bound it. It is the one thing that std
//! does not offer. Without it there are read and write timeouts, which wait for one of the two: a client
//! that is stuck in sending does not see that it has been answered.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Bytes, or the end of the stream, or an error.
    Read,
    /// That, or room for bytes to be sent, whichever comes first.
    ReadOrWrite,
}

/// What can be done without waiting. Nothing, if time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// A read gives bytes, the end, or the error that ended the connection.
    pub readable: bool,
    /// A write takes at least one byte, or gives that error.
    pub writable: bool,
}

/// Waits for `interest` in the socket, for `time` at most. A signal may end it early, with nothing ready.
#[expect(unsafe_code, reason = "poll is a system call that std does not wrap")]
pub fn wait(socket: &TcpStream, interest: Interest, time: Duration) -> io::Result<Ready> {
    let events = match interest {
        Interest::Read => libc::POLLIN,
        Interest::ReadOrWrite => libc::POLLIN | libc::POLLOUT,
    };
    let mut entry = libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 };
    // Rounded up: a wait of 0 ms would spin through the last millisecond.
    let time_ms = time.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(libc::c_int::MAX);
    // SAFETY: `entry` is one pollfd, as the count says, and outlives the call; `socket` keeps the descriptor open.
    let count = unsafe { libc::poll(&raw mut entry, 1, time_ms) };
    if count < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
        entry.revents = 0;
    }
    // POLLERR and POLLHUP come unasked: whoever reads or writes next is told what happened.
    let ended = libc::POLLERR | libc::POLLHUP;
    Ok(Ready {
        readable: entry.revents & (libc::POLLIN | ended) != 0,
        writable: entry.revents & (libc::POLLOUT | ended) != 0,
    })
}

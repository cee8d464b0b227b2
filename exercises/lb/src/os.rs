//! Given: three requests to the system for which std and mio have no words.
//!
//! Each is a system call or two, and all that is `unsafe` in this crate. What a signal handler may do is
//! little (signal-safety(7)): it must not allocate, lock or print. `write` it may call, so it writes a byte
//! to a socket, and the event loop hears of the signal as it hears of everything else: the *self-pipe trick*.

#![expect(unsafe_code, reason = "signals, limits and the backlog are system calls that std does not wrap")]

use std::io;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::sync::atomic::{AtomicI32, Ordering};

use mio::net::UnixStream;

/// The handler's end of the socket pair; none before there is one. It stays open as long as the program.
static SIGTERM_SOCKET: AtomicI32 = AtomicI32::new(-1);

extern "C" fn tell_of_sigterm(_signal: libc::c_int) {
    let socket = SIGTERM_SOCKET.load(Ordering::Relaxed);
    // SAFETY: the byte outlives the call, the socket is never closed, and `write` may be called by a handler.
    // It does not block; if it fails, the socket is full, which tells of the signal just as well.
    unsafe { libc::write(socket, [0u8].as_ptr().cast(), 1) };
}

/// A socket that becomes readable when SIGTERM arrives. The signal no longer ends the program.
pub fn on_sigterm() -> io::Result<UnixStream> {
    let (ours, handlers) = UnixStream::pair()?;
    SIGTERM_SOCKET.store(handlers.into_raw_fd(), Ordering::Relaxed);
    let handler = tell_of_sigterm as extern "C" fn(libc::c_int);
    // SAFETY: the handler has the type that a handler has, and does only what one may do.
    let before = unsafe { libc::signal(libc::SIGTERM, handler as libc::sighandler_t) };
    if before == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(ours) }
}

/// Raises the number of descriptors that this process may have as far as it is allowed to; gives that number.
pub fn raise_descriptor_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is an rlimit that the call may write.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return 1024;
    }
    let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
    // SAFETY: `raised` is an rlimit, which the call only reads.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0 {
        limit = raised;
    }
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

/// Lets `clients` wait in the queue of a listening socket; mio makes it 128 long, which is a burst of clients
/// at most. What the system allows (`net.core.somaxconn`) is the limit.
pub fn set_backlog(listener: &impl AsRawFd, clients: i32) -> io::Result<()> {
    // SAFETY: `listen` takes two numbers. On a socket that listens it changes the length of its queue.
    if unsafe { libc::listen(listener.as_raw_fd(), clients) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

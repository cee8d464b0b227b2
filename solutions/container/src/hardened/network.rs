//! A network of its own is born with one interface, `lo`, and that is down.
//!
//! A network namespace divides more than wires: *abstract* Unix sockets, which have a name and no file,
//! belong to one too. They are how a container reaches the host's desktop or an agent that believes that who
//! can connect may ask.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

/// Brings up `lo`, in the calling process's network namespace. The kernel gives it 127.0.0.1 by itself.
pub fn raise_loopback() -> nix::Result<()> {
    // SAFETY: it takes three numbers.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    Errno::result(socket)?;
    // SAFETY: it was opened a moment ago, and nobody else knows it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let mut name = [0; libc::IFNAMSIZ];
    name[..2].copy_from_slice(&[b'l' as libc::c_char, b'o' as libc::c_char]);
    let flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    let request =
        libc::ifreq { ifr_name: name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags } };
    // SAFETY: this request reads an `ifreq`, its name and its flags, which are set.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    Errno::result(result).map(drop)
}

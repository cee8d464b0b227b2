//! What else makes a kernel a machine: a name, the loopback, descriptors to open, swap.

use std::{
    ffi::CString,
    io,
    net::{Ipv4Addr, UdpSocket},
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::Path,
};

use nix::{
    errno::Errno,
    sys::resource::{Resource, setrlimit},
    unistd::sethostname,
};

use super::step;

/// As many descriptors as systemd lets a process ask for.
const OPEN_FILES: u64 = 524_288;

/// Names the guest, so that nobody mistakes it for the machine outside.
pub(super) fn name_itself() -> io::Result<()> {
    sethostname("lab").map_err(io::Error::from).map_err(step("cannot set the hostname"))
}

/// Brings the loopback up (netdevice(7)), which gives it its address as well.
pub(super) fn loopback_up() -> io::Result<()> {
    let cannot = || step("cannot bring the loopback up");
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(cannot())?;
    // SAFETY: every field of ifreq is an integer or an array of them, for which zeros are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads one ifreq, which lives across the call.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    Errno::result(done).map(drop).map_err(io::Error::from).map_err(cannot())
}

/// Lets processes ask for as many descriptors as elsewhere: a kernel's first process may ask for 4,096.
pub(super) fn allow_open_files() -> io::Result<()> {
    let allowed = setrlimit(Resource::RLIMIT_NOFILE, 1024, OPEN_FILES);
    allowed.map_err(io::Error::from).map_err(step("cannot raise the limit of open files"))
}

/// Swaps to a device: where memory is capped and swap is not, what goes over the cap survives, as it does outside.
pub(super) fn swap_to(device: &Path) -> io::Result<()> {
    let cannot = || step(format!("cannot swap to {}", device.display()));
    let path = CString::new(device.as_os_str().as_bytes()).map_err(io::Error::other)?;
    // SAFETY: swapon reads a string that ends with a zero, which lives across the call.
    let done = unsafe { libc::swapon(path.as_ptr(), 0) };
    Errno::result(done).map(drop).map_err(io::Error::from).map_err(cannot())
}

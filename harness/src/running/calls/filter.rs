//! The kernel's side of it: the filter, its listener, and how that gets from the child that makes it to the suite.
//!
//! The child tells the suite the listener's number, and waits; the suite takes a copy (pidfd_getfd(2)) and lets it go on.
//! By a socket: `sendto` and `recvfrom` are the two calls that a check cannot decide about, since they are needed
//! before anybody can answer; a pipe would take `write`, which checks ask for.

use std::{
    io, mem,
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use libc::{sock_filter, sock_fprog};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{Call, Held};

/// What a subject does to be supervised.
#[derive(Clone, Debug)]
pub(in crate::running) struct Ward(Arc<Prepared>);

#[derive(Debug)]
struct Prepared {
    program: Vec<sock_filter>,
    suite: UnixStream,
    held: Held,
}

impl Ward {
    /// For how long its calls were held.
    pub(in crate::running) fn held(&self) -> &Held {
        &self.0.held
    }

    /// Puts the filter in force, hands over its listener, and waits until the suite has it. Makes only system calls.
    pub(in crate::running) fn submit(&self) -> io::Result<()> {
        let listener = install(&self.0.program)?;
        let mut words = [0; 8];
        words[..4].copy_from_slice(&(std::process::id() as i32).to_ne_bytes());
        words[4..].copy_from_slice(&listener.as_raw_fd().to_ne_bytes());
        send(&self.0.suite, &words)?;
        receive(&self.0.suite, &mut [0])
    }
}

/// The suite's end, until there is a listener.
#[derive(Debug)]
pub(super) struct Listener {
    subject: UnixStream,
}

/// A filter that reports calls with these numbers, and how its listener is handed over.
pub(super) fn prepare(numbers: &[i64]) -> io::Result<(Ward, Listener)> {
    let (suite, subject) = UnixStream::pair()?;
    let prepared = Prepared { program: program(numbers), suite, held: Held::default() };
    Ok((Ward(Arc::new(prepared)), Listener { subject }))
}

impl Listener {
    /// Waits for the subject's filter, as long as anybody wants to know.
    pub(super) fn wait(self, is_over: &AtomicBool) -> io::Result<OwnedFd> {
        const ROUND_MS: u16 = 20;
        loop {
            let mut ready = [PollFd::new(self.subject.as_fd(), PollFlags::POLLIN)];
            if poll(&mut ready, PollTimeout::from(ROUND_MS)).is_ok_and(|count| count > 0) {
                break;
            }
            if is_over.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::NotFound.into());
            }
        }
        let mut words = [0; 8];
        receive(&self.subject, &mut words)?;
        let number = |bytes: &[u8]| bytes.try_into().map_or(-1, i32::from_ne_bytes);
        let listener = copy_of(number(&words[..4]), number(&words[4..]))?;
        send(&self.subject, b"!")?;
        Ok(listener)
    }
}

/// Sends a few bytes, which a socket takes at once. Makes one system call.
fn send(socket: &UnixStream, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads as many bytes as there are, which live until the call returns.
    let sent =
        unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
    if Errno::result(sent)? as usize == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Waits for a few bytes that were sent at once. Makes one system call.
fn receive(socket: &UnixStream, bytes: &mut [u8]) -> io::Result<()> {
    // SAFETY: the kernel writes at most as many bytes as there is room for, which lives until the call returns.
    let received =
        unsafe { libc::recv(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len(), libc::MSG_WAITALL) };
    if Errno::result(received)? as usize == bytes.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Another process's descriptor, as one of ours.
fn copy_of(pid: i32, descriptor: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers, and returns a new descriptor or -1.
    let process = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel just made this descriptor for us, so nobody else owns it.
    let process = unsafe { OwnedFd::from_raw_fd(process as i32) };
    // SAFETY: takes numbers, and returns a new descriptor or -1.
    let copy = unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), descriptor, 0) };
    let copy = Errno::result(copy)?;
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as i32) })
}

/// A call that was reported, and waits for its answer.
pub(super) struct Notice(libc::seccomp_notif);

impl Notice {
    /// The next one; none when whoever made it is gone.
    pub(super) fn receive(listener: &OwnedFd) -> io::Result<Option<Self>> {
        // SAFETY: a structure of numbers alone, for which zeros are what the kernel asks for.
        let mut notice: libc::seccomp_notif = unsafe { mem::zeroed() };
        // SAFETY: the kernel writes one structure of this type, which lives until the call returns.
        let result =
            unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut notice) };
        match Errno::result(result) {
            Ok(_) => Ok(Some(Self(notice))),
            Err(Errno::ENOENT | Errno::EINTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn call(&self) -> Call {
        Call { pid: self.0.pid as i32, number: self.0.data.nr.into(), args: self.0.data.args }
    }

    /// Has it done. It is not held any longer, so this is `false`.
    pub(super) fn go_on(&self, listener: &OwnedFd) -> bool {
        self.answer(listener, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32)
    }

    /// Has it fail. It is not held any longer, so this is `false`.
    pub(super) fn fail(&self, listener: &OwnedFd, errno: i32) -> bool {
        self.answer(listener, -errno, 0)
    }

    fn answer(&self, listener: &OwnedFd, error: i32, flags: u32) -> bool {
        let mut answer = libc::seccomp_notif_resp { id: self.0.id, val: 0, error, flags };
        // Whoever is gone meanwhile needs no answer.
        // SAFETY: the kernel reads one structure of this type, which lives until the call returns.
        unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer) };
        false
    }
}

/// The filter: calls with these numbers are reported, all others are done.
fn program(numbers: &[i64]) -> Vec<sock_filter> {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let instruction = |code, k, jt, jf| sock_filter { code, jt, jf, k };
    // The number is the first word of what a filter sees (struct seccomp_data).
    let mut program = vec![instruction(LOAD, 0, 0, 0)];
    for &number in numbers {
        program.push(instruction(IF_EQUAL, number as u32, 0, 1));
        program.push(instruction(RETURN, libc::SECCOMP_RET_USER_NOTIF, 0, 0));
    }
    program.push(instruction(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
    program
}

/// Puts a filter in force for this process, and all that it will start. Makes one system call.
fn install(program: &[sock_filter]) -> io::Result<OwnedFd> {
    let program = sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel reads the program, which lives until the call returns, and writes nothing.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    let listener = Errno::result(listener)?;
    // SAFETY: the kernel just made this descriptor for us, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(listener as i32) })
}

/// Starts a program with a filter that reports nothing, and takes its listener.
pub(super) fn try_out() -> io::Result<()> {
    let (ward, listener) = prepare(&[])?;
    let mut command = Command::new("true");
    // SAFETY: `submit` makes only system calls.
    unsafe { command.pre_exec(move || ward.submit()) };
    let is_over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&is_over);
    let taken = thread::spawn(move || listener.wait(&ends));
    let status = command.status();
    // Without a filter there is no listener to wait for.
    is_over.store(true, Ordering::SeqCst);
    let taken = taken.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
    status?;
    taken.map(drop)
}

//! Two pipes between the runtime and its child, each of which says more than its bytes.
//!
//! ```text
//!   gate     parent ── one byte ──► child      a byte: go on. An end, before or after: the parent has died
//!   report   parent ◄── 5 bytes ─── child      bytes: this step failed. An end without any: `exec` has closed it
//! ```
//!
//! The ends of a pipe close by themselves, when a process dies and, with O_CLOEXEC, when it becomes another
//! program. So both questions that a parent and a child have are answered by the end of a stream, and no
//! time-out is needed. For that nobody may hold an end who should not: each process drops those of the other.
//!
//! The wire of the report: the number of the step (1 byte), `errno` (4 bytes, the machine's order).

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::pipe2;

use crate::error::{Failure, Step};

/// Where the child waits.
#[derive(Debug)]
pub struct Gate {
    reader: File,
}

/// The parent's end of the gate.
#[derive(Debug)]
pub struct Opener {
    writer: File,
}

/// What the child reports a failure to.
#[derive(Debug)]
pub struct Reporter {
    writer: File,
}

/// The parent's end of the report.
#[derive(Debug)]
pub struct Listener {
    reader: File,
}

/// A gate that is shut.
pub fn gate() -> nix::Result<(Opener, Gate)> {
    let (reader, writer) = pipe()?;
    Ok((Opener { writer }, Gate { reader }))
}

/// A report that nothing was written to.
pub fn report() -> nix::Result<(Listener, Reporter)> {
    let (reader, writer) = pipe()?;
    Ok((Listener { reader }, Reporter { writer }))
}

fn pipe() -> nix::Result<(File, File)> {
    let (reader, writer): (OwnedFd, OwnedFd) = pipe2(OFlag::O_CLOEXEC)?;
    Ok((File::from(reader), File::from(writer)))
}

impl Opener {
    /// Lets the child go on. That it is gone already is for the report to say.
    ///
    /// The parent keeps this until the command runs: its end is how the child hears that the parent has died.
    pub fn open(&self) {
        let _ = (&self.writer).write_all(b"g");
    }
}

impl Gate {
    /// Waits for the parent; an error if that has died. It may have died with the byte already written, so
    /// that is not enough: nobody may be gone from the other end when it was read.
    pub fn wait(self) -> nix::Result<()> {
        let read = (&self.reader).read(&mut [0]);
        let read = read.map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
        let mut ends = [PollFd::new(self.reader.as_fd(), PollFlags::POLLIN)];
        poll(&mut ends, PollTimeout::ZERO)?;
        let has_gone = ends[0].revents().is_none_or(|seen| seen.contains(PollFlags::POLLHUP));
        if read == 1 && !has_gone { Ok(()) } else { Err(Errno::EPIPE) }
    }
}

impl Reporter {
    /// Tells the parent. If it is gone, there is nobody to tell.
    pub fn tell(self, failure: Failure) {
        let [a, b, c, d] = (failure.errno as i32).to_ne_bytes();
        let _ = (&self.writer).write_all(&[failure.step as u8, a, b, c, d]);
    }
}

impl Listener {
    /// Waits until the child has become the command (none), or has failed.
    pub fn failure(self) -> Option<Failure> {
        let mut wire = [0; 5];
        // Shorter means that it was killed before it had finished a step: its status will tell.
        (&self.reader).read_exact(&mut wire).ok()?;
        let [step, errno @ ..] = wire;
        Some(Failure { step: Step::numbered(step)?, errno: Errno::from_raw(i32::from_ne_bytes(errno)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_without_bytes_is_an_answer() {
        let (listener, reporter) = report().unwrap();
        drop(reporter);
        assert_eq!(listener.failure(), None);
        let (opener, gate) = super::gate().unwrap();
        drop(opener);
        assert_eq!(gate.wait(), Err(Errno::EPIPE));
    }

    #[test]
    fn who_opens_the_gate_and_dies_has_died() {
        let (opener, gate) = super::gate().unwrap();
        opener.open();
        drop(opener);
        assert_eq!(gate.wait(), Err(Errno::EPIPE));
        let (opener, gate) = super::gate().unwrap();
        opener.open();
        assert_eq!(gate.wait(), Ok(()));
        drop(opener);
    }

    #[test]
    fn a_failure_arrives_as_it_was() {
        let (listener, reporter) = report().unwrap();
        let failure = Failure { step: Step::Pivot, errno: Errno::EINVAL };
        reporter.tell(failure);
        assert_eq!(listener.failure(), Some(failure));
    }
}

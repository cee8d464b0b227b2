//! The one loop that moves bytes between suite and subject.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    os::fd::AsFd,
    time::Duration,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Process, autopsy, inbox::FLOOD_BYTES};
use crate::running::{Judged, halt::Halt, patience::Patience};

/// How often a wait looks up even if nothing happens, so that a limit or a starved subject is noticed.
const LOOK_UP: Duration = Duration::from_millis(200);

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pumped {
    /// What was waited for is there.
    Done,
    /// The subject has ended: nothing more will come.
    NoMore,
    /// Patience ran out.
    TimedOut,
}

impl Pumped {
    /// A timeout verdict if patience ran out.
    #[track_caller]
    pub(super) fn or_timeout(self, awaited: impl fmt::Display, allowance: Duration) -> Judged {
        if self == Self::TimedOut { Err(autopsy::timeout(&awaited.to_string(), allowance)) } else { Ok(()) }
    }
}

/// Moves bytes until `done`, until nothing more can come, or until patience runs out.
#[track_caller]
pub(super) fn pump(
    process: &mut Process,
    patience: &mut Patience,
    done: impl Fn(&Process) -> bool,
) -> Judged<Pumped> {
    loop {
        drain(process)?;
        if done(process) {
            return Ok(Pumped::Done);
        }
        if process.ended.is_some() {
            return Ok(Pumped::NoMore);
        }
        let left = patience.left();
        if left.is_zero() {
            return Ok(Pumped::TimedOut);
        }
        wait_for_change(process, left.min(LOOK_UP))?;
    }
}

/// Sleeps until a pipe is ready, the subject ends, or `timeout` passes.
fn wait_for_change(process: &Process, timeout: Duration) -> Judged {
    let mut watched = vec![PollFd::new(process.pidfd.as_fd(), PollFlags::POLLIN)];
    for pipe in [&process.stdout, &process.stderr].into_iter().flatten() {
        watched.push(PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
    }
    if let Some(pipe) = &process.stdin
        && !process.outbox.is_empty()
    {
        watched.push(PollFd::new(pipe.as_fd(), PollFlags::POLLOUT));
    }
    let timeout = PollTimeout::try_from(timeout.as_millis().max(1)).unwrap_or(PollTimeout::MAX);
    match poll(&mut watched, timeout) {
        Ok(_) | Err(nix::Error::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Moves what can be moved without waiting, in an order that loses nothing: the end is looked for first, so that
/// whatever was written before it is read after it.
#[track_caller]
pub(super) fn drain(process: &mut Process) -> Judged {
    if process.ended.is_none() {
        process.ended = process.peek_at_end()?;
    }
    write_out(process);
    let mut bytes = Vec::new();
    read_in(&mut process.stdout, &mut bytes);
    process.inbox.push(&bytes);
    bytes.clear();
    read_in(&mut process.stderr, &mut bytes);
    process.errors.push(&bytes);
    if process.inbox.is_flooded() {
        let flood = format!("more than {} MiB of output that nobody asked for", FLOOD_BYTES >> 20);
        return Err(autopsy::limit(flood));
    }
    Ok(())
}

/// Writes as much of the outbox as the pipe takes. A subject that closed its stdin shows by its missing reply.
fn write_out(process: &mut Process) {
    let Some(mut pipe) = process.stdin.as_ref() else { return };
    let mut sent = 0;
    while sent < process.outbox.len() {
        match pipe.write(&process.outbox[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(_) => {
                process.stdin = None;
                process.outbox.clear();
                return;
            }
        }
    }
    process.outbox.drain(..sent);
    if process.input_ends && process.outbox.is_empty() {
        process.stdin = None;
    }
}

/// Reads what a pipe holds, a bounded part at a time so that a flood cannot keep us here, and drops it at its end.
fn read_in(pipe: &mut Option<File>, bytes: &mut Vec<u8>) {
    const CHUNK: usize = 64 << 10;
    const CHUNKS: usize = 64;
    let Some(file) = pipe else { return };
    let mut chunk = [0; CHUNK];
    for _ in 0..CHUNKS {
        match file.read(&mut chunk) {
            Ok(0) => {
                *pipe = None;
                return;
            }
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// After the process group was killed: whether nobody holds the pipes any more.
pub(super) fn pipes_are_closed(process: &mut Process) -> bool {
    let mut discarded = Vec::new();
    // A closed pipe answers every read with its end, at once; a held one would block, which O_NONBLOCK turns to None.
    for pipe in [&mut process.stdout, &mut process.stderr] {
        while pipe.is_some() {
            let before = discarded.len();
            read_in(pipe, &mut discarded);
            if pipe.is_some() && discarded.len() == before {
                return false;
            }
            discarded.clear();
        }
    }
    true
}

impl Halt {
    /// Adds what the subject last said on stderr.
    pub(super) fn with_stderr(mut self: Box<Self>, lines: Vec<String>) -> Box<Self> {
        self.evidence.stderr = lines;
        self
    }
}

//! Half a write, done on behalf of a subject that is about to be killed.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
};

use nix::unistd::Pid;

use super::change::{self, Call};
use crate::running::{Halt, Judged};

/// Puts the first half of a write's bytes where the write would have put them.
pub(super) fn write_half(pid: Pid, call: &Call) -> Judged {
    let [descriptor, buffer, count, offset, ..] = call.args;
    let half = (count / 2) as usize;
    let path = format!("/proc/{pid}/fd/{}", descriptor as i32);
    let bytes = change::memory(pid, buffer, half).filter(|bytes| bytes.len() == half);
    let bytes = bytes.ok_or_else(|| Halt::fault("cannot read a traced subject's memory"))?;
    let file = OpenOptions::new().write(true).open(&path)?;
    let at = match call.number {
        libc::SYS_pwrite64 => offset,
        _ => position(pid, descriptor as i32, file.metadata()?.len())?,
    };
    Ok(file.write_all_at(&bytes, at)?)
}

/// Where the next write to a descriptor goes: its position, or the end of the file if it appends.
fn position(pid: Pid, descriptor: i32, end: u64) -> Judged<u64> {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}"))?;
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let flags = field("flags:").and_then(|flags| i32::from_str_radix(flags, 8).ok());
    let position = field("pos:").and_then(|position| position.parse().ok());
    match (flags, position) {
        (Some(flags), _) if flags & libc::O_APPEND != 0 => Ok(end),
        (_, Some(position)) => Ok(position),
        _ => Err(Halt::fault(format!("cannot make sense of fdinfo: {info}"))),
    }
}

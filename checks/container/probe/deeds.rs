//! What an ordinary program does: forks, signals, memory.

use std::{
    io,
    sync::atomic::{AtomicI64, Ordering},
};

use crate::{answer::Answer, sys};

/// What lasts from one line of input to the next.
#[derive(Default)]
pub(crate) struct State {
    /// The status that it ends with.
    pub(crate) status: i32,
    /// Memory that is held.
    held: Vec<Vec<u8>>,
}

/// How often each signal was caught.
static CAUGHT: [AtomicI64; 65] = [const { AtomicI64::new(0) }; 65];

/// A child that ends at once: the pid that it had, as its parent saw it.
pub(crate) fn fork_once() -> io::Result<Answer> {
    let pid = sys::child(|| 0)?;
    sys::wait_for(pid)?;
    Ok(Answer::Number(pid.into()))
}

/// Sends a signal.
pub(crate) fn kill(pid: i64, signal: i64) -> io::Result<Answer> {
    Ok(Answer::Number(sys::kill(pid as i32, signal as i32)?))
}

/// A child that has ended with this status, and that nobody has waited for.
pub(crate) fn leave(status: i64) -> io::Result<Answer> {
    let (mut told, teller) = io::pipe()?;
    let pid = sys::child(|| status as i32)?;
    drop(teller);
    // The end of the pipe: the child's copy is closed when it is gone.
    io::Read::read(&mut told, &mut [0])?;
    Ok(Answer::Number(pid.into()))
}

/// Leaves a process that stays: of another session, an orphan, with all that it was given open. It has begun when this
/// returns.
pub(crate) fn stay() -> io::Result<Answer> {
    let between = sys::child(|| {
        sys::new_session();
        let orphan = sys::child(|| {
            loop {
                sys::pause();
            }
        });
        i32::from(orphan.is_err())
    })?;
    Ok(Answer::Number(sys::wait_for(between)?.into()))
}

/// Takes so many bytes more, and touches each page of them.
pub(crate) fn eat(bytes: i64, state: &mut State) -> io::Result<Answer> {
    state.held.push(touched(bytes));
    Ok(Answer::Number(bytes))
}

/// The same in a child, which holds them until it is killed: that it has them, or the signal that it died of.
pub(crate) fn eat_apart(bytes: i64) -> io::Result<Answer> {
    let (mut told, teller) = io::pipe()?;
    let pid = sys::child(|| {
        let held = touched(bytes);
        let told = io::Write::write_all(&mut &teller, b"!");
        while told.is_ok() && !held.is_empty() {
            sys::pause();
        }
        1
    })?;
    drop(teller);
    let mut byte = [0];
    // No byte but an end: it died before it had them all.
    if io::Read::read(&mut told, &mut byte)? == 1 {
        return Ok(Answer::object([("pid", Answer::Number(pid.into()))]));
    }
    let status = sys::wait_for(pid)?;
    Ok(Answer::object([("died-of", Answer::Number((status & 0x7f).into()))]))
}

/// Memory that is there and not only promised; no two pages are alike, so that nothing can merge them.
fn touched(bytes: i64) -> Vec<u8> {
    const PAGE: usize = 4096;
    let mut held = vec![0_u8; bytes as usize];
    for (number, page) in held.chunks_mut(PAGE).enumerate() {
        let (mark, length) = ((number as u64 + 1).to_le_bytes(), page.len().min(8));
        page[..length].copy_from_slice(&mark[..length]);
    }
    std::hint::black_box(held)
}

/// Waits for any child that ends.
pub(crate) fn reap() -> io::Result<Answer> {
    Ok(Answer::Number(sys::wait_for(-1)?.into()))
}

/// Counts a signal from now on.
pub(crate) fn catch(signal: i64) -> io::Result<Answer> {
    extern "C" fn count(signal: i32) {
        CAUGHT[signal as usize].fetch_add(1, Ordering::SeqCst);
    }
    sys::handle(signal as i32, count)?;
    Ok(Answer::Nothing)
}

/// How often each signal was caught, of those that were.
pub(crate) fn caught() -> Answer {
    let counts = CAUGHT.iter().enumerate().map(|(number, count)| (number, count.load(Ordering::SeqCst)));
    let counts = counts.filter(|&(_, count)| count > 0);
    Answer::Object(counts.map(|(number, count)| (number.to_string(), Answer::Number(count))).collect())
}

/// Sets the name of its machine.
pub(crate) fn rename(name: &str) -> io::Result<Answer> {
    Ok(Answer::Number(sys::set_hostname(name)?))
}

/// Mounts an empty file system on a folder.
pub(crate) fn mount_tmpfs(path: &str) -> io::Result<Answer> {
    Ok(Answer::Number(sys::mount_tmpfs(path)?))
}

/// Unmounts what is at a path.
pub(crate) fn unmount(path: &str) -> io::Result<Answer> {
    Ok(Answer::Number(sys::unmount(path)?))
}

/// Dies of a signal: of a real fault where it is one of those, since a pid 1 is immune to what it sends to itself.
pub(crate) fn die_of(signal: i32) -> ! {
    if signal == sys::SIGSEGV {
        sys::reset(signal);
        // SAFETY: not safe, and meant to be: nothing is mapped at the lowest page.
        unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
    }
    sys::reset(signal);
    let _ = sys::kill(sys::pid(), signal);
    // It is still there: the kernel protects it.
    std::process::exit(96);
}

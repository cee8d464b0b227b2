//! One processor for a check and its subject, where processor time is compared. On two of them, one falls asleep between
//! messages and has to be woken for each, which makes a short exchange ten times as dear; and the kernel moves processes
//! from one to the other in the middle of a run.

use std::io;

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// The calling thread, and what it starts meanwhile, on one processor for as long as this lives.
#[derive(Debug)]
pub struct OneProcessor {
    usual: CpuSet,
}

/// What the system calls the calling thread.
const SELF: Pid = Pid::from_raw(0);

impl OneProcessor {
    /// Takes one of those that the thread may use.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn take() -> io::Result<Self> {
        let usual = sched_getaffinity(SELF)?;
        let first = (0..CpuSet::count()).find(|&processor| usual.is_set(processor) == Ok(true));
        let mut one = CpuSet::new();
        one.set(first.ok_or(io::ErrorKind::NotFound)?)?;
        sched_setaffinity(SELF, &one)?;
        Ok(Self { usual })
    }
}

impl Drop for OneProcessor {
    fn drop(&mut self) {
        let _ = sched_setaffinity(SELF, &self.usual);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_has_its_processors_back() {
        let before = sched_getaffinity(SELF).expect("a thread has processors");
        let one = OneProcessor::take().expect("one of them can be taken");
        let during = sched_getaffinity(SELF).expect("a thread has processors");
        let count = (0..CpuSet::count()).filter(|&processor| during.is_set(processor) == Ok(true)).count();
        assert_eq!(count, 1, "it has one meanwhile");
        drop(one);
        assert_eq!(sched_getaffinity(SELF), Ok(before), "and all of them again");
    }
}

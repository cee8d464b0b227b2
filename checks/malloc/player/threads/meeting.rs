//! Where all threads stand still while one of them measures.
//!
//! ```text
//!   writable memory    before loading │ the library, loaded │ stacks of the threads │ what the library took since
//!                                       └──────── footprint ┘                         └──────── footprint ┘
//! ```
//!
//! Stacks are there before the first call, and the player's own memory was there before the library: neither counts.

use std::{
    io,
    sync::{
        Barrier, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use crate::{
    footprint::Footprint,
    kernel,
    play::Stage,
    seen::Seen,
    wire::{hand_over, seen},
};

/// How many moments there are.
pub(super) const MOMENTS: usize = hand_over::END + 1;

/// A place for a number of threads.
pub(super) struct Meeting<'a> {
    barrier: Barrier,
    /// Held by the thread whose steps are measured.
    turn: Mutex<()>,
    footprint: Footprint,
    seen: Seen<'a>,
    /// What the library took while it was loaded.
    at_load: usize,
    /// Writable memory that is not the library's; known from the first meeting on.
    others: AtomicUsize,
}

impl<'a> Meeting<'a> {
    /// Before any thread is started.
    pub(super) fn new(stage: &Stage, threads: usize, seen: Seen<'a>) -> io::Result<Self> {
        let footprint = Footprint::open()?;
        let at_load = footprint.writable().saturating_sub(stage.before_loading);
        seen.set(seen::FOOTPRINT, at_load as u64);
        let (barrier, turn) = (Barrier::new(threads), Mutex::new(()));
        Ok(Self { barrier, turn, footprint, seen, at_load, others: AtomicUsize::new(0) })
    }

    /// All threads are there, and none has called the library.
    pub(super) fn begin(&self) {
        self.stand_still(|| {
            self.others.store(self.footprint.writable().saturating_sub(self.at_load), Relaxed);
        });
    }

    /// Takes down what the footprint is at this moment.
    pub(super) fn meet(&self, moment: usize) {
        self.stand_still(|| {
            let footprint = self.footprint() as u64;
            self.seen.record(moment, 1, footprint);
            self.seen.record(moment, 2, kernel::growth_calls());
            let peak = self.seen.get(seen::PEAK_FOOTPRINT).max(footprint);
            self.seen.set(seen::PEAK_FOOTPRINT, peak);
        });
    }

    /// Waits until no other thread is measured.
    pub(super) fn turn(&self) -> Turn<'_> {
        let guard = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        Turn { meeting: self, before: self.footprint(), _guard: guard }
    }

    fn stand_still(&self, measure: impl FnOnce()) {
        if self.barrier.wait().is_leader() {
            measure();
        }
        self.barrier.wait();
    }

    fn footprint(&self) -> usize {
        self.footprint.writable().saturating_sub(self.others.load(Relaxed))
    }
}

/// The time in which one thread alone calls the library.
pub(super) struct Turn<'a> {
    meeting: &'a Meeting<'a>,
    before: usize,
    _guard: MutexGuard<'a, ()>,
}

impl Turn<'_> {
    /// Takes down by how much the footprint grew since the last step.
    pub(super) fn step(&mut self) {
        let (footprint, seen) = (self.meeting.footprint(), self.meeting.seen);
        let step = footprint.saturating_sub(self.before) as u64;
        seen.set(seen::LARGEST_STEP, seen.get(seen::LARGEST_STEP).max(step));
        self.before = footprint;
    }
}

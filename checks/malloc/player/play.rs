//! Plays a trace: operation by operation, with what is measured after each.
//!
//! ```text
//!   slots   what each variable of the trace holds           live   the same blocks in address order
//!   gaps    what somebody else put beyond the break
//! ```
//!
//! The first finding ends the trace. [`calls`] has the operations, [`looks`] what is looked at around them, [`unwatched`]
//! the way to play when nothing is, for the time it takes.

mod calls;
mod looks;
mod unwatched;

use std::{io, mem};

use crate::{
    borrowed,
    finding::Finding,
    footprint::Footprint,
    kernel,
    library::Library,
    live::Live,
    maps::Maps,
    pattern::{Fill, Pattern},
    seen::Seen,
    wire::{RECORD_WORDS, TRACE_WORDS, end, seen, watch},
};

/// With [`watch::SELDOM_FOOTPRINT`] it is read once in so many operations, and when a growth call was made.
const SELDOM: usize = 100;

/// What is the same for all traces of a player.
pub(crate) struct Stage {
    pub(crate) library: Library,
    pub(crate) maps: Maps,
    pub(crate) pattern: Pattern,
    /// Writable memory before the library was loaded.
    pub(crate) before_loading: usize,
}

/// What a slot holds. Address 0 is null.
#[derive(Clone, Copy)]
struct Block {
    address: usize,
    size: usize,
    fill: Fill,
}

const NULL: Block = Block { address: 0, size: 0, fill: Fill::Table(0) };

/// A trace while it is played.
pub(crate) struct Play<'a> {
    stage: &'a Stage,
    seen: Seen<'a>,
    trace: &'a [u64],
    slots: Vec<Block>,
    live: Live,
    gaps: Vec<Block>,
    gap_bytes: usize,
    /// The operation that is being played.
    operation: usize,
    watches_neighbours: bool,
    measures: Measures,
    /// As it was before the trace.
    address_space_limit: libc::rlimit,
}

/// What is measured after each operation.
struct Measures {
    footprint: Footprint,
    /// Operations until the footprint is read whatever happens.
    every: usize,
    until_read: usize,
    last: usize,
    peak: usize,
    largest_step: usize,
    growth_calls: u64,
    borrowed: u64,
}

impl<'a> Play<'a> {
    /// Makes ready in the child.
    pub(crate) fn new(stage: &'a Stage, trace: &'a [u64], seen: Seen<'a>) -> io::Result<Self> {
        let is_set = |bit: u64| trace[3] & bit != 0;
        if is_set(watch::GUARD_PAGES) {
            kernel::guard_pages();
        }
        let mut address_space_limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `address_space_limit` is this function's own.
        unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut address_space_limit) };
        let every = if is_set(watch::SELDOM_FOOTPRINT) { SELDOM } else { 1 };
        Ok(Self {
            stage,
            seen,
            trace,
            slots: vec![NULL; trace[2] as usize],
            live: Live::default(),
            gaps: Vec::new(),
            gap_bytes: 0,
            operation: 0,
            watches_neighbours: is_set(watch::NEIGHBOURS),
            measures: Measures {
                footprint: Footprint::open()?,
                every,
                until_read: every,
                last: 0,
                peak: 0,
                largest_step: 0,
                growth_calls: kernel::growth_calls(),
                borrowed: 0,
            },
            address_space_limit,
        })
    }

    /// Plays all operations, or up to the first finding.
    pub(crate) fn run(mut self) {
        self.measures.last = self.footprint();
        self.measures.peak = self.measures.last;
        self.seen.set(seen::FOOTPRINT, self.measures.last as u64);
        self.seen.set(seen::PEAK_FOOTPRINT, self.measures.last as u64);
        self.seen.set(seen::GROWTH_CALLS, self.measures.growth_calls);
        let is_watched = self.trace[3] & watch::NO_PATTERNS == 0;
        let before = cpu_nanos();
        let played = if is_watched { self.operations() } else { self.unwatched() };
        self.seen.set(seen::CPU_NANOS, cpu_nanos() - before);
        match played.and_then(|()| self.sweep()) {
            Ok(()) => {
                self.seen.end(end::COMPLETE);
            }
            Err(finding) => {
                finding.tell(self.seen);
            }
        }
    }

    fn operations(&mut self) -> Result<(), Finding> {
        let sweep_every = self.trace[4] as usize;
        let mut until_sweep = sweep_every;
        for operation in 0..self.trace[1] as usize {
            self.operation = operation;
            borrowed::at(operation as u64);
            let at = TRACE_WORDS + operation * RECORD_WORDS;
            let played = self.play(self.trace[at], self.trace[at + 1] as usize, self.trace[at + 2]);
            self.measure();
            played?;
            if sweep_every > 0 {
                until_sweep -= 1;
                if until_sweep == 0 {
                    until_sweep = sweep_every;
                    self.sweep()?;
                }
            }
            self.seen.set(seen::FINISHED, operation as u64 + 1);
        }
        Ok(())
    }

    /// Takes down what the operation cost.
    fn measure(&mut self) {
        let growth_calls = kernel::growth_calls();
        let grew = mem::replace(&mut self.measures.growth_calls, growth_calls) != growth_calls;
        self.measures.until_read -= 1;
        if grew || self.measures.until_read == 0 {
            self.measures.until_read = self.measures.every;
            let footprint = self.footprint();
            let before = mem::replace(&mut self.measures.last, footprint);
            if footprint > before && footprint - before > self.measures.largest_step {
                self.measures.largest_step = footprint - before;
                self.seen.set(seen::LARGEST_STEP, self.measures.largest_step as u64);
            }
            if footprint > self.measures.peak {
                self.measures.peak = footprint;
                self.seen.set(seen::PEAK_FOOTPRINT, footprint as u64);
            }
            self.seen.set(seen::FAILED_CALLS, kernel::failed_calls());
            self.seen.set(seen::SHARED_CALLS, kernel::shared_calls());
        }
        let borrowed = borrowed::calls();
        if borrowed != self.measures.borrowed {
            self.measures.borrowed = borrowed;
            let (kind, operation) = borrowed::first();
            self.seen.set(seen::BORROWED, borrowed);
            self.seen.set(seen::BORROWED_FIRST, kind);
            self.seen.set(seen::BORROWED_AT, operation);
        }
        self.seen.record(self.operation, 1, self.measures.last as u64);
        self.seen.record(self.operation, 2, growth_calls);
    }

    /// Bytes made writable since just before the library was loaded, but for those of the gaps.
    fn footprint(&self) -> usize {
        let all = self.measures.footprint.writable();
        all.saturating_sub(self.stage.before_loading + self.gap_bytes)
    }
}

/// Processor time that this process has used.
pub(crate) fn cpu_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is this function's own.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

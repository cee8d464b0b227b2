//! Several threads at once: all of them at everything, or each in a role.
//!
//! ```text
//!   hammer      thread 0 ──┬─> mailbox of 1 ──> thread 1      a mailbox is a few parcels: whoever finds one empty fills
//!                          └─> mailbox of 2 ──> ...           it, its owner verifies what came, and keeps or frees it
//!
//!   hand over   producer 0 ──> bags ──> consumer 0            one allocates, the other frees: see [`pair`]
//! ```
//!
//! Blocks are filled to their last byte and verified before they go: what two threads were given at once does not stay
//! right. Nobody begins before all are there and nobody leaves before all are done, so that what libc does for a thread's
//! own sake falls outside of the time that is watched.

mod calls;
mod mailbox;
mod meeting;
mod pair;
mod worker;

use std::{
    sync::Barrier,
    thread::{self, Scope},
};

use calls::Calls;
use mailbox::Mailbox;
use meeting::Meeting;
use worker::Worker;

use crate::{
    play::Stage,
    seen::Seen,
    wire::{end, phase, seen},
};

/// Stack of a thread: the library's functions need little.
const STACK: usize = 256 << 10;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) threads: usize,
    pub(crate) work: Work,
    pub(crate) seed: u64,
}

/// What the threads do.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Each plays so many operations, and sends to all others.
    Hammer { operations: usize },
    /// Half of them allocate what the other half frees: so many bytes together, after a part more to warm up.
    HandOver { bytes: usize },
}

impl Plan {
    /// Records that it leaves of what was seen.
    pub(crate) fn records(self) -> usize {
        match self.work {
            Work::Hammer { .. } => 0,
            Work::HandOver { .. } => meeting::MOMENTS,
        }
    }
}

/// Plays `plan` to its end, or to the first finding of any thread.
pub(crate) fn run(stage: &Stage, plan: Plan, seen: Seen<'_>) {
    match plan.work {
        Work::Hammer { operations } => hammer(stage, plan, operations, seen),
        Work::HandOver { bytes } => hand_over(stage, plan, bytes, seen),
    }
    seen.set(seen::PHASE, phase::IDLE);
    seen.end(end::COMPLETE);
}

fn hammer(stage: &Stage, plan: Plan, operations: usize, seen: Seen<'_>) {
    let mailboxes: Vec<Mailbox> = (0..plan.threads).map(|_| Mailbox::default()).collect();
    let barrier = Barrier::new(plan.threads);
    thread::scope(|scope| {
        for index in 0..plan.threads {
            let worker = Worker::new(Calls::new(stage, seen, index), &mailboxes, plan.seed);
            let barrier = &barrier;
            start(scope, seen, move || worker.run(operations, barrier));
        }
    });
}

fn hand_over(stage: &Stage, plan: Plan, bytes: usize, seen: Seen<'_>) {
    let pairs = plan.threads.div_ceil(2);
    let meeting = match Meeting::new(stage, 2 * pairs, seen) {
        Ok(meeting) => meeting,
        Err(error) => panic!("cannot measure: {error}"),
    };
    let share = bytes / pairs;
    thread::scope(|scope| {
        for pair in 0..pairs {
            let calls = [pair, pairs + pair].map(|index| Calls::new(stage, seen, index));
            let (producer, consumer) = pair::new(calls, plan.seed);
            let meeting = &meeting;
            start(scope, seen, move || producer.run(share, meeting));
            start(scope, seen, move || consumer.run(share, meeting));
        }
    });
}

/// Starts a thread.
fn start<'scope>(scope: &'scope Scope<'scope, '_>, seen: Seen<'_>, work: impl FnOnce() + Send + 'scope) {
    // Of several threads, some one always is: last words know better.
    seen.set(seen::PHASE, phase::INSIDE);
    if let Err(error) = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work) {
        seen.set(seen::PHASE, phase::IDLE);
        panic!("cannot start a thread: {error}");
    }
}

//! Several threads at once, each with blocks of its own, and with blocks that come from and go to the others.
//!
//! ```text
//!   thread 0 ──┬─> mailbox of 1 ──> thread 1      a mailbox is a few parcels: whoever finds one empty fills it,
//!              └─> mailbox of 2 ──> ...           its owner verifies what came, and keeps or frees it
//! ```
//!
//! Blocks are filled to their last byte and verified before they go: what two threads were given at once does not stay
//! right. Nobody begins before all are there and nobody leaves before all are done, so that what libc does for a thread's
//! own sake falls outside of the time that is watched.

mod mailbox;
mod worker;

use std::{sync::Barrier, thread};

use mailbox::Mailbox;
use worker::Worker;

use crate::{
    play::Stage,
    seen::Seen,
    wire::{end, phase, seen},
};

/// Stack of a thread: the library's functions need little.
const STACK: usize = 256 << 10;

/// What is asked for: so many operations of each thread.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) threads: usize,
    pub(crate) operations: usize,
    pub(crate) seed: u64,
}

/// Plays `plan` to its end, or to the first finding of any thread.
pub(crate) fn run(stage: &Stage, plan: Plan, seen: Seen<'_>) {
    // Of several threads, some one always is: last words know better.
    seen.set(seen::PHASE, phase::INSIDE);
    let mailboxes: Vec<Mailbox> = (0..plan.threads).map(|_| Mailbox::default()).collect();
    let barrier = Barrier::new(plan.threads);
    thread::scope(|scope| {
        for index in 0..plan.threads {
            let worker = Worker::new(stage, seen, &mailboxes, index, plan.seed);
            let barrier = &barrier;
            let work = move || worker.run(plan.operations, barrier);
            let started = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
            if let Err(error) = started {
                seen.set(seen::PHASE, phase::IDLE);
                panic!("cannot start a thread: {error}");
            }
        }
    });
    seen.set(seen::PHASE, phase::IDLE);
    seen.end(end::COMPLETE);
}

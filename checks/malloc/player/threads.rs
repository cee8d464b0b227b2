//! Several threads at once: all of them at everything, or each in a role.
//!
//! ```text
//!   hammer      thread 0 ──┬─> mailbox of 1 ──> thread 1      a mailbox is a few parcels: whoever finds one empty fills
//!                          └─> mailbox of 2 ──> ...           it, its owner verifies what came, and keeps or frees it
//!
//!   hand over   producer 0 ──> bags ──> consumer 0            one allocates, the other frees: see [`pair`]
//!
//!   come and go   thread 0, thread 1, thread 2, …             one begins when the last has ended: see [`succession`]
//! ```
//!
//! Blocks are filled to their last byte and verified before they go: what two threads were given at once does not stay
//! right. Nobody begins before all are there and nobody leaves before all are done, so that what libc does for a thread's
//! own sake falls outside of the time that is watched.

mod calls;
mod mailbox;
mod meeting;
mod pair;
mod succession;
mod worker;

use std::{
    sync::Barrier,
    thread::{self, Scope, ScopedJoinHandle},
};

use calls::Calls;
use mailbox::Mailbox;
use meeting::Meeting;
use worker::Worker;

use crate::{
    play::Stage,
    seen::Seen,
    wire::{
        end,
        hand_over::{self, KINDS, Kind},
        phase, seen,
    },
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
    HandOver { kind: &'static Kind, bytes: usize },
    /// Each allocates, frees and ends before the next begins.
    ComeAndGo,
}

impl Work {
    /// Work that is asked for as `hand-over:` and the kind of the blocks.
    pub(crate) fn hand_over(word: &str, bytes: usize) -> Option<Self> {
        let name = word.strip_prefix("hand-over:")?;
        let kind = KINDS.iter().find(|kind| kind.name == name)?;
        Some(Self::HandOver { kind, bytes })
    }
}

impl Plan {
    /// Records that it leaves of what was seen.
    pub(crate) fn records(self) -> usize {
        match self.work {
            Work::Hammer { .. } => 0,
            Work::HandOver { .. } | Work::ComeAndGo => meeting::MOMENTS,
        }
    }
}

/// Plays `plan` to its end, or to the first finding of any thread.
pub(crate) fn run(stage: &Stage, plan: Plan, seen: Seen<'_>) {
    match plan.work {
        Work::Hammer { operations } => hammer(stage, plan, operations, seen),
        Work::HandOver { kind, bytes } => hand_over(stage, plan, kind, bytes, seen),
        Work::ComeAndGo => come_and_go(stage, plan, seen),
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

fn hand_over(stage: &Stage, plan: Plan, kind: &Kind, bytes: usize, seen: Seen<'_>) {
    let pairs = plan.threads.div_ceil(2);
    let meeting = meeting(stage, 2 * pairs, seen);
    let share = bytes / pairs;
    thread::scope(|scope| {
        for pair in 0..pairs {
            let calls = [pair, pairs + pair].map(|index| Calls::new(stage, seen, index));
            let (producer, consumer) = pair::new(calls, kind, plan.seed);
            let meeting = &meeting;
            start(scope, seen, move || producer.run(share, meeting));
            start(scope, seen, move || consumer.run(share, meeting));
        }
    });
}

fn come_and_go(stage: &Stage, plan: Plan, seen: Seen<'_>) {
    let meeting = meeting(stage, 1, seen);
    let mut succession = succession::new(Calls::new(stage, seen, 0), plan.seed);
    let alone = |work: &mut (dyn FnMut() + Send)| {
        // When the scope ends the thread is gone, with all that libc does at its end.
        thread::scope(|scope| {
            let thread = start(scope, seen, work);
            thread.join().unwrap_or_else(|_| panic!("a thread panicked"));
        });
    };
    // The first one's stack is kept by libc for the next.
    alone(&mut || {});
    meeting.begin();
    let mut turn = meeting.turn();
    for number in 0..plan.threads {
        alone(&mut || succession.next());
        turn.step();
        if number == 0 {
            meeting.meet(hand_over::FULL);
        } else if number == plan.threads / hand_over::WARM_UP {
            meeting.meet(hand_over::WARM);
        }
    }
    drop(turn);
    meeting.meet(hand_over::END);
    succession.tell_borrowed();
}

fn meeting<'a>(stage: &Stage, threads: usize, seen: Seen<'a>) -> Meeting<'a> {
    match Meeting::new(stage, threads, seen) {
        Ok(meeting) => meeting,
        Err(error) => panic!("cannot measure: {error}"),
    }
}

/// Starts a thread.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    seen: Seen<'_>,
    work: impl FnOnce() + Send + 'scope,
) -> ScopedJoinHandle<'scope, ()> {
    // Of several threads, some one always is: last words know better.
    seen.set(seen::PHASE, phase::INSIDE);
    thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap_or_else(|error| {
        seen.set(seen::PHASE, phase::IDLE);
        panic!("cannot start a thread: {error}");
    })
}

//! Two threads with roles: one allocates, fills and sends, the other receives, verifies and frees.
//!
//! ```text
//!   producer ──> full bags ───> consumer     a producer waits for an empty bag, a consumer for a full one: so much memory
//!       ▲                          │         is in use at most, however far one of them is held up
//!       └─────── empty bags <──────┘
//! ```
//!
//! First the producers fill all bags, one producer after the other, and nothing is freed: no more than that will ever be in
//! use again. Then both hand over the part that warms up, and then the whole; a thread's share is counted in bytes, and
//! ends with the same block for both.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::{
    calls::{Block, Calls},
    meeting::Meeting,
};
use crate::{
    finding::Finding,
    last_words,
    pattern::mix,
    wire::{
        hand_over::{self, Kind},
        seen,
    },
};

/// Bags of a pair: one for each to be busy with.
const BAGS: usize = 2;
/// Blocks on their way.
type Bag = Vec<Block>;

/// Allocates.
pub(super) struct Producer<'a> {
    calls: Calls<'a>,
    kind: &'a Kind,
    random: u64,
    empty: Receiver<Bag>,
    full: SyncSender<Bag>,
}

/// Frees.
pub(super) struct Consumer<'a> {
    calls: Calls<'a>,
    full: Receiver<Bag>,
    empty: SyncSender<Bag>,
}

/// A producer and its consumer. The bags are there before anything is measured.
pub(super) fn new<'a>(
    [one, other]: [Calls<'a>; 2],
    kind: &'a Kind,
    seed: u64,
) -> (Producer<'a>, Consumer<'a>) {
    let (send_full, full) = sync_channel(BAGS);
    let (send_empty, empty) = sync_channel(BAGS);
    for _ in 0..BAGS {
        // There is room, and the receiver is at hand; so it is with all bags.
        let _ = send_empty.send(Bag::with_capacity(bag(kind)));
    }
    let random = mix(seed ^ mix(one.index as u64));
    let producer = Producer { calls: one, kind, random, empty, full: send_full };
    (producer, Consumer { calls: other, full, empty: send_empty })
}

/// Blocks of a bag: of small ones so many that the two seldom wait for each other, on a busy machine too.
fn bag(kind: &Kind) -> usize {
    kind.in_use / BAGS
}

/// Up to which bytes a thread with that share goes on before each of the last moments.
fn parts(share: usize) -> [(usize, usize); 2] {
    let warm_up = share / hand_over::WARM_UP;
    [(warm_up, hand_over::WARM), (warm_up + share, hand_over::END)]
}

impl Producer<'_> {
    /// Sends its share, and something more before.
    pub(super) fn run(mut self, share: usize, meeting: &Meeting<'_>) {
        last_words::prepare_thread();
        meeting.begin();
        let mut sent = 0;
        let mut turn = meeting.turn();
        while let Ok(bag) = self.empty.try_recv() {
            sent += self.send(bag, usize::MAX, || turn.step());
        }
        drop(turn);
        meeting.meet(hand_over::FULL);
        for (limit, moment) in parts(share) {
            while sent < limit
                && let Ok(bag) = self.empty.recv()
            {
                sent += self.send(bag, limit - sent, || {});
            }
            meeting.meet(moment);
        }
        self.calls.tell_borrowed();
    }

    /// Fills a bag, though not beyond so many bytes, and sends it; how many there are in it.
    fn send(&mut self, mut bag: Bag, limit: usize, mut after_each: impl FnMut()) -> usize {
        let mut bytes = 0;
        while bag.len() < self::bag(self.kind) && bytes < limit {
            let size = self.size();
            let block = self.calls.malloc(size);
            // A null is told, and travels too: both sides count alike.
            let block = self.calls.unless_found(block).unwrap_or(Block { address: 0, size, key: 0 });
            bag.push(block);
            bytes += size;
            self.calls.seen.add(seen::FINISHED, 1);
            after_each();
        }
        let _ = self.full.send(bag);
        bytes
    }

    fn size(&mut self) -> usize {
        self.random = self.random.wrapping_add(1);
        self.kind.size(mix(self.random))
    }
}

impl Consumer<'_> {
    /// Receives what the producer sends.
    pub(super) fn run(self, share: usize, meeting: &Meeting<'_>) {
        last_words::prepare_thread();
        meeting.begin();
        meeting.meet(hand_over::FULL);
        let mut received = 0;
        for (limit, moment) in parts(share) {
            while received < limit
                && let Ok(mut bag) = self.full.recv()
            {
                for block in bag.drain(..) {
                    received += block.size;
                    let freed = self.free(block);
                    self.calls.unless_found(freed);
                }
                let _ = self.empty.send(bag);
            }
            meeting.meet(moment);
        }
        self.calls.tell_borrowed();
    }

    fn free(&self, block: Block) -> Result<(), Finding> {
        if block.address != 0 {
            self.calls.free(block)?;
        }
        self.calls.seen.add(seen::FINISHED, 1);
        Ok(())
    }
}

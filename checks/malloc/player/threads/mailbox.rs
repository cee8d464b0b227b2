//! Where a thread leaves blocks for another, without a lock and without memory of its own.

use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use super::calls::Block;

/// Parcels of a mailbox.
const PARCELS: usize = 32;

/// The states of a parcel: nobody's, of one thread at work on it, the receiver's.
const EMPTY: usize = 0;
const BUSY: usize = 1;
const FULL: usize = 2;

/// Room for a block on its way.
#[derive(Default)]
struct Parcel {
    state: AtomicUsize,
    address: AtomicUsize,
    size: AtomicUsize,
    key: AtomicU64,
}

/// The blocks on their way to one thread.
#[derive(Default)]
pub(super) struct Mailbox {
    parcels: [Parcel; PARCELS],
}

impl Mailbox {
    /// Leaves a block here; whether there was room, tried at one place alone.
    pub(super) fn put(&self, attempt: u64, block: Block) -> bool {
        let parcel = &self.parcels[attempt as usize % PARCELS];
        let is_mine = parcel.state.compare_exchange(EMPTY, BUSY, Acquire, Relaxed).is_ok();
        if is_mine {
            parcel.address.store(block.address, Relaxed);
            parcel.size.store(block.size, Relaxed);
            parcel.key.store(block.key, Relaxed);
            parcel.state.store(FULL, Release);
        }
        is_mine
    }

    /// Takes a block out, looked for at one place alone.
    pub(super) fn take(&self, attempt: u64) -> Option<Block> {
        let parcel = &self.parcels[attempt as usize % PARCELS];
        parcel.state.compare_exchange(FULL, BUSY, Acquire, Relaxed).ok()?;
        let block = Block {
            address: parcel.address.load(Relaxed),
            size: parcel.size.load(Relaxed),
            key: parcel.key.load(Relaxed),
        };
        parcel.state.store(EMPTY, Release);
        Some(block)
    }

    /// Takes all that is there, when nobody sends any more.
    pub(super) fn take_all(&self) -> impl Iterator<Item = Block> + '_ {
        (0..PARCELS as u64).filter_map(|attempt| self.take(attempt))
    }
}

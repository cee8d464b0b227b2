//! Where blocks begin that were cut to be aligned: a table of fixed size, in memory of this library.
//!
//! Open addressing with linear probing. Removal closes the gap by moving later entries up, so that a search may stop at
//! the first empty place.

use std::{
    cell::UnsafeCell,
    ffi::c_void,
    hint,
    sync::atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};

/// Places of the table: a power of two. Programs have few blocks of this kind.
const PLACES: usize = 1 << 16;
/// Blocks at most: enough places stay empty for searches to be short.
const CUTS: usize = PLACES / 4 * 3;
/// Blocks that are not aligned to this are not in the table.
const LEAST_ALIGNMENT: usize = 32;

/// What lies below an aligned place.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// The subject's own block.
    pub(super) base: usize,
    /// Bytes that the program asked for.
    pub(super) size: usize,
}

/// Key 0 is an empty place.
type Table = [(usize, Cut); PLACES];

struct Locked(UnsafeCell<Table>);

// SAFETY: the table is touched inside `locked` alone, by one thread at a time.
unsafe impl Sync for Locked {}

static TABLE: Locked = Locked(UnsafeCell::new([(0, Cut { base: 0, size: 0 }); PLACES]));
static IS_LOCKED: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn locked<T>(work: impl FnOnce(&mut Table) -> T) -> T {
    while IS_LOCKED.swap(true, Acquire) {
        hint::spin_loop();
    }
    // SAFETY: whoever holds the lock is alone here.
    let result = work(unsafe { &mut *TABLE.0.get() });
    IS_LOCKED.store(false, Release);
    result
}

/// Whether it is worth looking: most programs have no such blocks at all.
fn may_be_there(place: *mut c_void) -> bool {
    COUNT.load(Relaxed) > 0 && !place.is_null() && place.addr().is_multiple_of(LEAST_ALIGNMENT)
}

fn home(key: usize) -> usize {
    (key / LEAST_ALIGNMENT).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - PLACES.trailing_zeros())
}

/// The index of `key`, or of the empty place where it belongs.
fn index_of(table: &Table, key: usize) -> usize {
    let mut index = home(key);
    while table[index].0 != 0 && table[index].0 != key {
        index = (index + 1) % PLACES;
    }
    index
}

/// Remembers a cut; whether there was room.
pub(super) fn insert(place: *mut c_void, cut: Cut) -> bool {
    locked(|table| {
        if COUNT.load(Relaxed) == CUTS {
            return false;
        }
        table[index_of(table, place.addr())] = (place.addr(), cut);
        COUNT.fetch_add(1, Relaxed);
        true
    })
}

/// The cut at this place.
pub(super) fn find(place: *mut c_void) -> Option<Cut> {
    if !may_be_there(place) {
        return None;
    }
    locked(|table| {
        let (key, cut) = table[index_of(table, place.addr())];
        (key != 0).then_some(cut)
    })
}

/// The cut at this place, which is then known no longer.
pub(super) fn remove(place: *mut c_void) -> Option<Cut> {
    if !may_be_there(place) {
        return None;
    }
    locked(|table| {
        let mut hole = index_of(table, place.addr());
        let (key, cut) = table[hole];
        if key == 0 {
            return None;
        }
        COUNT.fetch_sub(1, Relaxed);
        let mut index = hole;
        loop {
            index = (index + 1) % PLACES;
            let (key, _) = table[index];
            if key == 0 {
                break;
            }
            // An entry may move up into the hole unless it would come to stand before its home.
            let from_home = index.wrapping_sub(home(key)) % PLACES;
            let from_hole = index.wrapping_sub(hole) % PLACES;
            if from_home >= from_hole {
                table[hole] = table[index];
                hole = index;
            }
        }
        table[hole].0 = 0;
        Some(cut)
    })
}

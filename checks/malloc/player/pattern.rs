//! What blocks are filled with, and whether they still hold it.
//!
//! ```text
//!   table    t0 t1 t2 ... t4092 │ t0 t1 t2 ... t4092 │ ...         random bytes, none of them zero
//!   block          └ the fill begins at a place of the table that its key chooses, and goes on cyclically
//! ```
//!
//! The period is a prime: bytes that were moved by any multiple of a word or a page do not match. Filling and verifying
//! are a few long memcpy and memcmp, since this is the bulk of the work and compiled without optimisation.

use std::ffi::c_void;

/// Bytes until the table repeats itself.
const PERIOD: usize = 4093;
/// What one memcpy takes at most: whole periods, so that the place in the table stays.
const SPAN: usize = 8 * PERIOD;
/// Blocks above this size are touched at both ends alone: filling them would need as much real memory.
const TOO_LARGE: usize = 1 << 30;
/// Damaged bytes are counted in this many, from the first on.
const COUNTED: usize = 1 << 20;
/// Words of hostile fill until they repeat.
const HOSTILE_WORDS: usize = 16;

/// What a block was filled with. With the block's place and size then, that is all there is to know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The table, from a place that the key chooses.
    Table(u64),
    /// What a careless allocator would take for headers.
    Hostile(u64),
}

/// The first byte that is not as it should be, and how many there are.
#[derive(Clone, Copy)]
pub(crate) struct Damage {
    pub(crate) offset: usize,
    pub(crate) wanted: u8,
    pub(crate) found: u8,
    pub(crate) damaged: usize,
}

/// The table.
pub(crate) struct Pattern {
    table: Vec<u8>,
}

impl Pattern {
    pub(crate) fn new() -> Self {
        let mut table: Vec<u8> = (0..PERIOD as u64).map(|index| (mix(index) % 255) as u8 + 1).collect();
        for _ in 0..SPAN / PERIOD {
            table.extend_from_within(..PERIOD);
        }
        Self { table }
    }

    /// Fills the `size` bytes at `block`.
    ///
    /// # Safety
    /// They are the caller's to write, or not there at all: then this faults.
    pub(crate) unsafe fn fill(&self, block: usize, size: usize, fill: Fill) {
        let mut scratch = [0; HOSTILE_WORDS];
        for (start, length) in spans(size) {
            let source = self.source(block, size, fill, start, &mut scratch);
            let unit = match fill {
                Fill::Table(_) => length,
                Fill::Hostile(_) => length.min(size_of_val(&scratch)),
            };
            let target = (block + start) as *mut c_void;
            // SAFETY: the caller's promise; a source is at least a span, or a round of hostile words, long.
            unsafe { libc::memcpy(target, source, unit) };
            let mut done = unit;
            while done < length {
                let more = done.min(length - done);
                // SAFETY: as above; `done` bytes stand already, `more` of them are repeated behind them.
                unsafe { libc::memcpy(target.wrapping_byte_add(done), target, more) };
                done += more;
            }
        }
    }

    /// Whether the first `length` bytes at `block` are what the `size` bytes at `filled` were filled with.
    ///
    /// # Safety
    /// They are the caller's to read, or not there at all: then this faults.
    pub(crate) unsafe fn verify(
        &self,
        block: usize,
        length: usize,
        filled: (usize, usize, Fill),
    ) -> Result<(), Damage> {
        let (place, size, fill) = filled;
        let mut scratch = [0; HOSTILE_WORDS];
        for (start, length) in spans_of(size, length) {
            let source = self.source(place, size, fill, start, &mut scratch);
            let at = (block + start) as *const c_void;
            let unit = match fill {
                Fill::Table(_) => length,
                Fill::Hostile(_) => length.min(size_of_val(&scratch)),
            };
            // SAFETY: the caller's promise; a source is at least a span, or a round of hostile words, long.
            let mut differs = unsafe { libc::memcmp(at, source, unit) };
            if differs == 0 && length > unit {
                // Each byte equals the one a round before it, and the first round is right.
                // SAFETY: the caller's promise.
                differs = unsafe { libc::memcmp(at, at.wrapping_byte_add(unit), length - unit) };
            }
            if differs != 0 {
                let wanted = |index: usize| {
                    // SAFETY: within the source, which repeats after `unit` bytes.
                    unsafe { *source.cast::<u8>().wrapping_add(index % unit) }
                };
                // SAFETY: the caller's promise.
                return Err(unsafe { locate(block, start, length, wanted) });
            }
        }
        Ok(())
    }

    /// Where the bytes come from that belong at offset `start` of a block of `size` bytes at `place`.
    fn source(
        &self,
        place: usize,
        size: usize,
        fill: Fill,
        start: usize,
        scratch: &mut [usize; HOSTILE_WORDS],
    ) -> *const c_void {
        match fill {
            Fill::Table(key) => {
                // Spans are whole periods; only a block too large to fill begins elsewhere.
                let turn = (mix(key) as usize + start) % PERIOD;
                (&raw const self.table[turn]).cast()
            }
            Fill::Hostile(key) => {
                *scratch = hostile(place, size);
                scratch.rotate_left(key as usize % HOSTILE_WORDS);
                scratch.as_ptr().cast()
            }
        }
    }
}

/// Whether `size` bytes at `block` are zero.
///
/// # Safety
/// They are the caller's to read, or not there at all: then this faults.
pub(crate) unsafe fn verify_zero(block: usize, size: usize) -> Result<(), Damage> {
    for (start, length) in spans(size) {
        let at = (block + start) as *const c_void;
        // SAFETY: the caller's promise.
        let first = unsafe { *at.cast::<u8>() };
        // Each byte equals the one before it, and the first is zero.
        // SAFETY: the caller's promise.
        let rest = unsafe { libc::memcmp(at, at.wrapping_byte_add(1), length - 1) };
        if first != 0 || rest != 0 {
            // SAFETY: the caller's promise.
            return Err(unsafe { locate(block, start, length, |_| 0) });
        }
    }
    Ok(())
}

/// The damage in a span that is known to have some.
///
/// # Safety
/// As for [`Pattern::verify`].
unsafe fn locate(block: usize, start: usize, length: usize, wanted: impl Fn(usize) -> u8) -> Damage {
    let found = |index: usize| {
        // SAFETY: the caller's promise.
        unsafe { *((block + start + index) as *const u8) }
    };
    let is_damaged = |index: &usize| found(*index) != wanted(*index);
    let first = (0..length).find(is_damaged).unwrap_or(0);
    let damaged = (first..length).take(COUNTED).filter(is_damaged).count();
    Damage { offset: start + first, wanted: wanted(first), found: found(first), damaged }
}

/// What is filled and verified at once of a block: `(offset, length)`.
fn spans(size: usize) -> impl Iterator<Item = (usize, usize)> {
    spans_of(size, size)
}

/// As [`spans`], up to offset `length`.
fn spans_of(size: usize, length: usize) -> impl Iterator<Item = (usize, usize)> {
    let is_whole = size <= TOO_LARGE;
    let step = if is_whole { SPAN } else { size - 1 };
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= length {
            return None;
        }
        let span = (start, if is_whole { step.min(length - start) } else { 1 });
        start += step;
        Some(span)
    })
}

/// Words such as stand in headers and free lists: sizes with flags, the block's address, its neighbours'.
fn hostile(place: usize, size: usize) -> [usize; HOSTILE_WORDS] {
    let rounded = size.next_multiple_of(16);
    let behind = place.wrapping_add(rounded);
    [
        16 | 1,
        place.wrapping_sub(16),
        32,
        behind,
        4096,
        usize::MAX - 7,
        rounded | 1,
        behind.wrapping_add(16),
        32 | 1,
        place,
        0,
        rounded + 16,
        24 | 3,
        place.wrapping_add(16),
        usize::MAX,
        place.wrapping_sub(8),
    ]
}

/// SplitMix64's finaliser: neighbouring keys give unlike numbers.
pub(crate) fn mix(key: u64) -> u64 {
    let key = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One wrong byte anywhere is found, and nothing else is; whatever the fill and however long the block.
    #[test]
    fn a_damaged_byte_is_found_where_it_is() {
        let pattern = Pattern::new();
        for size in [1, 15, 16, 127, 128, 129, 4093, SPAN, SPAN + 1, 3 * SPAN + 77] {
            for fill in [Fill::Table(7), Fill::Hostile(7)] {
                let mut block = vec![0_u8; size];
                let place = block.as_mut_ptr().expose_provenance();
                // SAFETY: the block's own bytes.
                unsafe { pattern.fill(place, size, fill) };
                // SAFETY: as above.
                let verify = || unsafe { pattern.verify(place, size, (place, size, fill)) };
                assert!(verify().is_ok(), "{size} bytes are as they were filled");
                for at in [0, size / 2, size - 1] {
                    block[at] ^= 0x40;
                    let damage = verify().err().map(|damage| (damage.offset, damage.damaged));
                    assert_eq!(damage, Some((at, 1)), "a changed byte at {at} of {size}");
                    block[at] ^= 0x40;
                }
            }
        }
    }

    #[test]
    fn a_byte_that_is_not_zero_is_found_where_it_is() {
        for at in [0, 1, SPAN - 1, SPAN, SPAN + 5] {
            let mut block = vec![0_u8; SPAN + 6];
            let place = block.as_mut_ptr().expose_provenance();
            // SAFETY: the block's own bytes.
            assert!(unsafe { verify_zero(place, block.len()) }.is_ok(), "all bytes are zero");
            block[at] = 9;
            // SAFETY: as above.
            let damage = unsafe { verify_zero(place, block.len()) }.err();
            assert_eq!(damage.map(|damage| (damage.offset, damage.found)), Some((at, 9)), "a 9 at {at}");
        }
    }
}

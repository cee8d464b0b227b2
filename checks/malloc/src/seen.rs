//! What the player saw while it played a trace, as data. What to think of it is said in [`crate::rules`].

use std::ops::Range;

use crate::wire::{RECORD_WORDS, SEEN_WORDS, end, phase, seen};

/// All that was seen of one trace.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    words: Vec<u64>,
    /// What the library wrote to stderr.
    pub(crate) stderr: String,
}

/// What was seen of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// What it returned; 0 is null, and what an operation that returns nothing has.
    pub(crate) pointer: usize,
    /// Memory made writable by the library, in bytes, when it was done.
    pub(crate) footprint: usize,
    /// Requests for memory to the OS so far.
    pub(crate) growth_calls: usize,
}

/// How a trace ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything was played.
    Complete,
    /// A signal ended it, about this address.
    Signal { signal: i32, address: usize },
    /// The process exited.
    Exited { status: i32 },
    /// A live block is not what its user wrote; no slot for memory that is not the allocator's.
    Damaged { slot: Option<usize>, offset: usize, wanted: u8, found: u8, bytes: usize },
    /// A new block overlaps a live one.
    Overlap { slot: usize },
    /// A new block lies in memory that is not the allocator's to give, from its byte `offset` on; it may begin in the
    /// allocator's, and reach so many bytes past the end of that.
    Foreign { what: u64, offset: usize, reaches: usize },
    /// A block from calloc is not zero.
    NotZero { offset: usize, found: u8 },
    /// realloc's block does not begin with what the old one held.
    PrefixLost { offset: usize, wanted: u8, found: u8 },
    /// The library has no such function.
    NoSymbol,
    /// Nothing was said: it was killed, or is still at it.
    Unknown,
}

impl Seen {
    /// Reads what the player left; short of a whole header nothing was seen.
    pub(crate) fn from_bytes(bytes: &[u8], stderr: String) -> Self {
        let word = |chunk: &[u8]| u64::from_ne_bytes(chunk.try_into().unwrap_or_default());
        let mut words: Vec<_> = bytes.chunks_exact(size_of::<u64>()).map(word).collect();
        words.resize(words.len().max(SEEN_WORDS), 0);
        Self { words, stderr }
    }

    /// How it ended.
    pub(crate) fn end(&self) -> End {
        let (slot, offset) = (self.word(seen::SLOT), self.word(seen::OFFSET));
        let (wanted, found) = (self.word(seen::WANTED) as u8, self.word(seen::FOUND) as u8);
        match self.words[seen::END] {
            end::COMPLETE => End::Complete,
            end::SIGNAL => End::Signal {
                signal: self.words[seen::SIGNAL] as i32,
                address: self.word(seen::FAULT_ADDRESS),
            },
            end::EXITED => End::Exited { status: self.words[seen::STATUS] as i32 },
            end::DAMAGED => {
                let slot = (slot != usize::MAX).then_some(slot);
                End::Damaged { slot, offset, wanted, found, bytes: self.word(seen::DAMAGED) }
            }
            end::OVERLAP => End::Overlap { slot },
            end::FOREIGN => {
                End::Foreign { what: self.words[seen::FOREIGN], offset, reaches: self.word(seen::REACHES) }
            }
            end::NOT_ZERO => End::NotZero { offset, found },
            end::PREFIX_LOST => End::PrefixLost { offset, wanted, found },
            end::NO_SYMBOL => End::NoSymbol,
            _ => End::Unknown,
        }
    }

    /// Operations that were finished; the next one is where it ended.
    pub(crate) fn finished(&self) -> usize {
        self.word(seen::FINISHED)
    }

    /// Whether it ended inside a function of the library, rather than while its blocks were used.
    pub(crate) fn was_inside(&self) -> bool {
        self.words[seen::PHASE] == phase::INSIDE
    }

    /// The slot of the block that was being used when it ended; None for memory that is not the allocator's.
    pub(crate) fn used_slot(&self) -> Option<usize> {
        Some(self.word(seen::SLOT)).filter(|&slot| slot != usize::MAX)
    }

    /// What was seen of each operation that was finished.
    pub(crate) fn records(&self) -> impl DoubleEndedIterator<Item = Record> + ExactSizeIterator + '_ {
        let words = self.words[SEEN_WORDS..].chunks_exact(RECORD_WORDS).take(self.finished());
        words.map(|words| Record {
            pointer: words[0] as usize,
            footprint: words[1] as usize,
            growth_calls: words[2] as usize,
        })
    }

    /// What was seen of one operation.
    pub(crate) fn record(&self, index: usize) -> Option<Record> {
        self.records().nth(index)
    }

    /// What the operation that ended the trace returned, if it got so far.
    pub(crate) fn last_pointer(&self) -> usize {
        self.words.get(SEEN_WORDS + self.finished() * RECORD_WORDS).map_or(0, |&word| word as usize)
    }

    /// Of threads: requests that were answered with null, and blocks that do not lie at a multiple of 16.
    pub(crate) fn of_threads(&self) -> (usize, usize) {
        (self.word(seen::REFUSED), self.word(seen::MISALIGNED))
    }

    /// The highest footprint at the end of any of these operations.
    pub(crate) fn peak_footprint(&self, ops: Range<usize>) -> usize {
        self.records().skip(ops.start).take(ops.len()).map(|record| record.footprint).max().unwrap_or(0)
    }

    /// The highest footprint at the end of any operation.
    pub(crate) fn highest_footprint(&self) -> usize {
        self.word(seen::PEAK_FOOTPRINT)
    }

    /// The largest step in which the library took memory, what it took at load time included.
    pub(crate) fn largest_step(&self) -> usize {
        self.word(seen::LARGEST_STEP).max(self.word(seen::FOOTPRINT))
    }

    /// Calls of libc's malloc family that the library made: how many, which came first, and in which operation.
    pub(crate) fn borrowed(&self) -> Option<(usize, &'static str, usize)> {
        let kind = match self.words[seen::BORROWED_FIRST] {
            1 => "malloc",
            2 => "calloc",
            3 => "realloc",
            5 => "free",
            _ => "memalign",
        };
        let count = self.word(seen::BORROWED);
        (count > 0).then(|| (count, kind, self.word(seen::BORROWED_AT)))
    }

    /// Requests for memory that were made to fail.
    pub(crate) fn refused_calls(&self) -> usize {
        self.word(seen::FAILED_CALLS)
    }

    /// Requests for memory that a forked child would share.
    pub(crate) fn shared_calls(&self) -> usize {
        self.word(seen::SHARED_CALLS)
    }

    /// Processor time that the operations took, in nanoseconds.
    pub(crate) fn cpu_nanos(&self) -> u64 {
        self.words[seen::CPU_NANOS]
    }

    fn word(&self, at: usize) -> usize {
        self.words[at] as usize
    }
}

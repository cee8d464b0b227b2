//! What suite and player exchange, as files of little words: a *trace* to play, and what was *seen* while playing it.
//!
//! ```text
//!   trace   TRACE_WORDS of header, then for each operation   code | slot << 8,  size,  extra
//!   seen    SEEN_WORDS of header,  then for each operation   pointer,  footprint in bytes,  growth calls so far
//! ```
//!
//! All words are `u64` in the machine's byte order. The file of what was seen is mapped by the player and shared with
//! the child that plays, so that it tells how far a child came that crashed, hung or was killed. It holds facts, never
//! verdicts. Both programs compile this file.

/// The first word of a trace.
pub(crate) const MAGIC: u64 = 0x3145_4341_5254_5747;

/// Header words of a trace: [`MAGIC`], operations, slots, [`Watch`] bits, operations between two sweeps (0: only at the end).
pub(crate) const TRACE_WORDS: usize = 8;

/// Words of an operation, and of what was seen of it.
pub(crate) const RECORD_WORDS: usize = 3;

/// Header words of what was seen; their places are [`seen`].
pub(crate) const SEEN_WORDS: usize = 32;

/// Of threads that free what others allocate, or what they allocated themselves before they end.
pub(crate) mod hand_over {
    /// A kind of block: what becomes of one says nothing of the others.
    pub(crate) struct Kind {
        pub(crate) name: &'static str,
        /// Each as often as the others. Few, so that a cache which is bounded by a number of blocks of each size is soon full.
        pub(crate) sizes: [usize; 8],
        /// Blocks that are in use at once, at most, for each thread that allocates.
        pub(crate) in_use: usize,
    }

    impl Kind {
        /// A size, chosen by a number.
        pub(crate) fn size(&self, random: u64) -> usize {
            self.sizes[random as usize % self.sizes.len()]
        }
    }

    /// What caches are for, what they may keep, what is seldom asked for, and what most allocators leave to the OS.
    pub(crate) const KINDS: [Kind; 4] = [
        Kind { name: "small", sizes: [16, 32, 48, 64, 100, 200, 300, 500], in_use: 1024 },
        Kind {
            name: "middling",
            sizes: [1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000],
            in_use: 64,
        },
        Kind {
            name: "large",
            sizes: [12_000, 16_000, 24_000, 30_000, 40_000, 50_000, 60_000, 100_000],
            in_use: 16,
        },
        Kind {
            name: "huge",
            sizes: [1_100_000, 1_200_000, 1_400_000, 1_600_000, 1_800_000, 2_000_000, 2_500_000, 3_000_000],
            in_use: 4,
        },
    ];

    /// What is handed over before, to warm up, is this part of what is asked for. All that a cache may keep is in it.
    pub(crate) const WARM_UP: usize = 2;

    /// Small blocks that a thread allocates, and frees, when threads come and go;
    pub(crate) const OF_A_THREAD: usize = 512;
    /// so many of them it leaves to the next thread.
    pub(crate) const LEFT: usize = 64;

    // Moments at which all threads stand still. What was seen has a record for each, of the footprint and the growth calls.

    /// As many blocks are in use as there will ever be at once, and none was freed yet; or one thread has come and gone.
    pub(crate) const FULL: usize = 0;
    /// The part that warms up was handed over and freed.
    pub(crate) const WARM: usize = 1;
    /// All was.
    pub(crate) const END: usize = 2;
}

/// What an operation does. A *slot* is a variable that holds a pointer: null before its first block and after `free`.
pub(crate) mod code {
    /// `slot = my_malloc(size)`, filled to its last byte.
    pub(crate) const MALLOC: u64 = 1;
    /// `my_free(slot)`.
    pub(crate) const FREE: u64 = 2;
    /// `slot = my_realloc(slot, size)`: the kept prefix is verified, then the block filled anew. The slot keeps the old
    /// block when the result is null, unless `size` is 0. `extra` is 1 when the slot is to be taken as null.
    pub(crate) const REALLOC: u64 = 3;
    /// `slot = my_calloc(extra, size)`: verified to be zero, then filled.
    pub(crate) const CALLOC: u64 = 4;
    /// `my_free(NULL)`.
    pub(crate) const FREE_NULL: u64 = 5;
    /// Fills a live block with the words that a careless allocator would take for a header: sizes, flags, pointers into
    /// the heap. They are the block's pattern from then on.
    pub(crate) const HOSTILE_FILL: u64 = 6;
    /// Somebody else moves the break up by `size` bytes (whole pages); what lies there is not the allocator's.
    pub(crate) const MOVE_BREAK: u64 = 7;
    /// From now on `size` growth calls succeed, the next `extra` fail with ENOMEM, and all after them succeed.
    pub(crate) const FAIL_GROWTH: u64 = 8;
    /// From now on the kernel itself gives the process no more memory than it has plus `size` bytes
    /// (`RLIMIT_AS`); `extra` = 1 lifts that again. Reaches those who ask by raw system calls.
    pub(crate) const LIMIT_MEMORY: u64 = 9;
    /// Verifies every live block.
    pub(crate) const SWEEP: u64 = 10;
}

/// Bits of the trace header's fourth word: how the player plays.
pub(crate) mod watch {
    /// After every operation the neighbours in address order of the block that it was about are verified.
    pub(crate) const NEIGHBOURS: u64 = 1;
    /// A page that cannot be touched lies behind each region that `mmap` returns.
    pub(crate) const GUARD_PAGES: u64 = 2;
    /// For throughput: blocks are not filled, only the first and last byte of each are written. Nothing is looked at, what is
    /// no call of the library is left out, and of the records the last one alone is written, without its pointer.
    pub(crate) const NO_PATTERNS: u64 = 4;
    /// The footprint is read at the end of each hundredth operation, and of those that made a growth call.
    pub(crate) const SELDOM_FOOTPRINT: u64 = 8;
}

/// Places of the header words of what was seen.
pub(crate) mod seen {
    /// Operations that were finished.
    pub(crate) const FINISHED: usize = 0;
    /// What was going on: [`super::phase`].
    pub(crate) const PHASE: usize = 1;
    /// How the trace ended: [`super::end`].
    pub(crate) const END: usize = 2;
    /// The signal that ended it.
    pub(crate) const SIGNAL: usize = 3;
    /// The address that the signal was about.
    pub(crate) const FAULT_ADDRESS: usize = 4;
    /// The slot whose block is damaged, or that the new block overlaps; while the player uses a block, that block's
    /// (`u64::MAX`: memory that is not the allocator's).
    pub(crate) const SLOT: usize = 5;
    /// The first damaged byte's offset in its block; of a block in foreign memory, its first byte's that lies there.
    pub(crate) const OFFSET: usize = 6;
    /// What the byte should be.
    pub(crate) const WANTED: usize = 7;
    /// What it is.
    pub(crate) const FOUND: usize = 8;
    /// Damaged bytes in that block.
    pub(crate) const DAMAGED: usize = 9;
    /// What foreign memory a pointer points to: [`super::foreign`].
    pub(crate) const FOREIGN: usize = 10;
    /// Calls of libc's malloc family from inside `my_*`, before and while playing.
    pub(crate) const BORROWED: usize = 11;
    /// The first of them: 1 malloc, 2 calloc, 3 realloc, 4 memalign and its kin, 5 free.
    pub(crate) const BORROWED_FIRST: usize = 12;
    /// The operation (index) inside which it came.
    pub(crate) const BORROWED_AT: usize = 13;
    /// Footprint in bytes before the first operation: what the library took at load time. Records count from 0 at the
    /// moment before the library was loaded, so theirs include it.
    pub(crate) const FOOTPRINT: usize = 14;
    /// Growth calls while the library was being loaded.
    pub(crate) const GROWTH_CALLS: usize = 15;
    /// Bytes by which the largest single operation made the footprint grow; of threads, while one alone calls.
    pub(crate) const LARGEST_STEP: usize = 16;
    /// The highest footprint at the end of any operation, or at any moment of [`super::hand_over`].
    pub(crate) const PEAK_FOOTPRINT: usize = 17;
    /// Processor time of the operations in nanoseconds: only the whole is measured.
    pub(crate) const CPU_NANOS: usize = 18;
    /// Growth calls that were made to fail.
    pub(crate) const FAILED_CALLS: usize = 19;
    /// The exit status, when the library called `exit`.
    pub(crate) const STATUS: usize = 20;
    /// Of threads: requests that were answered with null.
    pub(crate) const REFUSED: usize = 21;
    /// Of threads: blocks that do not lie at a multiple of 16.
    pub(crate) const MISALIGNED: usize = 22;
    /// Of a block in foreign memory: by how many bytes it reaches past the end of what the library got, if it begins in
    /// that and there is an end.
    pub(crate) const REACHES: usize = 23;
    /// Calls of `mmap` that asked for memory which a forked child would share.
    pub(crate) const SHARED_CALLS: usize = 24;
}

/// What is going on in the child.
pub(crate) mod phase {
    /// Nothing of interest.
    pub(crate) const IDLE: u64 = 0;
    /// Inside a function of the library.
    pub(crate) const INSIDE: u64 = 1;
    /// The player writes to the block that it was given.
    pub(crate) const FILLING: u64 = 2;
    /// The player reads live blocks.
    pub(crate) const VERIFYING: u64 = 3;
}

/// How a trace ended.
pub(crate) mod end {
    /// Not yet; or the child was killed without a chance to say more.
    pub(crate) const NONE: u64 = 0;
    /// All operations were played and all live blocks verified.
    pub(crate) const COMPLETE: u64 = 1;
    /// A signal.
    pub(crate) const SIGNAL: u64 = 2;
    /// A live block's bytes are not what its user wrote.
    pub(crate) const DAMAGED: u64 = 3;
    /// A new block overlaps a live one.
    pub(crate) const OVERLAP: u64 = 4;
    /// A new block lies in memory that is not the allocator's to give.
    pub(crate) const FOREIGN: u64 = 5;
    /// A block from calloc is not zero.
    pub(crate) const NOT_ZERO: u64 = 6;
    /// realloc's result does not begin with the old bytes.
    pub(crate) const PREFIX_LOST: u64 = 7;
    /// The child exited inside the library.
    pub(crate) const EXITED: u64 = 8;
    /// The library has no such function (`my_calloc`, `my_realloc`).
    pub(crate) const NO_SYMBOL: u64 = 9;
}

/// Memory that is not the allocator's to give.
pub(crate) mod foreign {
    /// A variable of the library: a static array.
    pub(crate) const STATIC: u64 = 1;
    /// The stack.
    pub(crate) const STACK: u64 = 2;
    /// What libc's malloc returned to the library.
    pub(crate) const LIBC_HEAP: u64 = 3;
    /// What somebody else put beyond the break.
    pub(crate) const BEYOND_GAP: u64 = 4;
    /// Anything else that was there before the library was loaded.
    pub(crate) const OTHER: u64 = 5;
    /// The address range wraps around or lies outside of user space.
    pub(crate) const NOWHERE: u64 = 6;
}

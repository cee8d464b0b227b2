//! Whether what was freed is used again: judged by the memory that the library holds, at a volume far above the steps
//! in which it asks for memory, so that 4 KiB at a time and 64 MiB at once are judged alike.

use std::time::{Duration, Instant};

use harness::{Halt, Judged};

use crate::{
    picture,
    player::{Player, Terms},
    seen::Seen,
    trace::{Op, Trace},
    words,
};

/// Operations that set the stage, and operations that have to do with the memory that is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pattern {
    pub(crate) first: Vec<Op>,
    pub(crate) then: Vec<Op>,
}

/// How much is allocated, and in blocks of which size: as few as will do, since some lists are searched one by one.
#[derive(Clone, Copy, Debug)]
struct Volume {
    bytes: usize,
    size: usize,
}

const fn volume(bytes: usize, size: usize) -> Volume {
    Volume { bytes, size }
}

/// The smallest comes first: whoever asks the OS for little at a time is judged quickly. A block, and four of them
/// together, stay below the 64 KiB from which blocks may be mappings of their own.
const VOLUMES: [Volume; 3] = [volume(1 << 20, 120), volume(16 << 20, 2_000), volume(256 << 20, 12_000)];

/// The same for each size by itself: what becomes of small blocks says nothing of larger ones.
const OF_EVERY_SIZE: [&[Volume]; 3] = [
    &[volume(1 << 20, 120)],
    &[volume(1 << 20, 2_000), volume(16 << 20, 2_000)],
    &[volume(1 << 20, 12_000), volume(16 << 20, 12_000), volume(256 << 20, 12_000)],
];

/// Blocks that most allocators leave to the OS.
const HUGE: [Volume; 2] = [volume(32 << 20, 3_000_000), volume(256 << 20, 3_000_000)];

/// A volume is large if it is so many times the largest step.
const LARGE: usize = 4;

/// How long to look for fewer blocks that show a failure.
const SEARCH: Duration = Duration::from_secs(6);

/// So few blocks are also tried behind one that fills the library's first step.
const FEW: usize = 16;

/// What a correct allocator may take beyond the first part's peak, as a fraction of it, besides one step.
const TOLERANCE: usize = 16;

/// Plays the pattern that `build` makes of a number of blocks and their size; its second part must not make the
/// library hold noticeably more memory than its first.
///
/// # Errors
/// Fail, shown with the smallest number of blocks for which it happens.
#[track_caller]
pub(crate) fn stays(
    player: &mut Player<'_>,
    terms: Terms,
    build: impl Fn(usize, usize) -> Pattern,
    likely: &str,
) -> Judged {
    stays_at(&VOLUMES, player, terms, &build, likely)
}

/// The same with small blocks, with larger ones, and with some that are larger still.
///
/// # Errors
/// As for [`stays`].
#[track_caller]
pub(crate) fn stays_at_every_size(
    player: &mut Player<'_>,
    terms: Terms,
    build: impl Fn(usize, usize) -> Pattern,
    likely: &str,
) -> Judged {
    OF_EVERY_SIZE.iter().try_for_each(|volumes| stays_at(volumes, player, terms, &build, likely))
}

/// The same with blocks of some megabytes.
///
/// # Errors
/// As for [`stays`].
#[track_caller]
pub(crate) fn stays_with_huge_blocks(
    player: &mut Player<'_>,
    terms: Terms,
    build: impl Fn(usize, usize) -> Pattern,
    likely: &str,
) -> Judged {
    stays_at(&HUGE, player, terms, &build, likely)
}

#[track_caller]
fn stays_at(
    volumes: &[Volume],
    player: &mut Player<'_>,
    terms: Terms,
    build: &impl Fn(usize, usize) -> Pattern,
    likely: &str,
) -> Judged {
    for (number, volume) in volumes.iter().enumerate() {
        let pattern = build(volume.bytes / volume.size, volume.size);
        let seen = match player.play(&pattern.trace().watched_seldom(), terms) {
            Ok(seen) => seen,
            // A rule of all traces was broken: perhaps a few blocks show it as well.
            Err(halt) if halt.can_shrink() => {
                return Err(smallest(player, terms, build, *volume, likely)?.unwrap_or(halt));
            }
            Err(halt) => return Err(halt),
        };
        let is_large = seen.largest_step() * LARGE <= volume.bytes;
        if !is_large && number + 1 < volumes.len() {
            continue;
        }
        let allowance = pattern.peak_before(&seen) / TOLERANCE;
        if pattern.growth(&seen) <= allowance.max(seen.largest_step()) {
            return Ok(());
        }
        let found = smallest(player, terms, build, *volume, likely)?;
        return Err(found.unwrap_or_else(|| pattern.explain(&seen).likely(likely)));
    }
    Ok(())
}

/// The failure with the fewest blocks: a rule that is broken, or memory that is taken although there is some. The
/// search gives up after a while, since what fails may also be slow.
fn smallest(
    player: &mut Player<'_>,
    terms: Terms,
    build: &impl Fn(usize, usize) -> Pattern,
    volume: Volume,
    likely: &str,
) -> Judged<Option<Box<Halt>>> {
    let began = Instant::now();
    let most = volume.bytes / volume.size;
    let counts = (1..).flat_map(|power| [2_usize.pow(power), 3 * 2_usize.pow(power - 1)]);
    for (tried, blocks) in counts.take_while(|&blocks| blocks < most).enumerate() {
        if began.elapsed() > SEARCH {
            break;
        }
        let pattern = build(blocks, volume.size);
        let found = match player.play(&pattern.trace(), terms) {
            Ok(seen) if pattern.growth(&seen) > seen.largest_step().min(pattern.peak_before(&seen)) => {
                Ok(Some(pattern.explain(&seen)))
            }
            Ok(seen) if blocks <= FEW => pattern.in_a_full_heap(player, terms, seen.largest_step()),
            Ok(_) => Ok(None),
            Err(halt) => Err(halt),
        };
        let mut halt = match found {
            Ok(Some(halt)) => halt.likely(likely),
            Ok(None) => continue,
            Err(halt) if halt.can_shrink() => halt,
            Err(halt) => return Err(halt),
        };
        halt.evidence.smallest_of = tried as u32 + 2;
        return Ok(Some(halt));
    }
    Ok(None)
}

impl Pattern {
    /// Both parts as one trace.
    pub(crate) fn trace(&self) -> Trace {
        Trace::new([self.first.as_slice(), self.then.as_slice()].concat())
    }

    fn peak_before(&self, seen: &Seen) -> usize {
        seen.peak_footprint(0..self.first.len())
    }

    /// By how much the second part's highest footprint is above the first's.
    fn growth(&self, seen: &Seen) -> usize {
        let all = self.first.len() + self.then.len();
        seen.peak_footprint(self.first.len()..all).saturating_sub(self.peak_before(seen))
    }

    /// The pattern behind a block that leaves it just the room that its first part needs: what its second part asks
    /// for must then come from what was freed. None if it does, or if the library's steps cannot be filled by a block.
    ///
    /// Only for what is known to fail: a sound allocator may keep a few bytes for reasons of its own.
    fn in_a_full_heap(
        &self,
        player: &mut Player<'_>,
        terms: Terms,
        step: usize,
    ) -> Judged<Option<Box<Halt>>> {
        const LARGEST: usize = 64 << 10;
        if step > LARGEST + (4 << 10) {
            return Ok(None);
        }
        let slot = [&self.first, &self.then]
            .into_iter()
            .flatten()
            .filter_map(Op::slot)
            .max()
            .map_or(0, |slot| slot + 1);
        let behind = |size: usize| {
            let first = [&[Op::Filler { slot, size }], self.first.as_slice()].concat();
            Self { first, then: self.then.clone() }
        };
        let (mut fits, mut too_large) = (0, LARGEST + 1);
        while too_large - fits > 1 {
            let size = fits.midpoint(too_large);
            let pattern = behind(size);
            let seen = player.play(&pattern.trace(), terms)?;
            let is_one_step =
                seen.record(0).map(|record| record.footprint) == Some(pattern.peak_before(&seen));
            *(if is_one_step { &mut fits } else { &mut too_large }) = size;
        }
        let pattern = behind(fits);
        let trace = pattern.trace();
        let seen = player.play(&trace, terms)?;
        let at = pattern.first_growth(&seen).filter(|&at| {
            let wanted = trace.ops[at].requested().unwrap_or(usize::MAX);
            fits > 0 && picture::largest_gap(&trace, &seen, at) >= wanted
        });
        Ok(at.map(|_| pattern.explain(&seen)))
    }

    /// The first operation of the second part that made the footprint higher than it was.
    fn first_growth(&self, seen: &Seen) -> Option<usize> {
        let before = self.peak_before(seen);
        let mut records = seen.records().enumerate().skip(self.first.len());
        records.find(|(_, record)| record.footprint > before).map(|(at, _)| at)
    }

    /// The failure, told at the operation that first took memory although there was enough.
    #[track_caller]
    fn explain(&self, seen: &Seen) -> Box<Halt> {
        let trace = self.trace();
        let before = self.peak_before(seen);
        let Some(at) = self.first_growth(seen) else { return Halt::fault("what grew did not grow") };
        let op = trace.ops[at];
        let gap = picture::largest_gap(&trace, seen, at);
        let expected = format!("{op} finds room in the {before} bytes that the heap has had before");
        let all = self.growth(seen);
        let got = format!(
            "it takes more from the OS, though {gap} bytes in one piece are free; the heap grows by {all} bytes in all"
        );
        Halt::fail(expected, got).did(words::steps(&trace.ops[..=at]))
    }
}

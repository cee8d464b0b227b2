//! A small picture of the heap, where that explains more than text: live blocks by their letters, dots between them.
//!
//! ```text
//!   0x7f0010 |aaaaaaaa..bbbbbbbbbbbbbbbb..........dddddddd| 0x7f00a0, 2 bytes a column
//!                          ^^^^^^^^ c
//! ```

use crate::{
    seen::{End, Record, Seen},
    trace::{Op, Trace},
};

/// Columns between the bars.
const COLUMNS: usize = 60;
/// More blocks than this are a texture, not a picture.
const MOST_BLOCKS: usize = 40;
/// Bytes to either side of what it is about.
const AROUND: usize = 2048;

/// A live block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) slot: usize,
    pub(crate) start: usize,
    pub(crate) size: usize,
}

impl Block {
    fn end(&self) -> usize {
        self.start.saturating_add(self.size)
    }
}

/// The blocks that live after the first `count` operations, in address order.
pub(crate) fn live_after(trace: &Trace, seen: &Seen, count: usize) -> Vec<Block> {
    let mut live: Vec<Block> = Vec::new();
    for (op, Record { pointer, .. }) in trace.ops.iter().zip(seen.records()).take(count) {
        let (Some(slot), frees) = (op.slot(), matches!(op, Op::Free { .. })) else { continue };
        let Some(size) = op.requested().or(frees.then_some(0)) else { continue };
        let kept = pointer == 0 && size > 0 && matches!(op, Op::Realloc { .. });
        if !kept {
            live.retain(|block| block.slot != slot);
            live.extend((pointer != 0 && !frees).then_some(Block { slot, start: pointer, size }));
        }
    }
    live.sort_by_key(|block| block.start);
    live
}

/// The longest stretch, within what blocks have ever occupied, that no block occupies after the first `count`
/// operations. What lies between two blocks counts as theirs if it is no more than a header.
pub(crate) fn largest_gap(trace: &Trace, seen: &Seen, count: usize) -> usize {
    const HEADER: usize = 64;
    let sized = trace.ops.iter().zip(seen.records()).take(count);
    let mut ever: Vec<(usize, usize)> = sized
        .filter_map(|(op, record)| Some((record.pointer, record.pointer.checked_add(op.requested()?)?)))
        .filter(|(start, _)| *start != 0)
        .collect();
    ever.sort_unstable();
    let mut regions: Vec<(usize, usize)> = Vec::new();
    for (start, end) in ever {
        match regions.last_mut() {
            Some((_, last)) if start <= *last + HEADER => *last = end.max(*last),
            _ => regions.push((start, end)),
        }
    }
    let live = live_after(trace, seen, count);
    let in_region = |&(start, end): &(usize, usize)| {
        let inside = live.iter().filter(|block| block.start >= start && block.end() <= end);
        let mut free_from = start;
        let mut longest = 0;
        for block in inside {
            longest = longest.max(block.start.saturating_sub(free_from));
            free_from = block.end();
        }
        longest.max(end.saturating_sub(free_from))
    };
    regions.iter().map(in_region).max().unwrap_or(0)
}

/// The neighbourhood of what ended a trace; nothing where there is nothing to see.
pub(crate) fn at_the_end(trace: &Trace, seen: &Seen) -> Vec<String> {
    let at = seen.finished();
    let live = live_after(trace, seen, at);
    let about = match (seen.end(), trace.ops.get(at)) {
        (End::Overlap { .. }, Some(op)) => Block {
            slot: op.slot().unwrap_or(0),
            start: seen.last_pointer(),
            size: op.requested().unwrap_or(0),
        },
        (End::Damaged { slot: Some(slot), offset, bytes, .. }, _) => {
            let Some(block) = live.iter().find(|block| block.slot == slot) else { return Vec::new() };
            Block { slot, start: block.start + offset, size: bytes }
        }
        _ => return Vec::new(),
    };
    let here = if about.size == 0 { "" } else { " here" };
    draw(&live, about, &format!("{}{here}", trace.name(about.slot)), |slot| letter(&trace.name(slot)))
}

/// What stands for a block of that name.
fn letter(name: &str) -> char {
    match name.as_bytes() {
        &[letter] => letter.into(),
        _ => '#',
    }
}

/// The blocks near `about`, and under them a line that marks it.
fn draw(live: &[Block], about: Block, caption: &str, letter: impl Fn(usize) -> char) -> Vec<String> {
    let near = |block: &&Block| {
        block.end().saturating_add(AROUND) >= about.start && block.start <= about.end().saturating_add(AROUND)
    };
    let blocks: Vec<_> = live.iter().filter(near).copied().collect();
    if blocks.is_empty() || blocks.len() > MOST_BLOCKS {
        return Vec::new();
    }
    let from = blocks.iter().map(|block| block.start).min().unwrap_or(0).min(about.start);
    let to = blocks.iter().map(Block::end).max().unwrap_or(0).max(about.end());
    let scale = (to - from).div_ceil(COLUMNS).max(1);
    let columns = (to - from).div_ceil(scale);
    if columns == 0 {
        return Vec::new();
    }
    let mut row = vec!['.'; columns];
    for block in &blocks {
        let first = (block.start - from) / scale;
        let last = (block.end() - from).div_ceil(scale).max(first + 1).min(columns);
        row[first..last].fill(letter(block.slot));
    }
    let left = format!("{from:#x} |");
    let first = (about.start - from) / scale;
    let width = ((about.end() - from).div_ceil(scale)).max(first + 1).min(columns.max(first + 1)) - first;
    let unit = if scale == 1 { "1 byte".to_owned() } else { format!("{scale} bytes") };
    vec![
        format!("{left}{}| {to:#x}, {unit} a column", row.into_iter().collect::<String>()),
        format!("{}{} {caption}", " ".repeat(left.len() + first), "^".repeat(width)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stand_where_they_are_and_the_mark_under_them() {
        let live = [Block { slot: 0, start: 0x1000, size: 8 }, Block { slot: 1, start: 0x1010, size: 16 }];
        let about = Block { slot: 2, start: 0x1014, size: 4 };
        assert_eq!(
            draw(&live, about, "c", |slot| letter(&Trace::default().name(slot))),
            [
                "0x1000 |aaaaaaaa........bbbbbbbbbbbbbbbb| 0x1020, 1 byte a column",
                "                            ^^^^ c"
            ]
        );
    }
}

//! Traces as text: what people write, and what the recorder of `libmalloc_preload.so` writes.
//!
//! ```text
//!   a = malloc 24          or  a = malloc(24)           m 24          block 0 = malloc(24)
//!   a = realloc a 48                                    r 0 48
//!   b = calloc 3 8                                      c 3 8         block 1 = calloc(3, 8)
//!   free a                                              f 0
//! ```
//!
//! Names become slots, and a slot whose block was freed is used again: as few as there are blocks at one time.

use std::collections::HashMap;

/// One operation.
#[derive(Clone, Copy)]
pub(super) enum Op {
    Malloc { slot: usize, size: usize },
    Calloc { slot: usize, count: usize, size: usize },
    Realloc { slot: usize, size: usize },
    Free { slot: usize },
}

/// A trace in memory.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) ops: Vec<Op>,
    /// How many slots it needs.
    pub(super) slots: usize,
}

impl Trace {
    /// Reads a trace; the error names the line that cannot be read.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut names = Names::default();
        let mut ops = Vec::new();
        for (index, line) in text.trim_end_matches('\0').lines().enumerate() {
            let spaced = line.replace(['(', ')', ',', ';', '='], " ");
            let words: Vec<&str> = spaced.split_whitespace().collect();
            match names.op(&words) {
                Some(op) => ops.extend(op),
                None => return Err(format!("line {}: cannot read {line:?}", index + 1)),
            }
        }
        Ok(Self { ops, slots: names.slots })
    }
}

/// Which name stands for which slot.
#[derive(Default)]
struct Names {
    slots_of: HashMap<String, usize>,
    free: Vec<usize>,
    slots: usize,
    /// Blocks of a recording so far.
    blocks: usize,
}

impl Names {
    /// The operation of a line; the inner option is None for a line that says nothing.
    fn op(&mut self, words: &[&str]) -> Option<Option<Op>> {
        let number = |word: &str| word.parse::<usize>().ok();
        let op = match *words {
            [] => return Some(None),
            [name, "malloc", size] => Op::Malloc { slot: self.take(name), size: number(size)? },
            [name, "calloc", count, size] => {
                Op::Calloc { slot: self.take(name), count: number(count)?, size: number(size)? }
            }
            [_, "realloc", name, size] | ["r", name, size] => {
                Op::Realloc { slot: *self.slots_of.get(name)?, size: number(size)? }
            }
            ["free" | "f", name] => Op::Free { slot: self.give_back(name)? },
            ["m", size] => Op::Malloc { slot: self.take_next(), size: number(size)? },
            ["c", count, size] => {
                Op::Calloc { slot: self.take_next(), count: number(count)?, size: number(size)? }
            }
            _ => return None,
        };
        Some(Some(op))
    }

    fn take(&mut self, name: &str) -> usize {
        let slot = self.free.pop().unwrap_or(self.slots);
        self.slots = self.slots.max(slot + 1);
        self.slots_of.insert(name.to_owned(), slot);
        slot
    }

    fn take_next(&mut self) -> usize {
        let name = self.blocks.to_string();
        self.blocks += 1;
        self.take(&name)
    }

    fn give_back(&mut self, name: &str) -> Option<usize> {
        let slot = self.slots_of.remove(name)?;
        self.free.push(slot);
        Some(slot)
    }
}

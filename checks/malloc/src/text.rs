//! Traces as text, in the three forms that are in use. Names and numbers stand for slots.
//!
//! ```text
//!   a = malloc 24        a student's own; # begins a comment
//!   a = realloc a 48
//!   a = calloc 3 8
//!   free a
//!
//!   20000000             `.rep`, as malloc labs have it: four numbers (heap size, ids, operations, weight), then
//!   2                    a ID SIZE, r ID SIZE, f ID
//!   4
//!   1
//!   a 0 512
//!
//!   m 24                 recorded: m SIZE and c COUNT SIZE fill the next slot, counted from 0
//!   r 0 48
//!   f 0
//! ```

use std::{collections::HashMap, fmt};

use crate::trace::{Op, Trace, name};

/// A line that cannot be played, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// From 1.
    line: usize,
    reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.reason)
    }
}

/// A trace, and the line that each of its operations comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) ops: Vec<Op>,
    pub(crate) lines: Vec<usize>,
}

impl Script {
    /// As a trace to play.
    pub(crate) fn trace(self) -> Trace {
        Trace::new(self.ops)
    }
}

/// Numbers in the header of a `.rep` file.
const HEADER: usize = 4;
/// The place of the number of operations among them.
const OPERATIONS: usize = 2;

/// Reads a trace of any of the forms.
///
/// # Errors
/// The first line that makes no sense, or that uses a slot as it cannot be used.
pub(crate) fn parse(text: &str) -> Result<Script, Mistake> {
    let mut reader = Reader::default();
    let mut header = Vec::new();
    // The recorder's files may end in zero bytes.
    let text = text.trim_end_matches('\0');
    for (number, line) in text.lines().enumerate() {
        let fail = |reason: String| Mistake { line: number + 1, reason };
        let words: Vec<_> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words.as_slice() {
            [] => continue,
            [alone] if reader.script.ops.is_empty() && header.len() < HEADER => {
                header.push(alone.parse::<usize>().map_err(|_| fail(unknown(line)))?);
                continue;
            }
            words => {
                let op = reader.read(words).map_err(fail)?;
                reader.script.ops.push(op);
                reader.script.lines.push(number + 1);
            }
        }
    }
    let (read, last) = (reader.script.ops.len(), text.lines().count());
    match header.get(OPERATIONS) {
        Some(&promised) if promised != read => Err(Mistake {
            line: last,
            reason: format!(
                "the header promises {promised} operations, and {read} are there: is the file cut short?"
            ),
        }),
        None if !header.is_empty() => {
            Err(Mistake { line: last, reason: "the header ends before its four numbers".to_owned() })
        }
        _ if read == 0 => {
            Err(Mistake { line: last.max(1), reason: "there is no operation in it".to_owned() })
        }
        _ => Ok(reader.script),
    }
}

/// The operations of a program, in the first of the forms; what others do around it is left out.
pub(crate) fn write(ops: &[Op]) -> String {
    let line = |op: &Op| match *op {
        Op::Malloc { slot, size } => Some(format!("{} = malloc {size}\n", name(slot))),
        Op::Calloc { slot, count, size } => Some(format!("{} = calloc {count} {size}\n", name(slot))),
        Op::Realloc { slot, size } => Some(format!("{0} = realloc {0} {size}\n", name(slot))),
        Op::Free { slot } => Some(format!("free {}\n", name(slot))),
        _ => None,
    };
    ops.iter().filter_map(line).collect()
}

fn unknown(line: &str) -> String {
    const SHOWN: usize = 40;
    let shown: String = line.chars().take(SHOWN).collect();
    format!(
        "{shown:?} is no operation; try `a = malloc 24`, `a = realloc a 48`, `a = calloc 3 8` or `free a`"
    )
}

/// What was read so far: which names there are, and which of them hold a block.
#[derive(Debug, Default)]
struct Reader {
    script: Script,
    slots: HashMap<String, usize>,
    holds: Vec<bool>,
    recorded: usize,
}

impl Reader {
    fn read(&mut self, words: &[&str]) -> Result<Op, String> {
        match *words {
            [name, "=", "malloc", size] | ["a", name, size] => {
                let size = number(size)?;
                Ok(Op::Malloc { slot: self.fill(name)?, size })
            }
            [name, "=", "calloc", count, size] => {
                let (count, size) = (number(count)?, number(size)?);
                Ok(Op::Calloc { slot: self.fill(name)?, count, size })
            }
            [name, "=", "realloc", same, size] if name == same => self.resize(name, size),
            [name, "=", "realloc", other, _] => Err(format!(
                "realloc gives {other} another block: write `{other} = realloc {other} …`, not `{name} = …`"
            )),
            ["r", name, size] => self.resize(name, size),
            ["free" | "f", name] => Ok(Op::Free { slot: self.empty(name)? }),
            ["m", size] => {
                let size = number(size)?;
                Ok(Op::Malloc { slot: self.fill_next()?, size })
            }
            ["c", count, size] => {
                let (count, size) = (number(count)?, number(size)?);
                Ok(Op::Calloc { slot: self.fill_next()?, count, size })
            }
            _ => Err(unknown(&words.join(" "))),
        }
    }

    fn fill_next(&mut self) -> Result<usize, String> {
        self.recorded += 1;
        self.fill(&(self.recorded - 1).to_string())
    }

    /// The slot of a name that gets its first block, or the first after it was freed.
    fn fill(&mut self, name: &str) -> Result<usize, String> {
        let slot = self.slot(name);
        if self.holds[slot] {
            return Err(format!("{name} holds a block already: free it first, or its block is lost"));
        }
        self.holds[slot] = true;
        Ok(slot)
    }

    fn empty(&mut self, name: &str) -> Result<usize, String> {
        let slot = self.slot(name);
        if !self.holds[slot] {
            return Err(format!("{name} holds no block to free"));
        }
        self.holds[slot] = false;
        Ok(slot)
    }

    /// realloc of a slot that holds nothing is an allocation; to size 0 it frees.
    fn resize(&mut self, name: &str, size: &str) -> Result<Op, String> {
        let (slot, size) = (self.slot(name), number(size)?);
        self.holds[slot] = size > 0;
        Ok(Op::Realloc { slot, size })
    }

    fn slot(&mut self, name: &str) -> usize {
        let next = self.slots.len();
        let slot = *self.slots.entry(name.to_owned()).or_insert(next);
        self.holds.resize(self.slots.len(), false);
        slot
    }
}

fn number(word: &str) -> Result<usize, String> {
    word.parse().map_err(|_| format!("{word:?} is no number of bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ops(text: &str) -> Vec<Op> {
        parse(text).expect("a trace that makes sense").ops
    }

    #[test]
    fn the_three_forms_say_the_same() {
        let expected =
            [Op::Malloc { slot: 0, size: 24 }, Op::Realloc { slot: 0, size: 48 }, Op::Free { slot: 0 }];
        assert_eq!(ops("# mine\nx = malloc 24\nx = realloc x 48  # more\n\nfree x\n"), expected);
        assert_eq!(ops("20000\n1\n3\n1\na 0 24\nr 0 48\nf 0\n"), expected);
        assert_eq!(ops("m 24\nr 0 48\nf 0\n"), expected);
        assert_eq!(ops(&write(&expected)), expected, "what is written can be read");
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_line() {
        for (text, line, words) in [
            ("a = malloc 24\na = malloc 8\n", 2, "holds a block already"),
            ("a = malloc 24\nfree b\n", 2, "holds no block"),
            ("a = malloc many\n", 1, "no number of bytes"),
            ("a = new 24\n", 1, "is no operation"),
            ("20000\n1\n3\n1\na 0 24\n", 5, "promises 3 operations"),
            ("20000\n1\n", 2, "four numbers"),
            ("", 1, "no operation in it"),
        ] {
            let mistake = parse(text).expect_err("a mistake");
            assert!(mistake.line == line && mistake.reason.contains(words), "{text:?}: {mistake}");
        }
    }
}

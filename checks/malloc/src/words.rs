//! Operations in a student's words. Long runs of one kind are folded into a line, and of a long story those lines are
//! shown that its end is about, so that a trace of thousands of operations still reads as one.
//!
//! ```text
//!   the OS will refuse the 3rd request for memory
//!   … 183 more operations …                          what is shown does not show the failure alone, and says so
//!   k = malloc(4000)
//!   free(k)
//! ```

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use crate::trace::{FOREVER, Op, name, size_text};

/// Runs shorter than this are written out.
const FOLDED: usize = 9;

/// Repetitions fewer than this are written out.
const REPEATED: usize = 4;

/// Lines that a story may take.
const LINES: usize = 20;

/// The last lines are shown whatever they are about: they set the scene.
const SCENE: usize = 5;

/// A line of a story, and the operations that it stands for.
struct Line {
    text: String,
    ops: Range<usize>,
}

/// The steps of a trace up to the operation that it is about, which is the last.
pub(crate) fn steps(ops: &[Op]) -> Vec<String> {
    steps_about(ops, None)
}

/// The same for a story that is about the block of `slot` as well.
pub(crate) fn steps_about(ops: &[Op], slot: Option<usize>) -> Vec<String> {
    let lines = lines(ops);
    let shown = if lines.len() > LINES { chosen(&lines, ops, slot) } else { (0..lines.len()).collect() };
    let mut steps = Vec::new();
    let mut next = 0;
    for line in shown {
        match &lines[next..line] {
            [] => {}
            [alone] => steps.push(alone.text.clone()),
            [first, .., last] => {
                steps.push(format!("… {} more operations …", last.ops.end - first.ops.start));
            }
        }
        steps.push(lines[line].text.clone());
        next = line + 1;
    }
    steps
}

/// One operation of a trace.
pub(crate) fn step(ops: &[Op], at: usize) -> String {
    let Some(op) = ops.get(at) else { return "the end of the trace".to_owned() };
    let mut before = ops[..at].iter().rev().filter(|other| other.slot() == op.slot());
    told(op, before.find_map(leaves_a_block).unwrap_or(false))
}

/// `1 byte`, `2 bytes`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The lines of a long story that are shown: those that tell of the last operation's block and of `slot`'s since they
/// were allocated, what somebody else did, and as many of the last as there is room for.
fn chosen(lines: &[Line], ops: &[Op], slot: Option<usize>) -> BTreeSet<usize> {
    let line_of = |op: usize| lines.partition_point(|line| line.ops.end <= op);
    let about: Vec<_> = ops.last().and_then(Op::slot).into_iter().chain(slot).collect();
    let lives: Vec<_> = about.iter().map(|&slot| life(ops, slot)).collect();
    let births = lives.iter().filter_map(|life| life.first());
    let around = (0..ops.len()).rev().filter(|&op| is_around(&ops[op]));
    let rest = lives.iter().flat_map(|life| life.iter().rev());
    let last = lines.len() - 1;
    let scene = (last.saturating_sub(SCENE)..last).rev();
    let candidates = births.map(|&op| line_of(op)).chain(scene).chain(around.map(line_of));
    let mut shown = BTreeSet::from([last]);
    for line in candidates.chain(rest.map(|&op| line_of(op))).chain((0..last).rev()) {
        if shown.insert(line) && height(&shown) > LINES {
            shown.remove(&line);
        }
        if height(&shown) == LINES {
            break;
        }
    }
    shown
}

/// The operations on a slot from the one on that gave it the block that it held last.
fn life(ops: &[Op], slot: usize) -> Vec<usize> {
    let mut life = Vec::new();
    let mut holds = false;
    for (index, op) in ops.iter().enumerate().filter(|(_, op)| op.slot() == Some(slot)) {
        if !holds || !matches!(op, Op::Realloc { .. } | Op::Free { .. } | Op::FillWithHeaders { .. }) {
            life.clear();
        }
        life.push(index);
        holds = leaves_a_block(op).unwrap_or(holds);
    }
    life
}

/// How many lines a choice takes, with one for each gap.
fn height(shown: &BTreeSet<usize>) -> usize {
    let mut next = 0;
    let gaps = shown.iter().filter(|&&line| line != std::mem::replace(&mut next, line + 1)).count();
    shown.len() + gaps
}

/// All that happened, line by line.
fn lines(ops: &[Op]) -> Vec<Line> {
    let mut holds = HashMap::new();
    let tell = |op: &Op| {
        let text = told(op, op.slot().is_some_and(|slot| holds.get(&slot) == Some(&true)));
        holds.extend(op.slot().zip(leaves_a_block(op)));
        match op {
            Op::Filler { .. } => format!("{text}, to use up the first step of memory but for what follows"),
            _ => text,
        }
    };
    let texts: Vec<_> = ops.iter().map(tell).collect();
    let mut lines = Vec::new();
    let mut at = 0;
    while at < ops.len() {
        let (length, text) = first_line(&ops[at..], &texts[at..]);
        lines.push(Line { text, ops: at..at + length });
        at += length;
    }
    lines
}

/// The line that a story begins with, and for how many operations it stands.
fn first_line(ops: &[Op], texts: &[String]) -> (usize, String) {
    if let Some((period, times)) = repetition(texts) {
        return (period * times, format!("({}) {times} times", texts[..period].join("; ")));
    }
    // Both ways to refuse are used at once, so that no system call gets past them: one event for a student.
    let refuses = |op: &Op| match op {
        Op::FailGrowth { after: 0, count: FOREVER } | Op::LimitMemory => Some(true),
        Op::FailGrowth { count: 0, .. } | Op::LiftLimit => Some(false),
        _ => None,
    };
    let is_said = ops.get(1).is_some_and(|next| refuses(next).is_some() && refuses(next) == refuses(&ops[0]));
    if is_said {
        return (2, texts[0].clone());
    }
    let alike = ops.iter().take_while(|op| is_alike(&ops[0], op)).count();
    let as_large = ops[..alike].iter().take_while(|op| op.requested() == ops[0].requested()).count();
    let length = if as_large >= FOLDED { as_large } else { alike };
    match fold(&ops[..length]) {
        Some(text) if length >= FOLDED => (length, text),
        _ => (1, texts[0].clone()),
    }
}

/// An operation, whose slot holds a block before it or does not.
fn told(op: &Op, holds: bool) -> String {
    match *op {
        Op::Realloc { slot, size } if !holds => {
            format!("{} = realloc(NULL, {})", name(slot), size_text(size))
        }
        _ => op.to_string(),
    }
}

/// Whether an operation leaves a block in its slot; None if it leaves there what there was.
fn leaves_a_block(op: &Op) -> Option<bool> {
    match op {
        Op::Malloc { .. } | Op::Filler { .. } | Op::Calloc { .. } | Op::Realloc { .. } => Some(true),
        Op::Free { .. } => Some(false),
        _ => None,
    }
}

/// Whether it is no operation of the program that is told of, but happens around it.
fn is_around(op: &Op) -> bool {
    use Op::{FailGrowth, Filler, LiftLimit, LimitMemory, MoveBreak};
    matches!(op, Filler { .. } | MoveBreak { .. } | FailGrowth { .. } | LimitMemory | LiftLimit)
}

/// The shortest sequence of operations that stands here again and again, and how often.
fn repetition(texts: &[String]) -> Option<(usize, usize)> {
    const LONGEST: usize = 4;
    (1..=LONGEST).find_map(|period| {
        let pattern = texts.get(..period)?;
        let times = texts.chunks_exact(period).take_while(|chunk| *chunk == pattern).count();
        (times >= REPEATED).then_some((period, times))
    })
}

fn is_alike(a: &Op, b: &Op) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

/// A run of operations of one kind as one line.
fn fold(run: &[Op]) -> Option<String> {
    let count = run.len();
    let (first, last) = (run.first()?.slot()?, run.last()?.slot()?);
    let sizes = || run.iter().filter_map(Op::requested);
    let size = match (sizes().min(), sizes().max()) {
        (Some(least), Some(most)) if least == most => size_text(least),
        (Some(least), Some(most)) => format!("{} to {}", size_text(least), size_text(most)),
        _ => String::new(),
    };
    let order = order(run);
    let (first, last) = (name(first), name(last));
    Some(match run.first()? {
        Op::Malloc { .. } => format!("{first} … {last} = malloc({size})  [{count} blocks]"),
        Op::Calloc { .. } => format!("{first} … {last} = calloc({size} bytes in all)  [{count} blocks]"),
        Op::Realloc { .. } => format!("{first} … {last} = realloc(…, {size})  [{count} times]"),
        Op::Free { .. } => format!("free({first}) … free({last})  [{count} blocks{order}]"),
        Op::FillWithHeaders { .. } => {
            format!("fill {first} … {last} with what looks like headers  [{count} blocks]")
        }
        _ => return None,
    })
}

/// What there is to say about the order in which slots are freed.
fn order(run: &[Op]) -> &'static str {
    let slots: Vec<_> = run.iter().filter_map(Op::slot).collect();
    let every = |test: fn(usize, usize) -> bool| slots.windows(2).all(|pair| test(pair[0], pair[1]));
    if every(|a, b| b == a + 2) {
        ", every second one"
    } else if every(|a, b| a < b) {
        ", first to last"
    } else if every(|a, b| a > b) {
        ", last to first"
    } else {
        ", in no order"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_runs_are_written_out() {
        let ops = [Op::Malloc { slot: 0, size: 24 }, Op::Malloc { slot: 1, size: 40 }, Op::Free { slot: 0 }];
        assert_eq!(steps(&ops), ["a = malloc(24)", "b = malloc(40)", "free(a)"]);
    }

    #[test]
    fn repetitions_are_counted() {
        let ops = [Op::Malloc { slot: 0, size: 24 }, Op::Free { slot: 0 }].repeat(70);
        assert_eq!(steps(&ops), ["(a = malloc(24); free(a)) 70 times"]);
    }

    #[test]
    fn long_runs_are_folded() {
        let mut ops: Vec<_> = (0..100).map(|slot| Op::Malloc { slot, size: 120 }).collect();
        ops.extend((0..100).step_by(2).map(|slot| Op::Free { slot }));
        assert_eq!(
            steps(&ops),
            ["a … p99 = malloc(120)  [100 blocks]", "free(a) … free(p98)  [50 blocks, every second one]"]
        );
    }

    #[test]
    fn realloc_of_an_empty_slot_is_realloc_of_null() {
        let realloc = |size| Op::Realloc { slot: 0, size };
        let ops =
            [realloc(1), realloc(24), Op::FillWithHeaders { slot: 0 }, Op::Free { slot: 0 }, realloc(8)];
        let told = [
            "a = realloc(NULL, 1)",
            "a = realloc(a, 24)",
            "fill a with what looks like headers",
            "free(a)",
            "a = realloc(NULL, 8)",
        ];
        assert_eq!(steps(&ops), told);
        for (at, text) in told.into_iter().enumerate() {
            assert_eq!(step(&ops, at), text, "operation {at} on its own is told like in its story");
        }
    }

    #[test]
    fn what_two_operations_refuse_is_one_event() {
        let ops = [
            Op::FailGrowth { after: 0, count: FOREVER },
            Op::LimitMemory,
            Op::Malloc { slot: 0, size: 24 },
            Op::LiftLimit,
            Op::FailGrowth { after: 0, count: 0 },
        ];
        let told = ["the OS gives no more memory", "a = malloc(24)", "the OS gives memory again"];
        assert_eq!(steps(&ops), told);
    }

    #[test]
    fn a_filler_stands_alone_and_says_what_it_is_for() {
        let mut ops = vec![Op::Filler { slot: 12, size: 60_000 }];
        ops.extend((0..12).map(|slot| Op::Malloc { slot, size: 120 }));
        let told = steps(&ops);
        assert!(told[0].starts_with("filler = malloc(60000), to use up the first step"), "{told:#?}");
        assert_eq!(told[1..], ["a … l = malloc(120)  [12 blocks]"]);
        assert_eq!(step(&ops, 0), "filler = malloc(60000)", "what it is for is said once");
    }

    /// Rounds in which many blocks come and go, of no pattern.
    fn mixed(rounds: usize) -> Vec<Op> {
        let round = |size: usize| {
            let block = move |slot: usize| Op::Malloc { slot, size: size + slot % 3 };
            [block(0), block(1), Op::Free { slot: 0 }, block(2), Op::Free { slot: 1 }, Op::Free { slot: 2 }]
        };
        (0..rounds).flat_map(|number| round(24 + number)).collect()
    }

    #[test]
    fn a_long_story_shows_the_blocks_that_it_is_about_and_counts_the_rest() {
        let mut ops = vec![Op::FailGrowth { after: 2, count: 1 }, Op::Malloc { slot: 7, size: 99 }];
        ops.extend(mixed(10));
        ops.push(Op::Malloc { slot: 8, size: 40 });
        ops.extend(mixed(10));
        ops.push(Op::Free { slot: 8 });
        let told = steps_about(&ops, Some(7));
        assert_eq!(told.len(), LINES, "{told:#?}");
        let beginning = [
            "the OS will refuse the 3rd request for memory",
            "h = malloc(99)",
            "… 60 more operations …",
            "i = malloc(40)",
            "… 46 more operations …",
        ];
        assert_eq!(told[..beginning.len()], beginning);
        assert_eq!(told.last().map(String::as_str), Some("free(i)"), "{told:#?}");
    }

    #[test]
    fn every_operation_of_a_long_story_is_shown_or_counted() {
        let ops = mixed(200);
        let left_out = |step: &String| step.strip_prefix("… ")?.split(' ').next()?.parse::<usize>().ok();
        let told = steps(&ops);
        let counted: usize = told.iter().map(|step| left_out(step).unwrap_or(1)).sum();
        assert_eq!((told.len(), counted), (LINES, ops.len()), "{told:#?}");
    }

    #[test]
    fn one_is_singular() {
        let texts = [0, 1, 2].map(|count| counted(count, "byte"));
        assert_eq!(texts, ["0 bytes", "1 byte", "2 bytes"]);
    }
}

//! Operations in a student's words. Long runs of one kind are folded into a step, so that a trace of thousands of
//! operations still reads as a story.

use crate::trace::{Op, name, size_text};

/// Runs shorter than this are written out.
const FOLDED: usize = 9;

/// Repetitions fewer than this are written out.
const REPEATED: usize = 4;

/// The steps of a trace.
pub(crate) fn steps(ops: &[Op]) -> Vec<String> {
    let mut steps = Vec::new();
    let mut rest = ops;
    while let Some(first) = rest.first() {
        if let Some((period, times)) = repetition(rest) {
            let (run, behind) = rest.split_at(period * times);
            let once: Vec<_> = run[..period].iter().map(Op::to_string).collect();
            steps.push(format!("({}) {times} times", once.join("; ")));
            rest = behind;
            continue;
        }
        let length = rest.iter().take_while(|op| is_alike(first, op)).count();
        let (run, behind) = rest.split_at(length);
        match fold(run) {
            Some(step) if length >= FOLDED => steps.push(step),
            _ => steps.extend(run.iter().map(Op::to_string)),
        }
        rest = behind;
    }
    steps
}

/// The shortest sequence of operations that stands here again and again, and how often.
fn repetition(ops: &[Op]) -> Option<(usize, usize)> {
    const LONGEST: usize = 4;
    (1..=LONGEST).find_map(|period| {
        let pattern = ops.get(..period)?;
        let times = ops.chunks_exact(period).take_while(|chunk| *chunk == pattern).count();
        (times >= REPEATED).then_some((period, times))
    })
}

fn is_alike(a: &Op, b: &Op) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

/// A run of operations of one kind as one step.
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
}

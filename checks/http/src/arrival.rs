//! The same response, however it is cut on its way: in one piece, in two cut at every place, byte by byte. What is
//! shown is the smallest cut that makes a difference.

use std::time::{Duration, Instant};

use harness::{Context, Halt, Judged, verdict::Verdict};

use crate::{bytes::cut_shown, outcome::Outcome, server::Reply};

/// How long a partition is made smaller that fails although no cut in two does.
const SHRINKING: Duration = Duration::from_secs(4);

/// Demands that `reply` comes to what `judge` expects, however it is cut. It is tried in one piece first, so that
/// what has nothing to do with cuts is told without one.
///
/// # Errors
/// What `judge` says of the smallest cut that fails.
#[track_caller]
pub(crate) fn any_cut(context: &Context, reply: &Reply, judge: impl Fn(Outcome) -> Judged) -> Judged {
    let attempt = |cuts: &[usize]| reply.clone().cut_at(cuts).outcome(context).and_then(&judge);
    attempt(&[])?;
    let length = reply.bytes().len();
    for cut in 1..length {
        if let Err(halt) = attempt(&[cut]) {
            return Err(explained(halt, reply, &[cut], cut));
        }
    }
    let all: Vec<_> = (1..length).collect();
    match attempt(&all) {
        Ok(()) => Ok(()),
        Err(halt) => {
            let (halt, cuts, tried) = smallest(halt, all, attempt);
            Err(explained(halt, reply, &cuts, length + tried))
        }
    }
}

/// Leaves out cuts as long as what is left still fails. A case that hangs costs its whole patience, and is shown as
/// it is.
fn smallest(
    mut halt: Box<Halt>,
    mut cuts: Vec<usize>,
    attempt: impl Fn(&[usize]) -> Judged,
) -> (Box<Halt>, Vec<usize>, usize) {
    let began = Instant::now();
    let mut tried = 0;
    let mut stretch = cuts.len() / 2;
    while stretch > 0 {
        let mut at = 0;
        while at < cuts.len() {
            if began.elapsed() > SHRINKING || matches!(halt.verdict, Verdict::Timeout { .. }) {
                return (halt, cuts, tried);
            }
            let mut fewer = cuts.clone();
            fewer.drain(at..(at + stretch).min(cuts.len()));
            tried += 1;
            match attempt(&fewer) {
                Err(smaller) if smaller.can_shrink() => (halt, cuts) = (smaller, fewer),
                _ => at += stretch,
            }
        }
        stretch /= 2;
    }
    (halt, cuts, tried)
}

/// Says that it is the cut that matters, and shows where it is.
fn explained(mut halt: Box<Halt>, reply: &Reply, cuts: &[usize], tried: usize) -> Box<Halt> {
    if !halt.can_shrink() {
        return halt;
    }
    halt.evidence.smallest_of = u32::try_from(tried + 1).unwrap_or(u32::MAX);
    if let [cut, ..] = *cuts {
        halt = halt.drawn(cut_shown(reply.bytes(), cut));
    }
    halt.likely(
        "in one piece the same bytes are understood: something expects one read to return all of something",
    )
}

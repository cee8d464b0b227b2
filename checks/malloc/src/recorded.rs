//! Traces that were recorded from real programs with this repository's own recorder: see `traces/README.md`.

use harness::{Halt, Judged};

use crate::{families::Family, text, trace::Trace};

/// Every recording, by the program's name.
const RECORDINGS: [(&str, &str); 4] = [
    ("git log", include_str!("../traces/git.trace")),
    ("a C compiler", include_str!("../traces/cc.trace")),
    ("perl", include_str!("../traces/perl.trace")),
    ("sort", include_str!("../traces/sort.trace")),
];

/// The recordings, as traces.
///
/// # Errors
/// Fault when one cannot be read.
pub(crate) fn all() -> Judged<Vec<Family>> {
    let read = |(name, text): (&'static str, &str)| {
        let script =
            text::parse(text).map_err(|mistake| Halt::fault(format!("recording {name}, {mistake}")))?;
        Ok(Family { name, trace: Trace::new(script.ops) })
    };
    RECORDINGS.into_iter().map(read).collect()
}

//! One run of the suite, from request to report.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use harness::{
    event::{CheckFinished, Request, Subject},
    trial,
    verdict::Verdict,
};

use crate::c::Library;

/// The check that most libraries meet: a block, written to its last byte.
pub(crate) const WRITABLE: &str = "malloc/1/a_block_is_writable_to_its_last_byte";

/// What the suite made of a library.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) finished: Vec<CheckFinished>,
    pub(crate) elapsed: Duration,
}

/// Runs all checks of these stages.
pub(crate) fn stages(library: &Library, stages: &[u32]) -> Report {
    run(library, |request| request.stages = stages.to_vec())
}

/// Runs one check, given as `malloc/stage/name`.
pub(crate) fn check(library: &Library, id: &str) -> Report {
    run(library, trial::one(id))
}

/// Plays a file.
pub(crate) fn file(library: &Library, file: &Path) -> Report {
    run(library, |request| request.file = Some(file.to_owned()))
}

/// Runs what `choose` selects.
pub(crate) fn run(library: &Library, choose: impl FnOnce(&mut Request)) -> Report {
    let began = Instant::now();
    let finished = trial::run(env!("CARGO_BIN_EXE_malloc-checks"), Subject::Library(library.path()), choose);
    Report { finished, elapsed: began.elapsed() }
}

impl Report {
    /// The one check that was judged.
    #[track_caller]
    pub(crate) fn only(&self) -> &CheckFinished {
        assert_eq!(self.finished.len(), 1, "one check was selected and is to be judged: {self:?}");
        &self.finished[0]
    }

    /// Fails the test unless `checks` checks were run and all of them passed.
    #[track_caller]
    pub(crate) fn all_pass(&self, library: &str, checks: usize) {
        let bad: Vec<_> = self.finished.iter().filter(|check| check.verdict != Verdict::Pass).collect();
        assert!(bad.is_empty(), "a correct allocator ({library}) passes every check, but: {bad:#?}");
        assert_eq!(self.finished.len(), checks, "checks of {library} that were run");
    }
}

/// A verdict has to be `word`, and each of `says` has to be in it or its evidence.
#[track_caller]
pub(crate) fn expect(finished: &CheckFinished, library: &str, word: &str, says: &[&str]) {
    let got = finished.verdict.word();
    assert_eq!(got, word, "{library} deserves {word}, but got {finished:#?}");
    let text = format!("{:?} {:?}", finished.verdict, finished.evidence).replace("\\\"", "\"");
    for words in says {
        assert!(text.contains(words), "the evidence against {library} says {words:?}, but: {text}");
    }
}

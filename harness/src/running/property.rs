//! Properties: generated cases, and for a failing one the smallest case that still fails.
//!
//! Proptest's runner does the generating and shrinking; what is ours is the judging. A verdict that no smaller case
//! can explain better (not started, skip, fault) ends the search at once.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};

pub use proptest;

use super::{Context, Halt, Judged, transcript::Transcript};

/// How long to look for a smaller case. Looked at between cases, each of which has deadlines of its own. Not left to
/// proptest, which would print a message of its own when time is up.
const SHRINKING: Duration = Duration::from_secs(8);

/// Tries `cases` values of `strategy`; a failing one is shrunk, and its verdict is the property's.
///
/// # Errors
/// The verdict of the smallest failing case.
pub fn property<S: Strategy>(
    context: &Context,
    cases: u32,
    strategy: S,
    test: impl Fn(&S::Value) -> Judged,
) -> Judged {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes(context.seed()));
    let mut runner = TestRunner::new_with_rng(config(cases), rng);
    let search = Search { context, tried: Cell::new(0), failed: Cell::new(None), worst: RefCell::new(None) };
    let outcome = runner.run(&strategy, |value| search.try_case(|| test(&value)));
    match (outcome, search.worst.take()) {
        (Ok(()), _) => Ok(()),
        (Err(TestError::Fail(..)), Some((mut halt, transcript))) => {
            search.context.restore_transcript(transcript);
            if halt.can_shrink() {
                halt.evidence.smallest_of = search.tried.get();
            }
            Err(halt)
        }
        (Err(error), _) => {
            Err(Halt::fault(format!("the search for a counterexample ended early: {error:?}")))
        }
    }
}

/// The state of one search.
struct Search<'a> {
    context: &'a Context,
    tried: Cell<u32>,
    /// When the first case failed.
    failed: Cell<Option<Instant>>,
    /// The failing case that was seen last. Shrinking moves only to failing cases, so it is also the smallest.
    worst: RefCell<Option<(Box<Halt>, Transcript)>>,
}

impl Search<'_> {
    fn try_case(&self, test: impl FnOnce() -> Judged) -> Result<(), TestCaseError> {
        let is_over = self.failed.get().is_some_and(|failed| failed.elapsed() > SHRINKING);
        if is_over || self.worst.borrow().as_ref().is_some_and(|(halt, _)| !halt.can_shrink()) {
            return Ok(());
        }
        self.tried.set(self.tried.get() + 1);
        self.context.forget_transcript();
        test().map_err(|halt| {
            let reason = halt.verdict.word();
            self.failed.set(self.failed.get().or_else(|| Some(Instant::now())));
            self.worst.replace(Some((halt, self.context.take_transcript())));
            TestCaseError::fail(reason)
        })
    }
}

/// Proptest without `std` reads no environment variables, so that nothing but these fields has a say.
fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: u32::MAX,
        max_local_rejects: 1024,
        max_global_rejects: 1024,
        ..Config::default()
    }
}

fn seed_bytes(seed: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes
}

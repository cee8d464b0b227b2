//! Why a check stopped before its end. A failed expectation is a value that travels by `?`, never a panic.

use std::{io, panic::Location};

use crate::{evidence::Evidence, verdict::Verdict};

/// What a check's steps return: go on with a `T`, or stop with the reason.
pub type Judged<T = ()> = Result<T, Box<Halt>>;

/// A verdict other than pass, and the evidence for it.
#[derive(Clone, Debug)]
pub struct Halt {
    /// What the check came to.
    pub verdict: Verdict,
    /// What shows it.
    pub evidence: Evidence,
}

impl Halt {
    /// The subject answered, and the answer is wrong.
    #[track_caller]
    pub fn fail(expected: impl Into<String>, got: impl Into<String>) -> Box<Self> {
        Self::new(Verdict::Fail, expected, got)
    }

    /// Any verdict, with what was expected and what was seen instead.
    #[track_caller]
    pub fn new(verdict: Verdict, expected: impl Into<String>, got: impl Into<String>) -> Box<Self> {
        let caller = Location::caller();
        let evidence = Evidence {
            expected: expected.into(),
            got: got.into(),
            expectation: format!("{}:{}", caller.file(), caller.line()),
            ..Evidence::default()
        };
        Box::new(Self { verdict, evidence })
    }

    /// This machine cannot run the check; `reason` says what is missing and what would supply it.
    pub fn skip(reason: impl Into<String>) -> Box<Self> {
        Box::new(Self { verdict: Verdict::Skip { reason: reason.into() }, evidence: Evidence::default() })
    }

    /// The grader itself failed.
    #[track_caller]
    pub fn fault(detail: impl Into<String>) -> Box<Self> {
        let caller = Location::caller();
        let detail = format!("{} ({}:{})", detail.into(), caller.file(), caller.line());
        Box::new(Self { verdict: Verdict::Fault { detail }, evidence: Evidence::default() })
    }

    /// Adds what was done to the subject, unless an inner step already said.
    pub fn did(mut self: Box<Self>, steps: impl IntoIterator<Item = String>) -> Box<Self> {
        if self.evidence.did.is_empty() {
            self.evidence.did.extend(steps);
        }
        self
    }

    /// Names the mistake that this looks like, unless an inner step already did.
    pub fn likely(mut self: Box<Self>, mistake: impl Into<String>) -> Box<Self> {
        if self.evidence.likely.is_empty() {
            self.evidence.likely = mistake.into();
        }
        self
    }

    /// Adds a drawing of a few lines, unless an inner step already did.
    pub fn drawn(mut self: Box<Self>, rows: Vec<String>) -> Box<Self> {
        if self.evidence.picture.is_empty() {
            self.evidence.picture = rows;
        }
        self
    }

    /// Cuts every text to what a reader can take in: a subject may have said megabytes.
    #[must_use]
    pub(super) fn abridged(mut self: Box<Self>) -> Box<Self> {
        match &mut self.verdict {
            Verdict::Pass | Verdict::Fail | Verdict::Skip { .. } | Verdict::Fault { .. } => {}
            Verdict::NotStarted { at, task } => [at, task].into_iter().for_each(abridge),
            Verdict::Crash { how: text }
            | Verdict::Timeout { waiting_for: text }
            | Verdict::Limit { which: text } => {
                abridge(text);
            }
        }
        let Evidence { did, expected, got, picture, likely, stderr, .. } = &mut self.evidence;
        [expected, got, likely].into_iter().chain(did).chain(picture).chain(stderr).for_each(abridge);
        self
    }

    /// Whether a smaller input may show the same thing, so that shrinking is worth its time.
    pub fn can_shrink(&self) -> bool {
        self.verdict.is_failure() && !matches!(self.verdict, Verdict::NotStarted { .. })
    }
}

/// Keeps the beginning of a long text, and says how long it was.
fn abridge(text: &mut String) {
    const KEPT_BYTES: usize = 1000;
    if text.len() > KEPT_BYTES {
        let whole_bytes = text.len();
        let end = (0..=KEPT_BYTES).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(&format!("… ({whole_bytes} bytes)"));
    }
}

/// An I/O error that no step expected is the grader's: a suite handles those that a subject can cause.
impl From<io::Error> for Box<Halt> {
    #[track_caller]
    fn from(error: io::Error) -> Self {
        Halt::fault(error.to_string())
    }
}

impl From<nix::Error> for Box<Halt> {
    #[track_caller]
    fn from(error: nix::Error) -> Self {
        Halt::fault(error.to_string())
    }
}

//! What a check came to: one word with the few facts that belong to it.

use serde::{Deserialize, Serialize};

/// What a check came to. Everything but [`Verdict::Pass`] and [`Verdict::Skip`] keeps a stage from passing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// The property was observed.
    Pass,
    /// The subject answered, and the answer is wrong.
    Fail,
    /// The subject reached a part that its author has not written yet (a `todo!()`).
    NotStarted {
        /// Where it stopped, as `file:line`; empty when the subject did not say.
        at: String,
        /// What is to be done there, in the words of the `todo!()`.
        task: String,
    },
    /// The subject ended, or stopped listening, while it was needed.
    Crash {
        /// The signal, the panic or the exit status.
        how: String,
    },
    /// The subject did not do what was waited for.
    Timeout {
        /// What was waited for.
        waiting_for: String,
    },
    /// The subject used more of something than a check allows.
    Limit {
        /// Which limit, and how high the subject went.
        which: String,
    },
    /// This machine cannot run the check. Loud, and out of the denominator.
    Skip {
        /// What is missing, and what would supply it.
        reason: String,
    },
    /// The grader's own bug: never the student's failure.
    Fault {
        /// What went wrong in the grader.
        detail: String,
    },
}

impl Verdict {
    /// The one word that stands for this verdict in a column.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::NotStarted { .. } => "todo",
            Self::Crash { .. } => "CRASH",
            Self::Timeout { .. } => "TIMEOUT",
            Self::Limit { .. } => "LIMIT",
            Self::Skip { .. } => "skip",
            Self::Fault { .. } => "FAULT",
        }
    }

    /// Whether the subject is the reason that the check did not pass.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::Pass | Self::Skip { .. } | Self::Fault { .. })
    }

    /// Whether a stage with it has passed, as far as this check goes: a fault is nobody's failure, and no pass either.
    pub fn lets_pass(&self) -> bool {
        matches!(self, Self::Pass | Self::Skip { .. })
    }
}

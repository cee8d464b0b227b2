//! What a failed check shows: what was done, what was expected, what was seen.

use serde::{Deserialize, Serialize};

/// The facts behind a verdict, in the words of a student, ready to be laid out by a renderer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// What was done to the subject, in order.
    pub did: Vec<String>,
    /// How many cases were tried before this one was the smallest that fails; 0 for a case written by hand.
    pub smallest_of: u32,
    /// What the specification asks for.
    pub expected: String,
    /// What was seen instead.
    pub got: String,
    /// A drawing, line by line, where that explains more than text: shown in full, never wrapped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub picture: Vec<String>,
    /// The mistake that this looks like; empty unless what was seen points to it.
    pub likely: String,
    /// The last lines that the subject wrote to stderr.
    pub stderr: Vec<String>,
    /// The expectation in the suite that did not hold, as `file:line`.
    pub expectation: String,
}

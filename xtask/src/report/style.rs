//! The few styles that everything is printed in. They are always written; the stream takes them out where they are
//! not wanted.

use anstyle::{AnsiColor, Style};
use harness::verdict::Verdict;

/// Passed.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Neither: skipped, not started, or ours.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
/// Labels.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Headings.
pub(crate) const STRONG: Style = Style::new().bold();

/// `text` in a style.
pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The style of a verdict's word.
pub(crate) fn of(verdict: &Verdict) -> Style {
    match verdict {
        Verdict::Pass => GOOD,
        Verdict::NotStarted { .. } | Verdict::Skip { .. } => ODD,
        _ => BAD,
    }
}

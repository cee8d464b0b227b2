//! The evidence of one check, as a block of at most about 25 lines.

use harness::{event::CheckFinished, evidence::Evidence, verdict::Verdict};

use super::{
    Facts,
    style::{self, DIM, styled},
};
use crate::subject::Choice;

/// Columns of a line; wide enough for a name, narrow enough for half a screen.
const WIDTH: usize = 100;
/// Where text begins, behind its label.
const INDENT: usize = 12;
/// Lines that the steps may take.
const STEP_LINES: usize = 6;
/// Lines that any other text may take.
const LINES: usize = 4;

/// The block for a check that did not pass.
pub(super) fn block(facts: &Facts, page: &str, check: &CheckFinished) -> String {
    let evidence = check.evidence.clone().unwrap_or_default();
    let word = styled(style::of(&check.verdict), check.verdict.word());
    let mut text = format!("{word} {}{}\n", check.id, points(check));
    match &check.verdict {
        Verdict::Skip { reason } => add(&mut text, "because", reason),
        Verdict::Fault { detail } => {
            add(&mut text, "fault", detail);
            add(&mut text, "whose", "the grader's own, not yours: please report it, with the transcript");
        }
        _ => {
            add(&mut text, "must", &check.must);
            add(&mut text, "page", page);
            add(&mut text, "did", &did(&evidence));
            add(&mut text, "expected", &evidence.expected);
            add(&mut text, "got", &evidence.got);
            for (number, row) in evidence.picture.iter().enumerate() {
                text.push_str(&one_line(if number == 0 { "picture" } else { "" }, &printable(row)));
            }
            add(&mut text, "stderr", &evidence.stderr.join("\n"));
            add(&mut text, "likely", &evidence.likely);
        }
    }
    // Never wrapped: these are copied from here.
    text.push_str(&one_line("again", &again(facts, check)));
    if let Some(transcript) = &check.transcript {
        text.push_str(&one_line("log", &format!("{}/{}", facts.transcripts, transcript.display())));
    }
    if facts.choice == Choice::Solution && !evidence.expectation.is_empty() {
        text.push_str(&one_line("asked at", &evidence.expectation));
    }
    text
}

/// Adds a labelled text, if there is any.
fn add(text: &mut String, label: &str, content: &str) {
    if !content.is_empty() {
        text.push_str(&labelled(label, content));
    }
}

/// The command that shows this again.
pub(super) fn again(facts: &Facts, check: &CheckFinished) -> String {
    let what = match &facts.file {
        Some(file) => format!("--trace {file}"),
        None => format!("--check {}", check.id),
    };
    format!("cargo xtask check {}{} {what} --seed {}", facts.project.name, facts.flag, facts.seed)
}

/// What the check is worth, flush with the right margin.
fn points(check: &CheckFinished) -> String {
    if check.points == 0 {
        return String::new();
    }
    let unit = if check.points == 1 { "pt" } else { "pts" };
    let text = format!("  {} {unit}", check.points);
    let used = check.verdict.word().len() + " ".len() + check.id.len();
    format!("{text:>width$}", width = WIDTH.saturating_sub(used))
}

fn did(evidence: &Evidence) -> String {
    let steps = evidence.did.join("; ");
    match evidence.smallest_of {
        0 => steps,
        tried => format!("{steps}    (smallest of {tried} tried)"),
    }
}

/// `label`, then the text, wrapped and indented under itself.
pub(super) fn labelled(label: &str, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().flat_map(wrapped).collect();
    let room = if label == "did" { STEP_LINES } else { LINES };
    if lines.len() > room {
        let left_out = lines.len() - room + 1;
        // The end is where things went wrong.
        lines.splice(1..=left_out, [format!("… {left_out} lines left out; the log has more …")]);
    }
    let mut block = String::new();
    for (number, line) in lines.iter().enumerate() {
        let label = if number == 0 { label } else { "" };
        block.push_str(&one_line(label, line));
    }
    block
}

/// `label`, then a line that is not wrapped.
pub(super) fn one_line(label: &str, line: &str) -> String {
    format!("  {}{line}\n", styled(DIM, format!("{label:<width$}", width = INDENT - 2)))
}

/// A line cut at spaces into lines that fit; a word that does not fit alone is cut anywhere.
pub(super) fn wrapped(line: &str) -> Vec<String> {
    let room = WIDTH - INDENT;
    let mut lines = vec![String::new()];
    for word in printable(line).trim_end().split(' ') {
        let word: Vec<char> = word.chars().collect();
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > 0 && used + 1 + word.len() > room {
            lines.push(String::new());
        } else if used > 0 {
            push(&mut lines, " ");
        }
        for (number, piece) in word.chunks(room).enumerate() {
            if number > 0 {
                lines.push(String::new());
            }
            push(&mut lines, &piece.iter().collect::<String>());
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(last) = lines.last_mut() {
        last.push_str(text);
    }
}

/// `text` with control characters as escapes: what a subject wrote is shown as it is, and moves no cursor.
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_keeps_its_beginning_and_its_end() {
        let text = (0..200).map(|n| format!("step {n};")).collect::<Vec<_>>().join(" ");
        let block = labelled("did", &text);
        assert_eq!(block.lines().count(), STEP_LINES, "{block}");
        assert!(
            block.contains("step 0;") && block.contains("step 199;") && block.contains("left out"),
            "{block}"
        );
    }
}

//! Printing a report while it grows.
//!
//! Checks finish in any order and are printed in that of the catalogue, so that two runs can be compared line by
//! line. On a terminal a spinner on stderr says what is awaited; elsewhere there is none.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use harness::event::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Report, StageReport, human};
use crate::{cli::Format, stdout};

/// Prints events as they come.
pub(crate) struct Printer {
    format: Format,
    spinner: ProgressBar,
    /// Checks of the current stage that were printed.
    printed: usize,
    begun: bool,
}

/// However the run ended, the terminal's line is given back.
impl Drop for Printer {
    fn drop(&mut self) {
        self.spinner.finish_and_clear();
    }
}

impl Printer {
    /// A printer for a run that is about to begin.
    pub(crate) fn new(format: Format, report: &Report) -> Self {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let wanted =
            format == Format::Human && io::stderr().is_terminal() && io::stdout().is_terminal() && !dumb;
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let spinner = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} {elapsed:.dim}") {
            spinner.set_style(style);
        }
        spinner.set_message(report.facts.project.name.clone());
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self { format, spinner, printed: 0, begun: false }
    }

    /// Prints what an event adds. `report` has it already; `line` is the event as it came.
    pub(crate) fn print(&mut self, report: &Report, event: &Event, line: &str) -> anyhow::Result<()> {
        if self.format == Format::Json {
            return self.write(&format!("{line}\n"));
        }
        if !self.begun {
            self.begun = true;
            self.write(&human::header(report))?;
        }
        let Some(stage) = report.stages.last() else { return Ok(()) };
        match event {
            Event::StageStarted { .. } => {
                self.printed = 0;
                self.await_next(stage);
                self.write(&human::stage_header(report, stage))
            }
            Event::CheckFinished(_) => {
                let text = self.in_order(stage);
                self.await_next(stage);
                self.write(&text)
            }
            Event::StageFinished { .. } => {
                let rest: String = stage.checks.values().skip(self.printed).map(human::check_line).collect();
                self.write(&(rest + &human::stage_footer(report, stage)))
            }
            Event::RunStarted { .. } | Event::CheckStarted { .. } | Event::RunFinished { .. } => Ok(()),
        }
    }

    /// Prints the end.
    pub(crate) fn finish(&mut self, report: &Report) -> anyhow::Result<()> {
        if self.format == Format::Human && report.finished {
            self.write(&human::summary(report))
        } else {
            Ok(())
        }
    }

    /// The lines of the checks that are next in order and have finished.
    fn in_order(&mut self, stage: &StageReport) -> String {
        let mut text = String::new();
        for (place, check) in stage.checks.iter().skip(self.printed) {
            if *place != self.printed && stage.entry.checks.len() != stage.checks.len() {
                break;
            }
            text.push_str(&human::check_line(check));
            self.printed += 1;
        }
        text
    }

    fn await_next(&self, stage: &StageReport) {
        let awaited = stage.entry.checks.get(self.printed).map(|check| check.id.clone());
        self.spinner.set_message(awaited.unwrap_or_default());
    }

    fn write(&self, text: &str) -> anyhow::Result<()> {
        self.spinner.suspend(|| stdout::write(text))
    }
}

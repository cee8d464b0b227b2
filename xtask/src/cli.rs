//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Builds, runs and judges the five systems of the course.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check your implementation of a project, stage by stage
    Check(CheckArgs),
    /// List projects, or the stages and checks of one
    List(ListArgs),
    /// Explain a check: what is required, and why it matters
    Explain(ExplainArgs),
    /// Grade the grader: solution, starter, mutants, mirrors
    Audit(AuditArgs),
    /// Say what this machine can run, and what would supply the rest
    Doctor,
    /// Look for untidiness in this repository's own code and pages
    Tidy,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The project, such as kv
    pub(crate) project: String,

    /// Check stages 1 to N
    #[arg(long, value_name = "N")]
    pub(crate) stage: Option<u32>,

    /// With --stage: that stage alone
    #[arg(long, requires = "stage")]
    pub(crate) only: bool,

    /// Run this check alone, by id or by name
    #[arg(long, value_name = "ID", conflicts_with_all = ["stage", "only"])]
    pub(crate) check: Option<String>,

    /// Check the reference solution instead of your exercise
    #[arg(long, conflicts_with = "subject")]
    pub(crate) solution: bool,

    /// Check the crate, or the folder with a subject.toml, at PATH
    #[arg(long, value_name = "PATH")]
    pub(crate) subject: Option<PathBuf>,

    /// Go on after a stage that failed
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// The seed of every random choice [default: a new one, or that of the last run if it failed]
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,

    /// How many checks run at once [default: one a processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,

    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The project whose stages and checks to list
    pub(crate) project: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The check, such as kv/3/newest_table_wins
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The project to audit [default: all of them]
    pub(crate) project: Option<String>,

    /// Leave out what needs untouched starters: for a fork in which somebody is at work
    #[arg(long)]
    pub(crate) without_starter: bool,

    /// Try only every N-th mutant
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) every: u32,

    /// Try only mutants whose name contains TEXT
    #[arg(long, value_name = "TEXT")]
    pub(crate) mutant: Option<String>,

    /// The seed of every random choice
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    Human,
    /// The suite's events, one JSON object a line
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes this the one decision for stdout and stderr, ours and cargo's. `auto` honours NO_COLOR, CLICOLOR_FORCE
    /// and CARGO_TERM_COLOR, and otherwise asks whether there is a terminal.
    pub(crate) fn apply(self) {
        let from_cargo = std::env::var("CARGO_TERM_COLOR").ok();
        let choice = match (self, from_cargo.as_deref()) {
            (Self::Always, _) => anstream::ColorChoice::Always,
            (Self::Never, _) => anstream::ColorChoice::Never,
            (Self::Auto, _) if std::env::var_os("NO_COLOR").is_some() => anstream::ColorChoice::Auto,
            (Self::Auto, Some("always")) => anstream::ColorChoice::Always,
            (Self::Auto, Some("never")) => anstream::ColorChoice::Never,
            (Self::Auto, _) => anstream::ColorChoice::Auto,
        };
        choice.write_global();
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}

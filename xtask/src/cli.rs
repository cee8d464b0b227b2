//! The command line.
//!
//! Built by hand rather than derived: clap's derive asks for other features of `syn` than serde's, and the two
//! programs that a first `check` compiles would share none of their macros. That is a fifth of the wait.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, builder::PossibleValuesParser, value_parser};

use crate::lane::Wish;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Cli {
    pub(crate) command: Command,
    pub(crate) color: Color,
}

/// One of the tasks.
#[derive(Debug)]
pub(crate) enum Command {
    Check(CheckArgs),
    /// A project, or all of them.
    List(Option<String>),
    /// A check's id.
    Explain(String),
    Audit(AuditArgs),
    /// The folder to make.
    Rootfs(PathBuf),
    Doctor,
    Tidy,
}

/// The options of `check`.
#[derive(Debug)]
pub(crate) struct CheckArgs {
    pub(crate) project: String,
    pub(crate) stage: Option<u32>,
    pub(crate) only: bool,
    pub(crate) check: Option<String>,
    pub(crate) solution: bool,
    pub(crate) subject: Option<PathBuf>,
    pub(crate) trace: Option<PathBuf>,
    /// Features of the suite, for the checks that only a build with them can run.
    pub(crate) with: Vec<String>,
    /// Where the suite runs, if not where it asks to.
    pub(crate) lane: Option<Wish>,
    pub(crate) keep_going: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) jobs: Option<usize>,
    pub(crate) format: Format,
}

/// The options of `audit`.
#[derive(Debug)]
pub(crate) struct AuditArgs {
    pub(crate) project: Option<String>,
    pub(crate) without_starter: bool,
    pub(crate) every: u32,
    pub(crate) offset: u32,
    pub(crate) own_stage: bool,
    pub(crate) mutant: Option<String>,
    pub(crate) with: Vec<String>,
    pub(crate) lane: Option<Wish>,
    pub(crate) seed: u64,
}

/// What is printed on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Lines for people.
    Human,
    /// The suite's events, one JSON object a line.
    Json,
}

/// When colour is used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Cli {
    /// Reads this process's arguments; says what is wrong with them, or how to use them, and exits.
    pub(crate) fn parse() -> Self {
        Self::from_matches(&command().get_matches())
    }

    fn from_matches(matches: &ArgMatches) -> Self {
        let color = match matches.get_one::<String>("color").map(String::as_str) {
            Some("always") => Color::Always,
            Some("never") => Color::Never,
            _ => Color::Auto,
        };
        let command = match matches.subcommand() {
            Some(("check", args)) => Command::Check(CheckArgs::from_matches(args)),
            Some(("list", args)) => Command::List(get(args, "project")),
            Some(("explain", args)) => Command::Explain(get(args, "id").unwrap_or_default()),
            Some(("audit", args)) => Command::Audit(AuditArgs::from_matches(args)),
            Some(("rootfs", args)) => Command::Rootfs(get(args, "folder").unwrap_or_default()),
            Some(("doctor", _)) => Command::Doctor,
            _ => Command::Tidy,
        };
        Self { command, color }
    }
}

impl CheckArgs {
    fn from_matches(args: &ArgMatches) -> Self {
        let json = get::<String>(args, "format").is_some_and(|format| format == "json");
        Self {
            project: get(args, "project").unwrap_or_default(),
            stage: get(args, "stage"),
            only: args.get_flag("only"),
            check: get(args, "check"),
            solution: args.get_flag("solution"),
            subject: get(args, "subject"),
            trace: get(args, "trace"),
            with: get_all(args, "with"),
            lane: get::<String>(args, "lane").and_then(|name| Wish::from_name(&name)),
            keep_going: args.get_flag("keep-going"),
            seed: get(args, "seed"),
            jobs: get(args, "jobs"),
            format: if json { Format::Json } else { Format::Human },
        }
    }
}

impl AuditArgs {
    fn from_matches(args: &ArgMatches) -> Self {
        Self {
            project: get(args, "project"),
            without_starter: args.get_flag("without-starter"),
            every: get(args, "every").unwrap_or(1),
            offset: get(args, "offset").unwrap_or(0),
            own_stage: args.get_flag("own-stage"),
            mutant: get(args, "mutant"),
            with: get_all(args, "with"),
            lane: get::<String>(args, "lane").and_then(|name| Wish::from_name(&name)),
            seed: get(args, "seed").unwrap_or(1),
        }
    }
}

fn get<T: Clone + Send + Sync + 'static>(args: &ArgMatches, name: &str) -> Option<T> {
    args.get_one(name).cloned()
}

fn get_all(args: &ArgMatches, name: &str) -> Vec<String> {
    args.get_many(name).into_iter().flatten().cloned().collect()
}

/// The whole command line, as `--help` shows it.
fn command() -> clap::Command {
    clap::Command::new("cargo xtask")
        .bin_name("cargo xtask")
        .about("Builds, runs and judges the five systems of the course")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            option("color", "WHEN", "When to use colour")
                .global(true)
                .value_parser(PossibleValuesParser::new(["auto", "always", "never"]))
                .default_value("auto"),
        )
        .subcommand(check())
        .subcommand(task("list", "List projects, or the stages and checks of one").arg(project()))
        .subcommand(task("explain", "Explain a check: what is required, and why it matters").arg(
            Arg::new("id").value_name("ID").required(true).help("The check, such as kv/3/newest_table_wins"),
        ))
        .subcommand(audit())
        .subcommand(
            task("rootfs", "Make a small root file system to try a container in, with busybox").arg(
                Arg::new("folder")
                    .value_name("DIR")
                    .required(true)
                    .help("The folder to make; it may be there if it is empty")
                    .value_parser(value_parser!(PathBuf)),
            ),
        )
        .subcommand(task("doctor", "Say what this machine can run, and what would supply the rest"))
        .subcommand(task("tidy", "Look for untidiness in this repository's own code and pages"))
}

fn check() -> clap::Command {
    task("check", "Check your implementation of a project, stage by stage").args([
        project().required(true),
        option("stage", "N", "Check stages 1 to N").value_parser(value_parser!(u32)),
        flag("only", "With --stage: that stage alone").requires("stage"),
        option("check", "ID", "Run this check alone, by id or by name").conflicts_with_all(["stage", "only"]),
        flag("solution", "Check the reference solution instead of your exercise").conflicts_with("subject"),
        option("subject", "PATH", "Check the crate, or the folder with a subject.toml, at PATH")
            .value_parser(value_parser!(PathBuf)),
        option("trace", "FILE", "Play a trace of your own instead of the stages, where a project has traces")
            .value_parser(value_parser!(PathBuf))
            .conflicts_with_all(["stage", "only", "check"]),
        with("Also run the checks that need FEATURE, such as docker, where the suite has some"),
        lane(),
        flag("keep-going", "Go on after a stage that failed"),
        option(
            "seed",
            "S",
            "The seed of every random choice [default: a new one, or the last run's if it failed]",
        )
        .value_parser(value_parser!(u64)),
        option("jobs", "N", "How many checks run at once [default: one a processor]")
            .value_parser(value_parser!(usize)),
        option("format", "FORMAT", "What to print on stdout: lines for people, or the suite's events")
            .value_parser(PossibleValuesParser::new(["human", "json"]))
            .default_value("human"),
    ])
}

fn audit() -> clap::Command {
    task("audit", "Grade the grader: solution, starter, mutants, mirrors").args([
        project(),
        flag(
            "without-starter",
            "Leave out what needs untouched starters: for a fork in which somebody is at work",
        ),
        option("every", "N", "Try only every N-th mutant")
            .value_parser(value_parser!(u32).range(1..))
            .default_value("1"),
        option("offset", "K", "With --every: begin K mutants later, so that N runs try all; counted around")
            .value_parser(value_parser!(u32))
            .default_value("0"),
        flag("own-stage", "Try each mutant on its own stage alone, and not on those before it"),
        option("mutant", "TEXT", "Try only mutants whose name contains TEXT"),
        with("Also try the checks that need FEATURE, such as docker"),
        lane(),
        option("seed", "S", "The seed of every random choice")
            .value_parser(value_parser!(u64))
            .default_value("1"),
    ])
}

fn task(name: &'static str, about: &'static str) -> clap::Command {
    clap::Command::new(name).about(about)
}

fn project() -> Arg {
    Arg::new("project").value_name("PROJECT").help("The project, such as kv")
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn with(help: &'static str) -> Arg {
    option("with", "FEATURE", help).action(ArgAction::Append).value_delimiter(',')
}

fn lane() -> Arg {
    option("lane", "LANE", "Where to run: here, or in a throw-away kernel [default: what the suite asks for]")
        .value_parser(PossibleValuesParser::new(Wish::ALL.map(Wish::name)))
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
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
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_option_of_check_arrives() {
        let line = "xtask check kv --stage 3 --only --solution --keep-going --seed 7 --jobs 2 --format json \
                    --with a,b --with c --lane uml";
        let Command::Check(args) = Cli::from_matches(&command().get_matches_from(line.split(' '))).command
        else {
            panic!("`check` is read as something else");
        };
        assert_eq!(
            (args.project.as_str(), args.stage, args.seed, args.jobs),
            ("kv", Some(3), Some(7), Some(2))
        );
        assert_eq!(args.with, ["a", "b", "c"]);
        assert_eq!(args.lane, Some(Wish::Uml));
        assert!(args.only && args.solution && args.keep_going && args.format == Format::Json, "{args:?}");
    }
}

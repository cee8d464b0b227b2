//! The front desk: `cargo xtask check kv --stage 3` and its siblings.
//!
//! ```text
//!   argv ─► Request ─► Plan ─► Subject ──► suite process ──► events ──► Report ─► terminal │ json
//!    cli     select    build   (built)       (JSON lines)                report/*
//! ```
//!
//! It knows no project: whatever has a folder in `checks/` is one. It never judges: verdicts come from suites, and
//! what is printed is a function of their events.

mod cli;

mod check;

mod cargo;
mod house;
mod select;
mod subject;
mod suite;

mod lane;

mod last_run;
mod report;

mod audit;
mod catalogue;
mod doctor;
mod rootfs;
mod tidy;

mod exit;
mod interrupt;
mod nearest;
mod programs;
mod stdout;

use std::process::ExitCode;

use cli::{Cli, Command};
use exit::Exit;
use house::House;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.color.apply();
    let outcome = House::find().and_then(|house| match cli.command {
        Command::Check(args) => check::run(&house, &args),
        Command::List(project) => catalogue::list(&house, project.as_deref()),
        Command::Explain(id) => catalogue::explain(&house, &id),
        Command::Audit(args) => audit::run(&house, &args),
        Command::Rootfs(folder) => rootfs::run(&house, &folder),
        Command::Doctor => doctor::run(&house),
        Command::Tidy => tidy::run(&house),
    });
    let exit = outcome.unwrap_or_else(|error| exit::report(&error));
    if interrupt::happened() { Exit::Interrupted } else { exit }.into()
}

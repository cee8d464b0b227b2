//! `cargo xtask check`: select, build, run, report.

use std::thread;

use anyhow::anyhow;
use harness::event::{Request, VERSION};

use crate::{
    cli::CheckArgs,
    exit::Exit,
    house::{House, Project},
    interrupt,
    lane::{self, Lane},
    last_run::{self, LastRun},
    report::{self, Report, output},
    select,
    subject::{Built, Choice, Subject},
    suite::Suite,
};

/// Runs the command.
pub(crate) fn run(house: &House, args: &CheckArgs) -> anyhow::Result<Exit> {
    interrupt::note_from_now_on();
    let project = house.project(&args.project)?;
    project.has_features(&args.with)?;
    let subject = Subject::find(house, &project, choice(args))?;

    let (suite, built) = build_both(house, &project, &args.with, &subject);
    let suite = suite?;
    let mut catalogue = suite.catalogue()?;
    let selection = select::select(&mut catalogue, args)?;
    let built = built?.meets(catalogue.contract, &subject.shown(house))?;

    let lane = Lane::choose(house, args.lane, &catalogue)?.also_showing(subject.folder());

    let seed = args.seed.unwrap_or_else(|| last_run::seed(house, &project));
    let mut last = LastRun::begin(house, &project)?;
    let request = Request {
        v: VERSION,
        subject: built,
        stages: selection.stages,
        checks: selection.checks,
        seed,
        jobs: args.jobs.unwrap_or_else(processors),
        keep_going: args.keep_going,
        output: last.folder().to_owned(),
        file: selection.file,
        announce: false,
    };
    let facts = report::Facts {
        project: project.clone(),
        subject: subject.shown(house),
        flag: subject.flag() + &with_flag(args) + &lane_flag(args),
        seed,
        file: args.trace.as_ref().map(|path| path.display().to_string()),
        transcripts: house.shown(last.folder()),
        catalogue,
        choice: subject.choice.clone(),
    };
    let mut report = Report::new(facts);
    let mut printer = output::Printer::new(args.format, &report);
    let log = last.folder().join(lane::LOG);
    let outcome = lane.run(&suite, &report.facts.catalogue.clone(), &request, &log, &mut |event, line| {
        last.keep(line)?;
        report.add(event.clone());
        printer.print(&report, &event, line)
    });
    if report.exit() != Exit::Passed {
        last.keep_seed(seed)?;
    }
    outcome?;
    printer.finish(&report)?;
    Ok(report.exit())
}

fn choice(args: &CheckArgs) -> Choice {
    match &args.subject {
        Some(path) => Choice::At(path.clone()),
        None if args.solution => Choice::Solution,
        None => Choice::Exercise,
    }
}

/// What a command line needs to run such checks again.
fn with_flag(args: &CheckArgs) -> String {
    args.with.iter().map(|feature| format!(" --with {feature}")).collect()
}

/// What a command line needs to run them in the same place.
fn lane_flag(args: &CheckArgs) -> String {
    args.lane.map(|lane| format!(" --lane {}", lane.name())).unwrap_or_default()
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Suite and subject are compiled with different profiles, which cargo keeps apart, so both can build at once.
fn build_both(
    house: &House,
    project: &Project,
    features: &[String],
    subject: &Subject,
) -> (anyhow::Result<Suite>, anyhow::Result<Built>) {
    thread::scope(|scope| {
        let suite = scope.spawn(|| Suite::build(project, features));
        let built = subject.build(house);
        (suite.join().unwrap_or_else(|_| Err(anyhow!("the build of the suite panicked"))), built)
    })
}

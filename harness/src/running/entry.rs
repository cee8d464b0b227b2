//! A suite's `main`: the four verbs that the front desk uses.
//!
//! ```text
//!   SUITE list          the catalogue, as one JSON document
//!   SUITE facilities    what this machine offers to checks, each found by trying it
//!   SUITE run           reads a Request from the first line of stdin, prints an Event a line
//!   SUITE init ERRAND   `run` in a throw-away kernel, as its first process
//! ```

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use super::{
    Suite, executor::Run, facility, interrupt, lab, strays, watchdog::Watchdog, workspace::Workspace,
};
use crate::event::{Request, VERSION};

/// Runs the verb on the command line. Failures of the grader itself are exit status 70 (EX_SOFTWARE, sysexits.h).
pub fn main(suite: &'static Suite) -> ExitCode {
    let verb = env::args().nth(1);
    let done = match verb.as_deref() {
        Some("list") => print_json(&suite.catalogue()),
        Some("facilities") => print_json(&facility::all()),
        Some("run") => run(suite),
        Some("init") => lab::init(env::args_os().nth(2)),
        _ => Err(io::Error::other("usage: list | facilities | run; `cargo xtask check` is the way in")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} suite: {error}", suite.project);
            ExitCode::from(70)
        }
    }
}

fn run(suite: &'static Suite) -> io::Result<()> {
    interrupt::prepare()?;
    strays::become_subreaper()?;
    let request = read_request(suite)?;
    let workspace = Workspace::create()?;
    let watchdog = Watchdog::start();
    interrupt::watch_for(watchdog.clone(), workspace.path().to_owned());

    let mut lost = None;
    let run = Run { suite, request: &request, workspace: workspace.path(), watchdog };
    run.execute(&mut |event| {
        interrupt::stand_aside();
        if lost.is_none() {
            lost = print_json(&event).err();
        }
    });
    strays::kill_descendants();
    lost.map_or(Ok(()), Err)
}

fn read_request(suite: &Suite) -> io::Result<Request> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let request: Request = serde_json::from_str(&line)?;
    if request.v != VERSION {
        let problem = format!("the request speaks version {}, this suite speaks {VERSION}", request.v);
        return Err(io::Error::other(problem));
    }
    if request.subject.contract() != suite.contract {
        return Err(io::Error::other(format!("a subject has to be a {:?}", suite.contract)));
    }
    Ok(request)
}

fn print_json(value: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

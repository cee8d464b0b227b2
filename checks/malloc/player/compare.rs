//! Plays the same traces on several allocators and prints what they cost: for people, not for the suite.
//!
//! ```text
//!   malloc-player compare [--rounds N] [--scale K] TRACE... -- LIBRARY...
//! ```
//!
//! A library has `my_malloc` and its kin, or `malloc` and its kin; the word `libc` stands for the system's. Each measurement is
//! made by a process of its own (see [`measure`]), and the rounds of all go in turn: what disturbs the machine for a while
//! does not hit one library alone. Build the player with `--release` for this: otherwise its own loop is most of the time.

mod measure;

use std::{
    env,
    fs::File,
    io::{self, Write},
    path::{self, Path},
    process::{Command, Stdio},
};

pub(crate) use measure::main as measure;

/// The first argument of a process that measures.
pub(crate) const MEASURE: &str = "measure";

/// Some allocators' thread-local variables have to lie beside the program's own: room for them when they are loaded late.
const TUNABLES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=16384");

/// What is to be compared.
struct Plan {
    rounds: usize,
    scale: String,
    traces: Vec<String>,
    libraries: Vec<String>,
}

/// What was measured of one library on one trace.
#[derive(Default)]
struct Row {
    /// Million operations a second, of each round.
    speeds: Vec<f64>,
    /// Highest sum of the sizes of live blocks, and what the process grew by: writable memory, memory in RAM.
    payload: f64,
    writable: f64,
    resident: f64,
    error: Option<String>,
}

/// Compares, and prints a table.
pub(crate) fn main(arguments: &[String]) -> io::Result<()> {
    let plan = plan(arguments).ok_or_else(|| {
        io::Error::other("usage: malloc-player compare [--rounds N] [--scale K] TRACE... -- LIBRARY...")
    })?;
    for trace in &plan.traces {
        File::open(trace)
            .map_err(|error| io::Error::other(format!("cannot read the trace {trace}: {error}")))?;
    }
    let pairs =
        || plan.traces.iter().flat_map(|trace| plan.libraries.iter().map(move |library| (trace, library)));
    let mut rows: Vec<Row> = pairs().map(|_| Row::default()).collect();
    for round in 0..plan.rounds {
        for ((trace, library), row) in pairs().zip(&mut rows) {
            if round == 0 {
                take_footprint(row, ask(&plan, "footprint", trace, library)?);
            }
            take_speed(row, ask(&plan, "speed", trace, library)?);
        }
    }
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<24} {:<26} {:>9} {:>11} {:>11} {:>11}",
        "trace", "library", "Mops/s", "payload", "writable", "resident"
    )?;
    for ((trace, library), row) in pairs().zip(&mut rows) {
        write!(out, "{:<24} {:<26} ", short(trace), short(library))?;
        match &row.error {
            Some(error) => writeln!(out, "{error}")?,
            None => writeln!(
                out,
                "{:>9.1} {:>7.0} KiB {:>10.1}% {:>10.1}%",
                median(&mut row.speeds),
                row.payload / 1024.0,
                100.0 * row.payload / row.writable.max(1.0),
                100.0 * row.payload / row.resident.max(1.0)
            )?,
        }
    }
    Ok(())
}

fn plan(arguments: &[String]) -> Option<Plan> {
    let border = arguments.iter().position(|argument| argument == "--")?;
    // The loader looks for a name without a folder among the system's libraries.
    let whole = |path: &String| path::absolute(path).ok().filter(|path| path.exists());
    let library = |path: &String| whole(path).map_or_else(|| path.clone(), |path| path.display().to_string());
    let mut left = &arguments[..border];
    let libraries = arguments[border + 1..].iter().map(library).collect();
    let mut plan = Plan { rounds: 5, scale: "1".to_owned(), traces: Vec::new(), libraries };
    while let [first, rest @ ..] = left {
        left = match (first.as_str(), rest) {
            ("--rounds", [value, rest @ ..]) => {
                plan.rounds = value.parse().ok()?;
                rest
            }
            ("--scale", [value, rest @ ..]) => {
                plan.scale.clone_from(value);
                rest
            }
            _ => {
                plan.traces.push(first.clone());
                rest
            }
        };
    }
    (plan.rounds > 0 && !plan.traces.is_empty() && !plan.libraries.is_empty()).then_some(plan)
}

/// Has a new process measure; its numbers, or why there are none.
fn ask(plan: &Plan, what: &str, trace: &str, library: &str) -> io::Result<Result<Vec<f64>, String>> {
    let mut command = Command::new(env::current_exe()?);
    command.args([MEASURE, what, trace, library, &plan.scale]).env(TUNABLES.0, TUNABLES.1);
    let output = command.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if output.status.success() && !numbers.is_empty() {
        return Ok(Ok(numbers));
    }
    Ok(Err(format!("no result ({})", output.status)))
}

fn take_speed(row: &mut Row, measured: Result<Vec<f64>, String>) {
    match measured {
        Ok(numbers) => row.speeds.extend(numbers.first()),
        Err(error) => row.error = Some(error),
    }
}

fn take_footprint(row: &mut Row, measured: Result<Vec<f64>, String>) {
    match measured.as_deref() {
        Ok([payload, writable, resident]) => {
            (row.payload, row.writable, row.resident) = (*payload, *writable, *resident);
        }
        Ok(_) => row.error = Some("an answer of another kind".to_owned()),
        Err(error) => row.error = Some(error.clone()),
    }
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A file's name, without its folder.
fn short(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

//! The suite for the memory allocator: what `exercises/malloc/README.md` promises, looked for from outside.
//!
//! ```text
//!   first_fit, coalescing, splitting, edges, realloc, …     the checks, a file a stage
//!   threads    those of stage 6 in which threads play
//!   trace      operations, and how closely they are watched         random     drawn by proptest
//!   player     plays them on the subject's library, in a process of its own
//!   seen       what it saw, as data              wire       the same, as it is exchanged
//!   rules      what holds for every trace        footprint  whether freed memory is used again
//!   words      a trace as a student would say it, and picture: as one would draw it
//! ```
//!
//! A check speaks of blocks, bytes and addresses, never of how an allocator keeps its lists.

mod first_fit;

mod coalescing;

mod splitting;

mod edges;

mod realloc;

mod real_programs;

mod threads;

mod utilisation_and_speed;

mod own_trace;

mod trace;

mod player;

mod seen;

#[expect(dead_code, reason = "one half of it is the player's")]
mod wire;

mod rules;

mod footprint;

mod speed;

mod families;

mod recorded;

mod text;

mod random;

mod words;

mod picture;

use std::{env, fs, io, path::Path, process::ExitCode};

use harness::Suite;

use families::Family;

static SUITE: Suite = Suite::new(
    "malloc",
    &[
        first_fit::STAGE,
        coalescing::STAGE,
        splitting::STAGE,
        edges::STAGE,
        realloc::STAGE,
        real_programs::STAGE,
        utilisation_and_speed::STAGE,
    ],
)
.of_libraries()
.on_file(own_trace::CHECK);

/// Besides the verbs of every suite there is `traces FOLDER`, which writes the traces of stage 7 as text: to look at, to
/// play with `--trace`, and for the player's `compare`.
fn main() -> ExitCode {
    let args: Vec<_> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["traces", folder] => match write_traces(Path::new(folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("cannot write the traces to {folder}: {error}");
                ExitCode::FAILURE
            }
        },
        _ => harness::main(&SUITE),
    }
}

fn write_traces(folder: &Path) -> io::Result<()> {
    const SEED: u64 = 1;
    fs::create_dir_all(folder)?;
    let saw = Family { name: "a saw of free blocks", trace: families::saw() };
    let recorded = recorded::all().map_err(|halt| io::Error::other(format!("{:?}", halt.verdict)))?;
    for Family { name, trace } in families::all(SEED).into_iter().chain([saw]).chain(recorded) {
        fs::write(folder.join(format!("{}.trace", name.replace([' ', ','], "-"))), text::write(&trace.ops))?;
    }
    Ok(())
}

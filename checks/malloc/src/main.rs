//! The suite for the memory allocator: what `exercises/malloc/README.md` promises, looked for from outside.
//!
//! ```text
//!   first_fit, coalescing, splitting, edges, realloc, …     the checks, a file a stage
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

use std::process::ExitCode;

use harness::Suite;

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

fn main() -> ExitCode {
    harness::main(&SUITE)
}

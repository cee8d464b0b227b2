//! A suite of checks that no real suite would have, for what the example suite cannot show: what the harness does
//! when the *grader* panics, when a whole stage waits in vain, and when limits are tight enough to be reached quickly.

use std::process::ExitCode;

use harness::{
    Check, Context, Judged, Stage, Suite,
    process::{Launch, Limits},
};

static SUITE: Suite = Suite::new("trial", &[FAULTS, WAITS, LIMITS]);

fn main() -> ExitCode {
    harness::main(&SUITE)
}

const FAULTS: Stage = Stage {
    number: 1,
    slug: "faults",
    bonus: false,
    checks: &[
        Check::new("panics", |_| panic!("on purpose")),
        Check::new("is_fine", |_| Ok(())),
        Check::new("is_fine_alone", |_| Ok(())).alone(),
    ],
};

const WAITS: Stage = Stage {
    number: 2,
    slug: "waits",
    bonus: false,
    checks: &[
        Check::new("waits_1", waits),
        Check::new("waits_2", waits),
        Check::new("waits_3", waits),
        Check::new("waits_4", waits),
        Check::new("waits_5", waits),
        Check::new("waits_alone", waits).alone(),
    ],
};

const LIMITS: Stage = Stage {
    number: 3,
    slug: "limits",
    bonus: false,
    checks: &[
        Check::new("has_64_mib_of_memory", has_64_mib_of_memory),
        Check::new("has_8_mib_of_disk", has_8_mib_of_disk),
        Check::new("has_4_processes", has_4_processes),
    ],
};

fn waits(context: &Context) -> Judged {
    says_a_line(context, |launch| launch)
}

fn has_64_mib_of_memory(context: &Context) -> Judged {
    says_a_line(context, |launch| launch.limits(Limits { memory_bytes: 64 << 20, ..Limits::default() }))
}

fn has_8_mib_of_disk(context: &Context) -> Judged {
    says_a_line(context, |launch| launch.limits(Limits { disk_bytes: 8 << 20, ..Limits::default() }))
}

fn has_4_processes(context: &Context) -> Judged {
    says_a_line(context, |launch| launch.limits(Limits { processes: 4, ..Limits::default() }))
}

fn says_a_line(context: &Context, prepare: impl FnOnce(Launch) -> Launch) -> Judged {
    let folder = context.folder()?;
    prepare(context.launch(folder.path())).start()?.read_line("any line").map(drop)
}

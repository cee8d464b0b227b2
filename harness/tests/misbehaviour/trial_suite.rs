//! A suite of checks that no real suite would have, for what the example suite cannot show: what the harness does
//! when the *grader* panics, when a whole stage waits in vain, and when limits are tight enough to be reached quickly.

use std::{
    fs::{self, File},
    path::Path,
    process::ExitCode,
};

use harness::{
    Check, Context, Halt, Judged, Stage, Suite,
    calls::{Call, Supervisor, Then},
    process::{Launch, Limits},
};
use nix::{libc, unistd::Uid};

static SUITE: Suite = Suite::new("trial", &[FAULTS, WAITS, LIMITS, STANDING]);

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

const STANDING: Stage = Stage {
    number: 4,
    slug: "standing",
    bonus: false,
    checks: &[
        Check::new("has_descriptor_77", has_descriptor_77),
        Check::new("is_65534_of_group_65533", is_65534_of_group_65533),
        Check::new("is_in_a_cgroup", is_in_a_cgroup),
        Check::new("makes_no_folder", makes_no_folder),
        Check::new("makes_a_folder_last", makes_a_folder_last),
    ],
};

fn has_descriptor_77(context: &Context) -> Judged {
    let root = File::open("/")?;
    says(context, "yes", |launch| Ok(launch.inheriting(root.into(), 77)))
}

fn is_65534_of_group_65533(context: &Context) -> Judged {
    if !Uid::effective().is_root() {
        return Err(Halt::skip("only root can become somebody else"));
    }
    says(context, "65534:65533 65533", |launch| Ok(launch.as_user(65_534, 65_533)))
}

fn is_in_a_cgroup(context: &Context) -> Judged {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "));
    let top =
        line.and_then(|line| line.split(' ').nth(4)).ok_or_else(|| Halt::skip("there is no cgroup2"))?;
    let name = format!("groundwork-trial-{}", std::process::id());
    let cgroup = Path::new(top).join(&name);
    fs::create_dir(&cgroup).map_err(|error| Halt::skip(format!("{}: {error}", cgroup.display())))?;
    let judged = says(context, &name, |launch| launch.in_cgroup(&cgroup));
    fs::remove_dir(&cgroup)?;
    judged
}

const MAKES_FOLDERS: [i64; 2] = [libc::SYS_mkdir, libc::SYS_mkdirat];

/// The path of the folder that a call makes.
fn folder_of(call: &Call) -> Vec<u8> {
    call.text(usize::from(call.number == libc::SYS_mkdirat)).unwrap_or_default()
}

/// A folder called `a` is refused; others are made.
fn makes_no_folder(context: &Context) -> Judged {
    let decide = |call: &Call| if folder_of(call) == b"a" { Then::Fail(libc::EPERM) } else { Then::GoOn };
    let supervisor = Supervisor::begin(&MAKES_FOLDERS, Box::new(decide))?;
    says(context, "refused", |launch| Ok(launch.supervised(&supervisor)))
}

/// A folder called `a` waits for one called `b`.
fn makes_a_folder_last(context: &Context) -> Judged {
    let mut is_there = false;
    let decide = move |call: &Call| {
        is_there |= folder_of(call) == b"b";
        if is_there { Then::GoOn } else { Then::Later }
    };
    let supervisor = Supervisor::begin(&MAKES_FOLDERS, Box::new(decide))?;
    says(context, "both", |launch| Ok(launch.supervised(&supervisor)))
}

fn says(context: &Context, expected: &str, prepare: impl FnOnce(Launch) -> Judged<Launch>) -> Judged {
    let folder = context.folder()?;
    let line = prepare(context.launch(folder.path()))?.start()?.read_line(expected)?;
    if line == expected { Ok(()) } else { Err(Halt::fail(expected, line)) }
}

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

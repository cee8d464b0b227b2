//! The limit itself: how much, from when, where, and whose.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use harness::{
    Context, Halt, Judged,
    calls::{Call, Supervisor, Then},
};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::MIB;
use crate::{
    cgroups::{self, Leaf},
    host::{Host, nonce},
    run::Inside,
    seen,
};

/// Demands a limit of so many bytes, as it can be read outside.
#[track_caller]
pub(crate) fn has_limit(host: &Host<'_>, inside: &Inside<'_, '_>, bytes: u64) -> Judged {
    let folder = inside.cgroup()?;
    let expected = format!("a limit of {bytes} bytes (memory.max)");
    match host.leaf().limit(&folder) {
        // A limit counts pages.
        Some(limit) if limit / 4096 == bytes / 4096 => Ok(()),
        Some(limit) => Err(Halt::fail(expected, format!("{limit} bytes, in {}", folder.display()))),
        None => {
            let halt = Halt::fail(expected, format!("none, in {}", folder.display()));
            let is_where_it_was = folder == host.leaf().folder();
            Err(if is_where_it_was {
                halt.likely("the command is in the cgroup that the runtime was started in")
            } else {
                halt
            })
        }
    }
}

pub(super) fn the_limit_is_exact(context: &Context) -> Judged {
    const SIZES: [(&str, u64); 9] = [
        ("64M", 64 << 20),
        ("64m", 64 << 20),
        ("67108864", 64 << 20),
        ("40960K", 40 << 20),
        ("40960k", 40 << 20),
        ("16777216", 16 << 20),
        ("33558528", 33_558_528),
        ("1g", 1 << 30),
        ("8589934592", 8 << 30),
    ];
    Host::play_with_memory(context, |host| {
        for (size, bytes) in SIZES {
            host.forget();
            // With another option on either side.
            let call = host.call()?;
            let call = if bytes < 40 << 20 {
                call.hostname("box").memory(size)
            } else {
                call.memory(size).hostname("box")
            };
            let inside = call.serves()?;
            has_limit(host, &inside, bytes)?;
            inside.finish_well()?;
        }
        // More than there is, and all that fits into 64 bits: whatever limit the kernel makes of it.
        for size in ["9223372036854775808", "17179869183G", "18446744073709551615"] {
            host.forget();
            host.call()?.memory(size).probe("exit", &[b"0"]).start()?.ends()?.has_status(0)?;
        }
        host.forget();
        let inside = host.call()?.serves()?;
        if let Some(limit) = host.leaf().limit(&inside.cgroup()?) {
            return Err(Halt::fail("no limit without --memory", format!("{limit} bytes")));
        }
        inside.finish_well()
    })
}

/// Calls by which a limit is made, and a command put under it.
const CALLS: [i64; 3] = [libc::SYS_write, libc::SYS_execve, libc::SYS_execveat];

/// Has the runtime wait at each of its writes until everybody else of it sleeps: whoever does not wait for those writes
/// gets past them, however fast the machine is. `at_exec` looks at the process that is about to execute the command.
pub(crate) fn barrier(
    program: PathBuf,
    is_awaited: impl Fn(&Call) -> bool + Send + 'static,
    mut at_exec: impl FnMut(i32) + Send + 'static,
) -> Box<harness::calls::Decide> {
    let mut rounds = 0_u32;
    let mut others = Vec::new();
    let mut is_executed = false;
    Box::new(move |call| {
        // Asked twenty times in a row, of threads that all slept: nobody is on the way to anywhere.
        const ROUNDS: u32 = 20;
        if let Some(executed) = executed(call) {
            if !is_executed && executed.file_name() == program.file_name() {
                is_executed = true;
                at_exec(call.pid);
            }
            return Then::GoOn;
        }
        if is_executed || !is_awaited(call) {
            return Then::GoOn;
        }
        // To find out who they are takes long on a slow machine: at the first round, and again at the last.
        if rounds == 0 || rounds + 1 == ROUNDS {
            others = family(call.pid);
        }
        rounds = if others.iter().copied().all(seen::is_asleep) { rounds + 1 } else { 0 };
        if rounds < ROUNDS {
            return Then::Later;
        }
        rounds = 0;
        Then::GoOn
    })
}

/// The file that a call executes, by its path or by a descriptor. A runtime may execute others first: a copy of itself.
fn executed(call: &Call) -> Option<PathBuf> {
    let path = |argument| {
        let bytes = call.text(argument).unwrap_or_default();
        PathBuf::from(OsString::from_vec(bytes))
    };
    match call.number {
        libc::SYS_execve => Some(path(0)),
        libc::SYS_execveat => Some(path(1))
            .filter(|path| !path.as_os_str().is_empty())
            .or_else(|| Some(file_of(call).unwrap_or_default())),
        _ => None,
    }
}

/// The other processes of the run that a process belongs to.
fn family(pid: i32) -> Vec<i32> {
    let nonce = seen::nonce_of(pid).unwrap_or_default();
    seen::of_run(&nonce).into_iter().filter(|&other| other != pid).collect()
}

pub(super) fn the_limit_stands_at_the_first_instruction(context: &Context) -> Judged {
    const LIMIT: u64 = 64 << 20;
    Host::play_with_memory(context, |host| {
        let found: Arc<Mutex<Option<Result<(), String>>>> = Arc::default();
        let at_exec = Arc::clone(&found);
        let (leaf, above) = (host.leaf().folder().to_owned(), host.leaf().above().to_owned());
        let look = move |pid: i32| {
            let folder = cgroups::of(pid).unwrap_or_default();
            let least = |file| cgroups::least(file, &folder, &leaf, &above);
            let lacks = |file| Err(format!("it is executed in {}, without one in {file}", folder.display()));
            let state = match (least("memory.max"), least("memory.swap.max")) {
                (Some(LIMIT), Some(_)) => Ok(()),
                (Some(LIMIT), None) => lacks("memory.swap.max"),
                _ => lacks("memory.max"),
            };
            at_exec.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(state);
        };
        let is_awaited = |call: &Call| file_of(call).is_some_and(|file| is_control(&file));
        let supervisor = Supervisor::begin(&CALLS, barrier(host.probe(), is_awaited, look))?;
        host.tell("the runtime is held at each of its writes to a cgroup until all others of it wait");
        let inside = host.call()?.memory("64M").start_supervised(&supervisor)?.serves()?;
        has_limit(host, &inside, 64 << 20)?;
        inside.finish_well()?;
        let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
        let found = found.ok_or_else(|| Halt::fault("the exec of the command was not seen"))?;
        found.map_err(|got| {
            Halt::fail("the command is executed in a cgroup with a limit of 64M, and one of swap", got)
                .likely(
                    "the command does not wait until its pid is in cgroup.procs and its limits are written",
                )
        })
    })
}

/// The file of the descriptor that is a call's first argument.
pub(crate) fn file_of(call: &Call) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{}/fd/{}", call.pid, call.args[0])).ok()
}

/// Whether a path leads to a file that controls a cgroup.
fn is_control(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("cgroup.") || name.starts_with("memory.")
}

pub(super) fn each_run_has_a_limit_of_its_own(context: &Context) -> Judged {
    Host::play_with_memory(context, |host| {
        let one = host.call()?.memory("48M").serves()?;
        let two = host.call()?.memory("32M").serves()?;
        has_limit(host, &one, 48 << 20)?;
        has_limit(host, &two, 32 << 20)?;
        let cgroups = (one.cgroup()?, two.cgroup()?);
        if cgroups.0 == cgroups.1 {
            return Err(Halt::fail("a cgroup for each run", format!("both are in {}", cgroups.0.display())));
        }
        // Together more than either may have.
        one.told(&format!("eat {}", 24 * MIB))?;
        two.told(&format!("eat {}", 20 * MIB))?;
        one.told(&format!("eat {}", 12 * MIB))?;
        two.finish_well()?;
        has_limit(host, &one, 48 << 20)?;
        one.told("who")?;
        one.finish_well()
    })
}

pub(super) fn the_cgroup_goes_where_it_can(context: &Context) -> Judged {
    // Further below, where the top is nothing that the runtime was given.
    let host = Host::begin(context, Some(Leaf::further_below(&nonce(context, 0))?))?;
    host.tell_of(|host| {
        let inside = host.call()?.memory("64M").serves()?;
        has_limit(host, &inside, 64 << 20)?;
        let folder = inside.cgroup()?;
        let above = host.leaf().above();
        if !folder.starts_with(above) {
            let expected = format!("a cgroup below {}, which the runtime was started in", above.display());
            return Err(Halt::fail(expected, format!("{}", folder.display())).likely(
                "the cgroup is made at a fixed place: where the runtime was started is in /proc/self/cgroup",
            ));
        }
        inside.finish_well()
    })?;
    // Mounted elsewhere, and nothing at the usual place: all of it, and then no more than what the runtime was given.
    Host::play_with_memory(context, |host| is_limited_elsewhere(host, "/sys/fs/cgroup".into()))?;
    let host = Host::begin(context, Some(Leaf::further_below(&nonce(context, 1))?))?;
    host.tell_of(|host| {
        // Another part is mounted as well, and first: one in which the runtime is not.
        let other = host.leaf().above().join("other");
        let place = host.folder().join("other");
        fs::create_dir(&other)?;
        fs::create_dir(&place)?;
        bind(host, &other, &place)?;
        is_limited_elsewhere(host, host.leaf().above().to_owned())
    })
}

fn bind(host: &Host<'_>, what: &Path, place: &Path) -> Judged {
    host.tell(format!("{} is mounted at {place:?}", what.display()));
    let (what, place) = (what.to_owned(), place.to_owned());
    let nothing: Option<&str> = None;
    host.remount(move || mount(Some(&what), &place, nothing, MsFlags::MS_BIND, nothing))
}

/// Demands a limit where this part of the hierarchy is mounted at a place with a space in its name, and nothing elsewhere.
fn is_limited_elsewhere(host: &Host<'_>, part: PathBuf) -> Judged {
    let elsewhere = host.folder().join("control groups");
    fs::create_dir(&elsewhere)?;
    bind(host, &part, &elsewhere)?;
    host.remount(|| umount2("/sys/fs/cgroup", MntFlags::MNT_DETACH))?;
    host.tell("and nothing at /sys/fs/cgroup any more");
    let inside = host.call()?.memory("64M").serves()?;
    has_limit(host, &inside, 64 << 20)?;
    inside.finish_well()
}

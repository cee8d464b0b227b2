//! Stage 5: everything together, and nothing left of it: signals, descriptors, failures, escapes.

mod ends;
mod escapes;
mod failures;
mod given;
mod injection;
mod kills;
mod steps;

use harness::{Check, Halt, Judged, Stage};

use crate::{
    filesystem::{has_descriptors, has_its_root, mounts_are_its_own},
    host::Host,
    hostname::{has_own_namespace, is_called},
    memory::has_limit,
    processes::is_pid_1,
    run::Inside,
};

pub(crate) use ends::ends_alone;
pub(crate) use failures::{holds_without_clone3, is_confined_or_refused};
pub(crate) use injection::{DENIED, Outcome, injected};
pub(crate) use kills::{dies, is_killed_at_every_step};
pub(crate) use steps::{CONFINING, RIGHTS};

pub(crate) const STAGE: Stage = Stage {
    number: 5,
    slug: "whole",
    bonus: false,
    checks: &[
        Check::new("nothing_is_left_after_any_end", ends::nothing_is_left_after_any_end)
            .points(3)
            .must("no process, zombie, mount, cgroup or file is left, however the run ended")
            .why("What a run leaves behind adds up. Hosts have died of a hundred thousand empty cgroups.")
            .alone(),
        Check::new("nothing_is_left_after_a_hundred_runs", ends::nothing_is_left_after_a_hundred_runs)
            .points(2)
            .must("a hundred runs, several at a time, leave as little as one")
            .why("What happens once in fifty runs happens every day.")
            .alone(),
        Check::new("eight_at_once_are_eight", ends::eight_at_once_are_eight)
            .points(3)
            .must("eight runs that begin at the same time have a name, a root, a limit and an end each")
            .why("A fixed name, for a cgroup or a folder, works until the second one comes.")
            .alone(),
        Check::new("the_run_ends_with_the_command", ends::the_run_ends_with_the_command)
            .points(3)
            .must("the run ends when the command does and not before, with its status; other processes of the container die with it")
            .why("A service that left a daemon behind must not keep its container, its memory and its port for ever."),
        Check::new("signals_reach_the_command", given::signals_reach_the_command)
            .points(3)
            .must("TERM, INT, HUP, USR1 and USR2 reach a command that handles them, as often as they are sent, and do not end the runtime")
            .why("`stop` is a SIGTERM. A runtime that dies of it instead cuts its command off in the middle of what it would have saved."),
        Check::new("the_command_s_signals_are_the_caller_s", given::the_command_s_signals_are_the_caller_s)
            .points(2)
            .must("no signal is blocked or ignored in the command that was not in the caller")
            .why("A command with SIGTERM blocked cannot be stopped, and one that ignores SIGPIPE writes to nobody for ever."),
        Check::new("no_descriptor_is_handed_on", given::no_descriptor_is_handed_on)
            .points(2)
            .must("the command has 0, 1 and 2 and no other descriptor, whatever the caller had open")
            .why("An open folder of the host's is a way out, and an open socket is somebody else's conversation."),
        Check::new("a_killed_runtime_takes_its_container_along", kills::a_killed_runtime_takes_its_container_along)
            .points(3)
            .must("when the runtime is killed, at whatever moment, everything in the container dies, soon")
            .why("A container that nobody knows of any more keeps its port and its files, and its successor cannot start."),
        Check::new("root_cannot_walk_out", escapes::root_cannot_walk_out)
            .points(4)
            .must("root inside does not get out by a second chroot, by descriptors, or by what /proc shows of processes")
            .why("chroot was never made to hold root. The way out of it is six lines of C, and older than containers."),
        Check::new("nothing_lies_below_the_root", escapes::nothing_lies_below_the_root)
            .points(4)
            .must("the old root is gone: unmounting what covers it, or entering the mount namespace anew, does not show it")
            .why("What is only covered is there for whoever lifts the cover, and root may."),
        Check::new("a_failed_step_never_runs_half_confined", failures::a_failed_step_never_runs_half_confined)
            .points(4)
            .must("when any one step fails the command runs fully confined by another way, or it is 125 and the command does not run")
            .why("An ignored error is a container without its limit, its root or its namespace, and nobody knows."),
        Check::new("a_failed_step_leaves_nothing", failures::a_failed_step_leaves_nothing)
            .points(3)
            .must("a step that fails leaves no process, mount, cgroup or file")
            .why("Failures come in series: a supervisor tries again every second.")
            .alone(),
        Check::new("a_kernel_without_clone3_will_do", failures::a_kernel_without_clone3_will_do)
            .points(2)
            .must("without clone3 (ENOSYS) a run is as it is with it")
            .why("Older kernels have none, and Docker's filter says ENOSYS where it cannot see what is asked for."),
    ],
};

/// Demands all that the stages before promise, of a call with this name and a limit of 64M.
#[track_caller]
pub(crate) fn is_fully_confined(host: &Host<'_>, inside: &Inside<'_, '_>, name: &str) -> Judged {
    is_called(inside, name)?;
    has_own_namespace(host, inside, "uts")?;
    is_pid_1(host, inside)?;
    has_its_root(host, inside)?;
    mounts_are_its_own(host, inside)?;
    has_descriptors(inside)?;
    if host.has_leaf().is_some() {
        has_limit(host, inside, 64 << 20)?;
        if host.leaf().swap_limit(&inside.cgroup()?).is_none() {
            return Err(Halt::fail("a limit of what is swapped out (memory.swap.max)", "none"));
        }
    }
    Ok(())
}

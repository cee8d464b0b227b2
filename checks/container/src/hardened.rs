//! Stage 7: what root inside may no longer do.

mod bpf;
mod filter;
mod masks;
mod rights;
mod separation;

use harness::{Check, Context, Judged, Stage};

use crate::{
    host::Host,
    run::Inside,
    whole::{DENIED, Outcome, RIGHTS, injected, is_confined_or_refused},
};

pub(crate) const STAGE: Stage = Stage {
    number: 7,
    slug: "hardened",
    bonus: true,
    checks: &[
        Check::new("capabilities_are_docker_s_at_most", rights::capabilities_are_docker_s_at_most)
            .points(3)
            .must("effective, permitted and bounding have at most Docker's fourteen capabilities, inheritable no others, ambient none")
            .why("Root's powers are forty pieces, and most of them are power over the whole machine."),
        Check::new("root_inside_still_is_root", rights::root_inside_still_is_root)
            .points(2)
            .must("chown, dac_override, setuid, setgid and kill are kept: root inside does what ordinary programs need of it")
            .why("A service that starts as root to become somebody else is the most ordinary of all."),
        Check::new("no_program_gives_new_rights", rights::no_program_gives_new_rights)
            .points(2)
            .must("no_new_privs is set")
            .why("One set-uid program that is forgotten in an image gives back what was taken."),
        Check::new("no_device_of_the_host_s_can_be_opened", rights::no_device_of_the_host_s_can_be_opened)
            .points(3)
            .must("no device of the host's can be opened through a node that the command makes")
            .why("A node with the numbers of the host's disk is the host's disk, every file of it."),
        Check::new("the_network_is_its_own", separation::the_network_is_its_own)
            .points(3)
            .must("a network namespace of its own with lo alone, up; sockets of the host, abstract ones too, are not reached")
            .why("What listens on 127.0.0.1 believes that whoever connects is from this machine, and often asks for nothing more."),
        Check::new("shared_memory_is_its_own", separation::shared_memory_is_its_own)
            .points(2)
            .must("an IPC namespace of its own: System V and POSIX objects of the host are not seen")
            .why("Shared memory has no path that a root could hide."),
        Check::new("what_tells_of_the_host_is_masked", masks::what_tells_of_the_host_is_masked)
            .points(2)
            .must("/proc/kcore, /proc/keys and /proc/timer_list are absent, refused, or empty")
            .why("/proc/kcore is the memory of the host, all of it."),
        Check::new("what_steers_the_host_is_read_only", masks::what_steers_the_host_is_read_only)
            .points(3)
            .must("nothing below /proc/sys, irq, bus and fs, and not /proc/sysrq-trigger, can be opened for writing; /sys is absent or read-only")
            .why("/proc/sys/kernel/core_pattern names a program that the kernel runs on the host, as root. It is an escape of one line."),
        Check::new("calls_to_the_kernel_itself_are_refused", filter::calls_to_the_kernel_itself_are_refused)
            .points(4)
            .must("mounts, namespaces, modules, keys, clocks and the like are refused with EPERM or ENOSYS, clone3 with ENOSYS")
            .why("Most ways out of containers of the last ten years begin with a call that no ordinary program makes."),
        Check::new("no_other_door_is_open", filter::no_other_door_is_open)
            .points(3)
            .must("the same calls are refused by x32's numbers and by the 32-bit ABI")
            .why("Numbers of another ABI are other calls: a filter that does not look at the architecture refuses the wrong ones."),
        Check::new("the_filter_stays", filter::the_filter_stays)
            .points(2)
            .must("the filter (seccomp, mode 2) is kept across fork and exec")
            .why("Whatever the command executes is inside as well."),
        Check::new("ordinary_programs_work", rights::ordinary_programs_work)
            .points(2)
            .must("threads, fork, exec, pipes, files, sockets, signals and ptrace of its own children work")
            .why("A container that is safe because nothing runs in it is not what anybody wanted."),
        Check::new("a_failed_step_leaves_no_rights", a_failed_step_leaves_no_rights)
            .points(3)
            .must("when any one step of these fails the command runs with no more rights, or it is 125")
            .why("A filter that could not be installed is one that somebody believes in."),
        Check::new("without_root_it_is_as_hard", without_root_it_is_as_hard)
            .points(3)
            .must("all of this holds for a caller who is not root")
            .why("Root of a user namespace reaches parts of the kernel that its user never could."),
    ],
};

/// Demands what can be read of it from outside, and the calls that need no right.
#[track_caller]
fn is_hardened(host: &Host<'_>, inside: &Inside<'_, '_>) -> Judged {
    rights::has_few_capabilities(inside)?;
    rights::has_no_new_privileges(inside)?;
    filter::has_filter(inside)?;
    // Whoever decides about a runtime's calls has put it under a filter of its own, which has the same mode.
    for call in ["unshare", "keyctl", "clone3"] {
        filter::is_refused(inside, call)?;
    }
    separation::has_own_network(host, inside)?;
    crate::hostname::has_own_namespace(host, inside, "ipc")?;
    masks::is_masked(inside)?;
    masks::is_read_only(inside)
}

fn a_failed_step_leaves_no_rights(context: &Context) -> Judged {
    Host::play(context, |host| {
        let call = || Ok(host.call()?.hostname("box"));
        injected((&RIGHTS, DENIED), host, call, |step, outcome| {
            if let Outcome::Runs(inside) = &outcome {
                is_hardened(host, inside).map_err(|halt| {
                    halt.likely(format!("the error of {step} is ignored, and the command run without"))
                })?;
            }
            is_confined_or_refused(host, step, outcome)
        })
    })
}

fn without_root_it_is_as_hard(context: &Context) -> Judged {
    Host::play_without_root(context, |host| {
        let call = host.call()?;
        rights::make_closed(host, call.root())?;
        let inside = call.serves()?;
        is_hardened(host, &inside)?;
        rights::reads_what_is_closed(&inside)?;
        for call in ["clone", "open_tree", "io_uring_setup"] {
            filter::is_refused(&inside, call)?;
        }
        rights::is_of_use(&inside)?;
        inside.finish_well()
    })
}

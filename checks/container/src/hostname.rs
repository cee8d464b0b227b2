//! Stage 1: a name of its own; and a command that is run as it was given, and ends as it ends.

mod name;
mod refusals;
mod words;

use harness::{Check, Context, Judged, Stage};

pub(crate) use name::{has_own_namespace, is_called};
pub(crate) use refusals::is_refused;

use crate::{
    host::Host,
    run::{Ended, Run},
};

pub(crate) const STAGE: Stage = Stage {
    number: 1,
    slug: "hostname",
    bonus: false,
    checks: &[
        Check::new("the_command_has_a_name_of_its_own", name::the_command_has_a_name_of_its_own)
            .points(3)
            .must("with --hostname the command has this hostname at its first instruction, in a UTS namespace of its own")
            .why("A service announces itself by its hostname: in logs, in clusters, in certificates. Two of them need two."),
        Check::new("the_host_keeps_its_name", name::the_host_keeps_its_name)
            .points(3)
            .must("the host's name never changes: by no option, by nothing that the command does, and not for a moment")
            .why("A host that is renamed for a moment is in somebody's log by that name, and its certificate no longer fits."),
        Check::new("the_exit_status_is_the_command_s", the_exit_status_is_the_command_s)
            .points(3)
            .must("the exit status is the command's, from 0 to 255, with nothing of the runtime's on stdout or stderr")
            .why("Every script and every CI decides by it. A status that is lost turns a failed build into a deployed one."),
        Check::new("a_signal_is_128_plus_its_number", a_signal_is_128_plus_its_number)
            .points(2)
            .must("a command that was ended by a signal n gives 128+n: 139 for a fault, 137 for SIGKILL from outside")
            .why("137 says that somebody, most often the kernel for want of memory, has killed it; a plain 1 says nothing."),
        Check::new("words_arrive_byte_for_byte", words::words_arrive_byte_for_byte)
            .points(2)
            .must("options end at ROOTFS; the command gets its name, its arguments and the environment byte for byte")
            .why("A runtime that reads the command's options as its own, or loses an empty one, breaks what worked outside."),
        Check::new("stdio_is_the_caller_s", words::stdio_is_the_caller_s)
            .points(2)
            .must("stdin, stdout and stderr are the very ones of the caller: the runtime reads and copies nothing")
            .why("Copied streams lose what was buffered, end too late, and are no terminal any more."),
        Check::new("a_bare_name_is_looked_for_in_path", words::a_bare_name_is_looked_for_in_path)
            .must("a command without a slash is looked for in the folders of PATH, one after the other; what may not be executed is passed over, and 126 if there is no other")
            .why("`run ROOTFS sh` is what people type."),
        Check::new("what_cannot_be_run_is_126_or_127", refusals::what_cannot_be_run_is_126_or_127)
            .points(2)
            .must("127 for a command that is not found and 126 for one that cannot be executed, with a sentence that names it on stderr and nothing on stdout")
            .why("Who called a container from a script has to tell a missing program from one that failed."),
        Check::new("a_bad_command_line_is_125", refusals::a_bad_command_line_is_125)
            .points(2)
            .must("a usage error is 125 with a sentence that names the culprit, and the command does not run")
            .why("An option that is misspelt and ignored is a limit that somebody believes in."),
    ],
};

/// Demands that a run ended with this status and said nothing of its own.
#[track_caller]
pub(crate) fn ends_silently(run: Run<'_, '_>, status: i32) -> Judged {
    let ended = run.ends()?;
    ended.has_status(status)?;
    is_silent(&ended)
}

#[track_caller]
fn is_silent(ended: &Ended) -> Judged {
    if !ended.stdout.is_empty() || !ended.stderr.is_empty() {
        let got =
            format!("{:?} on stdout, {:?} on stderr", String::from_utf8_lossy(&ended.stdout), ended.stderr);
        return Err(harness::Halt::fail("nothing of the runtime's on stdout or stderr", got));
    }
    Ok(())
}

fn the_exit_status_is_the_command_s(context: &Context) -> Judged {
    Host::play(context, |host| {
        for status in [0, 1, 42, 125, 126, 127, 128, 200, 255] {
            host.forget();
            let call = host.call()?.probe("exit", &[status.to_string().as_bytes()]);
            ends_silently(call.start()?, status)?;
        }
        Ok(())
    })
}

fn a_signal_is_128_plus_its_number(context: &Context) -> Judged {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    Host::play(context, |host| {
        let fault = host.call()?.probe("die", &[b"11"]);
        fault.start()?.ends()?.has_status(139)?;
        for signal in [Signal::SIGTERM, Signal::SIGABRT, Signal::SIGUSR1] {
            host.forget();
            let number = (signal as i32).to_string();
            let ended = host.call()?.probe("die", &[number.as_bytes()]).start()?.ends()?;
            // The kernel protects a pid 1 from itself: the probe goes on then, and says so with 96.
            if ended.exit != harness::process::Exit::Status(96) {
                ended.has_status(128 + signal as i32)?;
            }
        }
        host.forget();
        let inside = host.call()?.serves()?;
        host.tell("SIGKILL to the command, from outside");
        kill(Pid::from_raw(inside.pid()), Signal::SIGKILL)?;
        inside.into_run().ends()?.has_status(137)
    })
}

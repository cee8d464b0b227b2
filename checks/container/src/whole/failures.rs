//! Steps that fail.

use harness::{
    Context, Halt, Judged,
    calls::{Supervisor, Then},
    process::Exit,
};

use super::{
    CONFINING, DENIED, Outcome, ends::ends_alone, injected, injection::IMPOSSIBLE, is_fully_confined,
    steps::UNSUITABLE,
};
use crate::{
    host::{Host, Left},
    run::Inside,
};

const NAME: &str = "box";

/// Demands of a run with a refused step that it is fully confined, or 125 with a sentence.
#[track_caller]
pub(crate) fn is_confined_or_refused(host: &Host<'_>, step: &str, outcome: Outcome<'_, '_>) -> Judged {
    match outcome {
        Outcome::Runs(inside) => {
            is_fully_confined(host, &inside, NAME).map_err(|halt| {
                halt.likely(format!("the error of {step} is ignored, and the command run without"))
            })?;
            inside.finish_well()
        }
        Outcome::Ended(ended) => {
            if !ended.stdout.is_empty() || ended.exit != Exit::Status(125) {
                return Err(ended.unexpected("exit status 125, and the command does not run"));
            }
            if ended.stderr.trim().is_empty() {
                return Err(Halt::fail("a sentence on stderr that says what failed", "nothing"));
            }
            Ok(())
        }
    }
}

pub(super) fn a_failed_step_never_runs_half_confined(context: &Context) -> Judged {
    Host::play_with_memory(context, |host| {
        for steps in [(&CONFINING, DENIED), (&UNSUITABLE, IMPOSSIBLE)] {
            let call = || Ok(host.call()?.hostname(NAME).memory("64M"));
            injected(steps, host, call, |step, outcome| is_confined_or_refused(host, step, outcome))?;
        }
        Ok(())
    })
}

pub(super) fn a_failed_step_leaves_nothing(context: &Context) -> Judged {
    Host::play_with_memory(context, |host| {
        let root = host.root()?;
        let before = Left::now(host)?;
        let call = || Ok(crate::call::Call::on(host, root.clone()).hostname(NAME).memory("64M"));
        injected((&CONFINING, DENIED), host, call, |_, outcome| {
            if let Outcome::Runs(inside) = outcome {
                inside.run().end_input();
                ends_alone(inside.into_run())?;
            }
            before.is_unchanged(host)
        })
    })
}

/// Who supervises a run on a kernel that lacks a system call.
///
/// # Errors
/// Skip where nobody can.
pub(super) fn on_a_kernel_without(host: &Host<'_>, number: i64, name: &str) -> Judged<Supervisor> {
    host.tell(format!("{name} says ENOSYS"));
    Supervisor::begin(&[number], Box::new(|_| Then::Fail(libc::ENOSYS)))
}

/// Demands the same of a run on a kernel without clone3: the other way to make a child has to ask for as much.
///
/// # Errors
/// Those of `judge`; skip where nobody can supervise.
#[track_caller]
pub(crate) fn holds_without_clone3(host: &Host<'_>, judge: impl FnOnce(&Inside<'_, '_>) -> Judged) -> Judged {
    host.forget();
    let supervisor = on_a_kernel_without(host, libc::SYS_clone3, "clone3")?;
    let inside = host.call()?.start_supervised(&supervisor)?.serves()?;
    judge(&inside)?;
    inside.finish_well()
}

pub(super) fn a_kernel_without_clone3_will_do(context: &Context) -> Judged {
    Host::play_with_memory(context, |host| {
        let supervisor = on_a_kernel_without(host, libc::SYS_clone3, "clone3")?;
        let inside = host.call()?.hostname(NAME).memory("64M").start_supervised(&supervisor)?.serves()?;
        is_fully_confined(host, &inside, NAME)?;
        inside.told("stay")?;
        inside.run().end_input();
        ends_alone(inside.into_run())?.has_status(0)
    })
}

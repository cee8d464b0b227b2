//! A runtime that is killed, in the middle of its work and at every step on the way there.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI32, Ordering},
};

use harness::{
    Context, Halt, Judged, Patience,
    calls::{Supervisor, Then},
    verdict::Verdict,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    injection::{MOST, at_step},
    steps::TELLING,
};
use crate::{host::Host, run::Run, seen};

/// Waits until nobody of a run lives.
#[track_caller]
pub(crate) fn dies(run: &Run<'_, '_>) -> Judged {
    const ALLOWANCE: std::time::Duration = std::time::Duration::from_secs(30);
    let mut patience = Patience::begin(std::process::id() as i32, ALLOWANCE);
    loop {
        let left: Vec<_> = seen::of_run(run.nonce()).into_iter().filter(|&pid| seen::lives(pid)).collect();
        let Some(&one) = left.first() else { return Ok(()) };
        if patience.left().is_zero() {
            let awaited = "everything in the container dies with the runtime";
            let got = format!("{} goes on", seen::shown(one));
            return Err(Halt::new(Verdict::Fail, awaited, got)
                .likely("nothing ties the command to the runtime: PR_SET_PDEATHSIG does, unless the runtime is dead already when it is called"));
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

pub(super) fn a_killed_runtime_takes_its_container_along(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.hostname("box").serves()?;
        inside.told("stay")?;
        inside.run().signal(Signal::SIGKILL)?;
        dies(inside.run())?;
        drop(inside);
        is_killed_at_every_step(host)
    })
}

/// Demands that nothing lives on after a runtime that is killed at any of its steps.
#[track_caller]
pub(crate) fn is_killed_at_every_step(host: &Host<'_>) -> Judged {
    for number in 0..MOST {
        host.forget();
        if !killed_at(host, number)? {
            break;
        }
    }
    Ok(())
}

/// Kills a runtime at this step of its own, or of its child's; whether it got there.
fn killed_at(host: &Host<'_>, number: usize) -> Judged<bool> {
    let call = host.call()?.hostname("box");
    let (runtime, was_at) = (Arc::new(AtomicI32::new(0)), Arc::new(OnceLock::new()));
    let (target, reached) = (Arc::clone(&runtime), Arc::clone(&was_at));
    let decide = at_step(&TELLING, host, call.root(), number, move |asking, step| {
        let pid = target.load(Ordering::SeqCst);
        if pid == 0 {
            // Nobody has said yet whom to kill.
            return Then::Later;
        }
        // Before it is: whoever hears of its end asks for this.
        if reached.set(step).is_ok() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        // Its child goes on when it is dead, and not at the same time: which of them is first would be chance.
        if asking.pid != pid && seen::lives(pid) { Then::Later } else { Then::GoOn }
    })?;
    let supervisor = Supervisor::begin(&TELLING.numbers(), decide)?;
    let run = call.start_supervised(&supervisor)?;
    runtime.store(run.pid(), Ordering::SeqCst);
    host.tell(format!("the runtime is killed at step {}", number + 1));
    // Its input stays open: a command that runs nevertheless does not end by itself.
    run.says_something()?;
    match was_at.get() {
        Some(step) => host.tell(format!("which is {step}")),
        // No such step has come.
        None => run.end_input(),
    }
    run.has_ended()?;
    dies(&run)?;
    Ok(was_at.get().is_some())
}

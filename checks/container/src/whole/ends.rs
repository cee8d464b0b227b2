//! What is left, and when a run is over.

use std::{fs, os::unix::fs::PermissionsExt};

use harness::{Context, Halt, Judged};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::is_fully_confined;
use crate::{
    call::Call,
    host::{Host, Left},
    memory::MIB,
    run::{Ended, Run},
    seen,
};

/// Waits for the end of a run, and demands that no process of it is left then.
#[track_caller]
pub(crate) fn ends_alone(run: Run<'_, '_>) -> Judged<Ended> {
    run.has_ended()?;
    let nonce = run.nonce().to_owned();
    // The runtime has not been waited for, so its group's number is its own.
    let zombies = seen::zombies_of(run.pid());
    if let Some(left) = seen::of_run(&nonce).first() {
        return Err(Halt::fail(
            "no process is left when the runtime has ended",
            format!("{} is left", seen::shown(*left)),
        ));
    }
    if !zombies.is_empty() {
        let got = format!("{} that it has not waited for", zombies.len());
        return Err(Halt::fail("no zombie is left when the runtime has ended", got));
    }
    run.ends()
}

pub(super) fn nothing_is_left_after_any_end(context: &Context) -> Judged {
    Host::play_with_memory(context, |host| {
        let root = host.root()?;
        let locked = root.path.join("locked");
        fs::write(&locked, b"#!/nowhere\n")?;
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o644))?;
        let before = Left::now(host)?;
        let call = || Call::on(host, root.clone()).hostname("box").memory("32M");
        for (name, end) in ENDS {
            host.forget();
            let run = end(call(), host)?;
            ends_alone(run)?;
            before
                .is_unchanged(host)
                .map_err(|halt| halt.likely(format!("it is not cleaned up after {name}")))?;
        }
        Ok(())
    })
}

type Beginning = for<'h, 'c> fn(Call<'h, 'c>, &Host<'_>) -> Judged<Run<'h, 'c>>;

/// Ways to end, each begun.
const ENDS: [(&str, Beginning); 10] = [
    ("a command that ends well", |call, _| call.probe("exit", &[b"0"]).start()),
    ("a command that fails", |call, _| call.probe("exit", &[b"3"]).start()),
    ("a command that was not found", |call, _| call.command(&["/not/there"]).start()),
    ("a command that cannot be executed", |call, _| call.command(&["/locked"]).start()),
    ("a fault of the command's", |call, _| call.probe("die", &[b"11"]).start()),
    ("a root that is not there", |call, host| call.root_word(host.folder().join("no-root")).start()),
    ("death for want of memory", |call, _| {
        let inside = call.serves()?;
        inside.run().send(format!("eat {}\n", 64 * MIB).as_bytes());
        Ok(inside.into_run())
    }),
    ("a signal that was passed on", |call, _| {
        let inside = call.serves()?;
        inside.takes(Signal::SIGTERM)?;
        inside.run().end_input();
        Ok(inside.into_run())
    }),
    ("SIGKILL to the command", |call, host| {
        let inside = call.serves()?;
        inside.told("stay")?;
        host.tell("SIGKILL to the command, from outside");
        kill(Pid::from_raw(inside.pid()), Signal::SIGKILL)?;
        Ok(inside.into_run())
    }),
    ("a command that leaves processes behind", |call, _| {
        let inside = call.serves()?;
        inside.told("stay")?;
        inside.told("eat-apart 4096")?;
        inside.run().end_input();
        Ok(inside.into_run())
    }),
];

pub(super) fn nothing_is_left_after_a_hundred_runs(context: &Context) -> Judged {
    const ROUNDS: usize = 25;
    const AT_ONCE: usize = 4;
    Host::play_with_memory(context, |host| {
        let root = host.root()?;
        let before = Left::now(host)?;
        for round in 0..ROUNDS {
            host.forget();
            let mut runs = Vec::new();
            for number in 0..AT_ONCE {
                // Some of them fail, before there is a container and after.
                let call = Call::on(host, root.clone()).hostname("box").memory("32M");
                let (call, status) = match (round + number) % 3 {
                    0 => (call.probe("exit", &[b"0"]), 0),
                    1 => (call.command(&["/not/there"]), 127),
                    _ => (call.root_word(host.folder().join("no-root")), 125),
                };
                runs.push((call.start()?, status));
            }
            for (run, status) in runs {
                run.has_ended()?;
                run.ends()?.has_status(status)?;
            }
        }
        host.forget();
        host.tell(format!(
            "{} runs, {AT_ONCE} at a time; a third finds no command, and a third no root",
            ROUNDS * AT_ONCE
        ));
        before.is_unchanged(host)
    })
}

pub(super) fn eight_at_once_are_eight(context: &Context) -> Judged {
    const COUNT: usize = 8;
    Host::play_with_memory(context, |host| {
        let before = Left::now(host)?;
        let mut runs = Vec::new();
        for number in 0..COUNT {
            runs.push(host.call()?.hostname(&format!("box-{number}")).memory("64M").start()?);
        }
        let mut all = Vec::new();
        for run in runs {
            all.push(run.serves()?);
        }
        for (number, inside) in all.iter().enumerate() {
            is_fully_confined(host, inside, &format!("box-{number}"))?;
        }
        // The end of one is nobody else's.
        let mut rest = all.split_off(COUNT / 2);
        all.into_iter().try_for_each(|inside| inside.finish_well())?;
        for inside in &rest {
            inside.told("who")?;
            crate::memory::has_limit(host, inside, 64 << 20)?;
        }
        rest.reverse();
        rest.into_iter().try_for_each(|inside| inside.finish_well())?;
        before.has_same_mounts(host, "afterwards")
    })
}

pub(super) fn the_run_ends_with_the_command(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        // Its parent hears of a stop as it hears of an end.
        host.tell("the command is stopped for a while, from outside");
        kill(Pid::from_raw(inside.pid()), Signal::SIGSTOP)?;
        inside
            .run()
            .until("the command stands still", || Ok(seen::is_stopped(inside.pid()).then_some(())))?;
        kill(Pid::from_raw(inside.pid()), Signal::SIGCONT)?;
        inside.told("who")?;
        // Children that have ended, in their own ways, and that nobody has waited for.
        inside.told("leave 3")?;
        inside.told("fork")?;
        // Others that stay, with the command's stdout open.
        inside.told("stay")?;
        inside.told("eat-apart 4096")?;
        inside.told("status 7")?;
        host.tell("the command ends");
        inside.run().end_input();
        // Not by the end of its stdout: whoever is left has that open as well.
        let ended = ends_alone(inside.into_run())?;
        ended.has_status(7)?;
        // A child that was there before is not the command, and its status not the run's.
        host.forget();
        let inside = host.call()?.after("(exit 9) & exec \"$@\"").serves()?;
        inside.told("status 7")?;
        inside.finish()?.has_status(7).map_err(|halt| {
            halt.likely("the runtime waits for any child: it may have others, of whoever became the runtime")
        })?;
        // Whoever ignores SIGCHLD hands that on across exec, and is told of no child.
        host.forget();
        host.tell("the caller ignores SIGCHLD");
        let inside = host.call()?.ignoring(Signal::SIGCHLD).serves()?;
        inside.told("status 7")?;
        inside.finish().and_then(|ended| ended.has_status(7)).map_err(|halt| {
            halt.likely("SIGCHLD is still ignored: the kernel tells of no child then, and keeps no status (wait(2), NOTES)")
        })
    })
}

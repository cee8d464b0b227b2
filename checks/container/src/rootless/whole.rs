//! The promises of the stages before, without root.

use std::fs;

use harness::{Context, Halt, Judged};
use nix::sys::signal::Signal;

use super::ids::has_ids;
use crate::{
    call::Call,
    filesystem::{host_folder, stays_inside},
    host::{Host, Left},
    run::Inside,
    whole::{
        CONFINING, DENIED, Outcome, dies, ends_alone, injected, is_confined_or_refused, is_fully_confined,
        is_killed_at_every_step,
    },
};

const NAME: &str = "box";

#[track_caller]
fn is_a_whole_container(host: &Host<'_>, inside: &Inside<'_, '_>) -> Judged {
    is_fully_confined(host, inside, NAME)?;
    let caller = host.user().ok_or_else(|| Halt::fault("a host whose caller is root"))?;
    has_ids(inside, caller)
}

pub(super) fn a_user_gets_a_whole_container(context: &Context) -> Judged {
    Host::play_without_root(context, |host| {
        let before = Left::now(host)?;
        let call = Call::on(host, host.root()?).hostname(NAME).leaving_open(host_folder()?, 200);
        let inside = call.serves()?;
        is_fully_confined(host, &inside, NAME)?;
        host.keeps_its_name("while the command runs")?;
        before.has_same_mounts(host, "while the command runs")?;
        let signals = inside.told("signals")?;
        if signals["blocked"] != serde_json::json!([]) || signals["ignored"] != serde_json::json!([]) {
            return Err(Halt::fail("no signal is blocked or ignored in the command", signals.to_string()));
        }
        inside.takes(Signal::SIGTERM)?;
        inside.told("status 7")?;
        inside.finish()?.has_status(7)?;
        host.forget();
        // Something is mounted below its root, which it may not take away.
        let call = host.call()?;
        let place = call.root().path.join("data");
        fs::create_dir(&place)?;
        host.tell("a tmpfs is mounted at ROOTFS/data");
        host.mount_tmpfs(&place)?;
        call.probe("exit", &[b"7"]).start()?.ends()?.has_status(7)?;
        host.forget();
        host.call()?.probe("die", &[b"11"]).start()?.ends()?.has_status(139)?;
        host.call()?.command(&["/not/there"]).start()?.ends()?.has_status(127)
    })
}

pub(super) fn a_user_s_root_has_no_way_out(context: &Context) -> Judged {
    Host::play_without_root(context, |host| {
        let call = Call::on(host, host.root()?).hostname(NAME).leaving_open(host_folder()?, 200);
        let inside = call.serves()?;
        is_a_whole_container(host, &inside)?;
        for way in ["upwards", "chroot", "processes", "descriptors", "unmount"] {
            stays_inside(host, &inside, way)?;
        }
        inside.finish_well()
    })
}

pub(super) fn a_failed_step_without_root_is_none_with_less(context: &Context) -> Judged {
    Host::play_without_root(context, |host| {
        let call = || Ok(host.call()?.hostname(NAME));
        injected((&CONFINING, DENIED), host, call, |step, outcome| {
            if let Outcome::Runs(inside) = &outcome {
                is_a_whole_container(host, inside).map_err(|halt| {
                    halt.likely(format!("the error of {step} is ignored, and the command run without"))
                })?;
            }
            is_confined_or_refused(host, step, outcome)
        })
    })
}

pub(super) fn nothing_is_left_of_a_user_s_run(context: &Context) -> Judged {
    Host::play_without_root(context, |host| {
        let root = host.root()?;
        let before = Left::now(host)?;
        let call = || Call::on(host, root.clone()).hostname(NAME);
        for call in
            [call().probe("exit", &[b"0"]), call().probe("die", &[b"11"]), call().command(&["/not/there"])]
        {
            host.forget();
            ends_alone(call.start()?)?;
            before.is_unchanged(host)?;
        }
        host.forget();
        let inside = call().serves()?;
        inside.told("stay")?;
        inside.run().end_input();
        ends_alone(inside.into_run())?.has_status(0)?;
        before.is_unchanged(host)?;

        host.forget();
        let inside = call().serves()?;
        inside.told("stay")?;
        inside.run().signal(Signal::SIGKILL)?;
        dies(inside.run()).map_err(|halt| {
            halt.likely("the kernel forgets PR_SET_PDEATHSIG when a process gets other ids or more rights: it comes after that")
        })?;
        drop(inside);
        before.is_unchanged(host)?;
        is_killed_at_every_step(host)
    })
}

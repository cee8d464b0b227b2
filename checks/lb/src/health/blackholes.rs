//! Backends that do not answer: neither an acceptance nor a refusal, as from a machine that is not there.

use harness::{Context, Judged};

use super::pace::{Pace, names, was_checked_first};
use crate::{
    round_robin::expect_cycle,
    scene::{Behaviour, Scene},
};

pub(super) fn a_blackhole_delays_nobody(context: &Context) -> Judged {
    const CLIENTS: usize = 4;
    // Whoever waits for this timeout misses all of the check.
    const PACE: Pace = Pace::of_ms(50, 60_000);
    const CHECKS: usize = 5;
    Scene::play(context, |scene| {
        let backends = scene.named(2)?;
        backends.iter().for_each(|backend| backend.behaves(Behaviour::Echo));
        let (alive, gone) = (backends[0], backends[1]);
        let lb = PACE.told(scene.balancer(&backends)).start()?;
        let before = [lb.client()?, lb.client()?];
        let all_go_on = || {
            before.iter().try_for_each(|client| {
                client.send(b"still there?");
                client.receives(b"still there?")
            })
        };
        all_go_on()?;
        gone.swallows()?;
        let probes = alive.probes();
        let awaited = format!("{CHECKS} more checks of backend a, while those of backend b get no answer");
        scene.wait(&awaited, || alive.probes() >= probes + CHECKS)?;
        scene.tell(awaited);
        all_go_on()?;
        // Some of these are sent to the blackhole, and wait; others are not.
        let clients = lb.clients(CLIENTS)?;
        scene.tell("each of them sends \"hello\"");
        scene.untold(|| clients.iter().for_each(|client| client.send(b"hello")));
        let served = || clients.iter().filter(|client| client.received_bytes() > 0).count();
        scene.wait(format!("{} of {CLIENTS} new clients are served", CLIENTS / 2), || {
            served() >= CLIENTS / 2
        })?;
        all_go_on()
    })
}

pub(super) fn a_blackhole_is_taken_out(context: &Context) -> Judged {
    const PACE: Pace = Pace::of_ms(100, 200);
    Scene::play(context, |scene| {
        let backends = scene.named(2)?;
        let (alive, gone) = (backends[0], backends[1]);
        let lb = PACE.told(scene.balancer(&backends)).start()?;
        expect_cycle("ab", &names(scene, &lb, 2)?)?;
        gone.swallows()?;
        PACE.passes_for_a_blackhole(scene, alive)?;
        expect_cycle("a", &names(scene, &lb, 4)?)?;
        PACE.begins(scene, alive)?;
        let accepted_before = gone.accepted().len();
        gone.comes_back()?;
        names(scene, &lb, 4)?;
        was_checked_first(gone, accepted_before)?;
        PACE.notices(scene, gone, alive)?;
        expect_cycle("ab", &names(scene, &lb, 6)?)
    })
}

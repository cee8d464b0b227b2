//! Backends that come, for the first time or again: they get the share that they are due.

use harness::{Context, Judged};

use super::pace::{Pace, names};
use crate::{
    round_robin::expect_cycle,
    scene::{End, Scene},
};

const PACE: Pace = Pace::of_ms(50, 200);

pub(super) fn a_backend_that_is_back_has_its_share(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.named(3)?;
        let lb = PACE.told(scene.balancer(&backends)).start()?;
        PACE.are_known(scene, &backends)?;
        // Twice: who has come back may go again.
        for _ in 0..2 {
            backends[1].dies();
            PACE.passes(scene, backends[0])?;
            expect_cycle("ac", &names(scene, &lb, 4)?)?;
            backends[1].comes_back()?;
            PACE.notices(scene, backends[1], backends[0])?;
            expect_cycle("abc", &names(scene, &lb, 9)?)?;
        }
        Ok(())
    })
}

pub(super) fn it_comes_back_however_long_it_was_away(context: &Context) -> Judged {
    const CHECKS: usize = 80;
    const PACE: Pace = Pace::of_ms(10, 200);
    Scene::play(context, |scene| {
        let backends = scene.named(2)?;
        let lb = PACE.told(scene.balancer(&backends)).start()?;
        PACE.are_known(scene, &backends)?;
        backends[1].dies();
        let awaited = format!("{CHECKS} checks of backend a, while backend b is dead");
        scene.wait(&awaited, || backends[0].probes() >= CHECKS)?;
        scene.tell(awaited);
        backends[1].comes_back()?;
        PACE.notices(scene, backends[1], backends[0])?;
        expect_cycle("ab", &names(scene, &lb, 6)?)
    })
}

pub(super) fn a_backend_may_come_later(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.named(3)?;
        backends[2].stops_listening();
        let lb = PACE.told(scene.balancer(&backends)).start()?;
        PACE.passes(scene, backends[0])?;
        expect_cycle("ab", &names(scene, &lb, 4)?)?;
        backends[2].comes_back()?;
        PACE.notices(scene, backends[2], backends[0])?;
        expect_cycle("abc", &names(scene, &lb, 9)?)
    })
}

pub(super) fn all_may_go_and_come_back(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.named(3)?;
        let lb = PACE.told(scene.balancer(&backends)).start()?;
        expect_cycle("abc", &names(scene, &lb, 3)?)?;
        for backend in &backends[..2] {
            backend.dies();
        }
        PACE.passes(scene, backends[2])?;
        expect_cycle("c", &names(scene, &lb, 3)?)?;
        backends[2].dies();
        // Nobody is left who could be asked how many checks there were: this is a matter of time.
        scene.tell("four intervals and a connect timeout pass");
        scene.spend(4 * PACE.interval + PACE.timeout)?;
        for _ in 0..3 {
            let client = lb.client()?;
            client.send(b"anybody?");
            // By an end or by a reset.
            let (End::Fin | End::Reset) = client.is_closed_on()?;
            client.has_nothing_more()?;
        }
        for backend in &backends {
            backend.comes_back()?;
        }
        for backend in &backends[1..] {
            PACE.notices(scene, *backend, backends[0])?;
        }
        expect_cycle("abc", &names(scene, &lb, 9)?)
    })
}

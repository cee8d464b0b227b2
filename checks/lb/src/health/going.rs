//! Backends that die: out of the rotation, and nothing more.

use harness::{Context, Judged};

use super::pace::{Pace, names, was_checked_first};
use crate::{
    round_robin::expect_cycle,
    scene::{Behaviour, Scene},
};

/// An interval that is long beside what a few clients take: they are served between two checks.
const SLOW: Pace = Pace::of_ms(200, 200);

const QUICK: Pace = Pace::of_ms(50, 200);

/// From outside nobody sees whom a balancer tries in vain. So the backend comes back: who had it in the rotation all
/// the time sends it a client at once, and who had not has to check it first.
pub(super) fn a_dead_backend_gets_no_connection(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.named(3)?;
        let lb = SLOW.told(scene.balancer(&backends)).start()?;
        let dead = backends[1];
        expect_cycle("abc", &names(scene, &lb, 6)?)?;
        dead.dies();
        SLOW.passes(scene, backends[0])?;
        expect_cycle("ac", &names(scene, &lb, 8)?)?;
        SLOW.begins(scene, backends[0])?;
        let accepted_before = dead.accepted().len();
        dead.comes_back()?;
        names(scene, &lb, 6)?;
        was_checked_first(dead, accepted_before)
    })
}

pub(super) fn a_check_that_fails_ends_no_connection(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.named(2)?;
        backends.iter().for_each(|backend| backend.behaves(Behaviour::Echo));
        let lb = QUICK.told(scene.balancer(&backends)).start()?;
        let mut clients = Vec::new();
        for _ in 0..4 {
            let client = lb.client()?;
            client.send(b"hello");
            client.receives(b"hello")?;
            clients.push(client);
        }
        let go_on = || {
            clients.iter().try_for_each(|client| {
                client.send(b"still there?");
                client.receives(b"still there?")
            })
        };
        backends[1].stops_listening();
        QUICK.passes(scene, backends[0])?;
        go_on()?;
        backends[1].comes_back()?;
        QUICK.notices(scene, backends[1], backends[0])?;
        go_on()?;
        clients.iter().try_for_each(|client| {
            client.finish();
            client.receives_end()
        })
    })
}

//! A server that is stopped, and started again on its port.

use std::time::{Duration, Instant};

use harness::{Context, Halt, Judged};

use super::site::{NAMES, Site, asks, names};
use crate::{
    balancer::{Balancer, Setup},
    round_robin::expect_cycle,
    scene::Scene,
};

/// Between two checks of a server.
const INTERVAL: Duration = Duration::from_millis(100);

fn told(setup: Setup<'_>) -> Setup<'_> {
    setup.health_interval(&format!("{}ms", INTERVAL.as_millis()))
}

pub(super) fn a_stopped_server_costs_nobody_an_answer(context: &Context) -> Judged {
    let site = Site::start(context)?;
    Scene::play(context, |scene| {
        // Checks once a minute: nobody but the clients finds out.
        let lb = site.balancer(scene).start()?;
        names(scene, &lb, 3)?;
        site.stop(scene, 'b')?;
        let seen = names(scene, &lb, 12)?;
        // Where the cycle goes on after a refusal is free.
        if "ac".chars().all(|name| seen.contains(name)) && !seen.contains('b') {
            return Ok(());
        }
        Err(Halt::fail("a and c answer all of them", format!("those who answered: {seen}")))
    })
}

pub(super) fn a_server_that_is_started_again_has_its_share(context: &Context) -> Judged {
    let site = Site::start(context)?;
    Scene::play(context, |scene| {
        let lb = told(site.balancer(scene)).start()?;
        names(scene, &lb, 3)?;
        site.stop(scene, 'b')?;
        // Long enough for everybody to have noticed, and for whoever looks more and more seldom to do so.
        scene.spend(20 * INTERVAL)?;
        expect_cycle("ac", &names(scene, &lb, 6)?)?;
        site.start_again(scene, 'b')?;
        is_back(scene, &lb)?;
        expect_cycle(NAMES, &names(scene, &lb, 9)?)
    })
}

/// Waits until the server that was away has answered somebody.
#[track_caller]
fn is_back(scene: &Scene<'_>, lb: &Balancer<'_>) -> Judged {
    /// Of the three intervals that are enough, fifty times as many: nothing hangs on the speed of the machine.
    const PATIENCE: Duration = Duration::from_secs(15);
    scene.tell("client after client asks for /name, until b answers one");
    let began = Instant::now();
    while !scene.untold(|| names(scene, lb, NAMES.len()))?.contains('b') {
        if began.elapsed() > PATIENCE {
            let expected = format!("b, which is back, gets connections again; the interval is {INTERVAL:?}");
            return Err(Halt::fail(expected, format!("none within {} s", PATIENCE.as_secs()))
                .likely("a server that was taken out is not checked any more, or not put back"));
        }
        scene.spend(INTERVAL)?;
    }
    Ok(())
}

pub(super) fn a_stopped_server_ends_its_own_connections_alone(context: &Context) -> Judged {
    let site = Site::start(context)?;
    Scene::play(context, |scene| {
        let lb = told(site.balancer(scene)).start()?;
        let mut clients = Vec::new();
        let mut seen = String::new();
        for _ in 0..2 * NAMES.len() {
            let client = lb.client()?;
            seen.push(asks(scene, client)?);
            clients.push(client);
        }
        expect_cycle(NAMES, &seen)?;
        site.stop(scene, 'b')?;
        for (client, name) in clients.into_iter().zip(seen.chars()) {
            if name == 'b' {
                client.is_closed_on()?;
                continue;
            }
            let now = asks(scene, client)?;
            if now != name {
                let expected = format!("{} is answered by {name} again", client.name());
                return Err(Halt::fail(expected, format!("by {now}")));
            }
        }
        Ok(())
    })
}

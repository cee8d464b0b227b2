//! Backends that neither accept nor refuse.

use harness::{Context, Halt, Judged};

use super::refused::is_served;
use crate::scene::Scene;

pub(super) fn a_blackhole_costs_a_connect_timeout(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.echoing(3)?;
        let lb = scene.balancer(&backends).connect_timeout("400ms").start()?;
        for number in 0..3 {
            is_served(&lb, &format!("before {number}"))?;
        }
        backends[0].swallows()?;
        for number in 0..3 {
            is_served(&lb, &format!("client {number}"))?;
        }
        Ok(())
    })?;
    Scene::play(context, |scene| {
        let lb = scene.balancer(&scene.swallowing(2)?).connect_timeout("100ms").start()?;
        let client = lb.client()?;
        client.send(b"anybody?");
        client.is_closed_on()?;
        client.has_nothing_more()
    })
}

/// The timeout is a minute, and nobody waits for it: who is not served at once is whose pick it was.
pub(super) fn a_blackhole_delays_nobody_else(context: &Context) -> Judged {
    const CLIENTS: usize = 9;
    Scene::play(context, |scene| {
        let backends = scene.echoing(3)?;
        let lb = scene.balancer(&backends).start()?;
        let before = lb.client()?;
        before.send(b"hello");
        before.receives(b"hello")?;
        // One of them already has a client, who is not to suffer either.
        let hole = backends.iter().find(|backend| backend.sessions().is_empty());
        hole.ok_or_else(|| Halt::fault("one client at three backends"))?.swallows()?;
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let client = lb.client()?;
            client.send(b"hello");
            clients.push(client);
        }
        let served = || clients.iter().filter(|client| client.received_bytes() > 0).count();
        let wanted = CLIENTS * 2 / 3;
        if scene.attempt(|| (served() >= wanted).then_some(()))?.is_none() {
            let expected =
                format!("{wanted} of {CLIENTS} clients are served, while the others wait for a blackhole");
            return Err(Halt::fail(expected, format!("{} are", served())));
        }
        before.send(b"still there?");
        before.receives(b"still there?")
    })
}

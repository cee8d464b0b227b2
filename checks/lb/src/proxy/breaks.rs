//! Resets: the other side learns of them, after what had come before.

use harness::{Context, Judged};

use crate::{
    balancer::Balancer,
    bytes::amount,
    client::Peer,
    machine::{queues, settles},
    scene::{Behaviour, Scene},
    stall::{self, MUCH},
};

pub(super) fn a_break_closes_the_other_side(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let lb = scene.balancer(&[backend]).start()?;
        let pair = |number: usize| {
            let client = lb.client()?;
            client.send(b"hello");
            let server = backend.session_of(client, number)?;
            server.receives(b"hello")?;
            server.send(b"hello");
            client.receives(b"hello").map(|()| (client, server))
        };
        let (client, server) = pair(0)?;
        client.reset();
        server.is_closed_on()?;
        let (client, server) = pair(1)?;
        server.reset();
        client.is_closed_on()?;
        // After an end as well: one direction is over, and the other one breaks.
        let (client, server) = pair(2)?;
        client.finish();
        server.receives_end()?;
        server.reset();
        client.is_closed_on()?;
        let (client, server) = pair(3)?;
        server.finish();
        client.receives_end()?;
        client.reset();
        // Its end of stream was not sent, so that whatever comes is because of the reset.
        server.is_closed_on()?;
        // And the balancer serves on.
        pair(4).map(drop)
    })
}

pub(super) fn what_came_before_a_break_is_delivered(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let lb = scene.balancer(&[backend]).start()?;
        for round in 0..10 {
            let client = lb.client()?;
            client.send(b"hello");
            let server = backend.session_of(client, 2 * round)?;
            server.receives(b"hello")?;
            breaks(&lb, server, b"last words of a backend", round % 2 == 1)?;
            client.receives(b"last words of a backend")?;
            client.is_closed_on()?;

            let client = lb.client()?;
            client.send(b"hello");
            let server = backend.session_of(client, 2 * round + 1)?;
            server.receives(b"hello")?;
            breaks(&lb, client, b"last words of a client", round % 2 == 1)?;
            server.receives(b"last words of a client")?;
            server.is_closed_on()?;
        }
        Ok(())
    })
}

/// Says something, and breaks; if the balancer stands still meanwhile, it hears of both at once.
#[track_caller]
fn breaks(lb: &Balancer<'_>, side: Peer<'_>, words: &[u8], at_once: bool) -> Judged {
    let act = || {
        side.send(words);
        side.has_sent()?;
        side.reset();
        Ok(())
    };
    if at_once { lb.held(act) } else { act() }
}

pub(super) fn a_break_waits_for_a_slow_client(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let lb = scene.balancer(&[backend]).start()?;
        let [server, client] = stall::unread(scene, &lb, backend, false, MUCH)?;
        settles(scene, &lb, || server.sent_bytes())?;
        // What the balancer's side of the connection has acknowledged can be read there, also after the break.
        let arrived = server.sent_bytes() - queues(server.local(), server.remote())?.unacknowledged;
        scene.tell(format!("{} have arrived; nothing moves any more", amount(arrived)));
        server.reset();
        // It is noticed before anybody reads on.
        settles(scene, &lb, || client.received_bytes())?;
        client.read_on();
        client.receives_stream(arrived).map_err(|halt| {
            halt.likely("a break ends both sides at once, and what was still to be written is lost")
        })?;
        client.is_closed_on().map(drop)
    })
}
